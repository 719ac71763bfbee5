//! What a node does: its shard copies follow the cluster state, the use cases, cross-cluster replication.
//!
//! Knows the engine and the cluster. Knows nothing of HTTP, of JSON rendering, or of the libraries below them.
#![warn(missing_docs)]

pub mod action;
pub mod ccr;
