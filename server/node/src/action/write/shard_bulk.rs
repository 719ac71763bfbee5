//! The documents of a bulk that belong to one shard: parse, add new fields to the mapping, sequence, wait, make searchable.
//!
//! Items apply in their order. Updates read the document first; so a run of items ends before an update of a document that
//! the run already writes. Everything in a run is sequenced together and waits for one sync.

use super::update::{self, Planned};
use super::{DocumentAction, WriteCondition, WriteResponse, WriteResult};
use crate::action::admin::put_mapping;
use crate::action::read::get::{FoundDocument, GetResponse};
use crate::action::{RefreshPolicy, Services, ShardsHeader};
use std::collections::BTreeSet;
use std::sync::Arc;
use tandem_cluster::{ClusterState, IndexMetadata};
use tandem_common::ids::operation_id;
use tandem_common::{Context, Error, Result, SeqNo, blocking, units};
use tandem_engine::search::SourceFilter;
use tandem_engine::shard::{Condition, IndexShard, ParsedOperation, WriteKind, WriteOperation, WriteOutcome};

/// From how many documents on a run is parsed on the blocking pool.
const PARSE_INLINE_MAX: usize = 8;
/// How often new fields are added before a document is given up: others may add fields at the same time.
const MAPPING_ROUNDS_MAX: usize = 8;

/// The documents of one shard.
pub(super) struct ShardBulk {
    index: Arc<IndexMetadata>,
    shard: u32,
    refresh: RefreshPolicy,
    /// (position in the request, document).
    pub(super) items: Vec<(usize, ShardItem)>,
}

/// One document, placed.
pub(super) struct ShardItem {
    pub(super) id: String,
    pub(super) generated: bool,
    pub(super) action: DocumentAction,
    pub(super) routing: Option<String>,
    pub(super) condition: WriteCondition,
}

type Outcome = (usize, Result<WriteResponse>);

impl ShardBulk {
    pub(super) fn new(index: Arc<IndexMetadata>, shard: u32, refresh: RefreshPolicy) -> Self {
        Self { index, shard, refresh, items: Vec::new() }
    }
}

/// Writes them; one outcome for each, in any order.
pub(super) async fn execute(services: &Services, context: &Context, bulk: ShardBulk, wait_for: Option<&str>) -> Vec<Outcome> {
    let positions: Vec<usize> = bulk.items.iter().map(|(position, _)| *position).collect();
    let refuse = |error: Error| positions.iter().map(|position| (*position, Err(error.clone()))).collect();
    if let Err(error) = enough_copies(services, context, &bulk, wait_for).await {
        return refuse(error);
    }
    let shard = match services.indices.primary(context, &bulk.index, bulk.shard).await {
        Ok(shard) => shard,
        Err(error) => return refuse(error),
    };
    let copies = 1 + bulk.index.number_of_replicas();
    let mut writer = Writer {
        services,
        context,
        shard,
        index: bulk.index,
        number: bulk.shard,
        copies,
        first_operation_id: operation_id(),
        highest: SeqNo::NONE,
        done: Vec::new(),
    };
    let mut run = Vec::with_capacity(bulk.items.len());
    let mut written: BTreeSet<String> = BTreeSet::new();
    if !bulk.items.iter().any(|(_, item)| matches!(item.action, DocumentAction::Update(_))) {
        writer.run(bulk.items).await;
        return writer.finish(bulk.refresh).await;
    }
    for (position, item) in bulk.items {
        let update = matches!(item.action, DocumentAction::Update(_));
        if update && written.contains(&item.id) {
            writer.run(std::mem::take(&mut run)).await;
            written.clear();
        }
        written.insert(item.id.clone());
        run.push((position, item));
    }
    writer.run(run).await;
    writer.finish(bulk.refresh).await
}

