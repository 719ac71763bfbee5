//! `indices:data/write/{index,delete,update}`: one document, by the same path as a bulk of one.

use super::bulk::{self, BulkRequest};
use super::{DocumentAction, DocumentWrite, WriteCondition, WriteResponse, update};
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
///
/// # Errors
/// Everything that a bulk answers for one document.
pub async fn execute(services: &Services, context: &Context, request: SingleWriteRequest) -> Result<WriteResponse> {
    if let DocumentAction::Update(body) = &request.write.action {
        update::validate(&body.body, request.write.condition != WriteCondition::None)?;
    }
    let bulk = BulkRequest { items: vec![request.write], refresh: request.refresh, wait_for_active_shards: request.wait_for_active_shards };
    let mut answer = bulk::execute(services, context, bulk).await?;
    match answer.items.pop() {
        Some(item) => item.outcome,
        None => Err(Error::internal("the document was not answered for")),
    }
}
