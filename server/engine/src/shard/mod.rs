//! One shard copy on disk: its log, its index, its sequence numbers, its history.

pub mod schema;
pub mod searcher;
