//! Tandem: a search cluster with cross-cluster replication.
#![warn(missing_docs)]

pub mod rest;
