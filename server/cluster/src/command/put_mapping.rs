//! More fields. Merged here and not by the submitter, so that two shards that see a new field at once agree on its type.

use crate::state::ClusterState;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use tandem_common::mapping::{Mapping, MappingRules};
use tandem_common::{Error, IndexUuid, Result};

/// Merges a mapping body into the mappings of indices: into all of them or into none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PutMapping {
    /// The indices.
    pub uuids: Vec<IndexUuid>,
    /// `{"properties": …}` as text: JSON numbers and their order survive.
    pub body: String,
}

/// Takes over a newer mapping of the leader, with its versions, so that both clusters mean the same by each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReplaceMapping {
    /// The follower index.
    pub uuid: IndexUuid,
    /// The leader's mapping.
    pub mapping: Mapping,
}

impl PutMapping {
    pub(super) fn apply(&self, state: &mut ClusterState) -> Result<()> {
        let body: Value = tandem_common::json::parse(self.body.as_bytes())?;
        let mut merged = Vec::new();
        for uuid in &self.uuids {
            let Some(index) = state.index_by_uuid(uuid) else {
                return Err(Error::IndexNotFound { index: uuid.to_string() });
            };
            let mapping = index.mapping.merge(&body, &MappingRules::from_settings(&index.settings))?;
            merged.push((index.name.clone(), mapping));
        }
        for (name, mapping) in merged {
            if let Some(index) = state.indices.get_mut(&name)
                && *index.mapping != mapping
            {
                Arc::make_mut(index).mapping = Arc::new(mapping);
            }
        }
        Ok(())
    }
}

impl ReplaceMapping {
    pub(super) fn apply(&self, state: &mut ClusterState) -> Result<()> {
        let index = state.indices.values_mut().find(|index| index.uuid == self.uuid);
        let Some(index) = index else {
            return Err(Error::IndexNotFound { index: self.uuid.to_string() });
        };
        // A slow answer of the leader must not take fields away again.
        if self.mapping.version > index.mapping.version {
            Arc::make_mut(index).mapping = Arc::new(self.mapping.clone());
        }
        Ok(())
    }
}
