//! `_cat/indices`: the indices and how big they are.

use super::{App, Call, Cell, Column, TABLE, Table, number, on_demand, text, wants_help};
use crate::rest::call::{INDICES, OPEN_AND_CLOSED};
use crate::rest::render::iso_time;
use crate::rest::respond::Answer;
use crate::rest::routes::Route;
use http::Method;
use tandem_common::{Action, Error, Result};
use tandem_node::action::monitor::stats::{self, IndexStats, ShardStats};

const COLUMNS: &[Column] = &[
    text("health", &["h"], "current health status"),
    text("status", &["s"], "open/close status"),
    text("index", &["i", "idx"], "index name"),
    text("uuid", &["id", "uuid"], "index uuid"),
    number("pri", &["p", "shards.primary", "shardsPrimary"], "number of primary shards"),
    number("rep", &["r", "shards.replica", "shardsReplica"], "number of replica shards"),
    number("docs.count", &["dc", "docsCount"], "available docs"),
    number("docs.deleted", &["dd", "docsDeleted"], "deleted docs"),
    on_demand(text("creation.date", &["cd"], "index creation date (millisecond value)")),
    on_demand(text("creation.date.string", &["cds"], "index creation date (as string)")),
    number("store.size", &["ss", "storeSize"], "store size of primaries & replicas"),
    number("pri.store.size", &[], "store size of primaries"),
    on_demand(number("segments.count", &["sc", "segmentsCount"], "number of segments")),
    on_demand(number("pri.segments.count", &[], "number of segments")),
];

/// The routes of this table.
pub(super) fn routes() -> Vec<Route> {
    let action = Action("indices:monitor/stats");
    let params: &[&[&str]] = &[TABLE, INDICES, &["health", "pri", "include_unloaded_segments"]];
    ["/_cat/indices", "/_cat/indices/{index}"].into_iter().map(|path| Route::new(&[Method::GET], path, action, params, table)).collect()
}

async fn table(app: App, call: Call) -> Result<Answer> {
    if wants_help(&call)? {
        return Ok(Table::help(COLUMNS));
    }
    let health = call.params.text("health").map(str::to_ascii_lowercase);
    if let Some(unknown) = health.as_deref().filter(|word| !["green", "yellow", "red"].contains(word)) {
        return Err(Error::illegal_argument(format!("unknown cluster health status [{unknown}]")));
    }
    let only_primaries = call.params.bool("pri", false)?;
    let (_, indices) = stats::execute(&app.services, &call.context, call.indices(OPEN_AND_CLOSED)?, false).await?;
    let wanted = |index: &&IndexStats| health.as_deref().is_none_or(|word| word == index.health.as_str());
    let rows = indices.iter().filter(wanted).map(|index| row(index, only_primaries)).collect();
    Table::new(COLUMNS, rows).answer(&call, &[])
}

fn row(index: &IndexStats, only_primaries: bool) -> Vec<Cell> {
    let sum = |primaries: bool, figure: fn(&ShardStats) -> u64| {
        let open = index.copies.iter().filter(|copy| copy.primary || !primaries).filter_map(|copy| copy.stats.as_ref());
        open.map(figure).reduce(|a, b| a + b)
    };
    let count = |number: u32| Cell::Number(i64::from(number));
    let figure = |number: Option<u64>| number.map_or(Cell::None, |number| Cell::Number(i64::try_from(number).unwrap_or(i64::MAX)));
    let bytes = |number: Option<u64>| number.map_or(Cell::None, Cell::Bytes);
    vec![
        index.health.as_str().into(),
        if index.open { "open".into() } else { "close".into() },
        index.index.as_str().into(),
        index.uuid.as_str().into(),
        count(index.number_of_shards),
        count(index.number_of_replicas),
        figure(sum(true, |stats| stats.docs)),
        figure(sum(true, |stats| stats.deleted_docs)),
        Cell::Number(index.creation_date),
        Cell::Text(iso_time(index.creation_date)),
        bytes(sum(only_primaries, |stats| stats.store_bytes)),
        bytes(sum(true, |stats| stats.store_bytes)),
        figure(sum(only_primaries, |stats| stats.segments)),
        figure(sum(true, |stats| stats.segments)),
    ]
}
