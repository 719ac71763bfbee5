//! `indices:admin/get`, `indices:admin/mappings/get`, `indices:monitor/settings/get`: what an index is.

use crate::action::{IndexNames, Services};
use serde_json::Value;
use tandem_common::{Context, Error, Result, Settings};

/// One index, as its parts are shown.
#[derive(Clone, Debug)]
pub struct IndexDescription {
    /// Its name.
    pub index: String,
    /// `{"alias": {…}}`.
    pub aliases: Value,
    /// As `GET _mapping` shows it, without the `mappings` wrapper.
    pub mappings: Value,
    /// Every explicit setting, flat `index.…` keys.
    pub settings: Settings,
    /// The defaults of the settings that are not explicit (for `include_defaults`).
    pub defaults: Settings,
}

/// Describes the indices that the expression names, in the order of their names.
pub async fn execute(_services: &Services, _context: &Context, _indices: IndexNames) -> Result<Vec<IndexDescription>> {
    Err(Error::internal("pending"))
}

/// Whether every index of the expression exists.
pub async fn exists(_services: &Services, _context: &Context, _indices: IndexNames) -> Result<bool> {
    Err(Error::internal("pending"))
}
