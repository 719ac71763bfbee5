//! `_nodes`: who is here and under which addresses. Clients sniff with it.

use super::respond::Answer;
use super::root::{BUILD_HASH, VERSION};
use super::routes::Route;
use super::{App, Call};
use http::Method;
use serde_json::{Map, Value, json};
use tandem_common::{Action, Result, pattern};
use tandem_node::action::monitor::nodes::{self, NodeDescription};

const NODES: &[&[&str]] = &[&["flat_settings", "timeout"]];
/// The parts of a node that can be asked for by name.
const METRICS: [&str; 12] = [
    "settings",
    "os",
    "process",
    "jvm",
    "thread_pool",
    "transport",
    "http",
    "plugins",
    "ingest",
    "aggregations",
    "indices",
    "search_pipelines",
];

/// The routes of this family.
pub(super) fn routes() -> Vec<Route> {
    let action = Action("cluster:monitor/nodes/info");
    ["/_nodes", "/_nodes/{first}", "/_nodes/{first}/{second}"]
        .into_iter()
        .map(|path| Route::new(&[Method::GET], path, action, NODES, info))
        .collect()
}

async fn info(app: App, call: Call) -> Result<Answer> {
    let cluster = nodes::main(&app.services);
    let all = nodes::execute(&app.services, &call.context).await?;
    if let Some(other) =
        [call.value("first"), call.value("second")].into_iter().find(|part| ["stats", "usage", "hot_threads"].contains(part))
    {
        // Other endpoints below `_nodes`; a list of nodes would be the wrong answer to them.
        return Ok(Answer::refusal(400, format!("no handler found for uri [/_nodes/{other}] and method [GET]"), false));
    }
    // The one segment of `/_nodes/http` is a metric, of `/_nodes/n1` a node.
    let (first, second) = (call.value("first"), call.value("second"));
    let is_metric = |text: &str| text.split(',').all(|part| METRICS.contains(&part) || part == "_all");
    let (filter, metrics) = match (first, second) {
        (first, "") if is_metric(first) => ("", first),
        (first, second) => (first, second),
    };
    let wanted = |metric: &str| metrics.is_empty() || metrics.split(',').any(|part| part == metric || part == "_all");
    let answering: Vec<&NodeDescription> = all.iter().filter(|node| is_meant(node, filter, &cluster.node_name)).collect();
    let described: Map<String, Value> = answering.iter().map(|node| (node.id.to_string(), node_json(node, &wanted))).collect();
    Answer::ok(&json!({
        "_nodes": {"total": answering.len(), "successful": answering.len(), "failed": 0},
        "cluster_name": cluster.cluster_name,
        "nodes": described,
    }))
}

/// Whether a filter such as `_all`, `_local`, `_cluster_manager`, a name, an id, an address or `data:true` means a node.
fn is_meant(node: &NodeDescription, filter: &str, local_name: &str) -> bool {
    let has = |role: &str| node.roles.iter().any(|own| own == role);
    filter.is_empty()
        || filter.split(',').any(|part| match part {
            "_all" | "*" => true,
            "_local" => node.name == local_name,
            "_cluster_manager" | "_master" => node.is_cluster_manager,
            other => match other.split_once(':') {
                Some((role @ ("data" | "ingest" | "cluster_manager" | "master"), wanted)) => {
                    has(if role == "master" { "cluster_manager" } else { role }) == (wanted == "true")
                }
                _ => {
                    pattern::matches(other, &node.name)
                        || other == node.id.as_str()
                        || other == node.transport_address
                        || pattern::matches(other, &host_of(&node.transport_address))
                }
            },
        })
}

/// The host of `host:port`, without the brackets of an IPv6 address.
pub(super) fn host_of(address: &str) -> String {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']').to_owned()
}

fn node_json(node: &NodeDescription, wanted: &dyn Fn(&str) -> bool) -> Value {
    let host = host_of(&node.transport_address);
    let mut body = json!({
        "name": node.name,
        "transport_address": node.transport_address,
        "host": host,
        "ip": host,
        "version": VERSION,
        "build_type": "tar",
        "build_hash": BUILD_HASH,
        "roles": node.roles,
        "attributes": node.attributes.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect::<Map<_, _>>(),
    });
    if wanted("transport") {
        body["transport"] = json!({"bound_address": [node.transport_address], "publish_address": node.transport_address, "profiles": {}});
    }
    if wanted("http") {
        body["http"] =
            json!({"bound_address": [node.http_address], "publish_address": node.http_address, "max_content_length_in_bytes": 104_857_600});
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_common::NodeId;

    #[test]
    fn nodes_are_picked_by_name_role_and_place() {
        let node = NodeDescription {
            id: NodeId("id1".into()),
            name: "n1".into(),
            roles: vec!["data".into()],
            attributes: Vec::new(),
            http_address: "10.0.0.1:9200".into(),
            transport_address: "10.0.0.1:9300".into(),
            is_cluster_manager: false,
        };
        for (filter, meant) in [
            ("", true),
            ("_all", true),
            ("_local", true),
            ("_cluster_manager", false),
            ("n*", true),
            ("id1", true),
            ("data:true", true),
            ("cluster_manager:true", false),
            ("10.0.*", true),
            ("other", false),
        ] {
            assert_eq!(is_meant(&node, filter, "n1"), meant, "{filter}");
        }
        assert_eq!(host_of("[::1]:9300"), "::1");
        let shown = node_json(&node, &|metric| metric == "http");
        assert_eq!(shown["http"]["publish_address"], "10.0.0.1:9200");
        assert!(shown.get("transport").is_none());
    }
}
