//! `_cat/aliases`: other names of indices.

use super::{App, Call, Cell, Column, TABLE, Table, text, wants_help};
use crate::rest::call::OPEN_AND_CLOSED;
use crate::rest::params::split_list;
use crate::rest::respond::Answer;
use crate::rest::routes::Route;
use http::Method;
use tandem_common::{Action, Result};
use tandem_node::action::admin::aliases;

const COLUMNS: &[Column] = &[
    text("alias", &["a"], "alias name"),
    text("index", &["i", "idx"], "index alias points to"),
    text("filter", &["f", "fi"], "filter"),
    text("routing.index", &["ri", "routingIndex"], "index routing"),
    text("routing.search", &["rs", "routingSearch"], "search routing"),
    text("is_write_index", &["w", "isWriteIndex"], "write index"),
];

/// The routes of this table.
pub(super) fn routes() -> Vec<Route> {
    let action = Action("indices:admin/aliases/get");
    let params: &[&[&str]] = &[TABLE, &["expand_wildcards"]];
    ["/_cat/aliases", "/_cat/aliases/{name}"].into_iter().map(|path| Route::new(&[Method::GET], path, action, params, table)).collect()
}

async fn table(app: App, call: Call) -> Result<Answer> {
    if wants_help(&call)? {
        return Ok(Table::help(COLUMNS));
    }
    let found = aliases::get(&app.services, call.indices(OPEN_AND_CLOSED)?, &split_list(call.value("name"))).await?;
    let shown = |text: Option<String>| Cell::Text(text.unwrap_or_else(|| "-".to_owned()));
    let mut rows = Vec::new();
    for (index, aliases) in found.indices {
        for (name, alias) in aliases {
            rows.push(vec![
                Cell::Text(name),
                index.as_str().into(),
                shown(alias.filter.map(|_| "*".to_owned())),
                shown(alias.index_routing),
                shown(alias.search_routing),
                shown(alias.is_write_index.map(|flag| flag.to_string())),
            ]);
        }
    }
    Table::new(COLUMNS, rows).answer(&call, &[])
}