async fn enough_copies(services: &Services, context: &Context, bulk: &ShardBulk, wait_for: Option<&str>) -> Result<()> {
    let configured = bulk.index.settings.text("index.write.wait_for_active_shards");
    let wanted = match wait_for.or(configured).unwrap_or("1") {
        "all" => 1 + bulk.index.number_of_replicas(),
        number => number.parse().map_err(|_| Error::NumberFormat { input: number.to_owned() })?,
    };
    // One is the primary, which is waited for in any case.
    if wanted <= 1 {
        return Ok(());
    }
    let count = |state: &ClusterState| {
        let copies = state.routing.get(&bulk.index.uuid).and_then(|routing| routing.shards.get(bulk.shard as usize));
        copies.map_or(0, |copies| copies.iter().filter(|copy| copy.is_started()).count())
    };
    services.cluster.wait_for(context, |state| (count(state) >= wanted as usize).then_some(())).await;
    let active = count(&services.cluster.state());
    if active < wanted as usize {
        return Err(Error::UnavailableShards {
            reason: format!(
                "[{}][{}] Not enough active copies to meet shard count of [{wanted}] (have {active}, needed {wanted}). Timeout: [{}]",
                bulk.index.name,
                bulk.shard,
                units::format_time(context.timeout)
            ),
        });
    }
    Ok(())
}

/// The state of one shard's part of a bulk.
struct Writer<'a> {
    services: &'a Services,
    context: &'a Context,
    shard: Arc<IndexShard>,
    index: Arc<IndexMetadata>,
    number: u32,
    copies: u32,
    /// The operation id of the item at position 0; the others follow.
    first_operation_id: u64,
    highest: SeqNo,
    done: Vec<Outcome>,
}

/// An item that is ready to be sequenced.
struct Ready {
    position: usize,
    operation: WriteOperation,
    /// What an update shows of the document afterwards.
    shown: Option<(SourceFilter, bytes::Bytes)>,
    /// An update that may be planned again after a conflict.
    again: Option<(ShardItem, u32)>,
}

