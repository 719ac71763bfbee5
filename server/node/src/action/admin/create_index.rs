//! `indices:admin/create`.

use crate::action::Services;
use serde_json::Value;
use tandem_common::{Context, Error, Result};

/// A new index.
#[derive(Clone, Debug, Default)]
pub struct CreateIndexRequest {
    /// Its name, percent-decoded.
    pub index: String,
    /// `{"settings": …, "mappings": …, "aliases": …}`, or null.
    pub body: Value,
    /// `all`, or a number of copies to wait for (default 1).
    pub wait_for_active_shards: Option<String>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateIndexResponse {
    /// Whether the cluster took it in time.
    pub acknowledged: bool,
    /// Whether enough copies were active in time.
    pub shards_acknowledged: bool,
    /// The concrete name.
    pub index: String,
}

/// Creates it.
pub async fn execute(_services: &Services, _context: &Context, _request: CreateIndexRequest) -> Result<CreateIndexResponse> {
    Err(Error::internal("pending"))
}
