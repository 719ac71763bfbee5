//! `_cat/segments`: what the index of each shard is made of.

use super::{App, Call, Cell, Column, TABLE, Table, number, on_demand, text, wants_help};
use crate::rest::call::INDICES;
use crate::rest::nodes::host_of;
use crate::rest::respond::Answer;
use crate::rest::root::LUCENE_VERSION;
use crate::rest::routes::Route;
use crate::rest::segments::name_of;
use http::Method;
use std::collections::HashMap;
use tandem_common::{Action, NodeId, Result};
use tandem_node::action::IndicesOptions;
use tandem_node::action::monitor::nodes;
use tandem_node::action::monitor::segments::{self, SegmentStats, ShardSegments};

const COLUMNS: &[Column] = &[
    text("index", &["i", "idx"], "index name"),
    text("shard", &["s", "sh"], "shard name"),
    text("prirep", &["p", "pr", "primaryOrReplica"], "primary or replica"),
    text("ip", &[], "ip of node where it lives"),
    on_demand(text("id", &[], "unique id of node where it lives")),
    text("segment", &["seg"], "segment name"),
    number("generation", &["g", "gen"], "segment generation"),
    number("docs.count", &["dc", "docsCount"], "number of docs in segment"),
    number("docs.deleted", &["dd", "docsDeleted"], "number of deleted docs in segment"),
    number("size", &["si"], "segment size in bytes"),
    number("size.memory", &["sm", "sizeMemory"], "segment memory in bytes"),
    text("committed", &["ic", "isCommitted"], "is segment committed"),
    text("searchable", &["is", "isSearchable"], "is segment searched"),
    text("version", &["v", "ver"], "version"),
    text("compound", &["ico", "isCompound"], "is segment compound"),
];

/// The routes of this table.
pub(super) fn routes() -> Vec<Route> {
    let action = Action("indices:monitor/segments");
    let params: &[&[&str]] = &[TABLE, INDICES];
    ["/_cat/segments", "/_cat/segments/{index}"].into_iter().map(|path| Route::new(&[Method::GET], path, action, params, table)).collect()
}

async fn table(app: App, call: Call) -> Result<Answer> {
    if wants_help(&call)? {
        return Ok(Table::help(COLUMNS));
    }
    let (_, found) = segments::execute(&app.services, &call.context, call.indices(IndicesOptions::default())?).await?;
    let hosts: HashMap<NodeId, String> =
        nodes::execute(&app.services, &call.context).await?.into_iter().map(|node| (node.id, host_of(&node.transport_address))).collect();
    let rows = found.iter().flat_map(|shard| shard.segments.iter().map(|segment| row(shard, segment, &hosts))).collect();
    Table::new(COLUMNS, rows).answer(&call, &[])
}

fn row(shard: &ShardSegments, segment: &SegmentStats, hosts: &HashMap<NodeId, String>) -> Vec<Cell> {
    let count = |number: u64| Cell::Number(i64::try_from(number).unwrap_or(i64::MAX));
    let flag = |flag: bool| Cell::from(if flag { "true" } else { "false" });
    vec![
        shard.index.as_str().into(),
        Cell::Number(i64::from(shard.shard)),
        if shard.primary { "p".into() } else { "r".into() },
        hosts.get(&shard.node).map(String::as_str).into(),
        shard.node.as_str().into(),
        Cell::Text(name_of(segment)),
        count(segment.generation),
        count(segment.docs),
        count(segment.deleted_docs),
        Cell::Bytes(segment.bytes),
        Cell::Bytes(0),
        flag(segment.committed),
        flag(true),
        LUCENE_VERSION.into(),
        flag(false),
    ]
}
