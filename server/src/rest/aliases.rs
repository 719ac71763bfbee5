//! Aliases: other names for indices.

use super::call::{CLUSTER_MANAGER, INDICES, OPEN_AND_CLOSED};
use super::params::split_list;
use super::respond::Answer;
use super::routes::Route;
use super::{App, Call};
use http::Method;
use serde_json::{Map, Value};
use tandem_common::{Action, Error, Result};
use tandem_node::action::admin::aliases::{self, AliasAction};

const GET: &[&[&str]] = &[INDICES, &["local"]];
const METHODS: &[Method] = &[Method::PUT, Method::POST];
/// What an alias may be.
const FIELDS: [&str; 6] = ["filter", "routing", "index_routing", "search_routing", "is_write_index", "is_hidden"];

/// The routes of this family.
pub(super) fn routes() -> Vec<Route> {
    let (get_action, change) = (Action("indices:admin/aliases/get"), Action("indices:admin/aliases"));
    let read: &[Method] = &[Method::GET, Method::HEAD];
    let mut routes = vec![
        Route::new(&[Method::POST], "/_aliases", change, &[CLUSTER_MANAGER], update),
        Route::new(&[Method::GET], "/_aliases", get_action, GET, get),
        Route::new(&[Method::GET], "/{index}/_aliases", get_action, GET, get),
    ];
    for path in ["/_alias", "/_alias/{name}", "/{index}/_alias", "/{index}/_alias/{name}"] {
        routes.push(Route::new(read, path, get_action, GET, get));
        routes.push(Route::new(METHODS, path, change, &[CLUSTER_MANAGER], put));
    }
    for path in ["/{index}/_aliases", "/{index}/_aliases/{name}", "/_aliases/{name}"] {
        routes.push(Route::new(METHODS, path, change, &[CLUSTER_MANAGER], put));
    }
    for path in ["/{index}/_alias/{name}", "/{index}/_aliases/{name}"] {
        routes.push(Route::new(&[Method::DELETE], path, change, &[CLUSTER_MANAGER], delete));
    }
    routes
}

async fn get(app: App, call: Call) -> Result<Answer> {
    let found = aliases::get(&app.services, call.indices(OPEN_AND_CLOSED)?, &split_list(call.value("name"))).await?;
    let mut body = Map::new();
    let status = if found.missing.is_empty() { 200 } else { 404 };
    if !found.missing.is_empty() {
        let plural = if found.missing.len() > 1 { "aliases" } else { "alias" };
        body.insert("error".into(), format!("{plural} [{}] missing", found.missing.join(",")).into());
        body.insert("status".into(), status.into());
    }
    for (index, aliases) in found.indices {
        let aliases: Map<String, Value> = aliases.into_iter().map(|(name, alias)| (name, alias.to_json())).collect();
        body.insert(index, Value::Object(Map::from_iter([("aliases".to_owned(), Value::Object(aliases))])));
    }
    Answer::json(status, &body)
}

async fn put(app: App, call: Call) -> Result<Answer> {
    let mut indices = split_list(call.value("index"));
    let mut alias = call.value("name").to_owned();
    let mut body = Map::new();
    if let Some(Value::Object(fields)) = call.json_map()? {
        for (key, value) in fields {
            match (key.as_str(), &value) {
                ("index", Value::String(text)) => indices = split_list(text),
                ("alias", Value::String(text)) => alias.clone_from(text),
                (known, _) if FIELDS.contains(&known) => {
                    body.insert(key, value);
                }
                (unknown, _) => return Err(Error::illegal_argument(format!("unknown field [{unknown}]"))),
            }
        }
    }
    if indices.is_empty() {
        return Err(Error::illegal_argument("[indices] can't be empty"));
    }
    if alias.is_empty() {
        return Err(Error::illegal_argument("[alias] can't be empty string"));
    }
    let action = AliasAction::Add { indices, aliases: vec![alias], body: Value::Object(body) };
    Answer::acknowledged(aliases::update(&app.services, &call.context, &[action]).await?.acknowledged)
}

async fn delete(app: App, call: Call) -> Result<Answer> {
    let (indices, aliases) = (split_list(call.value("index")), split_list(call.value("name")));
    let action = AliasAction::Remove { indices, aliases, must_exist: Some(true) };
    Answer::acknowledged(aliases::update(&app.services, &call.context, &[action]).await?.acknowledged)
}

async fn update(app: App, call: Call) -> Result<Answer> {
    let body = call.required_json()?;
    let actions = actions(&body)?;
    Answer::acknowledged(aliases::update(&app.services, &call.context, &actions).await?.acknowledged)
}

