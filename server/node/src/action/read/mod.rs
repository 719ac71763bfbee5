//! Reading documents.

pub mod count;
pub mod get;
pub mod mget;
pub mod search;
mod shards;
