//! Indices: create, look at, delete; mappings; refresh, flush, force merge.

use super::call::{CLUSTER_MANAGER, INDICES, OPEN_AND_CLOSED, OPEN_AND_CLOSED_TO_CHANGE};
use super::document::CopiesJson;
use super::params::split_list;
use super::respond::Answer;
use super::routes::Route;
use super::{App, Call};
use http::Method;
use serde_json::{Map, Value, json};
use tandem_common::{Action, Error, Result};
use tandem_node::action::admin::broadcast::{self, Order};
use tandem_node::action::admin::create_index::{self, CreateIndexRequest};
use tandem_node::action::admin::get_index::{self, IndexDescription};
use tandem_node::action::admin::{delete_index, open_close, put_mapping};
use tandem_node::action::{IndexNames, IndicesOptions};

const GET: &[&[&str]] = &[CLUSTER_MANAGER, INDICES, &["flat_settings", "include_defaults", "local"]];
const MAPPING: &[&[&str]] = &[CLUSTER_MANAGER, INDICES, &["local"]];
const FIELD_MAPPING: &[&[&str]] = &[INDICES, &["include_defaults", "local"]];
const CHANGE_MAPPING: &[&[&str]] = &[CLUSTER_MANAGER, INDICES, &["write_index_only"]];
const GET_OR_POST: &[Method] = &[Method::GET, Method::POST];

/// The routes of this family.
pub(super) fn routes() -> Vec<Route> {
    let create: &[&[&str]] = &[CLUSTER_MANAGER, &["wait_for_active_shards"]];
    let flush: &[&[&str]] = &[INDICES, &["force", "wait_if_ongoing"]];
    let merge: &[&[&str]] = &[INDICES, &["max_num_segments", "only_expunge_deletes", "flush", "primary_only"]];
    let get_mapping = Action("indices:admin/mappings/get");
    let put_mapping_action = Action("indices:admin/mapping/put");
    let refresh = Action("indices:admin/refresh");
    let mut routes = vec![
        Route::new(&[Method::HEAD], "/{index}", Action("indices:admin/exists"), GET, exists),
        Route::new(&[Method::PUT], "/{index}", Action("indices:admin/create"), create, create_index),
        Route::new(&[Method::GET], "/{index}", Action("indices:admin/get"), GET, get),
        // Without a name it only refuses, but in the words that clients know.
        Route::new(&[Method::DELETE], "/", Action("indices:admin/delete"), &[CLUSTER_MANAGER, INDICES], delete),
        Route::new(&[Method::DELETE], "/{index}", Action("indices:admin/delete"), &[CLUSTER_MANAGER, INDICES], delete),
        Route::new(GET_OR_POST, "/_refresh", refresh, &[INDICES], refresh_indices),
        Route::new(GET_OR_POST, "/{index}/_refresh", refresh, &[INDICES], refresh_indices),
        Route::new(GET_OR_POST, "/_flush", Action("indices:admin/flush"), flush, flush_indices),
        Route::new(GET_OR_POST, "/{index}/_flush", Action("indices:admin/flush"), flush, flush_indices),
        Route::new(&[Method::POST], "/_forcemerge", Action("indices:admin/forcemerge"), merge, force_merge),
        Route::new(&[Method::POST], "/{index}/_forcemerge", Action("indices:admin/forcemerge"), merge, force_merge),
    ];
    let open: &[&[&str]] = &[CLUSTER_MANAGER, INDICES, &["wait_for_active_shards", "wait_for_completion", "task_execution_timeout"]];
    let close: &[&[&str]] = &[CLUSTER_MANAGER, INDICES, &["wait_for_active_shards"]];
    for path in ["/_open", "/{index}/_open"] {
        routes.push(Route::new(&[Method::POST], path, Action("indices:admin/open"), open, open_indices));
    }
    for path in ["/_close", "/{index}/_close"] {
        routes.push(Route::new(&[Method::POST], path, Action("indices:admin/close"), close, close_indices));
    }
    for path in ["/_mapping", "/_mappings"] {
        routes.push(Route::new(&[Method::GET], path, get_mapping, MAPPING, mapping));
    }
    for path in ["/_mapping/field/{fields}", "/{index}/_mapping/field/{fields}"] {
        let action = Action("indices:admin/mappings/fields/get");
        routes.push(Route::new(&[Method::GET], path, action, FIELD_MAPPING, field_mapping));
    }
    for path in ["/{index}/_mapping", "/{index}/_mappings"] {
        routes.push(Route::new(&[Method::GET], path, get_mapping, MAPPING, mapping));
        routes.push(Route::new(&[Method::PUT, Method::POST], path, put_mapping_action, CHANGE_MAPPING, change_mapping));
    }
    routes
}

async fn create_index(app: App, call: Call) -> Result<Answer> {
    let request = CreateIndexRequest {
        index: call.value("index").to_owned(),
        body: call.json_map()?.unwrap_or(Value::Null),
        wait_for_active_shards: call.active_shards()?,
    };
    let created = create_index::execute(&app.services, &call.context, request).await?;
    Answer::ok(&json!({
        "acknowledged": created.acknowledged,
        "shards_acknowledged": created.shards_acknowledged,
        "index": created.index,
    }))
}

async fn open_indices(app: App, call: Call) -> Result<Answer> {
    let indices = some_indices(&call, IndicesOptions { expand_open: false, expand_closed: true, ..IndicesOptions::default() })?;
    if !call.params.bool("wait_for_completion", true)? {
        return Err(Error::illegal_argument("[wait_for_completion=false] is not supported"));
    }
    let opened = open_close::open(&app.services, &call.context, indices, call.active_shards()?.as_deref()).await?;
    Answer::ok(&json!({"acknowledged": true, "shards_acknowledged": opened.shards_acknowledged}))
}

