//! `_stats`: what shards hold, and who keeps their history.

use super::call::INDICES;
use super::document::CopiesJson;
use super::params::{did_you_mean, split_list};
use super::respond::Answer;
use super::routes::Route;
use super::{App, Call};
use http::Method;
use serde_json::{Map, Value, json};
use std::time::Duration;
use tandem_common::pattern::matches;
use tandem_common::units::format_time;
use tandem_common::{Action, Error, Result};
use tandem_node::action::IndicesOptions;
use tandem_node::action::monitor::stats::{self, IndexStats, SearchTotals, ShardCopy, ShardStats};

const STATS: &[&[&str]] = &[
    INDICES,
    &[
        "level",
        "groups",
        "fields",
        "fielddata_fields",
        "completion_fields",
        "include_segment_file_sizes",
        "include_unloaded_segments",
        "forbid_closed_indices",
    ],
];

/// What can be asked for, and the name under which it is shown, in the order in which it is shown.
const METRICS: [(&str, &str); 16] = [
    ("docs", "docs"),
    ("store", "store"),
    ("indexing", "indexing"),
    ("get", "get"),
    ("search", "search"),
    ("merge", "merges"),
    ("refresh", "refresh"),
    ("flush", "flush"),
    ("warmer", "warmer"),
    ("query_cache", "query_cache"),
    ("fielddata", "fielddata"),
    ("completion", "completion"),
    ("segments", "segments"),
    ("translog", "translog"),
    ("request_cache", "request_cache"),
    ("recovery", "recovery"),
];

/// What was asked for.
struct Asked {
    /// Indices into [`METRICS`].
    metrics: Vec<usize>,
    /// Patterns of search groups.
    groups: Vec<String>,
}

/// The routes of this family.
pub(super) fn routes() -> Vec<Route> {
    let action = Action("indices:monitor/stats");
    ["/_stats", "/_stats/{metric}", "/{index}/_stats", "/{index}/_stats/{metric}"]
        .into_iter()
        .map(|path| Route::new(&[Method::GET], path, action, STATS, index_stats))
        .collect()
}

fn asked(call: &Call) -> Result<Asked> {
    let named = split_list(call.value("metric"));
    let all = named.is_empty() || named.iter().any(|name| name == "_all");
    let mut unknown: Vec<&str> =
        named.iter().map(String::as_str).filter(|name| *name != "_all" && !METRICS.iter().any(|(known, _)| known == name)).collect();
    if all && named.len() > 1 {
        let path = call.value("metric");
        return Err(Error::illegal_argument(format!("request [{}] contains _all and individual metrics [{path}]", path_of(call))));
    }
    if !unknown.is_empty() {
        unknown.sort_unstable();
        let known = || METRICS.iter().map(|(known, _)| *known);
        let named: Vec<String> = unknown.iter().map(|name| format!("[{name}]{}", did_you_mean(name, known()))).collect();
        let plural = if unknown.len() > 1 { "s" } else { "" };
        return Err(Error::illegal_argument(format!(
            "request [{}] contains unrecognized metric{plural}: {}",
            path_of(call),
            named.join(", ")
        )));
    }
    let metrics = (0..METRICS.len()).filter(|at| all || named.iter().any(|name| name == METRICS[*at].0)).collect();
    Ok(Asked { metrics, groups: call.params.list("groups") })
}

fn path_of(call: &Call) -> String {
    let prefix = if call.value("index").is_empty() { String::new() } else { format!("/{}", call.value("index")) };
    format!("{prefix}/_stats/{}", call.value("metric"))
}

