//! `indices:data/write/bulk`: many documents, each on its own.

use super::{DocumentWrite, WriteResponse};
use crate::action::{RefreshPolicy, Services};
use std::time::Duration;
use tandem_common::{Context, Error, Result};

/// Many documents. Items for the same document apply in order.
#[derive(Clone, Debug, Default)]
pub struct BulkRequest {
    /// The documents.
    pub items: Vec<DocumentWrite>,
    /// When they become searchable.
    pub refresh: RefreshPolicy,
    /// `all`, or a number of copies that must be active first.
    pub wait_for_active_shards: Option<String>,
}

/// One outcome per document, in the order of the request.
#[derive(Clone, Debug)]
pub struct BulkResponse {
    /// How long it took.
    pub took: Duration,
    /// The outcomes.
    pub items: Vec<BulkItemResponse>,
}

/// The outcome of one document.
#[derive(Clone, Debug)]
pub struct BulkItemResponse {
    /// `index`, `create`, `update`, `delete`.
    pub action: &'static str,
    /// The concrete index, or the name as asked when it could not be resolved.
    pub index: String,
    /// The document; `None` when it failed before an id was generated.
    pub id: Option<String>,
    /// What became of it.
    pub outcome: Result<WriteResponse>,
}

/// Writes every document; failures of documents are values in the answer.
pub async fn execute(_services: &Services, _context: &Context, _request: BulkRequest) -> Result<BulkResponse> {
    Err(Error::internal("pending"))
}
