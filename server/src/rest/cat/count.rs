//! `_cat/count`: how many documents there are.

use super::{App, Call, Cell, Column, EPOCH, TABLE, TIMESTAMP, Table, now_cells, number, wants_help};
use crate::rest::call::INDICES;
use crate::rest::respond::Answer;
use crate::rest::routes::Route;
use http::Method;
use serde_json::json;
use tandem_common::{Action, Result};
use tandem_engine::search::SearchSource;
use tandem_node::action::IndicesOptions;
use tandem_node::action::read::count::{self, CountRequest};

const COLUMNS: &[Column] = &[EPOCH, TIMESTAMP, number("count", &["dc", "docs.count", "docsCount"], "the document count")];

/// The routes of this table.
pub(super) fn routes() -> Vec<Route> {
    let action = Action("indices:data/read/search");
    let params: &[&[&str]] = &[TABLE, INDICES];
    ["/_cat/count", "/_cat/count/{index}"].into_iter().map(|path| Route::new(&[Method::GET], path, action, params, table)).collect()
}

async fn table(app: App, call: Call) -> Result<Answer> {
    if wants_help(&call)? {
        return Ok(Table::help(COLUMNS));
    }
    let hidden: &[&str] = if call.params.bool("ts", true)? { &[] } else { &["epoch", "timestamp"] };
    let request =
        CountRequest { indices: call.indices(IndicesOptions::default())?, source: SearchSource::parse(&json!({}))?, routing: None };
    let counted = count::execute(&app.services, &call.context, request).await?;
    let [epoch, timestamp] = now_cells();
    let count = Cell::Number(i64::try_from(counted.count).unwrap_or(i64::MAX));
    Table::new(COLUMNS, vec![vec![epoch, timestamp, count]]).answer(&call, hidden)
}
