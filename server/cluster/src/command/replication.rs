//! The durable steps of cross-cluster replication, each fenced by the entry's epoch.

use super::CreateIndex;
use super::delete_index::DeleteIndex;
use crate::state::{ClusterState, IndexOrigin, ReplicationEntry, ReplicationState};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tandem_common::{Error, HistoryId, IndexUuid, PrimaryTerm, Result, Settings};

/// The setting that names what an index follows.
pub const LEADER_INDEX_SETTING: &str = "index.plugins.replication.follower.leader_index";

/// An index is to follow another cluster's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StartReplication {
    /// The follower index's name.
    pub follower_index: String,
    /// The connection.
    pub leader_alias: String,
    /// The leader index.
    pub leader_index: String,
    /// The leader index's identity.
    pub leader_uuid: IndexUuid,
    /// Settings that override the leader's.
    pub overrides: Settings,
    /// The follower index itself: it and the entry come into being together, so that neither is ever alone.
    pub index: CreateIndex,
}

/// A follower index holds still, or has failed to begin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PauseReplication {
    /// The follower index's name.
    pub follower_index: String,
    /// Paused, or failed.
    pub state: ReplicationState,
    /// Why.
    pub reason: String,
    /// The entry as the submitter knew it; `None` for a person's wish.
    pub epoch: Option<u64>,
}

/// A follower index goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResumeReplication {
    /// The follower index's name.
    pub follower_index: String,
}

/// A follower index becomes an ordinary one: the entry goes, and each shard is to enter a new history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StopReplication {
    /// The follower index's name.
    pub follower_index: String,
    /// A new history for each shard.
    pub histories: Vec<HistoryId>,
    /// The highest op term in the logs of the follower, which may be far above its own primary term.
    pub highest_op_term: PrimaryTerm,
    /// A random number: with it the new terms lie apart from those that the leader's side takes later.
    pub term_offset: u64,
}

/// A promoted follower takes its term from the next block of this many (2^20) above every term in its log.
const TERM_BLOCK: u64 = 1 << 20;

fn entry_of<'a>(state: &'a mut ClusterState, index: &str) -> Result<&'a mut Arc<ReplicationEntry>> {
    state.replications.get_mut(index).ok_or_else(|| Error::illegal_argument(format!("No replication in progress for index:{index}")))
}

impl StartReplication {
    pub(super) fn apply(&self, state: &mut ClusterState) -> Result<()> {
        let epoch = match state.replications.get(&self.follower_index) {
            // A failed beginning that left no index does not stand in the way of a new one.
            Some(entry) if entry.state == ReplicationState::Failed && !state.indices.contains_key(&self.follower_index) => entry.epoch + 1,
            Some(_) => return Err(in_use(&self.follower_index)),
            None => 1,
        };
        if state.indices.contains_key(&self.follower_index) {
            return Err(in_use(&self.follower_index));
        }
        let entry = ReplicationEntry {
            epoch,
            state: ReplicationState::Running,
            reason: "User initiated".into(),
            leader_alias: self.leader_alias.clone(),
            leader_index: self.leader_index.clone(),
            leader_uuid: self.leader_uuid.clone(),
            follower_uuid: self.index.uuid.clone(),
            overrides: self.overrides.clone(),
        };
        self.index.apply(state)?;
        state.replications.insert(self.follower_index.clone(), Arc::new(entry));
        Ok(())
    }
}

fn in_use(index: &str) -> Error {
    Error::illegal_argument(format!("Cant use same index again for replication. Delete the index:{index}"))
}

fn stale(index: &str) -> Error {
    Error::IllegalState { reason: format!("the replication of index [{index}] was changed meanwhile") }
}

impl PauseReplication {
    pub(super) fn apply(&self, state: &mut ClusterState) -> Result<()> {
        let entry = entry_of(state, &self.follower_index)?;
        if self.epoch.is_some_and(|epoch| epoch != entry.epoch) {
            return Err(stale(&self.follower_index));
        }
        if entry.state == ReplicationState::Paused {
            return Err(Error::AlreadyExists { reason: format!("Index {} is already paused", self.follower_index) });
        }
        if !entry.state.can_become(self.state) {
            return Err(Error::IllegalState { reason: format!("Cannot pause when in {} state", entry.state.as_str()) });
        }
        let entry = Arc::make_mut(entry);
        entry.state = self.state;
        entry.reason.clone_from(&self.reason);
        entry.epoch += 1;
        Ok(())
    }
}

impl ResumeReplication {
    pub(super) fn apply(&self, state: &mut ClusterState) -> Result<()> {
        let entry = entry_of(state, &self.follower_index)?;
        if !entry.state.can_become(ReplicationState::Running) {
            return Err(Error::AlreadyExists { reason: format!("Replication on Index {} is already running", self.follower_index) });
        }
        let entry = Arc::make_mut(entry);
        entry.state = ReplicationState::Running;
        entry.reason = "User initiated".into();
        entry.epoch += 1;
        Ok(())
    }
}

impl StopReplication {
    pub(super) fn apply(&self, state: &mut ClusterState) -> Result<()> {
        let entry = Arc::clone(entry_of(state, &self.follower_index)?);
        state.replications.remove(&self.follower_index);
        let Some(index) = state.indices.get_mut(&self.follower_index).filter(|index| entry.follows(index)) else {
            return Ok(());
        };
        // A copy that was never complete is no index that anybody could use.
        if index.shards.iter().any(|shard| shard.in_sync.is_empty()) {
            let uuid = index.uuid.clone();
            return DeleteIndex { uuids: vec![uuid] }.apply(state);
        }
        let index = Arc::make_mut(index);
        if Arc::make_mut(&mut index.settings).remove(LEADER_INDEX_SETTING).is_some() {
            index.settings_version += 1;
        }
        index.origin = IndexOrigin::Empty;
        for (shard, history) in index.shards.iter_mut().zip(&self.histories) {
            shard.history = history.clone();
            let block = shard.primary_term.0.max(self.highest_op_term.0) / TERM_BLOCK + 1;
            shard.primary_term.0 = block * TERM_BLOCK + self.term_offset % TERM_BLOCK;
        }
        Ok(())
    }
}
