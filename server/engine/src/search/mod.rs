//! The query language and the phases of a search on one shard, and how partial results merge.
