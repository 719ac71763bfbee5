//! Reading documents.

pub mod analyze;
pub mod count;
pub mod get;
pub mod mget;
pub mod search;
mod shards;
