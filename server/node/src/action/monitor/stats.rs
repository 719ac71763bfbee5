//! `indices:monitor/stats`: what shards hold and did.

use super::health;
use crate::action::resolve::{self, Purpose};
use crate::action::{IndexNames, Services, ShardsHeader};
use tandem_cluster::state::{CopyState, IndexState, ShardRouting};
use tandem_cluster::{ClusterState, IndexMetadata};
use tandem_common::{Context, IndexUuid, NodeId, Result};
pub use tandem_engine::shard::{SearchTotals, ShardStats, Total};

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
    pub stats: Option<ShardStats>,
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
    pub health: health::HealthStatus,
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

/// The figures of the indices that the expression names, in the order of their names. The header counts copies. A closed index
/// that is named is an error with `forbid_closed`.
///
/// # Errors
/// No such index.
pub async fn execute(
    services: &Services,
    _context: &Context,
    indices: IndexNames,
    forbid_closed: bool,
) -> Result<(ShardsHeader, Vec<IndexStats>)> {
    let state = services.cluster.state();
    let found = resolve::indices(&state, &indices, if forbid_closed { Purpose::Open } else { Purpose::Metadata })?;
    let all: Vec<IndexStats> = found.iter().map(|index| index_stats(services, &state, index)).collect();
    let mut header = ShardsHeader::default();
    for copy in all.iter().flat_map(|index| &index.copies) {
        header.total += 1;
        header.successful += u32::from(copy.state == CopyState::Started.as_str());
    }
    Ok((header, all))
}

fn index_stats(services: &Services, state: &ClusterState, index: &IndexMetadata) -> IndexStats {
    let mut copies = Vec::new();
    let routing = state.routing.get(&index.uuid).map(|routing| routing.shards.as_slice()).unwrap_or_default();
    for (number, shard) in (0u32..).zip(routing) {
        let term = index.shards.get(number as usize).map_or(0, |shard| shard.primary_term.0);
        copies.extend(shard.iter().map(|copy| copy_stats(services, state, index, number, copy, term)));
    }
    IndexStats {
        index: index.name.clone(),
        uuid: index.uuid.clone(),
        health: health::status_of(services, state, index),
        open: index.state == IndexState::Open,
        number_of_shards: index.number_of_shards(),
        number_of_replicas: index.number_of_replicas(),
        creation_date: index.creation_date,
        copies,
    }
}

fn copy_stats(
    services: &Services,
    state: &ClusterState,
    index: &IndexMetadata,
    shard: u32,
    copy: &ShardRouting,
    primary_term: u64,
) -> ShardCopy {
    let local = copy.node.as_ref() == Some(&services.cluster.local_node().id);
    let open = services.indices.active(&(index.uuid.clone(), shard)).filter(|_| local).map(|(open, ..)| open);
    let stats = open.as_ref().map(|open| open.stats());
    let leases = open.filter(|_| copy.primary).map(|open| open.leases()).unwrap_or_default();
    ShardCopy {
        shard,
        primary: copy.primary,
        state: copy.state.as_str(),
        node: copy.node.clone(),
        node_name: copy.node.as_ref().and_then(|node| state.nodes.get(node)).map(|node| node.name.clone()),
        stats,
        leases: leases
            .into_iter()
            .map(|lease| LeaseDescription {
                id: lease.id,
                retaining_seq_no: lease.retaining_seq_no.0,
                timestamp: lease.timestamp,
                source: lease.source,
            })
            .collect(),
        primary_term,
    }
}