async fn close_indices(app: App, call: Call) -> Result<Answer> {
    let indices = some_indices(&call, IndicesOptions::default())?;
    let closed = open_close::close(&app.services, &call.context, indices).await?;
    let shown: Map<String, Value> = closed.changed.into_iter().map(|name| (name, json!({"closed": true}))).collect();
    Answer::ok(&json!({"acknowledged": true, "shards_acknowledged": closed.shards_acknowledged, "indices": shown}))
}

/// The indices of a request that must name some.
fn some_indices(call: &Call, defaults: IndicesOptions) -> Result<IndexNames> {
    if split_list(call.value("index")).is_empty() {
        return Err(Error::invalid_request("index is missing"));
    }
    refuse_underscore(call.indices(defaults)?)
}

async fn exists(app: App, call: Call) -> Result<Answer> {
    let indices = refuse_underscore(call.indices(IndicesOptions::default())?)?;
    let exists = get_index::exists(&app.services, &call.context, indices).await?;
    Answer::json(if exists { 200 } else { 404 }, &json!({}))
}

async fn get(app: App, call: Call) -> Result<Answer> {
    let indices = refuse_underscore(call.indices(IndicesOptions::default())?)?;
    let found = get_index::execute(&app.services, &call.context, indices).await?;
    let flat = call.params.bool("flat_settings", false)?;
    let with_defaults = call.params.bool("include_defaults", false)?;
    let shown = |index: &IndexDescription| {
        let mut parts = Map::new();
        parts.insert("aliases".into(), index.aliases.clone());
        parts.insert("mappings".into(), index.mappings.clone());
        parts.extend(super::settings::parts(index, flat, with_defaults));
        Value::Object(parts)
    };
    Answer::ok(&found.iter().map(|index| (index.index.clone(), shown(index))).collect::<Map<_, _>>())
}

async fn delete(app: App, call: Call) -> Result<Answer> {
    // No name means every index elsewhere; nothing is deleted by leaving something out.
    if split_list(call.value("index")).is_empty() {
        return Err(Error::invalid_request("index / indices is missing"));
    }
    let indices = refuse_underscore(call.indices(OPEN_AND_CLOSED)?)?;
    Answer::acknowledged(delete_index::execute(&app.services, &call.context, indices).await?.acknowledged)
}

async fn mapping(app: App, call: Call) -> Result<Answer> {
    let found = get_index::execute(&app.services, &call.context, call.indices(IndicesOptions::default())?).await?;
    let shown = |index: &IndexDescription| (index.index.clone(), json!({"mappings": index.mappings}));
    Answer::ok(&found.iter().map(shown).collect::<Map<_, _>>())
}

async fn field_mapping(app: App, call: Call) -> Result<Answer> {
    let indices = call.indices(IndicesOptions::default())?;
    let fields = split_list(call.value("fields"));
    let with_defaults = call.params.bool("include_defaults", false)?;
    let found = get_index::field_mappings(&app.services, &call.context, indices, &fields, with_defaults).await?;
    let status = if found.is_empty() { 404 } else { 200 };
    let shown: Map<_, _> = found.into_iter().map(|(index, fields)| (index, json!({"mappings": fields}))).collect();
    Answer::json(status, &Value::Object(shown))
}

async fn change_mapping(app: App, call: Call) -> Result<Answer> {
    call.refuse_true("write_index_only")?;
    let body = call.json_map()?.ok_or_else(|| Error::parse("request body is required"))?;
    let indices = call.indices(OPEN_AND_CLOSED_TO_CHANGE)?;
    Answer::acknowledged(put_mapping::execute(&app.services, &call.context, indices, body).await?.acknowledged)
}

async fn refresh_indices(app: App, call: Call) -> Result<Answer> {
    order(app, call, Order::Refresh).await
}

async fn flush_indices(app: App, call: Call) -> Result<Answer> {
    if call.params.bool("force", false)? && !call.params.bool("wait_if_ongoing", true)? {
        return Err(Error::invalid_request("wait_if_ongoing must be true for a force flush"));
    }
    order(app, call, Order::Flush).await
}

async fn force_merge(app: App, call: Call) -> Result<Answer> {
    // A merge to fewer segments expunges deletes as well.
    let only_deletes = call.params.bool("only_expunge_deletes", false)?;
    let only_primaries = call.params.bool("primary_only", false)?;
    let max_segments = call.params.int("max_num_segments")?.and_then(|number| usize::try_from(number).ok()).filter(|number| *number > 0);
    let max_segments = max_segments.filter(|_| !only_deletes);
    order(app, call, Order::ForceMerge { max_segments, only_primaries }).await
}

async fn order(app: App, call: Call, order: Order) -> Result<Answer> {
    let indices = call.indices(IndicesOptions::default())?;
    let shards = broadcast::execute(&app.services, &call.context, indices, order).await?;
    Answer::ok(&json!({"_shards": CopiesJson(&shards)}))
}

/// A path of one segment that starts with `_` is a mistyped endpoint, never an index.
fn refuse_underscore(indices: IndexNames) -> Result<IndexNames> {
    match indices.names.iter().find(|name| name.starts_with('_') && *name != "_all") {
        Some(name) => Err(Error::InvalidIndexName { name: name.clone(), detail: "must not start with '_'.".into() }),
        None => Ok(indices),
    }
}
