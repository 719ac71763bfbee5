//! Tandem: a search cluster with cross-cluster replication.
//!
//! The top floor: the doors (`rest`, `grpc`), the command line, and [`Server`], a node with its listeners. Below it
//! `tandem_node` does the work, `tandem_cluster` agrees on the state, `tandem_engine` keeps the shards and
//! `tandem_common` is the language of all.
#![warn(missing_docs)]

mod addresses;
pub mod cli;
pub mod grpc;
pub mod logging;
pub mod rest;
mod run;
mod server;

pub use run::main;
pub use server::Server;
