//! `indices:data/write/{index,delete,update}`: one document, by the same path as a bulk of one.

use super::bulk::{self, BulkRequest};
use super::{DocumentWrite, WriteResponse, WriteResult};
use crate::action::{RefreshPolicy, Services, ShardsHeader};
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
///
/// # Errors
/// Everything that a bulk answers for one document.
pub async fn execute(services: &Services, context: &Context, request: SingleWriteRequest) -> Result<WriteResponse> {
    let bulk = BulkRequest { items: vec![request.write], refresh: request.refresh, wait_for_active_shards: request.wait_for_active_shards };
    let mut answer = bulk::execute(services, context, bulk).await?;
    match answer.items.pop() {
        Some(item) => item.outcome.map(|mut response| {
            // On its own, unlike in a bulk, a noop counts no copies.
            if response.result == WriteResult::Noop {
                response.shards = ShardsHeader::default();
            }
            response
        }),
        None => Err(Error::internal("the document was not answered for")),
    }
}
