//! `_cat/shards`: every copy and where it is.

use super::{App, Call, Cell, Column, TABLE, Table, number, on_demand, text, wants_help};
use crate::rest::call::INDICES;
use crate::rest::nodes::host_of;
use crate::rest::respond::Answer;
use crate::rest::routes::Route;
use http::Method;
use std::collections::HashMap;
use tandem_common::{Action, NodeId, Result};
use tandem_node::action::IndicesOptions;
use tandem_node::action::monitor::{nodes, stats};

const COLUMNS: &[Column] = &[
    text("index", &["i", "idx"], "index name"),
    text("shard", &["s", "sh"], "shard name"),
    text("prirep", &["p", "pr", "primaryOrReplica"], "primary or replica"),
    text("state", &["st"], "shard state"),
    number("docs", &["d", "dc"], "number of docs in shard"),
    number("store", &["sto"], "store size of shard (how much disk it uses)"),
    text("ip", &[], "ip of node where it lives"),
    on_demand(text("id", &[], "unique id of node where it lives")),
    text("node", &["n"], "name of node where it lives"),
    on_demand(number("segments.count", &["sc", "segmentsCount"], "number of segments")),
    on_demand(number("seq_no.max", &["sqm", "maxSeqNo"], "max sequence number")),
    on_demand(number("seq_no.local_checkpoint", &["sql", "localCheckpoint"], "local checkpoint")),
    on_demand(number("seq_no.global_checkpoint", &["sqg", "globalCheckpoint"], "global checkpoint")),
];

/// The routes of this table.
pub(super) fn routes() -> Vec<Route> {
    let action = Action("indices:monitor/stats");
    let params: &[&[&str]] = &[TABLE, INDICES];
    ["/_cat/shards", "/_cat/shards/{index}"].into_iter().map(|path| Route::new(&[Method::GET], path, action, params, table)).collect()
}

async fn table(app: App, call: Call) -> Result<Answer> {
    if wants_help(&call)? {
        return Ok(Table::help(COLUMNS));
    }
    let (_, indices) = stats::execute(&app.services, &call.context, call.indices(IndicesOptions::default())?, true).await?;
    let hosts: HashMap<NodeId, String> =
        nodes::execute(&app.services, &call.context).await?.into_iter().map(|node| (node.id, host_of(&node.transport_address))).collect();
    let rows = indices.iter().flat_map(|index| index.copies.iter().map(|copy| row(&index.index, copy, &hosts))).collect();
    Table::new(COLUMNS, rows).answer(&call, &[])
}

fn row(index: &str, copy: &stats::ShardCopy, hosts: &HashMap<NodeId, String>) -> Vec<Cell> {
    let stats = copy.stats.as_ref();
    let number = |value: Option<i64>| value.map_or(Cell::None, Cell::Number);
    let count = |value: Option<u64>| number(value.map(|value| i64::try_from(value).unwrap_or(i64::MAX)));
    vec![
        index.into(),
        Cell::Number(i64::from(copy.shard)),
        if copy.primary { "p".into() } else { "r".into() },
        copy.state.into(),
        count(stats.map(|stats| stats.docs)),
        stats.map_or(Cell::None, |stats| Cell::Bytes(stats.store_bytes)),
        copy.node.as_ref().and_then(|node| hosts.get(node)).map(String::as_str).into(),
        copy.node.as_ref().map(NodeId::as_str).into(),
        copy.node_name.as_deref().into(),
        count(stats.map(|stats| stats.segments)),
        number(stats.map(|stats| stats.max_seq_no)),
        number(stats.map(|stats| stats.local_checkpoint)),
        number(stats.map(|stats| stats.global_checkpoint)),
    ]
}
