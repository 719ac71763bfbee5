//! `_cat`: tables for people and for shell scripts.
//!
//! *What it is*: one file per table, and how tables are shown. · *Types to know*: `Table`, `Column`, `Cell`. ·
//! **Invariants**: the columns, their names, aliases and order are OpenSearch's; a table asks one action. · *How it
//! fails*: an unknown sort key is an error, an unknown column is left out. · *How it is tested*: beside the code.

mod aliases;
mod count;
mod health;
mod indices;
mod nodes;
mod segments;
mod shards;
mod table;

use super::respond::Answer;
use super::routes::Route;
use super::{App, Call};
use http::Method;
use table::{Cell, Column, TABLE, Table};
use tandem_common::env::clock;
use tandem_common::{Action, Result};

/// The routes of this family.
pub(super) fn routes() -> Vec<Route> {
    let mut routes = vec![Route::new(&[Method::GET], "/_cat", Action("cluster:monitor/main"), &[], overview)];
    routes.extend(indices::routes());
    routes.extend(health::routes());
    routes.extend(count::routes());
    routes.extend(shards::routes());
    routes.extend(nodes::routes());
    routes.extend(aliases::routes());
    routes.extend(segments::routes());
    routes
}

/// The tables there are.
async fn overview(_app: App, _call: Call) -> Result<Answer> {
    let mut paths: Vec<&str> = routes().iter().map(|route| route.path).filter(|path| *path != "/_cat").collect();
    paths.sort_unstable();
    Ok(Answer::text(format!("=^.^=\n{}\n", paths.join("\n"))))
}

/// Whether the help page is asked for.
fn wants_help(call: &Call) -> Result<bool> {
    call.params.bool("help", false)
}

/// The first two columns of some tables: the time in seconds and as a clock shows it.
fn now_cells() -> [Cell; 2] {
    let seconds = clock::wall_millis().div_euclid(1000);
    let day = seconds.rem_euclid(86_400);
    [Cell::Number(seconds), Cell::Text(format!("{:02}:{:02}:{:02}", day / 3600, day / 60 % 60, day % 60))]
}

/// The columns of those values.
const EPOCH: Column =
    Column { name: "epoch", aliases: &["t", "time"], doc: "seconds since 1970-01-01 00:00:00", shown: true, right: false };
/// See [`EPOCH`].
const TIMESTAMP: Column =
    Column { name: "timestamp", aliases: &["ts", "hms", "hhmmss"], doc: "time in HH:MM:SS", shown: true, right: false };

/// A column of text.
const fn text(name: &'static str, aliases: &'static [&'static str], doc: &'static str) -> Column {
    Column { name, aliases, doc, shown: true, right: false }
}

/// A column of numbers.
const fn number(name: &'static str, aliases: &'static [&'static str], doc: &'static str) -> Column {
    Column { name, aliases, doc, shown: true, right: true }
}

/// A column that is shown only when it is asked for.
const fn on_demand(column: Column) -> Column {
    Column { shown: false, ..column }
}
