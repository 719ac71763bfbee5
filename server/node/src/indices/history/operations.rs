//! Operations from a place on, and only if both logs agree on the place before it.

use super::shard_of;
use crate::action::Services;
use std::time::Duration;
use tandem_cluster::ClusterState;
use tandem_common::{Context, Error, HistoryId, IndexUuid, PrimaryTerm, Result, SeqNo};
use tandem_engine::shard::{HistoryState, LoggedKind, LoggedOperation};
use tandem_proto::history as wire;

/// The longest a caller may wait for news.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// The most bytes of one answer; a single larger operation travels alone.
const BYTES_MAX: u32 = 32 << 20;

/// Waits until there is something at `from_seq_no` or the mapping is newer than the caller's, then answers what there is, at
/// most up to the global checkpoint.
pub async fn read(services: &Services, context: &Context, request: wire::ReadOperationsRequest) -> Result<wire::ReadOperationsResponse> {
    let state = services.cluster.state();
    let shard = shard_of(&services.indices, &state, request.shard.as_ref())?;
    let from = SeqNo(request.from_seq_no);
    check_match(&shard.history(), from, request.previous_op_term.map(PrimaryTerm), &HistoryId(request.history_id.clone()))?;
    let wait = Duration::from_millis(u64::from(request.wait_millis)).min(WAIT_MAX);
    let uuid = IndexUuid(request.shard.as_ref().map(|shard| shard.index_uuid.clone()).unwrap_or_default());
    let newer_mapping = wait_for_mapping(services, context, &uuid, request.mapping_version);
    let checkpoint = tokio::select! {
        biased;
        checkpoint = shard.wait_global_checkpoint(from, wait) => checkpoint,
        () = newer_mapping => shard.history().global_checkpoint,
    };
    let operations = if checkpoint >= from && request.bytes_max > 0 {
        shard.operations(from, request.bytes_max.min(BYTES_MAX) as usize).await?
    } else {
        Vec::new()
    };
    // Read after the operations: whatever mapping they name is in a state at least as new as this one.
    let state = services.cluster.state();
    let index = state.index_by_uuid(&uuid);
    Ok(wire::ReadOperationsResponse {
        operations: operations.into_iter().map(to_wire).collect(),
        global_checkpoint: checkpoint.0,
        mapping_version: index.map_or(0, |index| index.mapping.version),
        settings_version: index.map_or(0, |index| index.settings_version),
        aliases_version: index.map_or(0, |index| index.aliases_version),
        history_id: shard.history().history.to_string(),
    })
}

/// Resolves once the index has a newer mapping than `known`; never when it has not until the deadline.
async fn wait_for_mapping(services: &Services, context: &Context, uuid: &IndexUuid, known: u64) {
    let newer = |state: &ClusterState| state.index_by_uuid(uuid).filter(|index| index.mapping.version > known).map(|_| ());
    if services.cluster.wait_for(context, newer).await.is_none() {
        std::future::pending().await
    }
}

/// Whether the record before `from` is the same in both logs. Pure.
fn check_match(here: &HistoryState, from: SeqNo, previous: Option<PrimaryTerm>, history: &HistoryId) -> Result<()> {
    let before = SeqNo(from.0 - 1);
    if here.history != *history {
        return Err(mismatch(before, format!("the leader is in history [{}], the follower in [{history}]", here.history)));
    }
    if before > here.global_checkpoint {
        return Err(mismatch(before, format!("the leader's global checkpoint is [{}]", here.global_checkpoint)));
    }
    match (previous, here.lineage.op_term_at(before)) {
        (Some(theirs), Some(ours)) if theirs != ours => {
            Err(mismatch(before, format!("it was written under term [{ours}] on the leader and [{theirs}] on the follower")))
        }
        _ => Ok(()),
    }
}

fn mismatch(seq_no: SeqNo, detail: String) -> Error {
    Error::HistoryMismatch { seq_no: seq_no.0, detail }
}

fn to_wire(operation: LoggedOperation) -> wire::Operation {
    wire::Operation {
        seq_no: operation.seq_no.0,
        op_term: operation.op_term.0,
        mapping_version: operation.mapping_version,
        operation_id: operation.operation_id,
        version: operation.version,
        id: operation.id,
        routing: operation.routing,
        source: match operation.kind {
            LoggedKind::Index { source } => Some(source),
            LoggedKind::Delete => None,
        },
    }
}

/// The operation that a message carries.
pub fn from_wire(operation: wire::Operation) -> LoggedOperation {
    LoggedOperation {
        seq_no: SeqNo(operation.seq_no),
        op_term: PrimaryTerm(operation.op_term),
        mapping_version: operation.mapping_version,
        operation_id: operation.operation_id,
        version: operation.version,
        id: operation.id,
        routing: operation.routing,
        kind: match operation.source {
            Some(source) => LoggedKind::Index { source },
            None => LoggedKind::Delete,
        },
    }
}
