//! `_cat/health`: the state of the cluster in one line.

use super::{App, Call, Cell, Column, EPOCH, TABLE, TIMESTAMP, Table, now_cells, number, text, wants_help};
use crate::rest::cluster::active_percent;
use crate::rest::respond::Answer;
use crate::rest::routes::Route;
use http::Method;
use tandem_common::{Action, Result};
use tandem_node::action::monitor::health::{self, HealthRequest, HealthResponse};

const COLUMNS: &[Column] = &[
    EPOCH,
    TIMESTAMP,
    text("cluster", &["cl"], "cluster name"),
    text("status", &["st"], "health status"),
    number("node.total", &["nt", "nodeTotal"], "total number of nodes"),
    number("node.data", &["nd", "nodeData"], "number of nodes that can store data"),
    number("discovered_cluster_manager", &["dcm", "dm", "discovered_master"], "cluster manager is discovered or not"),
    number("shards", &["t", "sh", "shards.total", "shardsTotal"], "total number of shards"),
    number("pri", &["p", "shards.primary", "shardsPrimary"], "number of primary shards"),
    number("relo", &["r", "shards.relocating", "shardsRelocating"], "number of relocating nodes"),
    number("init", &["i", "shards.initializing", "shardsInitializing"], "number of initializing nodes"),
    number("unassign", &["u", "shards.unassigned", "shardsUnassigned"], "number of unassigned shards"),
    number("pending_tasks", &["pt", "pendingTasks"], "number of pending tasks"),
    number("max_task_wait_time", &["mtwt", "maxTaskWaitTime"], "wait time of longest task pending"),
    number("active_shards_percent", &["asp", "activeShardsPercent"], "active number of shards in percent"),
];

/// The routes of this table.
pub(super) fn routes() -> Vec<Route> {
    vec![Route::new(&[Method::GET], "/_cat/health", Action("cluster:monitor/health"), &[TABLE], table)]
}

async fn table(app: App, call: Call) -> Result<Answer> {
    if wants_help(&call)? {
        return Ok(Table::help(COLUMNS));
    }
    let with_time = call.params.bool("ts", true)?;
    let health = health::execute(&app.services, &call.context, HealthRequest::default()).await?;
    let hidden: &[&str] = if with_time { &[] } else { &["epoch", "timestamp"] };
    Table::new(COLUMNS, vec![row(&health)]).answer(&call, hidden)
}

fn row(health: &HealthResponse) -> Vec<Cell> {
    let [epoch, timestamp] = now_cells();
    let shards = &health.shards;
    let count = |number: u32| Cell::Number(i64::from(number));
    vec![
        epoch,
        timestamp,
        health.cluster_name.as_str().into(),
        health.status.as_str().into(),
        count(health.number_of_nodes),
        count(health.number_of_data_nodes),
        Cell::Text(health.discovered_cluster_manager.to_string()),
        count(shards.active),
        count(shards.active_primary),
        count(shards.relocating),
        count(shards.initializing),
        count(shards.unassigned),
        Cell::Number(0),
        "-".into(),
        Cell::Text(format!("{:.1}%", active_percent(shards))),
    ]
}
