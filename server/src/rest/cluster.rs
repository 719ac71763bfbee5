//! The cluster: health with its waits, settings, remote clusters.

use super::call::CLUSTER_MANAGER;
use super::params::Params;
use super::respond::Answer;
use super::routes::Route;
use super::settings::shown;
use super::{App, Call};
use http::Method;
use serde_json::{Map, Value, json};
use tandem_common::{Action, Error, Result};
use tandem_node::action::IndicesOptions;
use tandem_node::action::admin::cluster_settings;
use tandem_node::action::monitor::health::{self, HealthRequest, HealthResponse, HealthStatus, IndexHealth, ShardCounts};
use tandem_node::action::monitor::remote_info;

const HEALTH: &[&[&str]] = &[
    CLUSTER_MANAGER,
    super::call::INDICES,
    &[
        "level",
        "local",
        "wait_for_status",
        "wait_for_nodes",
        "wait_for_active_shards",
        "wait_for_no_relocating_shards",
        "wait_for_no_initializing_shards",
        "wait_for_events",
        "awareness_attribute",
    ],
];
const SETTINGS: &[&[&str]] = &[CLUSTER_MANAGER, &["flat_settings", "include_defaults", "local"]];

/// A missing index is waited for; a wildcard that finds none is fine.
const LENIENT: IndicesOptions =
    IndicesOptions { ignore_unavailable: false, allow_no_indices: true, expand_open: true, expand_closed: true, expand_hidden: true };

/// The routes of this family.
pub(super) fn routes() -> Vec<Route> {
    let health_action = Action("cluster:monitor/health");
    vec![
        Route::new(&[Method::GET], "/_cluster/health", health_action, HEALTH, health),
        Route::new(&[Method::GET], "/_cluster/health/{index}", health_action, HEALTH, health),
        Route::new(&[Method::GET], "/_cluster/settings", Action("cluster:monitor/settings"), SETTINGS, get_settings),
        Route::new(&[Method::PUT], "/_cluster/settings", Action("cluster:admin/settings/update"), SETTINGS, put_settings),
        Route::new(&[Method::GET], "/_remote/info", Action("cluster:monitor/remote/info"), &[], remote),
    ]
}

/// OpenSearch's default wait; other requests have twice that.
const HEALTH_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

async fn health(app: App, call: Call) -> Result<Answer> {
    check_events(call.params.text("wait_for_events"))?;
    let level = level(&call.params)?;
    let request = HealthRequest {
        indices: call.indices(LENIENT)?,
        wait_for_status: call.params.text("wait_for_status").map(status_named).transpose()?,
        wait_for_nodes: call.params.owned("wait_for_nodes"),
        wait_for_active_shards: call.active_shards()?,
        wait_for_no_relocating_shards: call.params.bool("wait_for_no_relocating_shards", false)?,
        wait_for_no_initializing_shards: call.params.bool("wait_for_no_initializing_shards", false)?,
    };
    let mut context = call.context.clone();
    if call.params.get("timeout").is_none() {
        context.deadline = tandem_common::env::clock::now() + HEALTH_TIMEOUT;
    }
    let found = health::execute(&app.services, &context, request).await?;
    Answer::json(if found.timed_out { 408 } else { 200 }, &health_json(&found, level))
}

/// The events of OpenSearch's queue by their priority. Ours has one queue in order, so every answer comes after them.
fn check_events(wanted: Option<&str>) -> Result<()> {
    match wanted.map(str::to_ascii_uppercase).as_deref() {
        None | Some("IMMEDIATE" | "URGENT" | "HIGH" | "NORMAL" | "LOW" | "LANGUID") => Ok(()),
        Some(other) => Err(Error::illegal_argument(format!("No enum constant org.opensearch.common.Priority.{other}"))),
    }
}

/// How far the answer goes into detail; like OpenSearch, an unknown word means the cluster.
fn level(params: &Params) -> Result<Level> {
    match params.text("level") {
        Some("awareness_attributes") => Err(Error::illegal_argument("level [awareness_attributes] is not supported")),
        _ if params.text("awareness_attribute").is_some() => {
            Err(Error::invalid_request("level=awareness_attributes is required with awareness_attribute parameter"))
        }
        Some("indices") => Ok(Level::Indices),
        Some("shards") => Ok(Level::Shards),
        _ => Ok(Level::Cluster),
    }
}

