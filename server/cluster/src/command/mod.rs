//! Every change of the cluster state: one file per command.
//!
//! *What it is*: the catalogue of what can go through Raft. · *Types to know*: [`Command`]. · **Invariants**: `apply` is
//! deterministic: no clock, no randomness, no I/O, no iteration over a hash map; what is random or timed travels inside the
//! command. A command that cannot be applied leaves the state untouched. · *How it fails*: an error for the submitter, the
//! same on every node. · *How it is tested*: state in, state out.

mod aliases;
mod create_index;
mod delete_index;
mod index_state;
mod nodes;
mod put_mapping;
mod replication;
mod shards;
mod update_settings;

pub use aliases::{AliasChange, UpdateAliases};
pub use create_index::CreateIndex;
pub use delete_index::DeleteIndex;
pub use index_state::SetIndexState;
pub use nodes::NodeJoined;
pub use put_mapping::{PutMapping, ReplaceMapping};
pub use replication::{LEADER_INDEX_SETTING, PauseReplication, ResumeReplication, StartReplication, StopReplication};
pub use shards::{ShardFailed, ShardStarted};
pub use update_settings::{UpdateClusterSettings, UpdateIndexSettings};

use crate::state::ClusterState;
use serde::{Deserialize, Serialize};
use tandem_common::Result;

/// A change of the cluster state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// A new index.
    CreateIndex(CreateIndex),
    /// Indices go.
    DeleteIndex(DeleteIndex),
    /// A process of a node is here.
    NodeJoined(NodeJoined),
    /// More fields.
    PutMapping(PutMapping),
    /// The leader's mapping, whole, for a follower index.
    ReplaceMapping(ReplaceMapping),
    /// A copy serves.
    ShardStarted(ShardStarted),
    /// A copy does not.
    ShardFailed(ShardFailed),
    /// Cluster settings change.
    UpdateClusterSettings(UpdateClusterSettings),
    /// Index settings change.
    UpdateIndexSettings(UpdateIndexSettings),
    /// Aliases change.
    UpdateAliases(UpdateAliases),
    /// Indices open or close.
    SetIndexState(SetIndexState),
    /// An index is to follow another cluster's.
    StartReplication(StartReplication),
    /// It holds still.
    PauseReplication(PauseReplication),
    /// It goes on.
    ResumeReplication(ResumeReplication),
    /// It becomes an ordinary index.
    StopReplication(StopReplication),
}

impl Command {
    /// Changes the state, or says why not and leaves it as it was.
    pub fn apply(&self, state: &mut ClusterState) -> Result<()> {
        match self {
            Command::CreateIndex(command) => command.apply(state),
            Command::DeleteIndex(command) => command.apply(state),
            Command::NodeJoined(command) => command.apply(state),
            Command::PutMapping(command) => command.apply(state),
            Command::ReplaceMapping(command) => command.apply(state),
            Command::ShardStarted(command) => command.apply(state),
            Command::ShardFailed(command) => command.apply(state),
            Command::UpdateClusterSettings(command) => command.apply(state),
            Command::UpdateIndexSettings(command) => command.apply(state),
            Command::UpdateAliases(command) => command.apply(state),
            Command::SetIndexState(command) => command.apply(state),
            Command::StartReplication(command) => command.apply(state),
            Command::PauseReplication(command) => command.apply(state),
            Command::ResumeReplication(command) => command.apply(state),
            Command::StopReplication(command) => command.apply(state),
        }
    }
}

#[cfg(test)]
mod tests;
