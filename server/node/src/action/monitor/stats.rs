//! `indices:monitor/stats`: what shards hold and did.

use crate::action::{IndexNames, Services, ShardsHeader};
use tandem_common::{Context, Error, IndexUuid, NodeId, Result};

/// The figures of one shard copy.
#[derive(Clone, Debug, Default)]
pub struct CopyStats {
    /// Live documents.
    pub docs: u64,
    /// Deleted ones still in segments.
    pub deleted: u64,
    /// Bytes of the index's files.
    pub store_bytes: u64,
    /// Bytes of the log.
    pub translog_bytes: u64,
    /// Operations of the log that are not in a durable commit.
    pub translog_operations: u64,
    /// Segments.
    pub segments: u64,
    /// The end of the log.
    pub max_seq_no: i64,
    /// The end of what is durable here.
    pub local_checkpoint: i64,
    /// What is durable on every copy in sync.
    pub global_checkpoint: i64,
}

/// One retention lease.
#[derive(Clone, Debug)]
pub struct LeaseDescription {
    /// Its id.
    pub id: String,
    /// The first operation that it holds.
    pub retaining_seq_no: i64,
    /// When it was last renewed, milliseconds since 1970.
    pub timestamp: i64,
    /// Who took it.
    pub source: String,
}

/// One shard copy.
#[derive(Clone, Debug)]
pub struct ShardCopy {
    /// Its number.
    pub shard: u32,
    /// Whether it is the primary.
    pub primary: bool,
    /// `STARTED`, `INITIALIZING`, `UNASSIGNED`.
    pub state: &'static str,
    /// Where it is.
    pub node: Option<NodeId>,
    /// The node's name.
    pub node_name: Option<String>,
    /// Its figures, when it is open.
    pub stats: Option<CopyStats>,
    /// Its leases (primaries only).
    pub leases: Vec<LeaseDescription>,
    /// The primary term of the shard.
    pub primary_term: u64,
}

/// One index.
#[derive(Clone, Debug)]
pub struct IndexStats {
    /// Its name.
    pub index: String,
    /// Its identity.
    pub uuid: IndexUuid,
    /// Its health.
    pub health: super::health::HealthStatus,
    /// Open or closed.
    pub open: bool,
    /// Shards.
    pub number_of_shards: u32,
    /// Replicas of each.
    pub number_of_replicas: u32,
    /// Milliseconds since 1970.
    pub creation_date: i64,
    /// Every copy, unassigned ones too.
    pub copies: Vec<ShardCopy>,
}

/// The figures of the indices that the expression names, in the order of their names.
pub async fn execute(_services: &Services, _context: &Context, _indices: IndexNames) -> Result<(ShardsHeader, Vec<IndexStats>)> {
    Err(Error::internal("pending"))
}