fn x_content(reason: impl Into<String>, cause: Option<Error>) -> Error {
    Error::XContentParse { reason: reason.into(), cause: cause.map(Box::new) }
}

fn actions(body: &Value) -> Result<Vec<AliasAction>> {
    let Value::Object(fields) = body else { return Err(x_content("[aliases] Expected START_OBJECT", None)) };
    let mut actions = Vec::new();
    for (key, value) in fields {
        if key != "actions" {
            return Err(x_content(format!("[aliases] unknown field [{key}]"), None));
        }
        let list = match value {
            Value::Array(list) => list.as_slice(),
            one => std::slice::from_ref(one),
        };
        for entry in list {
            actions.push(action(entry).map_err(|cause| x_content("[aliases] failed to parse field [actions]", Some(cause)))?);
        }
    }
    Ok(actions)
}

fn action(entry: &Value) -> Result<AliasAction> {
    let Some((kind, Value::Object(fields))) = entry.as_object().and_then(|entry| entry.iter().next()) else {
        return Err(x_content("[alias_action] Expected START_OBJECT", None));
    };
    let names = |key: &str, plural: &str| -> Result<Vec<String>> {
        let mut found = Vec::new();
        for value in [key, plural].into_iter().filter_map(|key| fields.get(key)) {
            match value {
                Value::String(text) => found.extend(split_list(text)),
                Value::Array(list) => found.extend(list.iter().filter_map(Value::as_str).map(str::to_owned)),
                _ => return Err(x_content(format!("[{kind}] failed to parse field [{key}]"), None)),
            }
        }
        Ok(found)
    };
    let allowed: &[&str] = match kind.as_str() {
        "add" | "remove" => &["index", "indices", "alias", "aliases", "must_exist"],
        "remove_index" => &["index", "indices"],
        unknown => return Err(x_content(format!("[alias_action] unknown field [{unknown}]"), None)),
    };
    let known = |key: &&str| allowed.contains(key) || (kind == "add" && FIELDS.contains(key));
    if let Some(unknown) = fields.keys().map(String::as_str).find(|key| !known(key)) {
        let cause = x_content(format!("[{kind}] unknown field [{unknown}]"), None);
        return Err(x_content(format!("[alias_action] failed to parse field [{kind}]"), Some(cause)));
    }
    let indices = names("index", "indices")?;
    if indices.is_empty() {
        return Err(Error::illegal_argument("One of [index] or [indices] is required"));
    }
    if kind == "remove_index" {
        return Ok(AliasAction::RemoveIndex { indices });
    }
    let aliases = names("alias", "aliases")?;
    if aliases.is_empty() {
        return Err(Error::illegal_argument("One of [alias] or [aliases] is required"));
    }
    if kind == "remove" {
        let must_exist = fields.get("must_exist").and_then(Value::as_bool);
        return Ok(AliasAction::Remove { indices, aliases, must_exist });
    }
    let body = fields.iter().filter(|(key, _)| FIELDS.contains(&key.as_str())).map(|(k, v)| (k.clone(), v.clone())).collect();
    Ok(AliasAction::Add { indices, aliases, body: Value::Object(body) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn actions_are_read_in_their_order() {
        let body = json!({"actions": [
            {"add": {"indices": ["a", "b"], "alias": "x", "filter": {"match_all": {}}, "is_write_index": true}},
            {"remove": {"index": "a", "aliases": ["y", "z"], "must_exist": false}},
            {"remove_index": {"index": "c"}},
        ]});
        let actions = actions(&body).unwrap();
        assert!(
            matches!(&actions[0], AliasAction::Add { indices, aliases, body } if indices.len() == 2 && aliases == &["x"] && body["is_write_index"] == true)
        );
        assert!(matches!(&actions[1], AliasAction::Remove { aliases, must_exist: Some(false), .. } if aliases == &["y", "z"]));
        assert!(matches!(&actions[2], AliasAction::RemoveIndex { indices } if indices == &["c"]));
    }

    #[test]
    fn mistakes_say_where_they_are() {
        for (body, reason) in [
            (json!({"foo": []}), "[aliases] unknown field [foo]"),
            (json!({"actions": [{"foo": {}}]}), "[alias_action] unknown field [foo]"),
            (json!({"actions": [{"add": {"index": "a"}}]}), "One of [alias] or [aliases] is required"),
            (json!({"actions": [{"add": {"alias": "a"}}]}), "One of [index] or [indices] is required"),
        ] {
            let error = actions(&body).unwrap_err();
            assert_eq!(error.cause().unwrap_or(&error).to_string(), reason, "{body}");
        }
    }
}
