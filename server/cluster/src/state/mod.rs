//! The one value that the cluster agrees on.
//!
//! *What it is*: [`ClusterState`], immutable, shared by `Arc`. · *Types to know*: [`IndexMetadata`], [`ShardRouting`],
//! [`ReplicationEntry`]. · **Invariants**: it changes only by a [`crate::Command`] that went through Raft; ordered maps only,
//! so that every node computes the same; no documents in it. · *How it fails*: it does not. · *How it is tested*: with the
//! commands.

pub mod health;
mod index;
mod replication;
mod routing;

pub use index::{AliasMetadata, IndexMetadata, IndexOrigin, IndexState, ShardMetadata};
pub use replication::{ReplicationEntry, ReplicationState};
pub use routing::{CopyState, IndexRouting, ShardRouting};

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use tandem_common::error::BlockReason;
use tandem_common::{Error, IndexUuid, NodeId, Result, SessionId, Settings};

/// Everything the cluster agrees on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClusterState {
    /// The cluster's name.
    pub cluster_name: String,
    /// Its identity; empty until the first node has joined.
    pub cluster_uuid: String,
    /// Rises by one with each batch of commands that changed something.
    pub version: u64,
    /// The lowest feature level that every node supports; what `apply` computes is gated by it.
    pub feature_level: u32,
    /// The members, by id.
    pub nodes: BTreeMap<NodeId, DiscoveryNode>,
    /// Every index, by name.
    pub indices: BTreeMap<String, Arc<IndexMetadata>>,
    /// Where the copies are, by index.
    pub routing: BTreeMap<IndexUuid, IndexRouting>,
    /// Cluster settings that survive a full restart.
    pub persistent: Settings,
    /// Cluster settings that do not.
    pub transient: Settings,
    /// What follows what, by follower index.
    pub replications: BTreeMap<String, Arc<ReplicationEntry>>,
}

/// The feature level of this build.
pub const FEATURE_LEVEL: u32 = 1;

/// One member.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DiscoveryNode {
    /// Its stable identity.
    pub id: NodeId,
    /// Its name.
    pub name: String,
    /// This process: a new one for each start.
    pub session: SessionId,
    /// `host:port` of its gRPC door.
    pub transport_address: String,
    /// `host:port` of its REST door.
    pub http_address: String,
    /// Its roles, in OpenSearch's words.
    pub roles: Vec<String>,
    /// `node.attr.*`.
    pub attributes: BTreeMap<String, String>,
    /// The highest feature level it supports.
    pub feature_level: u32,
}

impl ClusterState {
    /// The index of this name.
    ///
    /// # Errors
    /// `index_not_found_exception`.
    pub fn index(&self, name: &str) -> Result<&Arc<IndexMetadata>> {
        self.indices.get(name).ok_or_else(|| Error::IndexNotFound { index: name.to_owned() })
    }

    /// The index of this identity.
    pub fn index_by_uuid(&self, uuid: &IndexUuid) -> Option<&Arc<IndexMetadata>> {
        self.indices.values().find(|index| index.uuid == *uuid)
    }

    /// The concrete indices of an alias, in the order of their names.
    pub fn alias(&self, name: &str) -> Vec<&Arc<IndexMetadata>> {
        self.indices.values().filter(|index| index.aliases.contains_key(name)).collect()
    }

    /// A cluster setting: transient before persistent.
    pub fn setting(&self, key: &str) -> Option<&str> {
        self.transient.text(key).or_else(|| self.persistent.text(key))
    }

    /// Every cluster setting that is set, transient before persistent.
    pub fn effective_settings(&self) -> Settings {
        let mut settings = self.persistent.clone();
        settings.apply(&self.transient);
        settings
    }

    /// What blocks writing documents into an index.
    pub fn write_blocks(&self, index: &IndexMetadata) -> Vec<BlockReason> {
        let mut blocks: Vec<BlockReason> = self.metadata_blocks(index).into_iter().filter(|block| block.id != METADATA_BLOCK).collect();
        if index.setting_is_true("index.blocks.write") {
            blocks.push(block(8, "index write (api)", "FORBIDDEN"));
        }
        blocks
    }

    /// What blocks reading documents of an index.
    pub fn read_blocks(&self, index: &IndexMetadata) -> Vec<BlockReason> {
        if index.setting_is_true("index.blocks.read") { vec![block(7, "index read (api)", "FORBIDDEN")] } else { Vec::new() }
    }

    /// What blocks changing an index itself: its mapping, settings, aliases, existence.
    pub fn metadata_blocks(&self, index: &IndexMetadata) -> Vec<BlockReason> {
        let mut blocks = Vec::new();
        if index.setting_is_true("index.blocks.read_only") {
            blocks.push(block(5, "index read-only (api)", "FORBIDDEN"));
        }
        if index.setting_is_true("index.blocks.metadata") {
            blocks.push(block(METADATA_BLOCK, "index metadata (api)", "FORBIDDEN"));
        }
        if self.replications.get(&index.name).is_some_and(|entry| entry.follows(index)) {
            blocks.push(block(REPLICATION_BLOCK, "index read-only(cross-cluster-replication)", "FORBIDDEN"));
        }
        blocks
    }
}

/// The number of the block on follower indices.
pub const REPLICATION_BLOCK: u32 = 1000;

/// The number of the block that leaves documents alone.
const METADATA_BLOCK: u32 = 9;

fn block(id: u32, description: &str, status_name: &str) -> BlockReason {
    BlockReason { id, description: description.into(), status_name: status_name.into() }
}