impl Writer<'_> {
    /// Writes one run. Updates that meet a conflict are planned again as a run of their own.
    async fn run(&mut self, items: Vec<(usize, ShardItem)>) {
        let mut waiting: Vec<(usize, ShardItem, u32)> = items.into_iter().map(|(position, item)| (position, item, 0)).collect();
        while !waiting.is_empty() {
            let mut ready = Vec::with_capacity(waiting.len());
            let (mut updates, mut done) = (Vec::new(), Vec::new());
            for (position, item, tried) in waiting.drain(..) {
                match plan(position, item) {
                    Ok(planned) => ready.push(planned),
                    Err(update) => updates.push(self.plan_update(position, *update, tried)),
                }
            }
            for planned in futures::future::join_all(updates).await {
                match planned {
                    Ok(planned) => ready.push(planned),
                    Err(outcome) => done.push(*outcome),
                }
            }
            self.done.append(&mut done);
            // Sequenced in the order of the request.
            ready.sort_by_key(|ready| ready.position);
            waiting = self.write(ready).await;
        }
    }

    async fn plan_update(&self, position: usize, item: ShardItem, tried: u32) -> Result<Ready, Box<Outcome>> {
        let DocumentAction::Update(body) = &item.action else {
            return Err(Box::new((position, Err(Error::internal("what is no update was planned as one")))));
        };
        let planned = update::plan(&self.shard, &self.index, self.number, &item, body, self.context.deadline).await;
        match planned.map_err(|error| Box::new((position, Err(error))))? {
            Planned::Noop { found, shown } => Err(Box::new((position, Ok(self.noop(&item, found, shown))))),
            Planned::Write { kind, condition, routing, shown } => {
                let operation = WriteOperation { id: item.id.clone(), routing, kind, condition, operation_id: 0 };
                let again = (tried < body.retry_on_conflict).then_some((item, tried + 1));
                Ok(Ready { position, operation, shown, again })
            }
        }
    }

    fn noop(&self, item: &ShardItem, found: FoundDocument, shown: Option<bytes::Bytes>) -> WriteResponse {
        self.shard.count_noop_update();
        let get = shown.map(|source| self.get_response(&item.id, &found, source));
        WriteResponse {
            index: self.index.name.clone(),
            id: item.id.clone(),
            version: found.version,
            result: WriteResult::Noop,
            forced_refresh: false,
            shards: self.header(),
            seq_no: found.seq_no,
            primary_term: found.primary_term,
            get,
        }
    }

    fn header(&self) -> ShardsHeader {
        ShardsHeader { total: self.copies, successful: 1, ..ShardsHeader::default() }
    }

    fn get_response(&self, id: &str, found: &FoundDocument, source: bytes::Bytes) -> GetResponse {
        let found = FoundDocument { source: Some(source), ..found.clone() };
        GetResponse { index: self.index.name.clone(), id: id.to_owned(), found: Some(found) }
    }

    /// Sequences what is ready and answers it; returns the updates that are to be planned again.
    async fn write(&mut self, ready: Vec<Ready>) -> Vec<(usize, ShardItem, u32)> {
        let (mut rest, mut operations) = (Vec::new(), Vec::new());
        for item in ready {
            // An item that is planned again was refused before: its id is still unused.
            let operation_id = self.first_operation_id.saturating_add(item.position as u64);
            operations.push(WriteOperation { operation_id, ..item.operation });
            rest.push((item.position, item.shown, item.again));
        }
        let parsed = parse(self.services, self.context, &self.shard, &self.index, operations).await;
        let (mut sequenced, mut waiting) = (Vec::new(), Vec::new());
        for (parsed, rest) in parsed.into_iter().zip(rest) {
            match parsed {
                Ok(parsed) => {
                    waiting.push((parsed.id().to_owned(), rest));
                    sequenced.push(parsed);
                }
                Err(error) => self.done.push((rest.0, Err(error))),
            }
        }
        if sequenced.is_empty() {
            return Vec::new();
        }
        let outcomes = match self.shard.write(sequenced, self.context.deadline).await {
            Ok(outcomes) => outcomes,
            Err(error) => {
                self.done.extend(waiting.into_iter().map(|(_, (position, ..))| (position, Err(error.clone()))));
                return Vec::new();
            }
        };
        let mut again = Vec::new();
        for ((id, (position, shown, retry)), outcome) in waiting.into_iter().zip(outcomes) {
            match (outcome, retry) {
                (Err(Error::VersionConflict { .. }), Some((item, tried))) => again.push((position, item, tried)),
                (Err(error), _) => self.done.push((position, Err(error))),
                (Ok(result), _) => {
                    self.highest = self.highest.max(result.seq_no);
                    let response = self.written(id, result, shown);
                    self.done.push((position, response));
                }
            }
        }
        again
    }

    fn written(
        &self,
        id: String,
        result: tandem_engine::shard::WriteResult,
        shown: Option<(SourceFilter, bytes::Bytes)>,
    ) -> Result<WriteResponse> {
        let found =
            FoundDocument { version: result.version, seq_no: result.seq_no, primary_term: result.op_term, routing: None, source: None };
        let get = match shown {
            Some((filter, source)) => Some(self.get_response(&id, &found, filter.apply(&source)?)),
            None => None,
        };
        Ok(WriteResponse {
            index: self.index.name.clone(),
            id,
            version: result.version,
            result: match result.outcome {
                WriteOutcome::Created => WriteResult::Created,
                WriteOutcome::Updated => WriteResult::Updated,
                WriteOutcome::Deleted => WriteResult::Deleted,
                WriteOutcome::NotFound => WriteResult::NotFound,
            },
            forced_refresh: false,
            shards: self.header(),
            seq_no: result.seq_no,
            primary_term: result.op_term,
            get,
        })
    }

    async fn finish(mut self, refresh: RefreshPolicy) -> Vec<Outcome> {
        if self.highest == SeqNo::NONE {
            return self.done;
        }
        let refreshed = match refresh {
            RefreshPolicy::None => Ok(()),
            RefreshPolicy::Immediate => self.shard.refresh().await,
            RefreshPolicy::WaitFor => self.shard.wait_published(self.highest, self.context.deadline).await,
        };
        match refreshed {
            Ok(()) if refresh == RefreshPolicy::Immediate => {
                for response in self.done.iter_mut().filter_map(|(_, outcome)| outcome.as_mut().ok()) {
                    response.forced_refresh = response.result != WriteResult::Noop;
                }
            }
            Ok(()) => {}
            // The writes are safe; only their visibility is late.
            Err(error) => tracing::warn!(index = self.index.name, shard = self.number, %error, "refresh after a write failed"),
        }
        self.done
    }
}

