//! `indices:monitor/segments`: what the index of each shard is made of.

use crate::action::resolve::{self, Purpose};
use crate::action::{IndexNames, Services, ShardsHeader};
use tandem_common::{Context, NodeId, Result};
pub use tandem_engine::shard::SegmentStats;

/// The segments of one shard copy.
#[derive(Clone, Debug)]
pub struct ShardSegments {
    /// Its index.
    pub index: String,
    /// Its number.
    pub shard: u32,
    /// Whether it is the primary.
    pub primary: bool,
    /// Where it is.
    pub node: NodeId,
    /// By their numbers.
    pub segments: Vec<SegmentStats>,
}

/// The segments of the copies on this node of the indices that the expression names, by index and shard.
///
/// # Errors
/// No such index, a closed one; a copy whose commit cannot be read.
pub async fn execute(services: &Services, _context: &Context, indices: IndexNames) -> Result<(ShardsHeader, Vec<ShardSegments>)> {
    let state = services.cluster.state();
    let me = &services.cluster.local_node().id;
    let mut found = Vec::new();
    let mut header = ShardsHeader::default();
    for index in resolve::indices(&state, &indices, Purpose::Open)? {
        let routing = state.routing.get(&index.uuid).map(|routing| routing.shards.as_slice()).unwrap_or_default();
        for (shard, copies) in (0u32..).zip(routing) {
            header.total += u32::try_from(copies.len()).unwrap_or(u32::MAX);
            for copy in copies.iter().filter(|copy| copy.node.as_ref() == Some(me)) {
                let Some((open, ..)) = services.indices.active(&(index.uuid.clone(), shard)) else { continue };
                let segments = open.segments().await?;
                header.successful += 1;
                found.push(ShardSegments { index: index.name.clone(), shard, primary: copy.primary, node: me.clone(), segments });
            }
        }
    }
    Ok((header, found))
}
