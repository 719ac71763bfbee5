//! `GET /`: who answers; and whether this process is well.

use super::respond::Answer;
use super::routes::Route;
use super::{App, Call};
use http::Method;
use serde_json::json;
use tandem_common::{Action, Result};
use tandem_node::action::monitor::{health, nodes};

/// The version of OpenSearch whose behaviour we have; clients decide by it what they may send.
pub const VERSION: &str = "3.1.0";
/// The version of the index format that OpenSearch of that version says it has.
pub(super) const LUCENE_VERSION: &str = "10.2.1";
/// The same as the header that OpenSearch sends with every answer.
pub(crate) const VERSION_HEADER: &str = "OpenSearch/3.1.0 (opensearch)";
/// What `build_hash` says: the version of Tandem itself.
pub(crate) const BUILD_HASH: &str = env!("CARGO_PKG_VERSION");
/// When 3.1.0 was built; clients parse it as a date.
const BUILD_DATE: &str = "2025-06-21T08:05:43.345081313Z";

const READ: &[Method] = &[Method::HEAD, Method::GET];

/// The routes of this family.
pub(super) fn routes() -> Vec<Route> {
    let main = Action("cluster:monitor/main");
    vec![
        Route::new(READ, "/", main, &[], root),
        Route::new(READ, "/_health/live", main, &[], live),
        Route::new(READ, "/_health/ready", Action("cluster:monitor/health"), &[], ready),
    ]
}

async fn root(app: App, _call: Call) -> Result<Answer> {
    let cluster = nodes::main(&app.services);
    let answer = Answer::ok(&json!({
        "name": cluster.node_name,
        "cluster_name": cluster.cluster_name,
        "cluster_uuid": cluster.cluster_uuid,
        "version": {
            "distribution": "opensearch",
            "number": VERSION,
            "build_type": "tar",
            "build_hash": BUILD_HASH,
            "build_date": BUILD_DATE,
            "build_snapshot": false,
            "lucene_version": LUCENE_VERSION,
            "minimum_wire_compatibility_version": "2.19.0",
            "minimum_index_compatibility_version": "2.0.0",
        },
        "tagline": "The OpenSearch Project: https://opensearch.org/",
    }))?;
    Ok(answer.pretty_by_default())
}

/// Alive is whoever can answer at all.
async fn live(_app: App, _call: Call) -> Result<Answer> {
    Answer::ok(&json!({"status": "ok"}))
}

/// Ready is a node that knows its cluster manager: before that it could serve nothing.
async fn ready(app: App, call: Call) -> Result<Answer> {
    let health = health::execute(&app.services, &call.context, health::HealthRequest::default()).await?;
    let (status, word) = if health.discovered_cluster_manager { (200, "ok") } else { (503, "no cluster manager") };
    Answer::json(status, &json!({"status": word}))
}
