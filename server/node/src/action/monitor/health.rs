//! `cluster:monitor/health`, with its waits.

use crate::action::{IndexNames, Services};
use std::collections::BTreeMap;
use tandem_common::{Context, Error, Result};

/// `green`, `yellow`, `red`, from worst to best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HealthStatus {
    /// A primary is missing.
    Red,
    /// A replica is missing.
    Yellow,
    /// Every copy is started.
    Green,
}

impl HealthStatus {
    /// OpenSearch's word.
    pub fn as_str(self) -> &'static str {
        match self {
            HealthStatus::Red => "red",
            HealthStatus::Yellow => "yellow",
            HealthStatus::Green => "green",
        }
    }
}

/// What to wait for; the deadline is the context's.
#[derive(Clone, Debug, Default)]
pub struct HealthRequest {
    /// Only these indices; empty for all.
    pub indices: IndexNames,
    /// At least this status.
    pub wait_for_status: Option<HealthStatus>,
    /// `3`, `>=2`, `<2`, `ge(2)`, ….
    pub wait_for_nodes: Option<String>,
    /// `all`, or a number of active shards.
    pub wait_for_active_shards: Option<String>,
    /// Nothing may be relocating.
    pub wait_for_no_relocating_shards: bool,
    /// Nothing may be initializing.
    pub wait_for_no_initializing_shards: bool,
}

/// How the cluster is.
#[derive(Clone, Debug)]
pub struct HealthResponse {
    /// Its name.
    pub cluster_name: String,
    /// The worst of its indices.
    pub status: HealthStatus,
    /// Whether the wait ran out.
    pub timed_out: bool,
    /// Nodes, and those that hold data.
    pub number_of_nodes: u32,
    /// Nodes that hold data.
    pub number_of_data_nodes: u32,
    /// Whether the cluster manager is known.
    pub discovered_cluster_manager: bool,
    /// Counts of copies.
    pub shards: ShardCounts,
    /// Per index, in the order of their names.
    pub indices: BTreeMap<String, IndexHealth>,
}

/// Copies by their state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShardCounts {
    /// Started primaries.
    pub active_primary: u32,
    /// Started copies.
    pub active: u32,
    /// Copies on the move.
    pub relocating: u32,
    /// Copies being prepared.
    pub initializing: u32,
    /// Copies without a node.
    pub unassigned: u32,
}

/// One index's health.
#[derive(Clone, Debug)]
pub struct IndexHealth {
    /// The worst of its shards.
    pub status: HealthStatus,
    /// How many shards it has.
    pub number_of_shards: u32,
    /// How many replicas each should have.
    pub number_of_replicas: u32,
    /// Counts of copies.
    pub counts: ShardCounts,
    /// Per shard number.
    pub shards: BTreeMap<u32, (HealthStatus, ShardCounts)>,
}

/// Waits as asked and answers; a wait that runs out is an answer with `timed_out`.
pub async fn execute(_services: &Services, _context: &Context, _request: HealthRequest) -> Result<HealthResponse> {
    Err(Error::internal("pending"))
}
