//! `cluster:admin/settings/update`, `cluster:monitor/settings`.

use crate::action::Services;
use serde_json::Value;
use tandem_common::{Context, Error, Result, Settings};

/// The settings of the cluster.
#[derive(Clone, Debug)]
pub struct ClusterSettingsResponse {
    /// Survive a full restart.
    pub persistent: Settings,
    /// Do not.
    pub transient: Settings,
    /// The defaults (of what is not set), for `include_defaults`.
    pub defaults: Settings,
}

/// The settings now in force.
pub async fn get(_services: &Services, _context: &Context) -> Result<ClusterSettingsResponse> {
    Err(Error::internal("pending"))
}

/// Changes settings: `{"persistent": {…}, "transient": {…}}`. The answer holds only what was changed.
pub async fn update(_services: &Services, _context: &Context, _body: Value) -> Result<ClusterSettingsResponse> {
    Err(Error::internal("pending"))
}
