//! A new index: metadata, routing, and nodes for its primaries.

use crate::allocation::allocate;
use crate::state::{AliasMetadata, ClusterState, IndexMetadata, IndexOrigin, IndexRouting, IndexState, ShardMetadata, ShardRouting};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tandem_common::mapping::Mapping;
use tandem_common::{AllocationId, Error, HistoryId, IndexUuid, PrimaryTerm, Result, Settings};

/// Creates an index. Everything was validated by the submitter; only what depends on the state is checked here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CreateIndex {
    /// Its name.
    pub name: String,
    /// Its identity, made by the submitter.
    pub uuid: IndexUuid,
    /// Milliseconds since 1970.
    pub creation_date: i64,
    /// Its settings, complete.
    pub settings: Settings,
    /// Its mapping.
    pub mapping: Mapping,
    /// Its aliases.
    pub aliases: BTreeMap<String, AliasMetadata>,
    /// Where its first documents come from.
    pub origin: IndexOrigin,
    /// One history for each shard; their number is the number of shards.
    pub histories: Vec<HistoryId>,
    /// Fresh ids for the copies that get a node.
    pub allocation_ids: Vec<AllocationId>,
}

impl CreateIndex {
    pub(super) fn apply(&self, state: &mut ClusterState) -> Result<()> {
        if let Some(existing) = state.indices.get(&self.name) {
            return Err(Error::ResourceAlreadyExists { index: self.name.clone(), uuid: existing.uuid.clone() });
        }
        if !state.alias(&self.name).is_empty() {
            return Err(Error::InvalidIndexName { name: self.name.clone(), detail: "already exists as alias".into() });
        }
        if let Some(index) = self.aliases.keys().find_map(|alias| state.indices.get(alias)) {
            return Err(Error::AliasIsIndex { name: index.name.clone(), uuid: index.uuid.clone() });
        }
        let shard =
            |history: &HistoryId| ShardMetadata { primary_term: PrimaryTerm(0), in_sync: BTreeSet::new(), history: history.clone() };
        let index = IndexMetadata {
            name: self.name.clone(),
            uuid: self.uuid.clone(),
            creation_date: self.creation_date,
            state: IndexState::Open,
            settings: Arc::new(self.settings.clone()),
            settings_version: 1,
            mapping: Arc::new(self.mapping.clone()),
            aliases: self.aliases.clone(),
            aliases_version: 1,
            origin: self.origin.clone(),
            shards: self.histories.iter().map(shard).collect(),
        };
        let replicas = index.number_of_replicas() as usize;
        let copies = || (0..=replicas).map(|copy| ShardRouting::unassigned(copy == 0)).collect();
        let routing = IndexRouting { shards: self.histories.iter().map(|_| copies()).collect() };
        state.routing.insert(self.uuid.clone(), routing);
        state.indices.insert(self.name.clone(), Arc::new(index));
        allocate(state, &mut self.allocation_ids.iter().cloned());
        Ok(())
    }
}
