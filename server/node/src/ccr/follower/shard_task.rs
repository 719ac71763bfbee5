//! Follows one shard: pull, apply, pull. The next pull is on its way while a batch is applied, because where it begins is known.
//!
//! Everything starts from the shard itself: what it holds decides what is asked for, so a task that begins anew, here or on
//! another node, needs nothing from the one before. Batches are applied in order, so that every state of the shard is a state
//! that the leader's shard was in. What may pass is tried again after a growing wait; what cannot pass pauses the index with
//! the reason.

use super::super::leader;
use super::super::status::{lease_of, shard_ref};
use crate::action::Services;
use crate::indices::follow_progress::FollowProgress;
use crate::indices::history::operations::from_wire;
use std::sync::Arc;
use std::time::Duration;
use tandem_cluster::Command;
use tandem_cluster::command::{PauseReplication, ReplaceMapping};
use tandem_cluster::state::{ReplicationEntry, ReplicationState};
use tandem_common::env::clock::{self, Instant};
use tandem_common::env::rng;
use tandem_common::{Action, Context, Error, IndexUuid, PrimaryTerm, Result, SeqNo};
use tandem_engine::shard::{IndexShard, LoggedOperation};
use tandem_proto::history as wire;

const ACTION: Action = Action("indices:data/write/plugins/replication/changes");
/// The most bytes asked for at once.
const BATCH_BYTES: u32 = 8 << 20;
/// How long a pull waits on the leader for news.
const POLL_WAIT: Duration = Duration::from_secs(30);
/// How much longer the answer may take.
const POLL_GRACE: Duration = Duration::from_secs(30);
/// How long any other call may take.
const CALL_LIMIT: Duration = Duration::from_secs(10);
/// How long applying a batch may take.
const APPLY_LIMIT: Duration = Duration::from_secs(60);
/// The waits after an error double from here …
const RETRY_FIRST: Duration = Duration::from_secs(1);
/// … up to here.
const RETRY_MAX: Duration = Duration::from_secs(60);
/// How often the lease moves while operations arrive.
const RENEW_BUSY: Duration = Duration::from_secs(1);

/// One follower shard under one epoch.
pub(super) struct ShardTask {
    services: Services,
    index: String,
    number: u32,
    epoch: u64,
}

/// What a pull brought.
struct Pulled {
    operations: Vec<LoggedOperation>,
    leader_checkpoint: SeqNo,
    mapping_version: u64,
}

/// Where a pull begins, and what both logs must agree on before it.
#[derive(Clone, Copy)]
struct Place {
    from: SeqNo,
    previous: Option<PrimaryTerm>,
}

impl ShardTask {
    pub(super) fn new(services: Services, index: String, number: u32, epoch: u64) -> Self {
        Self { services, index, number, epoch }
    }

    /// Runs until it is cancelled or has paused the index.
    pub(super) async fn run(self) {
        let mut wait = RETRY_FIRST;
        loop {
            let began = clock::now();
            let error = match self.follow(&mut wait).await {
                Ok(()) => return,
                Err(error) => error,
            };
            if is_fatal(&error) {
                self.pause(&error).await;
                return;
            }
            if clock::now().saturating_duration_since(began) > RETRY_MAX {
                wait = RETRY_FIRST;
            }
            tracing::warn!(index = self.index, shard = self.number, %error, retry_millis = wait.as_millis() as u64, "following was interrupted");
            clock::sleep(wait + Duration::from_millis(rng::below(250))).await;
            wait = (wait * 2).min(RETRY_MAX);
        }
    }

