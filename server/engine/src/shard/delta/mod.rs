//! Delta by sequence number: a copy that shares most documents with another is brought to the other's state by what differs.
//!
//! *What it is*: the source side ([`DeltaSource`]: a pinned searcher and what is asked of it), the target side
//! ([`IndexShard::prepare_delta`](super::IndexShard::prepare_delta): a new generation of the store beside the present one),
//! and the messages between them. Used for failback, for a follower whose lease was lost, and for a copy that was away too
//! long. · *Types to know*: [`DeltaRequest`] and [`DeltaBegin`], [`DeltaPeer`], [`SeqNoSet`], [`PreparedGeneration`]. ·
//! **Invariants**: both sides share every operation up to `shared`, by history and term, so that there a sequence number names
//! the same document on both; the present generation is read, never changed; a document of the target above `shared` is in
//! the saved file before it is dropped; a generation is prepared as a whole or not at all; the bytes that move follow what
//! differs, however the segments of either side were merged. · *How it fails*: a lost pin, a peer that is gone, or a crash
//! ends the attempt, and the next one starts over from the present generation, which costs links to files; an answer of the
//! peer that cannot be true is refused. · *How it is tested*: `tests/` beside the code, with two stores in one process.

mod digest;
mod messages;
mod saved;
mod seq_no_set;
mod source;
mod target;
#[cfg(test)]
mod tests;

pub use digest::Digest;
pub use messages::{DeltaBegin, DeltaDocument, DeltaPeer, DeltaRequest, DocumentChunk, LiveChunk, Tombstone, TombstoneChunk};
pub use seq_no_set::SeqNoSet;
pub use source::DeltaSource;
pub use target::{DeltaReport, PreparedGeneration};

/// One answer of the source takes about this many bytes.
const ANSWER_BYTES: usize = 1 << 20;

/// So many documents are asked for by number at once.
const FETCH_DOCUMENTS: usize = 1024;

/// With more documents above the shared history than this a copy of the files is the better way: the source keeps 16 bytes
/// for each while it is pinned.
const DOCUMENTS_ABOVE_MAX: usize = 8_000_000;
