//! The use cases, one per file: resolve, fan out, collect.
//!
//! *What it is*: everything a door can ask for. · *Types to know*: [`Services`]; each file's request and response. ·
//! **Invariants**: an action reads the cluster state once, at the start; failures of parts are values in the answer;
//! nothing here renders JSON for people. · *How it fails*: `common::Error`. · *How it is tested*: through the doors and by
//! scenarios.

pub mod admin;
pub mod monitor;
pub mod read;
pub mod write;

mod resolve;

use crate::indices::IndicesService;
use std::sync::Arc;
use tandem_cluster::ClusterService;
use tandem_cluster::transport::RemoteClusters;
use tandem_common::{Settings, Tasks};

/// What the actions work with. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    /// What the cluster agrees on.
    pub cluster: ClusterService,
    /// The shard copies of this node.
    pub indices: Arc<IndicesService>,
    /// Connections to other clusters.
    pub remotes: RemoteClusters,
    /// Background duties.
    pub tasks: Tasks,
    /// The node's own configuration.
    pub settings: Arc<Settings>,
}

/// How an operation's `refresh` parameter reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RefreshPolicy {
    /// `false`: become searchable in time.
    #[default]
    None,
    /// `true` or empty: be searchable at once.
    Immediate,
    /// `wait_for`: answer when searchable.
    WaitFor,
}

/// The `_shards` part of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShardsHeader {
    /// Copies, or shards of a search.
    pub total: u32,
    /// How many did it.
    pub successful: u32,
    /// How many were skipped (searches only).
    pub skipped: u32,
    /// How many failed.
    pub failed: u32,
    /// Why.
    pub failures: Vec<tandem_common::error::ShardFailure>,
}

/// Which indices an expression may name (`ignore_unavailable`, `allow_no_indices`, `expand_wildcards`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndicesOptions {
    /// A missing or closed concrete name is left out instead of being an error.
    pub ignore_unavailable: bool,
    /// A wildcard that matches nothing is fine.
    pub allow_no_indices: bool,
    /// Wildcards match open indices.
    pub expand_open: bool,
    /// Wildcards match closed indices.
    pub expand_closed: bool,
    /// Wildcards match hidden indices.
    pub expand_hidden: bool,
}

impl Default for IndicesOptions {
    fn default() -> Self {
        Self { ignore_unavailable: false, allow_no_indices: true, expand_open: true, expand_closed: false, expand_hidden: false }
    }
}

/// An index expression: names, wildcards, exclusions; empty for all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IndexNames {
    /// The parts, as between the commas.
    pub names: Vec<String>,
    /// What they may match.
    pub options: IndicesOptions,
}
