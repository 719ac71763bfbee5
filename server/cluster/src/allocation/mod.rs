//! Where shards go: unassigned copies get nodes. Pure, and part of applying a command.
//!
//! *What it is*: [`allocate`]. · *Types to know*: the state's [`ShardRouting`]. · **Invariants**: no clock, no randomness, no
//! I/O; weights are whole numbers; a copy of a shard never lands on a node that holds another. · *How it fails*: a copy that
//! fits nowhere stays unassigned. · *How it is tested*: state in, state out.

use crate::state::{ClusterState, CopyState, ShardRouting};
use std::collections::BTreeMap;
use tandem_common::{AllocationId, NodeId};

/// Gives nodes to unassigned primaries (where they may go) and, once a primary is started, to its replicas.
///
/// A new primary goes to the data node with the fewest copies; a primary whose data exists goes only where that data is.
/// `ids` are fresh allocation ids made outside, because nothing random may happen here.
pub fn allocate(state: &mut ClusterState, ids: &mut dyn Iterator<Item = AllocationId>) {
    let mut load: BTreeMap<NodeId, usize> = data_nodes(state).into_iter().map(|id| (id, 0)).collect();
    for copy in state.routing.values().flat_map(|index| index.shards.iter().flatten()) {
        if let Some(count) = copy.node.as_ref().and_then(|node| load.get_mut(node)) {
            *count += 1;
        }
    }
    for (uuid, index) in &mut state.routing {
        let Some(metadata) = state.indices.values().find(|metadata| metadata.uuid == *uuid) else { continue };
        for (number, copies) in index.shards.iter_mut().enumerate() {
            let Some(shard) = metadata.shards.get(number) else { continue };
            let taken: Vec<NodeId> = copies.iter().filter_map(|copy| copy.node.clone()).collect();
            let primary_started = copies.iter().any(|copy| copy.primary && copy.is_started());
            for copy in copies.iter_mut().filter(|copy| copy.state == CopyState::Unassigned) {
                let has_data = copy.primary && !shard.in_sync.is_empty();
                if has_data || (!copy.primary && !primary_started) {
                    continue;
                }
                let Some(node) = lightest(&load, &taken) else { continue };
                let Some(id) = ids.next() else { return };
                *load.entry(node.clone()).or_default() += 1;
                assign(copy, node, id);
            }
        }
    }
}

fn assign(copy: &mut ShardRouting, node: NodeId, id: AllocationId) {
    assert!(copy.state.can_become(CopyState::Initializing), "only an unassigned copy is allocated");
    copy.state = CopyState::Initializing;
    copy.node = Some(node);
    copy.allocation_id = Some(id);
}

fn lightest(load: &BTreeMap<NodeId, usize>, taken: &[NodeId]) -> Option<NodeId> {
    load.iter().filter(|(node, _)| !taken.contains(node)).min_by_key(|(_, count)| **count).map(|(node, _)| node.clone())
}

fn data_nodes(state: &ClusterState) -> Vec<NodeId> {
    state.nodes.values().filter(|node| node.roles.iter().any(|role| role == "data")).map(|node| node.id.clone()).collect()
}
