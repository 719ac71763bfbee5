//! Indices go, by identity: a name that was used again meanwhile is not touched.

use crate::state::ClusterState;
use serde::{Deserialize, Serialize};
use tandem_common::{IndexUuid, Result};

/// Deletes indices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeleteIndex {
    /// Their identities.
    pub uuids: Vec<IndexUuid>,
}

impl DeleteIndex {
    pub(super) fn apply(&self, state: &mut ClusterState) -> Result<()> {
        state.indices.retain(|_, index| !self.uuids.contains(&index.uuid));
        for uuid in &self.uuids {
            state.routing.remove(uuid);
        }
        Ok(())
    }
}
