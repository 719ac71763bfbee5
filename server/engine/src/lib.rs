//! One copy of one shard: text to tokens, the log and the index, search on it.
//!
//! Knows tantivy and files. Knows nothing of other nodes, of HTTP, of gRPC, or of the cluster state.
#![warn(missing_docs)]

pub mod analysis;
pub mod search;
pub mod shard;
