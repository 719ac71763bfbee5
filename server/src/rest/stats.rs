//! `_stats`: what shards hold, and who keeps their history.

use super::call::INDICES;
use super::document::CopiesJson;
use super::params::split_list;
use super::respond::Answer;
use super::routes::Route;
use super::{App, Call};
use http::Method;
use serde_json::{Map, Value, json};
use tandem_common::{Action, Error, Result};
use tandem_node::action::IndicesOptions;
use tandem_node::action::monitor::stats::{self, CopyStats, IndexStats, ShardCopy};

const STATS: &[&[&str]] = &[INDICES, &["level", "groups", "include_unloaded_segments", "forbid_closed_indices"]];

/// The figures that we keep.
const KEPT: [&str; 4] = ["docs", "store", "segments", "translog"];
/// Figures of OpenSearch that we do not keep. Asked for everything, we leave them out; asked for them by name, we refuse.
const OTHERS: [&str; 12] = [
    "indexing",
    "get",
    "search",
    "merge",
    "refresh",
    "flush",
    "warmer",
    "query_cache",
    "fielddata",
    "completion",
    "request_cache",
    "recovery",
];

/// The routes of this family.
pub(super) fn routes() -> Vec<Route> {
    let action = Action("indices:monitor/stats");
    ["/_stats", "/_stats/{metric}", "/{index}/_stats", "/{index}/_stats/{metric}"]
        .into_iter()
        .map(|path| Route::new(&[Method::GET], path, action, STATS, index_stats))
        .collect()
}

async fn index_stats(app: App, call: Call) -> Result<Answer> {
    let named = split_list(call.value("metric"));
    let all = named.is_empty() || named.iter().any(|name| name == "_all");
    if let Some(other) = named.iter().find(|name| OTHERS.contains(&name.as_str())).filter(|_| !all) {
        return Err(Error::illegal_argument(format!("the metric [{other}] is not kept; there are [{}]", KEPT.join(", "))));
    }
    if let Some(unknown) = named.iter().find(|name| ![&KEPT[..], &OTHERS, &["_all"]].concat().contains(&name.as_str())) {
        let prefix = if call.value("index").is_empty() { String::new() } else { format!("/{}", call.value("index")) };
        let path = format!("{prefix}/_stats/{}", call.value("metric"));
        return Err(Error::illegal_argument(format!("request [{path}] contains unrecognized metric: [{unknown}]")));
    }
    let metrics: Vec<&str> = KEPT.into_iter().filter(|kept| all || named.iter().any(|name| name == kept)).collect();
    let level = call.params.text("level").unwrap_or("indices").to_owned();
    if !["cluster", "indices", "shards"].contains(&level.as_str()) {
        return Err(Error::illegal_argument(format!(
            "level parameter must be one of [cluster] or [indices] or [shards] but was [{level}]"
        )));
    }
    let (shards, indices) = stats::execute(&app.services, &call.context, call.indices(IndicesOptions::default())?).await?;
    let copies = || indices.iter().flat_map(|index| &index.copies);
    let mut body = json!({"_shards": CopiesJson(&shards), "_all": totals(copies(), &metrics)});
    if level != "cluster" {
        let shown = |index: &IndexStats| (index.index.clone(), index_json(index, &metrics, level == "shards"));
        body["indices"] = Value::Object(indices.iter().map(shown).collect());
    }
    Answer::ok(&body)
}

fn totals<'a>(copies: impl Iterator<Item = &'a ShardCopy> + Clone, metrics: &[&str]) -> Value {
    let sum = |only_primaries: bool| {
        let opened = copies.clone().filter(|copy| copy.primary || !only_primaries).filter_map(|copy| copy.stats.as_ref());
        figures(&opened.fold(CopyStats::default(), added), metrics)
    };
    json!({"primaries": sum(true), "total": sum(false)})
}

fn added(mut sum: CopyStats, one: &CopyStats) -> CopyStats {
    sum.docs += one.docs;
    sum.deleted += one.deleted;
    sum.store_bytes += one.store_bytes;
    sum.translog_bytes += one.translog_bytes;
    sum.translog_operations += one.translog_operations;
    sum.segments += one.segments;
    sum
}

fn figures(stats: &CopyStats, metrics: &[&str]) -> Map<String, Value> {
    let one = |metric: &str| match metric {
        "docs" => json!({"count": stats.docs, "deleted": stats.deleted}),
        "store" => json!({"size_in_bytes": stats.store_bytes, "reserved_in_bytes": 0}),
        "segments" => json!({"count": stats.segments}),
        _ => json!({
            "operations": stats.translog_operations,
            "size_in_bytes": stats.translog_bytes,
            "uncommitted_operations": stats.translog_operations,
            "uncommitted_size_in_bytes": stats.translog_bytes,
        }),
    };
    metrics.iter().map(|metric| ((*metric).to_owned(), one(metric))).collect()
}

fn index_json(index: &IndexStats, metrics: &[&str], with_shards: bool) -> Value {
    let mut body = json!({"uuid": index.uuid});
    if let (Value::Object(fields), Value::Object(sums)) = (&mut body, totals(index.copies.iter(), metrics)) {
        fields.extend(sums);
    }
    if with_shards {
        let mut shards: Map<String, Value> = Map::new();
        for copy in index.copies.iter().filter(|copy| copy.node.is_some()) {
            let list = shards.entry(copy.shard.to_string()).or_insert_with(|| json!([]));
            if let Value::Array(list) = list {
                list.push(copy_json(copy, metrics));
            }
        }
        body["shards"] = Value::Object(shards);
    }
    body
}

fn copy_json(copy: &ShardCopy, metrics: &[&str]) -> Value {
    let mut body = json!({"routing": {"state": copy.state, "primary": copy.primary, "node": copy.node, "relocating_node": null}});
    if let (Value::Object(fields), Some(stats)) = (&mut body, &copy.stats) {
        fields.extend(figures(stats, metrics));
        let seq_no = json!({
            "max_seq_no": stats.max_seq_no,
            "local_checkpoint": stats.local_checkpoint,
            "global_checkpoint": stats.global_checkpoint,
        });
        fields.insert("seq_no".into(), seq_no);
        let lease = |lease: &stats::LeaseDescription| json!({"id": lease.id, "retaining_seq_no": lease.retaining_seq_no, "timestamp": lease.timestamp, "source": lease.source});
        let leases: Vec<Value> = copy.leases.iter().map(lease).collect();
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
            stats: Some(CopyStats { docs: 5, global_checkpoint: 4, ..CopyStats::default() }),
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
        let body = index_json(&index, &["docs"], true);
        assert_eq!((&body["primaries"]["docs"]["count"], &body["total"]["docs"]["count"]), (&json!(5), &json!(10)));
        assert_eq!(body["shards"]["0"][0]["retention_leases"]["leases"][0]["id"], "replication:f");
        assert_eq!(body["shards"]["0"].as_array().unwrap().len(), 2);
        assert!(body["primaries"].get("store").is_none());
    }
}
