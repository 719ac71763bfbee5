//! `indices:data/write/{index,delete,update}`: one document, by the same path as a bulk of one.

use super::{DocumentWrite, WriteResponse};
use crate::action::{RefreshPolicy, Services};
use tandem_common::{Context, Error, Result};

/// One document to write.
#[derive(Clone, Debug)]
pub struct SingleWriteRequest {
    /// The document.
    pub write: DocumentWrite,
    /// When it becomes searchable.
    pub refresh: RefreshPolicy,
    /// `all`, or a number of copies that must be active first.
    pub wait_for_active_shards: Option<String>,
}

/// Writes it. A delete of something missing is an answer (`not_found`), not an error.
pub async fn execute(_services: &Services, _context: &Context, _request: SingleWriteRequest) -> Result<WriteResponse> {
    Err(Error::internal("pending"))
}
