//! The server, so that tests can start and kill real processes.

fn main() -> std::process::ExitCode {
    tandem_search::main()
}