/// What needs no look at the document; an update is given back.
fn plan(position: usize, item: ShardItem) -> Result<Ready, Box<ShardItem>> {
    let kind = match item.action {
        DocumentAction::Index { source } | DocumentAction::Create { source } if item.generated => WriteKind::IndexNew { source },
        DocumentAction::Index { source } => WriteKind::Index { source },
        DocumentAction::Create { source } => WriteKind::Create { source },
        DocumentAction::Delete => WriteKind::Delete,
        update @ DocumentAction::Update(_) => return Err(Box::new(ShardItem { action: update, ..item })),
    };
    let condition = condition_of(item.condition);
    let operation = WriteOperation { id: item.id, routing: item.routing, kind, condition, operation_id: 0 };
    Ok(Ready { position, operation, shown: None, again: None })
}

fn condition_of(condition: WriteCondition) -> Condition {
    match condition {
        WriteCondition::None => Condition::None,
        WriteCondition::IfSeqNo { seq_no, primary_term } => Condition::IfSeqNo { seq_no, term: primary_term },
        WriteCondition::External(version) => Condition::External(version),
        WriteCondition::ExternalOrEqual(version) => Condition::ExternalOrEqual(version),
    }
}

/// Parses operations; new fields are added to the mapping of the index first, through the cluster, and then parsed again.
async fn parse(
    services: &Services,
    context: &Context,
    shard: &Arc<IndexShard>,
    index: &IndexMetadata,
    operations: Vec<WriteOperation>,
) -> Vec<Result<ParsedOperation>> {
    let mut parsed = parse_all(shard, operations).await;
    for _ in 0..MAPPING_ROUNDS_MAX {
        let mut again = Vec::new();
        let mut bodies: Vec<serde_json::Value> = Vec::new();
        for (position, outcome) in parsed.iter().enumerate() {
            if let Some(update) = outcome.as_ref().ok().and_then(ParsedOperation::dynamic_update) {
                again.push(position);
                if !bodies.contains(update) {
                    bodies.push(update.clone());
                }
            }
        }
        if again.is_empty() {
            break;
        }
        let added = add_fields(services, context, shard, index, bodies).await;
        for position in again {
            let slot = &mut parsed[position];
            let Ok(operation) = std::mem::replace(slot, Err(Error::internal("taken"))) else { continue };
            let failed =
                operation.dynamic_update().and_then(|update| added.iter().find(|(body, _)| body == update)).map(|(_, error)| error.clone());
            let parsed_again = shard.parse(operation.into_operation());
            *slot = match (failed, parsed_again) {
                // The fields were refused, and nobody else has added them meanwhile.
                (Some(error), Ok(still)) if still.dynamic_update().is_some() => Err(error),
                (_, parsed_again) => parsed_again,
            };
        }
    }
    parsed
        .into_iter()
        .map(|outcome| match outcome {
            Ok(operation) if operation.dynamic_update().is_some() => {
                Err(Error::Timeout { reason: "the mapping was changed too often while the document was parsed".into() })
            }
            other => other,
        })
        .collect()
}

async fn parse_all(shard: &Arc<IndexShard>, operations: Vec<WriteOperation>) -> Vec<Result<ParsedOperation>> {
    if operations.len() <= PARSE_INLINE_MAX {
        return operations.into_iter().map(|operation| shard.parse(operation)).collect();
    }
    let count = operations.len();
    let worker = Arc::clone(shard);
    let parsed = blocking::run(move || Ok(operations.into_iter().map(|operation| worker.parse(operation)).collect::<Vec<_>>())).await;
    parsed.unwrap_or_else(|error| (0..count).map(|_| Err(error.clone())).collect())
}

/// Adds fields; returns the bodies that were refused, with the reason.
async fn add_fields(
    services: &Services,
    context: &Context,
    shard: &IndexShard,
    index: &IndexMetadata,
    bodies: Vec<serde_json::Value>,
) -> Vec<(serde_json::Value, Error)> {
    let mut refused = Vec::new();
    for body in bodies {
        if let Err(error) = put_mapping::add_fields(services, context, index, &body).await {
            refused.push((body, error));
        }
    }
    if let Some(index) = services.cluster.state().index_by_uuid(&index.uuid) {
        shard.set_mapping(Arc::clone(&index.mapping));
    }
    refused
}
