//! Indices are closed and opened.

use crate::state::{ClusterState, IndexState};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tandem_common::{IndexUuid, Result};

/// What a closed index says about itself: everything was on disk before it was closed.
const VERIFIED_BEFORE_CLOSE: &str = "index.verified_before_close";

/// Opens or closes indices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SetIndexState {
    /// The indices.
    pub uuids: Vec<IndexUuid>,
    /// What they become.
    pub state: IndexState,
}

impl SetIndexState {
    pub(super) fn apply(&self, state: &mut ClusterState) -> Result<()> {
        for index in state.indices.values_mut().filter(|index| self.uuids.contains(&index.uuid) && index.state != self.state) {
            let index = Arc::make_mut(index);
            index.state = self.state;
            let settings = Arc::make_mut(&mut index.settings);
            index.settings_version += 1;
            if self.state == IndexState::Close {
                settings.set(VERIFIED_BEFORE_CLOSE, "true");
                continue;
            }
            settings.remove(VERIFIED_BEFORE_CLOSE);
            // A store that is opened again serves under a new session and a new term.
            for copy in state.routing.get_mut(&index.uuid).into_iter().flat_map(|routing| routing.shards.iter_mut().flatten()) {
                copy.reopen();
            }
        }
        Ok(())
    }
}
