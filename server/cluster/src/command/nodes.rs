//! A process of a node is here: a new one of the same node counts as the loss of the old one.

use crate::state::{ClusterState, DiscoveryNode, FEATURE_LEVEL};
use serde::{Deserialize, Serialize};
use tandem_common::{Error, Result};

/// A node has joined.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeJoined {
    /// The node as it is now.
    pub node: DiscoveryNode,
    /// The cluster's name.
    pub cluster_name: String,
    /// The identity that the cluster gets when this is its first node ever.
    pub cluster_uuid_if_new: String,
}

impl NodeJoined {
    pub(super) fn apply(&self, state: &mut ClusterState) -> Result<()> {
        if state.feature_level > self.node.feature_level {
            return Err(Error::IllegalState {
                reason: format!(
                    "node [{}] supports feature level [{}] but the cluster is at [{}]",
                    self.node.name, self.node.feature_level, state.feature_level
                ),
            });
        }
        if state.cluster_uuid.is_empty() {
            state.cluster_uuid = self.cluster_uuid_if_new.clone();
        }
        state.cluster_name = self.cluster_name.clone();
        state.nodes.insert(self.node.id.clone(), self.node.clone());
        state.feature_level = state.nodes.values().map(|node| node.feature_level).min().unwrap_or(FEATURE_LEVEL);
        // Transient settings do not outlive a full restart: the first process of the only node is one.
        if state.nodes.len() == 1 {
            state.transient = tandem_common::Settings::new();
        }
        for copy in state.routing.values_mut().flat_map(|index| index.shards.iter_mut().flatten()) {
            let elsewhere = copy.node.as_ref() != Some(&self.node.id);
            if elsewhere {
                continue;
            }
            // The store is opened again under a new session, and serves under a new term; a copy that had failed gets
            // another chance, because its data is nowhere else.
            copy.reopen();
        }
        Ok(())
    }
}