async fn index_stats(app: App, call: Call) -> Result<Answer> {
    let asked = asked(&call)?;
    let level = call.params.text("level").unwrap_or("indices").to_owned();
    if !["cluster", "indices", "shards"].contains(&level.as_str()) {
        return Err(Error::illegal_argument(format!(
            "level parameter must be one of [cluster] or [indices] or [shards] but was [{level}]"
        )));
    }
    let forbid_closed = call.params.bool("forbid_closed_indices", true)?;
    let (shards, indices) = stats::execute(&app.services, &call.context, call.indices(IndicesOptions::default())?, forbid_closed).await?;
    let copies = || indices.iter().flat_map(|index| &index.copies);
    let mut body = json!({"_shards": CopiesJson(&shards), "_all": totals(copies(), &asked)});
    if level != "cluster" {
        let shown = |index: &IndexStats| (index.index.clone(), index_json(index, &asked, level == "shards"));
        body["indices"] = Value::Object(indices.iter().map(shown).collect());
    }
    Answer::ok(&body)
}

fn totals<'a>(copies: impl Iterator<Item = &'a ShardCopy> + Clone, asked: &Asked) -> Value {
    let sum = |only_primaries: bool| {
        let mut sum = ShardStats::default();
        for stats in copies.clone().filter(|copy| copy.primary || !only_primaries).filter_map(|copy| copy.stats.as_ref()) {
            sum += stats;
        }
        figures(&sum, asked)
    };
    json!({"primaries": sum(true), "total": sum(false)})
}

fn figures(stats: &ShardStats, asked: &Asked) -> Map<String, Value> {
    asked.metrics.iter().map(|at| (METRICS[*at].1.to_owned(), figure(METRICS[*at].0, stats, &asked.groups))).collect()
}

/// One metric in OpenSearch's shape. What there is nothing of here, such as caches, is zero.
fn figure(metric: &str, stats: &ShardStats, groups: &[String]) -> Value {
    match metric {
        "docs" => json!({"count": stats.docs, "deleted": stats.deleted_docs}),
        "store" => json!({"size_in_bytes": stats.store_bytes, "reserved_in_bytes": 0}),
        "indexing" => json!({
            "index_total": stats.indexing.count, "index_time_in_millis": stats.indexing.millis, "index_current": 0,
            "index_failed": stats.rejected_documents + stats.version_conflicts,
            "delete_total": stats.delete.count, "delete_time_in_millis": stats.delete.millis, "delete_current": 0,
            "noop_update_total": stats.noop_updates, "is_throttled": false, "throttle_time_in_millis": 0, "doc_status": {},
        }),
        "get" => get(stats),
        "search" => search(stats, groups),
        "merge" => json!({
            "current": stats.merges_running, "current_docs": 0, "current_size_in_bytes": 0,
            "total": stats.merge.count, "total_time_in_millis": stats.merge.millis, "total_docs": 0, "total_size_in_bytes": 0,
            "total_stopped_time_in_millis": 0, "total_throttled_time_in_millis": 0, "total_auto_throttle_in_bytes": 0,
            "unreferenced_file_cleanups_performed": 0,
        }),
        "refresh" => json!({
            "total": stats.refresh.count, "total_time_in_millis": stats.refresh.millis,
            "external_total": stats.refresh.count, "external_total_time_in_millis": stats.refresh.millis, "listeners": 0,
        }),
        "flush" => {
            json!({"total": stats.flush.count, "periodic": stats.periodic_flushes, "total_time_in_millis": stats.flush.millis})
        }
        "warmer" => json!({"current": 0, "total": 0, "total_time_in_millis": 0}),
        "query_cache" => json!({
            "memory_size_in_bytes": 0, "total_count": 0, "hit_count": 0, "miss_count": 0, "cache_size": 0, "cache_count": 0,
            "evictions": 0,
        }),
        "fielddata" => json!({"memory_size_in_bytes": 0, "evictions": 0}),
        "completion" => json!({"size_in_bytes": 0}),
        "segments" => segments(stats),
        "translog" => json!({
            "operations": stats.translog_operations, "size_in_bytes": stats.translog_bytes,
            "uncommitted_operations": stats.translog_operations, "uncommitted_size_in_bytes": stats.translog_bytes,
            "earliest_last_modified_age": 0,
            "remote_store": {"upload": {
                "total_uploads": {"started": 0, "failed": 0, "succeeded": 0},
                "total_upload_size": {"started_bytes": 0, "failed_bytes": 0, "succeeded_bytes": 0},
            }},
        }),
        "request_cache" => json!({"memory_size_in_bytes": 0, "evictions": 0, "hit_count": 0, "miss_count": 0}),
        _ => json!({"current_as_source": 0, "current_as_target": 0, "throttle_time_in_millis": 0}),
    }
}