    /// Follows until something goes wrong; returns without an error when the replication no longer is what this task is for.
    async fn follow(&self, wait: &mut Duration) -> Result<()> {
        let Some((entry, uuid)) = self.entry() else { return Ok(()) };
        let key = (uuid.clone(), self.number);
        let Some((shard, ..)) = self.services.indices.active(&key) else { return Ok(()) };
        let progress = self.services.indices.follow_progress(&key).unwrap_or_default();
        let mut renewed = self.renew_lease(&entry, &shard).await?;
        let history = shard.history();
        let at = history.max_seq_no;
        let mut place = Place { from: at.next(), previous: history.lineage.op_term_at(at) };
        let mut pulled = self.pull(&entry, &shard, place, &progress).await?;
        loop {
            *wait = RETRY_FIRST;
            if self.entry().is_none() {
                return Ok(());
            }
            let mapped = self.catch_up_mapping(&entry, &uuid, &shard, pulled.mapping_version).await?;
            debug_assert!(mapped >= pulled.mapping_version, "the leader's mapping does not go back");
            if let Some(last) = pulled.operations.last() {
                place = Place { from: last.seq_no.next(), previous: Some(last.op_term) };
            }
            let count = pulled.operations.len();
            let leader_checkpoint = pulled.leader_checkpoint;
            let applying = apply(&shard, pulled.operations, leader_checkpoint, &progress);
            let (applied, next) = tokio::join!(applying, self.pull(&entry, &shard, place, &progress));
            applied?;
            progress.count_written(count);
            if clock::now().saturating_duration_since(renewed) > RENEW_BUSY {
                renewed = self.renew_lease(&entry, &shard).await?;
            }
            pulled = next.inspect_err(|_| progress.count_failure())?;
        }
    }

    /// The replication, as long as it is the one that this task is for.
    fn entry(&self) -> Option<(Arc<ReplicationEntry>, IndexUuid)> {
        let state = self.services.cluster.state();
        let entry = state.replications.get(&self.index)?;
        let current = entry.epoch == self.epoch && entry.state == ReplicationState::Running;
        current.then(|| (Arc::clone(entry), entry.follower_uuid.clone()))
    }

    async fn pull(&self, entry: &ReplicationEntry, shard: &IndexShard, place: Place, progress: &FollowProgress) -> Result<Pulled> {
        let state = self.services.cluster.state();
        let remote = self.services.remotes.get(&state, &entry.leader_alias)?;
        let request = wire::ReadOperationsRequest {
            shard: Some(shard_ref(entry, self.number)),
            from_seq_no: place.from.0,
            bytes_max: BATCH_BYTES,
            wait_millis: POLL_WAIT.as_millis() as u32,
            previous_op_term: place.previous.map(|term| term.0),
            history_id: shard.history().history.to_string(),
            mapping_version: state.index_by_uuid(&entry.follower_uuid).map_or(0, |index| index.mapping.version),
        };
        let answer = remote.read_operations(request, POLL_WAIT + POLL_GRACE).await?;
        progress.note(SeqNo(answer.global_checkpoint), shard.history().global_checkpoint);
        progress.count_read(answer.operations.len());
        let operations: Vec<LoggedOperation> = answer.operations.into_iter().map(from_wire).collect();
        check_order(&operations, place.from)?;
        Ok(Pulled { operations, leader_checkpoint: SeqNo(answer.global_checkpoint), mapping_version: answer.mapping_version })
    }

    /// Takes over the leader's mapping when it has a newer one, also when no document needs it yet. The version in force.
    async fn catch_up_mapping(&self, entry: &ReplicationEntry, uuid: &IndexUuid, shard: &IndexShard, wanted: u64) -> Result<u64> {
        let state = self.services.cluster.state();
        let have = state.index_by_uuid(uuid).map_or(0, |index| index.mapping.version);
        if have >= wanted {
            return Ok(have);
        }
        let remote = self.services.remotes.get(&state, &entry.leader_alias)?;
        let answer = remote.describe_index(wire::DescribeIndexRequest { index: entry.leader_index.clone() }, CALL_LIMIT).await?;
        let metadata = leader::metadata_of(&answer)?;
        if metadata.uuid != entry.leader_uuid {
            return Err(Error::IndexNotFound { index: entry.leader_index.clone() });
        }
        let mapping = tandem_common::mapping::Mapping::clone(&metadata.mapping);
        let command = ReplaceMapping { uuid: uuid.clone(), mapping };
        let state = self.services.cluster.submit(&Context::background(ACTION), Command::ReplaceMapping(command)).await?;
        let index = state.index_by_uuid(uuid).ok_or_else(|| Error::IndexNotFound { index: self.index.clone() })?;
        shard.set_mapping(Arc::clone(&index.mapping));
        Ok(index.mapping.version)
    }

