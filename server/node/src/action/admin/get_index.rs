//! `indices:admin/get`, `indices:admin/mappings/get`, `indices:monitor/settings/get`: what an index is.

use crate::action::resolve::{self, Purpose};
use crate::action::{IndexNames, Services};
use serde_json::{Map, Value};
use tandem_cluster::IndexMetadata;
use tandem_cluster::settings::INDEX_SETTINGS;
use tandem_common::{Context, Error, Result, SettingScope, Settings};

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
///
/// # Errors
/// `index_not_found_exception`.
pub async fn execute(services: &Services, _context: &Context, indices: IndexNames) -> Result<Vec<IndexDescription>> {
    let found = resolve::indices(&services.cluster.state(), &indices, Purpose::Metadata)?;
    Ok(found.iter().map(|index| describe(index)).collect())
}

fn describe(index: &IndexMetadata) -> IndexDescription {
    IndexDescription {
        index: index.name.clone(),
        aliases: index.aliases_json(),
        mappings: index.mapping.to_json(),
        settings: Settings::clone(&index.settings),
        defaults: defaults_of(index),
    }
}

fn defaults_of(index: &IndexMetadata) -> Settings {
    let mut defaults = Settings::new();
    for setting in INDEX_SETTINGS {
        let shown = !setting.key.contains('*') && !setting.default.is_empty() && setting.scope != SettingScope::IndexPrivate;
        if shown && index.settings.get(setting.key).is_none() {
            defaults.set(setting.key, setting.default);
        }
    }
    defaults
}

/// The mappings of single fields, by index: those that are named or fit a pattern.
///
/// # Errors
/// `index_not_found_exception`.
pub async fn field_mappings(
    services: &Services,
    _context: &Context,
    indices: IndexNames,
    fields: &[String],
    with_defaults: bool,
) -> Result<Vec<(String, Map<String, Value>)>> {
    let found = resolve::indices(&services.cluster.state(), &indices, Purpose::Metadata)?;
    Ok(found.iter().map(|index| (index.name.clone(), index.mapping.field_mappings(fields, with_defaults))).collect())
}

/// Whether every index of the expression exists.
///
/// # Errors
/// An expression that cannot be one.
pub async fn exists(services: &Services, _context: &Context, indices: IndexNames) -> Result<bool> {
    match resolve::indices(&services.cluster.state(), &indices, Purpose::Metadata) {
        Ok(_) => Ok(true),
        Err(Error::IndexNotFound { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