/// OpenSearch writes no time at all as seconds.
fn readable_time(millis: u64) -> String {
    if millis == 0 { "0s".to_owned() } else { format_time(Duration::from_millis(millis)) }
}

fn get(stats: &ShardStats) -> Value {
    let exists = stats.get.count.saturating_sub(stats.get_missing);
    json!({
        "total": stats.get.count, "getTime": readable_time(stats.get.millis), "time_in_millis": stats.get.millis,
        "exists_total": exists, "exists_time_in_millis": stats.get.millis,
        "missing_total": stats.get_missing, "missing_time_in_millis": 0, "current": 0,
    })
}

fn search(stats: &ShardStats, groups: &[String]) -> Value {
    let mut body = json!({"open_contexts": 0});
    let mut groups_json = Map::new();
    for (group, totals) in stats.search_groups.iter().filter(|(group, _)| groups.iter().any(|pattern| matches(pattern, group))) {
        groups_json.insert(group.clone(), Value::Object(search_totals(*totals)));
    }
    if let Value::Object(fields) = &mut body {
        fields.extend(search_totals(SearchTotals { query: stats.query, fetch: stats.fetch }));
        if !groups_json.is_empty() {
            fields.insert("groups".into(), Value::Object(groups_json));
        }
    }
    body
}

fn search_totals(totals: SearchTotals) -> Map<String, Value> {
    let numbers = [
        ("query_total", totals.query.count),
        ("query_time_in_millis", totals.query.millis),
        ("query_current", 0),
        ("concurrent_query_total", 0),
        ("concurrent_query_time_in_millis", 0),
        ("concurrent_query_current", 0),
    ];
    let mut fields: Map<String, Value> = numbers.into_iter().map(|(name, number)| (name.to_owned(), number.into())).collect();
    fields.insert("concurrent_avg_slice_count".into(), 0.0.into());
    let rest = [
        ("fetch_total", totals.fetch.count),
        ("fetch_time_in_millis", totals.fetch.millis),
        ("fetch_current", 0),
        ("scroll_total", 0),
        ("scroll_time_in_millis", 0),
        ("scroll_current", 0),
        ("point_in_time_total", 0),
        ("point_in_time_time_in_millis", 0),
        ("point_in_time_current", 0),
        ("suggest_total", 0),
        ("suggest_time_in_millis", 0),
        ("suggest_current", 0),
        ("search_idle_reactivate_count_total", 0),
    ];
    fields.extend(rest.into_iter().map(|(name, number)| (name.to_owned(), number.into())));
    fields
}

fn segments(stats: &ShardStats) -> Value {
    let transfer = |names: [&str; 3]| names.into_iter().map(|name| (name.to_owned(), Value::from(0))).collect::<Map<_, _>>();
    let sizes = || json!({"started_bytes": 0, "succeeded_bytes": 0, "failed_bytes": 0});
    let mut fields: Map<String, Value> = Map::from_iter([("count".to_owned(), stats.segments.into())]);
    for name in [
        "memory",
        "terms_memory",
        "stored_fields_memory",
        "term_vectors_memory",
        "norms_memory",
        "points_memory",
        "doc_values_memory",
        "index_writer_memory",
        "version_map_memory",
        "fixed_bit_set_memory",
    ] {
        fields.insert(format!("{name}_in_bytes"), 0.into());
    }
    fields.insert("max_unsafe_auto_id_timestamp".into(), (-1).into());
    fields.insert(
        "remote_store".into(),
        json!({
            "upload": {
                "total_upload_size": sizes(), "refresh_size_lag": {"total_bytes": 0, "max_bytes": 0},
                "max_refresh_time_lag_in_millis": 0, "total_time_spent_in_millis": 0, "pressure": {"total_rejections": 0},
            },
            "download": {"total_download_size": sizes(), "total_time_spent_in_millis": 0},
        }),
    );
    fields.insert("segment_replication".into(), transfer(["max_bytes_behind", "total_bytes_behind", "max_replication_lag"]).into());
    fields.insert("file_sizes".into(), json!({}));
    Value::Object(fields)
}