    async fn renew_lease(&self, entry: &ReplicationEntry, shard: &IndexShard) -> Result<Instant> {
        let state = self.services.cluster.state();
        let follower = state.index(&self.index)?;
        let remote = self.services.remotes.get(&state, &entry.leader_alias)?;
        let (lease_id, lease_source) = lease_of(&state, follower, self.number);
        let renewal = wire::RenewLeaseRequest {
            shard: Some(shard_ref(entry, self.number)),
            lease_id,
            retaining_seq_no: shard.history().global_checkpoint.next().0,
            lease_source,
        };
        remote.renew_lease(renewal, CALL_LIMIT).await?;
        Ok(clock::now())
    }

    /// Holds the index still, with the reason that people know from the plugin.
    async fn pause(&self, error: &Error) {
        tracing::error!(index = self.index, shard = self.number, %error, "replication is paused");
        let reason = format!("AutoPaused:  + [[{}][{}] - {} - \"{error}\"], ", self.index, self.number, class_name(error));
        let pause =
            PauseReplication { follower_index: self.index.clone(), state: ReplicationState::Paused, reason, epoch: Some(self.epoch) };
        if let Err(refused) = self.services.cluster.submit(&Context::background(ACTION), Command::PauseReplication(pause)).await {
            tracing::info!(index = self.index, %refused, "the replication was changed meanwhile");
        }
    }
}

async fn apply(shard: &IndexShard, operations: Vec<LoggedOperation>, leader_checkpoint: SeqNo, progress: &FollowProgress) -> Result<()> {
    if operations.is_empty() {
        return Ok(());
    }
    let reached = shard.append_replicated(operations, clock::now() + APPLY_LIMIT).await?;
    progress.note(leader_checkpoint, reached);
    Ok(())
}

/// What comes from another cluster is checked before it is believed: one range, without gaps, from where it was asked.
fn check_order(operations: &[LoggedOperation], from: SeqNo) -> Result<()> {
    for (expected, operation) in (from.0..).zip(operations) {
        if operation.seq_no.0 != expected {
            let detail = format!("the leader sent [{}]", operation.seq_no);
            return Err(Error::HistoryMismatch { seq_no: expected, detail });
        }
    }
    Ok(())
}

/// Whether trying again cannot help.
fn is_fatal(error: &Error) -> bool {
    !error.is_retryable() && (error.status() < 500 || matches!(error, Error::HistoryMismatch { .. } | Error::HistoryNotAvailable { .. }))
}

/// The class behind an error, as it stands in reasons of automatic pauses.
fn class_name(error: &Error) -> String {
    error.type_name().split('_').map(capitalized).collect()
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_engine::shard::LoggedKind;

    fn operation(seq_no: i64) -> LoggedOperation {
        LoggedOperation {
            seq_no: SeqNo(seq_no),
            op_term: PrimaryTerm(1),
            mapping_version: 0,
            operation_id: 0,
            version: 1,
            id: "a".into(),
            routing: None,
            kind: LoggedKind::Delete,
        }
    }

    #[test]
    fn a_gap_a_repeat_or_another_beginning_is_refused() {
        assert!(check_order(&[operation(3), operation(4)], SeqNo(3)).is_ok());
        assert!(check_order(&[operation(3), operation(5)], SeqNo(3)).is_err());
        assert!(check_order(&[operation(3), operation(3)], SeqNo(3)).is_err());
        assert!(check_order(&[operation(4)], SeqNo(3)).is_err());
    }

    #[test]
    fn only_what_cannot_pass_pauses() {
        assert!(is_fatal(&Error::IndexNotFound { index: "l".into() }));
        assert!(is_fatal(&Error::RetentionLeaseNotFound { id: "x".into(), ended: None }));
        assert!(is_fatal(&Error::HistoryMismatch { seq_no: 1, detail: String::new() }));
        assert!(!is_fatal(&Error::ConnectTransport { reason: String::new() }));
        assert!(!is_fatal(&Error::Timeout { reason: String::new() }));
        assert_eq!(class_name(&Error::IndexNotFound { index: "l".into() }), "IndexNotFoundException");
    }
}
