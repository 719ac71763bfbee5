//! What the nodes of a cluster agree on, how it changes, where shards go; and the wires between nodes and clusters.
//!
//! Knows openraft and gRPC clients. Knows nothing of documents, of the engine, or of HTTP.
#![warn(missing_docs)]

pub mod allocation;
pub mod command;
pub mod index_names;
mod raft;
pub mod service;
pub mod settings;
pub mod state;
pub mod transport;

pub use command::Command;
pub use service::{ClusterConfig, ClusterService};
pub use state::{ClusterState, IndexMetadata};
