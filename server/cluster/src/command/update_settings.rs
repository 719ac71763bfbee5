//! Settings change. They were checked against the catalogue by the submitter.

use crate::allocation::allocate;
use crate::state::{ClusterState, ShardRouting};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tandem_common::{AllocationId, IndexUuid, Result, Settings};

/// Changes cluster settings; null removes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UpdateClusterSettings {
    /// Changes of the persistent ones.
    pub persistent: Settings,
    /// Changes of the transient ones.
    pub transient: Settings,
}

/// Changes settings of indices; null removes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UpdateIndexSettings {
    /// The indices.
    pub uuids: Vec<IndexUuid>,
    /// The changes, flat `index.…` keys.
    pub changes: Settings,
    /// Leave alone what is already set.
    pub preserve_existing: bool,
    /// Fresh ids for the copies that get a node.
    pub allocation_ids: Vec<AllocationId>,
}

impl UpdateClusterSettings {
    pub(super) fn apply(&self, state: &mut ClusterState) -> Result<()> {
        state.persistent.apply(&self.persistent);
        state.transient.apply(&self.transient);
        Ok(())
    }
}

impl UpdateIndexSettings {
    pub(super) fn apply(&self, state: &mut ClusterState) -> Result<()> {
        for index in state.indices.values_mut().filter(|index| self.uuids.contains(&index.uuid)) {
            let changes = if self.preserve_existing {
                self.changes.iter().filter(|(key, _)| index.settings.get(key).is_none()).map(|(k, v)| (k.to_owned(), v.clone())).collect()
            } else {
                self.changes.clone()
            };
            let index = Arc::make_mut(index);
            Arc::make_mut(&mut index.settings).apply(&changes);
            index.settings_version += 1;
            let wanted = index.number_of_replicas() as usize;
            if let Some(routing) = state.routing.get_mut(&index.uuid) {
                for copies in &mut routing.shards {
                    copies.truncate(wanted + 1);
                    while copies.len() <= wanted {
                        copies.push(ShardRouting::unassigned(false));
                    }
                }
            }
        }
        allocate(state, &mut self.allocation_ids.iter().cloned());
        Ok(())
    }
}