fn status_named(name: &str) -> Result<HealthStatus> {
    match name.to_ascii_lowercase().as_str() {
        "green" => Ok(HealthStatus::Green),
        "yellow" => Ok(HealthStatus::Yellow),
        "red" => Ok(HealthStatus::Red),
        _ => Err(Error::illegal_argument(format!(
            "No enum constant org.opensearch.cluster.health.ClusterHealthStatus.{}",
            name.to_ascii_uppercase()
        ))),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Cluster,
    Indices,
    Shards,
}

/// The share of the copies that are active, as OpenSearch counts it.
pub(super) fn active_percent(counts: &ShardCounts) -> f64 {
    let all = counts.active + counts.relocating + counts.initializing + counts.unassigned;
    if all == 0 { 100.0 } else { f64::from(counts.active) * 100.0 / f64::from(all) }
}

fn health_json(health: &HealthResponse, level: Level) -> Value {
    let shards = &health.shards;
    let mut body = json!({
        "cluster_name": health.cluster_name,
        "status": health.status.as_str(),
        "timed_out": health.timed_out,
        "number_of_nodes": health.number_of_nodes,
        "number_of_data_nodes": health.number_of_data_nodes,
        "discovered_master": health.discovered_cluster_manager,
        "discovered_cluster_manager": health.discovered_cluster_manager,
        "active_primary_shards": shards.active_primary,
        "active_shards": shards.active,
        "relocating_shards": shards.relocating,
        "initializing_shards": shards.initializing,
        "unassigned_shards": shards.unassigned,
        "delayed_unassigned_shards": 0,
        "number_of_pending_tasks": 0,
        "number_of_in_flight_fetch": 0,
        "task_max_waiting_in_queue_millis": 0,
        "active_shards_percent_as_number": active_percent(shards),
    });
    if level != Level::Cluster {
        let indices: Map<String, Value> = health.indices.iter().map(|(name, index)| (name.clone(), index_json(index, level))).collect();
        body["indices"] = Value::Object(indices);
    }
    body
}

fn index_json(index: &IndexHealth, level: Level) -> Value {
    let counts = &index.counts;
    let mut body = json!({
        "status": index.status.as_str(),
        "number_of_shards": index.number_of_shards,
        "number_of_replicas": index.number_of_replicas,
        "active_primary_shards": counts.active_primary,
        "active_shards": counts.active,
        "relocating_shards": counts.relocating,
        "initializing_shards": counts.initializing,
        "unassigned_shards": counts.unassigned,
    });
    if level == Level::Shards {
        let shard = |status: HealthStatus, counts: &ShardCounts| {
            json!({
                "status": status.as_str(),
                "primary_active": counts.active_primary > 0,
                "active_shards": counts.active,
                "relocating_shards": counts.relocating,
                "initializing_shards": counts.initializing,
                "unassigned_shards": counts.unassigned,
            })
        };
        let shards: Map<String, Value> =
            index.shards.iter().map(|(number, (status, counts))| (number.to_string(), shard(*status, counts))).collect();
        body["shards"] = Value::Object(shards);
    }
    body
}

async fn get_settings(app: App, call: Call) -> Result<Answer> {
    let settings = cluster_settings::get(&app.services, &call.context).await?;
    let flat = call.params.bool("flat_settings", false)?;
    let mut body = json!({"persistent": shown(&settings.persistent, flat), "transient": shown(&settings.transient, flat)});
    if call.params.bool("include_defaults", false)? {
        body["defaults"] = shown(&settings.defaults, flat);
    }
    Answer::ok(&body)
}

async fn put_settings(app: App, call: Call) -> Result<Answer> {
    let body = call.required_json()?;
    let changed = cluster_settings::update(&app.services, &call.context, body).await?;
    let flat = call.params.bool("flat_settings", false)?;
    Answer::ok(&json!({
        "acknowledged": true,
        "persistent": shown(&changed.persistent, flat),
        "transient": shown(&changed.transient, flat),
    }))
}

async fn remote(app: App, call: Call) -> Result<Answer> {
    let clusters = remote_info::execute(&app.services, &call.context).await?;
    let shown = |cluster: &remote_info::RemoteInfo| {
        let body = if cluster.mode == "proxy" {
            json!({
                "connected": cluster.connected,
                "mode": "proxy",
                "proxy_address": cluster.seeds.first(),
                "server_name": "",
                "num_proxy_sockets_connected": cluster.num_nodes_connected,
                "max_proxy_socket_connections": 18,
                "initial_connect_timeout": "30s",
                "skip_unavailable": false,
            })
        } else {
            json!({
                "connected": cluster.connected,
                "mode": cluster.mode,
                "seeds": cluster.seeds,
                "num_nodes_connected": cluster.num_nodes_connected,
                "max_connections_per_cluster": 3,
                "initial_connect_timeout": "30s",
                "skip_unavailable": false,
            })
        };
        (cluster.alias.clone(), body)
    };
    Answer::ok(&clusters.iter().map(shown).collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn health_has_opensearchs_fields_in_its_order() {
        let counts = ShardCounts { active_primary: 3, active: 3, unassigned: 1, ..ShardCounts::default() };
        let index = IndexHealth {
            status: HealthStatus::Yellow,
            number_of_shards: 3,
            number_of_replicas: 1,
            counts,
            shards: BTreeMap::from([(0, (HealthStatus::Green, counts))]),
        };
        let health = HealthResponse {
            cluster_name: "c".into(),
            status: HealthStatus::Yellow,
            timed_out: false,
            number_of_nodes: 1,
            number_of_data_nodes: 1,
            discovered_cluster_manager: true,
            shards: counts,
            indices: BTreeMap::from([("i".to_owned(), index)]),
        };
        let text = health_json(&health, Level::Cluster).to_string();
        assert!(
            text.starts_with(r#"{"cluster_name":"c","status":"yellow","timed_out":false,"number_of_nodes":1,"number_of_data_nodes":1,"#),
            "{text}"
        );
        assert!(text.ends_with(r#""active_shards_percent_as_number":75.0}"#), "{text}");
        assert_eq!(health_json(&health, Level::Shards)["indices"]["i"]["shards"]["0"]["primary_active"], true);
        assert!(health_json(&health, Level::Indices)["indices"]["i"].get("shards").is_none());
    }

    #[test]
    fn a_level_that_we_do_not_have_is_refused() {
        let read = |query: &str| level(&Params::parse(query).unwrap());
        assert_eq!(read("level=shards").unwrap(), Level::Shards);
        assert_eq!(read("level=x").unwrap(), Level::Cluster);
        assert!(read("level=awareness_attributes&awareness_attribute=zone").is_err());
        assert_eq!(
            read("awareness_attribute=zone").unwrap_err().to_string(),
            "Validation Failed: 1: level=awareness_attributes is required with awareness_attribute parameter;"
        );
    }

    #[test]
    fn an_unknown_status_is_refused_as_opensearch_does() {
        assert_eq!(
            status_named("purple").unwrap_err().to_string(),
            "No enum constant org.opensearch.cluster.health.ClusterHealthStatus.PURPLE"
        );
    }
}
