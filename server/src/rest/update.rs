//! `_update`: changing a document in part.

use super::call::SOURCE;
use super::document;
use super::respond::Answer;
use super::routes::Route;
use super::{App, Call};
use http::Method;
use tandem_common::{Action, Error, Result};
use tandem_node::action::write::{DocumentAction, UpdateBody};

const UPDATE: &[&[&str]] = &[
    SOURCE,
    &[
        "refresh",
        "routing",
        "if_seq_no",
        "if_primary_term",
        "version",
        "version_type",
        "retry_on_conflict",
        "require_alias",
        "timeout",
        "wait_for_active_shards",
    ],
];

/// The routes of this family.
pub(super) fn routes() -> Vec<Route> {
    vec![Route::new(&[Method::POST], "/{index}/_update/{id}", Action("indices:data/write/update"), UPDATE, update)]
}

async fn update(app: App, call: Call) -> Result<Answer> {
    let retry_on_conflict = u32::try_from(call.params.int("retry_on_conflict")?.unwrap_or(0)).unwrap_or(0);
    if retry_on_conflict > 0 && call.params.get("if_seq_no").is_some() {
        return Err(Error::invalid_request("compare and write operations can not be retried"));
    }
    let body = UpdateBody { body: call.body.clone(), retry_on_conflict, source_filter: call.source_filter()? };
    document::send(app, call, DocumentAction::Update(body), false).await
}
