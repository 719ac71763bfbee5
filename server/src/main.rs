//! The binary. Everything it does is in the library, so that tests can be the same program.

use std::process::ExitCode;

// Indexing allocates small things on many threads, where it clearly beats the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tandem_search::main()
}
