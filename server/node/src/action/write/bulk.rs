//! `indices:data/write/bulk`: many documents, each on its own.
//!
//! Names become indices (a missing one is created, once), documents are grouped by shard in the order of the request, the
//! groups run side by side, and the outcomes go back into the order of the request. A failure of a document is its outcome.

use super::shard_bulk::{self, ShardBulk, ShardItem};
use super::{DocumentAction, DocumentWrite, WriteCondition, WriteResponse, update};
use crate::action::admin::create_index::{self, CreateIndexRequest};
use crate::action::resolve;
use crate::action::{RefreshPolicy, Services};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tandem_cluster::state::IndexState;
use tandem_cluster::{ClusterState, IndexMetadata, index_names};
use tandem_common::env::clock;
use tandem_common::{Context, Error, Result, ids, pattern};

/// The longest id, in bytes.
const ID_BYTES_MAX: usize = 512;

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
///
/// # Errors
/// What is wrong with the request as a whole (`action_request_validation_exception`).
pub async fn execute(services: &Services, context: &Context, request: BulkRequest) -> Result<BulkResponse> {
    let began = clock::now();
    validate(&request.items)?;
    let missing = create_missing(services, context, &request.items).await;
    let state = services.cluster.state();
    let mut items: Vec<BulkItemResponse> = Vec::with_capacity(request.items.len());
    let mut groups: BTreeMap<(String, u32), ShardBulk> = BTreeMap::new();
    for (position, write) in request.items.into_iter().enumerate() {
        let action = write.action.name();
        let asked = (write.index.clone(), write.id.clone());
        match place(&state, &missing, write) {
            Ok((index, shard, item)) => {
                items.push(BulkItemResponse { action, index: index.name.clone(), id: Some(item.id.clone()), outcome: Err(unanswered()) });
                let group = groups.entry((index.name.clone(), shard)).or_insert_with(|| ShardBulk::new(index, shard, request.refresh));
                group.items.push((position, item));
            }
            Err(error) => items.push(BulkItemResponse { action, index: asked.0, id: asked.1, outcome: Err(error) }),
        }
    }
    let wanted = request.wait_for_active_shards.as_deref();
    let running = groups.into_values().map(|group| shard_bulk::execute(services, context, group, wanted));
    for (position, outcome) in futures::future::join_all(running).await.into_iter().flatten() {
        if let Some(item) = items.get_mut(position) {
            item.outcome = outcome;
        }
    }
    Ok(BulkResponse { took: clock::now().saturating_duration_since(began), items })
}

fn unanswered() -> Error {
    Error::internal("the document was not answered for")
}

/// What makes the whole request invalid, in OpenSearch's words.
pub(super) fn validate(items: &[DocumentWrite]) -> Result<()> {
    let mut reasons = Vec::new();
    if items.is_empty() {
        reasons.push("no requests added".to_owned());
    }
    for item in items {
        if item.index.is_empty() {
            reasons.push("index is missing".to_owned());
        }
        match &item.id {
            Some(id) if id.len() > ID_BYTES_MAX => {
                reasons.push(format!("id [{id}] is too long, must be no longer than {ID_BYTES_MAX} bytes but was: {}", id.len()));
            }
            Some(_) => {}
            None if matches!(item.action, DocumentAction::Update(_) | DocumentAction::Delete) => reasons.push("id is missing".to_owned()),
            None => {}
        }
        reasons.extend(condition_reason(item));
        if let DocumentAction::Update(body) = &item.action {
            match update::validate(&body.body, item.condition != WriteCondition::None) {
                Err(Error::ActionRequestValidation { reasons: of_body }) => reasons.extend(of_body),
                other => other?,
            }
        }
    }
    if reasons.is_empty() { Ok(()) } else { Err(Error::ActionRequestValidation { reasons }) }
}

fn condition_reason(item: &DocumentWrite) -> Option<String> {
    let versioned = matches!(item.condition, WriteCondition::External(_) | WriteCondition::ExternalOrEqual(_));
    match &item.action {
        DocumentAction::Create { .. } if versioned => {
            Some("create operations only support internal versioning. use index instead".to_owned())
        }
        DocumentAction::Create { .. } if item.condition != WriteCondition::None => {
            Some("create operations do not support compare and set. use index instead".to_owned())
        }
        DocumentAction::Index { .. } if item.id.is_none() && versioned => {
            Some("an id must be provided if version type or value are set".to_owned())
        }
        DocumentAction::Update(body) if body.retry_on_conflict > 0 && item.condition != WriteCondition::None => {
            Some("compare and write operations can not be retried".to_owned())
        }
        _ => None,
    }
}

