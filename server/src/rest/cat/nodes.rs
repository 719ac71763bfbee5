//! `_cat/nodes`: the nodes and what they do.

use super::{App, Call, Cell, Column, TABLE, Table, number, on_demand, text, wants_help};
use crate::rest::nodes::host_of;
use crate::rest::respond::Answer;
use crate::rest::root::VERSION;
use crate::rest::routes::Route;
use http::Method;
use tandem_common::{Action, Result};
use tandem_node::action::monitor::nodes::{self, NodeDescription};

/// Figures of the machine that we do not measure yet are empty.
const COLUMNS: &[Column] = &[
    on_demand(text("id", &["id", "nodeId"], "unique node id")),
    text("ip", &["i"], "ip address"),
    on_demand(text("port", &["po"], "bound transport port")),
    on_demand(text("http_address", &["http"], "bound http address")),
    on_demand(text("version", &["v"], "os version")),
    number("heap.percent", &["hp", "heapPercent"], "used heap ratio"),
    number("ram.percent", &["rp", "ramPercent"], "used machine memory ratio"),
    number("cpu", &["cpu"], "recent cpu usage"),
    number("load_1m", &["l"], "1m load avg"),
    number("load_5m", &["l"], "5m load avg"),
    number("load_15m", &["l"], "15m load avg"),
    text("node.role", &["r", "role", "nodeRole"], "m:master eligible node, d:data node, i:ingest node, -:coordinating node only"),
    text("node.roles", &["rs", "all roles"], " -:coordinating node only"),
    text("cluster_manager", &["cm", "m", "master"], "*:current cluster manager"),
    text("name", &["n"], "node name"),
];

/// The routes of this table.
pub(super) fn routes() -> Vec<Route> {
    let params: &[&[&str]] = &[TABLE, &["full_id"]];
    vec![Route::new(&[Method::GET], "/_cat/nodes", Action("cluster:monitor/nodes/info"), params, table)]
}

async fn table(app: App, call: Call) -> Result<Answer> {
    if wants_help(&call)? {
        return Ok(Table::help(COLUMNS));
    }
    let full_id = call.params.bool("full_id", false)?;
    let nodes = nodes::execute(&app.services, &call.context).await?;
    Table::new(COLUMNS, nodes.iter().map(|node| row(node, full_id)).collect()).answer(&call, &[])
}

fn row(node: &NodeDescription, full_id: bool) -> Vec<Cell> {
    let id = if full_id { node.id.as_str() } else { node.id.as_str().get(..4).unwrap_or(node.id.as_str()) };
    let port = node.transport_address.rsplit_once(':').map(|(_, port)| port);
    vec![
        id.into(),
        Cell::Text(host_of(&node.transport_address)),
        port.into(),
        node.http_address.as_str().into(),
        VERSION.into(),
        Cell::None,
        Cell::None,
        Cell::None,
        Cell::None,
        Cell::None,
        Cell::None,
        Cell::Text(abbreviated(&node.roles)),
        Cell::Text(if node.roles.is_empty() { "-".to_owned() } else { node.roles.join(",") }),
        if node.is_cluster_manager { "*".into() } else { "-".into() },
        node.name.as_str().into(),
    ]
}

/// One letter for each role, sorted, as old tools read it.
fn abbreviated(roles: &[String]) -> String {
    let mut letters: Vec<char> = roles
        .iter()
        .filter_map(|role| match role.as_str() {
            "cluster_manager" => Some('m'),
            "data" => Some('d'),
            "ingest" => Some('i'),
            "remote_cluster_client" => Some('r'),
            _ => None,
        })
        .collect();
    letters.sort_unstable();
    if letters.is_empty() { "-".to_owned() } else { letters.into_iter().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_letters_in_the_order_of_the_alphabet() {
        let roles = ["cluster_manager", "data", "ingest", "remote_cluster_client"].map(str::to_owned);
        assert_eq!(abbreviated(&roles), "dimr");
        assert_eq!(abbreviated(&[]), "-");
    }
}
