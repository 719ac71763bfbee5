//! What data nodes report of their copies. A report names the copy and the opening of its store; an old one is refused.

use crate::state::{ClusterState, CopyState, ShardRouting};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tandem_common::{AllocationId, Error, IndexUuid, PrimaryTerm, Result, SessionId};

/// A copy's store is open and whole. A primary serves under the term that this command gives it: the term is committed after
/// the store was opened, so no older process of it can still acknowledge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShardStarted {
    /// The index.
    pub uuid: IndexUuid,
    /// The shard.
    pub shard: u32,
    /// The copy.
    pub allocation_id: AllocationId,
    /// The opening of its store.
    pub session: SessionId,
}

/// A copy cannot serve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShardFailed {
    /// The index.
    pub uuid: IndexUuid,
    /// The shard.
    pub shard: u32,
    /// The copy.
    pub allocation_id: AllocationId,
    /// Why, for people.
    pub reason: String,
}

fn copy_of<'a>(state: &'a mut ClusterState, uuid: &IndexUuid, shard: u32, id: &AllocationId) -> Result<&'a mut ShardRouting> {
    state
        .routing
        .get_mut(uuid)
        .and_then(|index| index.shards.get_mut(shard as usize))
        .and_then(|copies| copies.iter_mut().find(|copy| copy.allocation_id.as_ref() == Some(id)))
        .ok_or_else(|| Error::IllegalState { reason: format!("the copy [{id}] of shard [{shard}] is no longer expected") })
}

impl ShardStarted {
    pub(super) fn apply(&self, state: &mut ClusterState) -> Result<()> {
        let copy = copy_of(state, &self.uuid, self.shard, &self.allocation_id)?;
        if copy.state == CopyState::Started && copy.session == Some(self.session) {
            return Ok(());
        }
        if !copy.state.can_become(CopyState::Started) {
            return Err(Error::IllegalState { reason: format!("the copy [{}] is not initializing", self.allocation_id) });
        }
        copy.state = CopyState::Started;
        copy.session = Some(self.session);
        let primary = copy.primary;
        let index = state.indices.values_mut().find(|index| index.uuid == self.uuid);
        if let Some(shard) = index.and_then(|index| Arc::make_mut(index).shards.get_mut(self.shard as usize)) {
            shard.in_sync.insert(self.allocation_id.clone());
            if primary {
                shard.primary_term = PrimaryTerm(shard.primary_term.0 + 1);
            }
        }
        Ok(())
    }
}

impl ShardFailed {
    pub(super) fn apply(&self, state: &mut ClusterState) -> Result<()> {
        let copy = copy_of(state, &self.uuid, self.shard, &self.allocation_id)?;
        // The node and the id stay: the data of a last copy is where it is, and a restart of the node may bring it back.
        copy.state = CopyState::Unassigned;
        copy.session = None;
        Ok(())
    }
}

#[cfg(test)]
pub(super) fn started(uuid: &IndexUuid, shard: u32, id: &AllocationId) -> ShardStarted {
    ShardStarted { uuid: uuid.clone(), shard, allocation_id: id.clone(), session: SessionId(1) }
}
