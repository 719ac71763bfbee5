//! `cluster:admin/settings/update`, `cluster:monitor/settings`.

use crate::action::Services;
use serde_json::Value;
use tandem_cluster::Command;
use tandem_cluster::command::UpdateClusterSettings;
use tandem_cluster::settings::{CLUSTER_SETTINGS, check_cluster};
use tandem_common::config::NODE_SETTINGS;
use tandem_common::settings::{SettingValue, find};
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
///
/// # Errors
/// None so far.
pub async fn get(services: &Services, _context: &Context) -> Result<ClusterSettingsResponse> {
    let state = services.cluster.state();
    let mut defaults = Settings::new();
    for setting in NODE_SETTINGS.iter().chain(CLUSTER_SETTINGS) {
        if !setting.key.contains('*') && !setting.default.is_empty() && state.setting(setting.key).is_none() {
            defaults.set(setting.key, setting.default);
        }
    }
    for (key, value) in services.settings.iter() {
        if state.setting(key).is_none() {
            defaults.insert(key, value.clone());
        }
    }
    Ok(ClusterSettingsResponse { persistent: state.persistent.clone(), transient: state.transient.clone(), defaults })
}

/// Changes settings: `{"persistent": {…}, "transient": {…}}`. The answer holds only what was changed.
///
/// # Errors
/// Unknown settings, bad values, nothing to change.
pub async fn update(services: &Services, context: &Context, body: Value) -> Result<ClusterSettingsResponse> {
    let section = |name: &str| -> Result<Settings> {
        match body.get(name) {
            Some(value) => Settings::from_json(value),
            None => Ok(Settings::new()),
        }
    };
    let (persistent, transient) = (section("persistent")?, section("transient")?);
    if persistent.is_empty() && transient.is_empty() {
        return Err(Error::invalid_request("no settings to update"));
    }
    for (settings, name) in [(&persistent, "persistent"), (&transient, "transient")] {
        refuse_static(settings, name)?;
        check_cluster(settings, name)?;
        check_seeds(settings)?;
    }
    let command = UpdateClusterSettings { persistent: persistent.clone(), transient: transient.clone() };
    services.cluster.submit(context, Command::UpdateClusterSettings(command)).await?;
    let changed =
        |settings: Settings| settings.iter().filter(|(_, v)| **v != SettingValue::Null).map(|(k, v)| (k.to_owned(), v.clone())).collect();
    Ok(ClusterSettingsResponse { persistent: changed(persistent), transient: changed(transient), defaults: Settings::new() })
}

fn refuse_static(settings: &Settings, section: &str) -> Result<()> {
    for (key, _) in settings.iter().filter(|(key, _)| !key.contains('*')) {
        if find(CLUSTER_SETTINGS, key).is_none() && find(NODE_SETTINGS, key).is_some() {
            return Err(Error::Settings { reason: format!("{section} setting [{key}], not dynamically updateable") });
        }
    }
    Ok(())
}

/// Addresses of remote clusters are `host:port`.
fn check_seeds(settings: &Settings) -> Result<()> {
    for (key, _) in settings.iter() {
        let seeds = key.starts_with("cluster.remote.") && (key.ends_with(".seeds") || key.ends_with(".proxy_address"));
        for address in settings.list(key).filter(|_| seeds).unwrap_or_default() {
            let Some((_, port)) = address.rsplit_once(':').filter(|(host, _)| !host.is_empty()) else {
                return Err(Error::illegal_argument(format!(
                    "remote hosts need to be configured as [host:port], found [{address}] instead"
                )));
            };
            if port.parse::<u16>().is_err() {
                return Err(Error::IllegalArgument {
                    reason: "failed to parse port".into(),
                    cause: Some(Box::new(Error::NumberFormat { input: port.to_owned() })),
                });
            }
        }
    }
    Ok(())
}
