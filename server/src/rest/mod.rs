//! The REST door: OpenSearch's HTTP face.
//!
//! *What it is*: one list of routes over the node's actions, the axum router that it becomes, and the listener that serves
//! it. · *Types to know*: [`Door`] (around the router: limits, body, parameters, panics, the response), [`App`], `Route`,
//! `Call` (the extractor of every handler), `Answer`. · **Invariants**: a handler parses, calls one action and renders,
//! nothing else; every route names its action and the parameters that it takes, and what would change the answer is done
//! or refused; no cluster state, no retries, no shard is known here; a body is never buffered beyond its limit. · *How it
//! fails*: every failure is an answer in OpenSearch's shape (`errors`), a panic one of status 500 for that request only. ·
//! *How it is tested*: parsing and rendering beside the code, the door called in process.

mod aliases;
mod analyze;
mod body;
mod bulk;
mod call;
mod cat;
mod ccr;
mod cluster;
mod condition;
mod dispatch;
mod document;
mod errors;
mod fields;
mod filter_path;
mod get;
mod indices;
mod listen;
mod nodes;
mod params;
mod render;
mod respond;
mod root;
mod routes;
mod search;
mod segments;
mod settings;
mod stats;
mod update;

pub(crate) use call::Call;
pub use dispatch::Door;
pub use listen::serve;
pub use root::VERSION;

use routes::Route;
use tandem_node::action::Services;

/// What the handlers work with. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The node.
    pub services: Services,
    /// The largest body of a request, in bytes after decompression.
    pub content_bytes_max: usize,
    /// The largest head of a request, in bytes.
    pub head_bytes_max: usize,
}

/// Every route, one family after the other.
fn routes() -> Vec<Route> {
    [
        root::routes(),
        document::routes(),
        get::routes(),
        update::routes(),
        bulk::routes(),
        search::routes(),
        analyze::routes(),
        indices::routes(),
        aliases::routes(),
        settings::routes(),
        stats::routes(),
        segments::routes(),
        cluster::routes(),
        nodes::routes(),
        ccr::routes(),
        cat::routes(),
    ]
    .concat()
}