/// Creates the indices that are missing and may be created; the error of each that could not be.
async fn create_missing(services: &Services, context: &Context, items: &[DocumentWrite]) -> BTreeMap<String, Error> {
    let state = services.cluster.state();
    let mut missing: BTreeMap<String, Error> = BTreeMap::new();
    let mut wanted: Vec<&str> = Vec::new();
    for item in items {
        let known = state.indices.contains_key(&item.index) || !state.alias(&item.index).is_empty();
        // A delete makes an index only when its version comes from outside: then it must be remembered.
        let versioned = matches!(item.condition, WriteCondition::External(_) | WriteCondition::ExternalOrEqual(_));
        let creates = !matches!(item.action, DocumentAction::Delete) || versioned;
        if !known && creates && !item.require_alias && !wanted.contains(&item.index.as_str()) {
            wanted.push(&item.index);
        }
    }
    for name in wanted {
        if let Err(error) = auto_create(services, context, &state, name).await {
            missing.insert(name.to_owned(), error);
        }
    }
    missing
}

async fn auto_create(services: &Services, context: &Context, state: &ClusterState, name: &str) -> Result<()> {
    index_names::validate(name)?;
    let key = "action.auto_create_index";
    let rule = state.setting(key).or_else(|| services.settings.text(key)).unwrap_or("true");
    if !auto_create_allowed(rule, name) {
        return Err(Error::IndexNotFoundForWrite { index: name.to_owned() });
    }
    let request = CreateIndexRequest { index: name.to_owned(), ..CreateIndexRequest::default() };
    match create_index::execute(services, context, request).await {
        Ok(_) | Err(Error::ResourceAlreadyExists { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whether `action.auto_create_index` lets a write make this index: a boolean, or patterns with `+` and `-`.
fn auto_create_allowed(rule: &str, name: &str) -> bool {
    match rule {
        "true" => true,
        "false" => false,
        patterns => patterns
            .split(',')
            .map(str::trim)
            .find_map(|signed| {
                let (bare, allowed) = match signed.strip_prefix('-') {
                    Some(bare) => (bare, false),
                    None => (signed.strip_prefix('+').unwrap_or(signed), true),
                };
                pattern::matches(bare, name).then_some(allowed)
            })
            .unwrap_or(false),
    }
}

/// The index and shard of one document, with everything that can be refused before the shard sees it.
fn place(state: &ClusterState, missing: &BTreeMap<String, Error>, write: DocumentWrite) -> Result<(Arc<IndexMetadata>, u32, ShardItem)> {
    if let Some(error) = missing.get(&write.index) {
        return Err(error.clone());
    }
    if write.require_alias && state.alias(&write.index).is_empty() {
        let detail = format!("[require_alias] request flag is [true] and [{}] is not an alias", write.index);
        return Err(Error::IndexNotFoundBecause { index: write.index, detail });
    }
    let index = index_names::write_index(state, &write.index).map_err(|error| match error {
        Error::IndexNotFound { index } => Error::IndexNotFoundForWrite { index },
        other => other,
    })?;
    if index.state == IndexState::Close {
        return Err(Error::IndexClosed { index: index.name.clone(), uuid: index.uuid.clone() });
    }
    resolve::refuse_blocked(index, state.write_blocks(index))?;
    if write.id.as_deref() == Some("") {
        return Err(Error::illegal_argument("if _id is specified it must not be empty"));
    }
    let mut write = write;
    if let Some(alias) = index.aliases.get(&write.index) {
        write.routing = alias.routing_for(&write.index, write.routing)?;
    }
    if write.routing.is_none() && index.mapping.routing_required() {
        return Err(Error::RoutingMissing { index: index.name.clone(), id: write.id.unwrap_or_default() });
    }
    let generated = write.id.is_none();
    let id = write.id.unwrap_or_else(ids::random_document_id);
    let shard = resolve::shard_of(index, &id, write.routing.as_deref());
    let item = ShardItem { id, generated, action: write.action, routing: write.routing, condition: write.condition };
    Ok((Arc::clone(index), shard, item))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_say_which_indices_a_write_may_make() {
        for (rule, name, allowed) in [
            ("true", "a", true),
            ("false", "a", false),
            ("+logs-*,-*", "logs-1", true),
            ("+logs-*,-*", "other", false),
            ("-logs-x,+logs-*", "logs-x", false),
            ("logs-*", "other", false),
        ] {
            assert_eq!(auto_create_allowed(rule, name), allowed, "{rule} {name}");
        }
    }
}
