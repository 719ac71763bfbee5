//! Settings of indices: `_settings`.

use super::call::{CLUSTER_MANAGER, INDICES, OPEN_AND_CLOSED_TO_CHANGE};
use super::params::split_list;
use super::respond::Answer;
use super::routes::Route;
use super::{App, Call};
use http::Method;
use serde_json::{Map, Value};
use tandem_common::pattern::matches;
use tandem_common::{Action, Result, Settings};
use tandem_node::action::IndicesOptions;
use tandem_node::action::admin::get_index::{self, IndexDescription};
use tandem_node::action::admin::put_settings;

const READ: &[&[&str]] = &[CLUSTER_MANAGER, INDICES, &["flat_settings", "include_defaults", "local"]];
const CHANGE: &[&[&str]] = &[CLUSTER_MANAGER, INDICES, &["flat_settings", "preserve_existing"]];

/// The routes of this family.
pub(super) fn routes() -> Vec<Route> {
    let (read, change) = (Action("indices:monitor/settings/get"), Action("indices:admin/settings/update"));
    let mut routes = Vec::new();
    for path in ["/_settings", "/{index}/_settings"] {
        routes.push(Route::new(&[Method::PUT], path, change, CHANGE, update));
        routes.push(Route::new(&[Method::GET], path, read, READ, get));
    }
    for path in ["/_settings/{name}", "/{index}/_settings/{name}"] {
        routes.push(Route::new(&[Method::GET], path, read, READ, get));
    }
    routes
}

/// `settings` and, where asked for, `defaults` of one index.
pub(super) fn parts(index: &IndexDescription, flat: bool, with_defaults: bool) -> Map<String, Value> {
    let mut parts = Map::new();
    parts.insert("settings".into(), shown(&index.settings, flat));
    if with_defaults {
        parts.insert("defaults".into(), shown(&index.defaults, flat));
    }
    parts
}

/// Settings as JSON, nested or flat.
pub(super) fn shown(settings: &Settings, flat: bool) -> Value {
    if flat { settings.to_flat_json() } else { settings.to_nested_json() }
}

async fn get(app: App, call: Call) -> Result<Answer> {
    let mut found = get_index::execute(&app.services, &call.context, call.indices(IndicesOptions::default())?).await?;
    let names = split_list(call.value("name"));
    for index in &mut found {
        index.settings = named(&index.settings, &names);
        index.defaults = named(&index.defaults, &names);
    }
    let flat = call.params.bool("flat_settings", false)?;
    let with_defaults = call.params.bool("include_defaults", false)?;
    // An index that has none of the named settings is left out, as OpenSearch does.
    let kept = found.iter().filter(|index| names.is_empty() || !index.settings.is_empty() || (with_defaults && !index.defaults.is_empty()));
    Answer::ok(&kept.map(|index| (index.index.clone(), Value::Object(parts(index, flat, with_defaults)))).collect::<Map<_, _>>())
}

fn named(settings: &Settings, names: &[String]) -> Settings {
    let wanted = |key: &str| names.is_empty() || names.iter().any(|name| name == "_all" || matches(name, key));
    settings.iter().filter(|(key, _)| wanted(key)).map(|(key, value)| (key.to_owned(), value.clone())).collect()
}

async fn update(app: App, call: Call) -> Result<Answer> {
    let body = call.required_json()?;
    let indices = call.indices(OPEN_AND_CLOSED_TO_CHANGE)?;
    let preserve = call.params.bool("preserve_existing", false)?;
    Answer::acknowledged(put_settings::execute(&app.services, &call.context, indices, body, preserve).await?.acknowledged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn settings_are_picked_by_name_and_pattern() {
        let settings = Settings::from_json(&json!({"index.number_of_shards": 1, "index.refresh_interval": "1s"})).unwrap();
        for (name, count) in [("index.number_of_shards", 1), ("index.*", 2), ("*interval", 1), ("nosuch", 0), ("_all", 2)] {
            assert_eq!(named(&settings, &[name.to_owned()]).len(), count, "{name}");
        }
        assert_eq!(named(&settings, &[]).len(), 2);
    }
}