fn index_json(index: &IndexStats, asked: &Asked, with_shards: bool) -> Value {
    let mut body = json!({"uuid": index.uuid});
    if let (Value::Object(fields), Value::Object(sums)) = (&mut body, totals(index.copies.iter(), asked)) {
        fields.extend(sums);
    }
    if with_shards {
        let mut shards: Map<String, Value> = Map::new();
        for copy in index.copies.iter().filter(|copy| copy.node.is_some()) {
            let list = shards.entry(copy.shard.to_string()).or_insert_with(|| json!([]));
            if let Value::Array(list) = list {
                list.push(copy_json(copy, asked));
            }
        }
        body["shards"] = Value::Object(shards);
    }
    body
}

fn copy_json(copy: &ShardCopy, asked: &Asked) -> Value {
    let mut body = json!({"routing": {"state": copy.state, "primary": copy.primary, "node": copy.node, "relocating_node": null}});
    if let (Value::Object(fields), Some(stats)) = (&mut body, &copy.stats) {
        fields.extend(figures(stats, asked));
        let seq_no = json!({
            "max_seq_no": stats.max_seq_no,
            "local_checkpoint": stats.local_checkpoint,
            "global_checkpoint": stats.global_checkpoint,
        });
        fields.insert("seq_no".into(), seq_no);
        let lease = |lease: &stats::LeaseDescription| json!({"id": lease.id, "retaining_seq_no": lease.retaining_seq_no, "timestamp": lease.timestamp, "source": lease.source});
        let leases: Vec<Value> = copy.leases.iter().map(lease).collect();
        // The log that is kept for followers and copies; what a restart would replay is the translog above.
        let history = json!({"operations": stats.history_operations, "size_in_bytes": stats.history_bytes});
        fields.insert("tandem".into(), json!({"history": history}));
        fields.insert("retention_leases".into(), json!({"primary_term": copy.primary_term, "version": leases.len(), "leases": leases}));
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_common::{IndexUuid, NodeId};
    use tandem_node::action::monitor::health::HealthStatus;

    #[test]
    fn shards_show_their_leases_and_totals_count_primaries_once() {
        let copy = |primary: bool| ShardCopy {
            shard: 0,
            primary,
            state: "STARTED",
            node: Some(NodeId("n".into())),
            node_name: Some("n".into()),
            stats: Some(ShardStats { docs: 5, global_checkpoint: 4, ..ShardStats::default() }),
            leases: vec![stats::LeaseDescription { id: "replication:f".into(), retaining_seq_no: 3, timestamp: 1, source: "s".into() }],
            primary_term: 1,
        };
        let index = IndexStats {
            index: "i".into(),
            uuid: IndexUuid("u".into()),
            health: HealthStatus::Green,
            open: true,
            number_of_shards: 1,
            number_of_replicas: 1,
            creation_date: 0,
            copies: vec![copy(true), copy(false)],
        };
        let body = index_json(&index, &Asked { metrics: vec![0], groups: Vec::new() }, true);
        assert_eq!((&body["primaries"]["docs"]["count"], &body["total"]["docs"]["count"]), (&json!(5), &json!(10)));
        assert_eq!(body["shards"]["0"][0]["retention_leases"]["leases"][0]["id"], "replication:f");
        assert_eq!(body["shards"]["0"].as_array().unwrap().len(), 2);
        assert!(body["primaries"].get("store").is_none());
    }
}
