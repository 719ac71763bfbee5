//! Writing: parse outside any lock, then one short lock to check conditions and number the operations, then wait.
//!
//! Conditions are checked against the version map, pending operations included, or for ids that are not in it against the
//! published index. That look-up is made before the lock; whether it still holds is checked under it.

use super::backlog::{Backlog, IndexBuffer};
use super::engine::{Version, VersionMap};
use super::operation::{Condition, LoggedKind, LoggedOperation, ParsedOperation, WriteKind, WriteOperation, WriteOutcome, WriteResult};
use super::operation_ids::{OperationIds, Sequenced};
use super::stats::Progress;
use super::translog::RECORD_BYTES_MAX;
use super::{IndexShard, Inner, Role};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tandem_common::env::clock::{self, Instant};
use tandem_common::mapping::{ParseMode, ParsedDocument};
use tandem_common::{Error, PrimaryTerm, Result, SeqNo, blocking};

/// How long a write that is slowed down waits at most.
const SLOWED_WAIT_MAX: Duration = Duration::from_secs(10);

/// A look-up is repeated this often when publishes overtake it; after that it is made under the lock.
const LOOKUP_ATTEMPTS: usize = 3;

/// What the primary keeps of an operation until it is applied.
pub(super) struct Prepared {
    pub(super) seq_no: SeqNo,
    pub(super) document: Option<ParsedDocument>,
    /// Whether an older state of the document may be in the index.
    pub(super) may_exist: bool,
}

/// What the one short lock of the write path protects.
pub(super) struct Sequencer {
    pub(super) role: Role,
    pub(super) versions: VersionMap,
    pub(super) operation_ids: OperationIds,
    prepared: VecDeque<Prepared>,
    pub(super) backlog: Backlog,
    pub(super) last: SeqNo,
}

impl Sequencer {
    pub(super) fn new(last: SeqNo, buffer: IndexBuffer) -> Self {
        Self {
            role: Role::Inactive,
            versions: VersionMap::default(),
            operation_ids: OperationIds::default(),
            prepared: VecDeque::new(),
            backlog: Backlog::new(buffer),
            last,
        }
    }

    /// Whether no older state of the document can be in the index.
    fn is_new(&self, operation: &ParsedOperation) -> bool {
        let operation = &operation.operation;
        matches!(operation.kind, WriteKind::IndexNew { .. }) && !self.operation_ids.may_be_forgotten(operation.operation_id)
    }

    /// Takes what was kept of the operations up to `last`.
    pub(super) fn take_prepared(&mut self, last: SeqNo) -> VecDeque<Prepared> {
        let count = self.prepared.partition_point(|prepared| prepared.seq_no <= last);
        let rest = self.prepared.split_off(count);
        std::mem::replace(&mut self.prepared, rest)
    }

    /// The log was cut above `last`.
    pub(super) fn undo(&mut self, last: SeqNo, documents: &HashMap<String, Option<Version>>, now: Instant) {
        self.versions.undo(last, documents, now);
        self.operation_ids.undo(last);
        self.last = last;
        while self.prepared.back().is_some_and(|prepared| prepared.seq_no > last) {
            self.prepared.pop_back();
        }
        self.backlog.cut(last);
    }
}

/// What is known of a document before a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Present {
    /// Nothing: it never existed, or its deletion is forgotten.
    Missing,
    /// The last operation on it.
    Known(Version),
}

/// What a write that may happen will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Verdict {
    version: i64,
    outcome: WriteOutcome,
}

/// Decides on one write; the detail of the conflict when it must not happen. Pure.
fn decide(kind: &WriteKind, condition: Condition, present: Present) -> Result<Verdict, String> {
    let live = match present {
        Present::Known(version) if !version.deleted => Some(version),
        _ => None,
    };
    let current = match present {
        Present::Known(version) => Some(version.version),
        Present::Missing => None,
    };
    if let (WriteKind::Create { .. }, Some(live)) = (kind, live) {
        return Err(format!("document already exists (current version [{}])", live.version));
    }
    let version = match (condition, current) {
        (Condition::IfSeqNo { seq_no, term }, _) => match live {
            None => return Err(format!("required seqNo [{seq_no}], primary term [{term}]. but no document was found")),
            Some(live) if live.seq_no != seq_no || live.op_term != term => {
                return Err(format!(
                    "required seqNo [{seq_no}], primary term [{term}]. current document has seqNo [{}] and primary term [{}]",
                    live.seq_no, live.op_term
                ));
            }
            Some(live) => live.version.saturating_add(1),
        },
        (Condition::External(given), Some(current)) if current >= given => {
            return Err(format!("current version [{current}] is higher or equal to the one provided [{given}]"));
        }
        (Condition::ExternalOrEqual(given), Some(current)) if current > given => {
            return Err(format!("current version [{current}] is higher than the one provided [{given}]"));
        }
        (Condition::External(given) | Condition::ExternalOrEqual(given), _) => given,
        (Condition::None, current) => current.map_or(1, |current| current.saturating_add(1)),
    };
    let outcome = match (kind, live) {
        (WriteKind::Delete, Some(_)) => WriteOutcome::Deleted,
        (WriteKind::Delete, None) => WriteOutcome::NotFound,
        (_, Some(_)) => WriteOutcome::Updated,
        (_, None) => WriteOutcome::Created,
    };
    Ok(Verdict { version, outcome })
}

/// What was sequenced before under the operation ids of a batch.
type Replays = HashMap<u64, Option<WriteResult>>;

impl Sequenced {
    /// What an operation of the log has done. `before` is the last operation on the document before it, as far as it is
    /// known: tombstones are, and what is not known follows from the version.
    pub(super) fn read_back(operation: &LoggedOperation, before: Option<Version>) -> Sequenced {
        let existed = before.map_or(operation.version > 1, |before| !before.deleted);
        let outcome = match (&operation.kind, existed) {
            (LoggedKind::Delete, true) => WriteOutcome::Deleted,
            (LoggedKind::Delete, false) => WriteOutcome::NotFound,
            (LoggedKind::Index { .. }, true) => WriteOutcome::Updated,
            (LoggedKind::Index { .. }, false) => WriteOutcome::Created,
        };
        Sequenced { seq_no: operation.seq_no, op_term: operation.op_term, outcome }
    }
}

/// Look-ups in one published index.
struct Lookups {
    checkpoint: SeqNo,
    found: HashMap<String, Present>,
}

impl Inner {
    /// The ids whose state only the index knows, unless the index is empty.
    fn ids_to_look_up(&self, operations: &[ParsedOperation]) -> Vec<String> {
        if self.searcher.load().searcher.num_docs() == 0 {
            return Vec::new();
        }
        let sequencer = self.sequencer.lock();
        let unknown = |operation: &&ParsedOperation| !sequencer.is_new(operation) && sequencer.versions.get(operation.id()).is_none();
        operations.iter().filter(unknown).map(|operation| operation.id().to_owned()).collect()
    }

    /// What the operations that were sequenced before have done, by their ids; nothing for an id that is taken by another
    /// document's operation.
    async fn find_replays(self: &Arc<Self>, operations: &[ParsedOperation]) -> Result<Replays> {
        let known: Vec<(u64, String, Sequenced)> = {
            let sequencer = self.sequencer.lock();
            let known = |operation: &ParsedOperation| {
                let operation_id = operation.operation.operation_id;
                let sequenced = sequencer.operation_ids.get(operation_id)?;
                Some((operation_id, operation.id().to_owned(), sequenced))
            };
            operations.iter().filter_map(known).collect()
        };
        if known.is_empty() {
            return Ok(Replays::new());
        }
        let owned = self.clone();
        blocking::run(move || {
            let mut replays = Replays::with_capacity(known.len());
            for (operation_id, id, Sequenced { seq_no, op_term, outcome }) in known {
                let first = owned.log.read(seq_no, seq_no, 1)?.into_iter().next();
                let first = first.filter(|first| first.operation_id == operation_id && first.id == id && first.op_term == op_term);
                replays.insert(operation_id, first.map(|first| WriteResult { seq_no, op_term, version: first.version, outcome }));
            }
            Ok(replays)
        })
        .await
    }

    fn look_up_one(searcher: &super::ShardSearcher, id: &str) -> Result<Present> {
        Ok(match searcher.find(id)? {
            Some(found) => Present::Known(Version { seq_no: found.seq_no, op_term: found.op_term, version: found.version, deleted: false }),
            None => Present::Missing,
        })
    }

    async fn look_up(self: &Arc<Self>, operations: &[ParsedOperation]) -> Result<Lookups> {
        // The searcher is taken before the version map is looked at: what is forgotten after that shows as a newer checkpoint.
        let searcher = self.searcher.load_full();
        let ids = self.ids_to_look_up(operations);
        let checkpoint = searcher.checkpoint;
        if ids.is_empty() {
            return Ok(Lookups { checkpoint, found: HashMap::new() });
        }
        blocking::run(move || {
            let mut found = HashMap::with_capacity(ids.len());
            for id in ids {
                let present = Self::look_up_one(&searcher, &id)?;
                found.insert(id, present);
            }
            Ok(Lookups { checkpoint, found })
        })
        .await
    }

    fn conflict(&self, id: &str, detail: String) -> Error {
        Error::VersionConflict {
            id: id.to_owned(),
            detail,
            index: self.shard.index.clone(),
            uuid: self.shard.index_uuid.clone(),
            shard: self.shard.shard,
        }
    }

    /// Waits while too much waits for the index, but not for ever: what is too much then is refused.
    async fn slow_down(&self, deadline: Instant) {
        let limit = deadline.min(clock::now() + SLOWED_WAIT_MAX);
        let mut progress = self.progress.subscribe();
        loop {
            // Listened to before the look, so that nothing is missed in between.
            let others = self.buffer.changed();
            tokio::pin!(others);
            others.as_mut().enable();
            if !self.sequencer.lock().backlog.slowed() || progress.borrow_and_update().failed.is_some() {
                return;
            }
            let either = async {
                tokio::select! {
                    changed = progress.changed() => changed.is_ok(),
                    () = others => true,
                }
            };
            let left = limit.saturating_duration_since(clock::now());
            if left.is_zero() || !clock::timeout(left, either).await.unwrap_or(false) {
                return;
            }
        }
    }

    /// Checks and numbers a batch; `None` when the look-ups no longer hold. No I/O, except after too many attempts.
    fn sequence(
        &self,
        operations: &mut Vec<ParsedOperation>,
        replays: &Replays,
        lookups: &Lookups,
        last_attempt: bool,
    ) -> Result<Option<Batch>> {
        let mut sequencer = self.sequencer.lock();
        if let Some(error) = &self.progress.borrow().failed {
            return Err(error.clone());
        }
        let op_term = match sequencer.role {
            Role::Primary(term) => term,
            Role::Closed => return Err(self.closed()),
            Role::Inactive | Role::Follower(_) => {
                return Err(Error::ShardNotReady { reason: format!("{} is not the active primary", self.shard) });
            }
        };
        self.check_space()?;
        sequencer.backlog.admit(&self.shard)?;
        let known = |operation: &ParsedOperation| {
            let id = operation.operation.operation_id;
            replays.contains_key(&id) || sequencer.operation_ids.get(id).is_none()
        };
        if !operations.iter().all(known) {
            // Its twin came in between; what that did is read first, however often it takes.
            return Ok(None);
        }
        let held = sequencer.versions.lookup_holds(lookups.checkpoint);
        let complete = operations.iter().all(|operation| {
            sequencer.is_new(operation)
                || sequencer.versions.get(operation.id()).is_some()
                || lookups.found.contains_key(operation.id())
                || self.searcher.load().searcher.num_docs() == 0
        });
        let stale = !(held && complete);
        if stale && !last_attempt {
            return Ok(None);
        }
        let fresh = stale.then(|| self.searcher.load_full());
        let mut batch = Batch { results: Vec::with_capacity(operations.len()), rests_on: None, indexed: 0, deleted: 0 };
        let mut logged = Vec::with_capacity(operations.len());
        let now = clock::now();
        let mut bytes = 0;
        for operation in operations.drain(..) {
            let id = operation.id();
            if let Some(Some(first)) = replays.get(&operation.operation.operation_id)
                && self.log.op_term_at(first.seq_no) == Some(first.op_term)
            {
                batch.rests_on = batch.rests_on.max(Some((first.seq_no, first.op_term)));
                batch.results.push(Ok(*first));
                continue;
            }
            let present = match sequencer.versions.get(id) {
                Some(version) => Present::Known(version),
                None if sequencer.is_new(&operation) => Present::Missing,
                None => match &fresh {
                    Some(searcher) => Self::look_up_one(searcher, id)?,
                    None => lookups.found.get(id).copied().unwrap_or(Present::Missing),
                },
            };
            let WriteOperation { id, routing, kind, condition, operation_id } = operation.operation;
            let verdict = match decide(&kind, condition, present) {
                Ok(verdict) => verdict,
                Err(detail) => {
                    // The refusal rests on that operation: it is told once that operation can no longer be undone.
                    if let Present::Known(version) = present
                        && version.seq_no > self.global()
                    {
                        batch.rests_on = batch.rests_on.max(Some((version.seq_no, version.op_term)));
                    }
                    self.counters.version_conflicts.fetch_add(1, Ordering::Relaxed);
                    batch.results.push(Err(self.conflict(&id, detail)));
                    continue;
                }
            };
            let seq_no = sequencer.last.next();
            let may_exist = matches!(present, Present::Known(version) if !version.deleted);
            let kind = match kind {
                WriteKind::Index { source } | WriteKind::Create { source } | WriteKind::IndexNew { source } => {
                    batch.indexed += 1;
                    LoggedKind::Index { source }
                }
                WriteKind::Delete => {
                    batch.deleted += 1;
                    LoggedKind::Delete
                }
            };
            let mapping_version = operation.mapping_version;
            let entry = LoggedOperation { seq_no, op_term, mapping_version, operation_id, version: verdict.version, id, routing, kind };
            sequencer.last = seq_no;
            sequencer.versions.put(&entry.id, Version::of(&entry));
            sequencer.operation_ids.put(operation_id, Sequenced { seq_no, op_term, outcome: verdict.outcome }, now);
            sequencer.prepared.push_back(Prepared { seq_no, document: operation.document, may_exist });
            // A parsed document takes about as much as its source.
            bytes += 2 * entry.bytes();
            batch.results.push(Ok(WriteResult { seq_no, op_term, version: verdict.version, outcome: verdict.outcome }));
            batch.rests_on = Some((seq_no, op_term));
            logged.push(Arc::new(entry));
        }
        if bytes > 0 {
            let last = sequencer.last;
            sequencer.backlog.add(last, bytes);
            self.log.append(logged);
        }
        Ok(Some(batch))
    }
}

struct Batch {
    results: Vec<Result<WriteResult>>,
    /// The last operation that the answers rest on, if any of those is not committed yet.
    rests_on: Option<(SeqNo, PrimaryTerm)>,
    indexed: u64,
    deleted: u64,
}

pub(super) fn check_size(bytes: usize) -> Result<()> {
    if bytes >= RECORD_BYTES_MAX {
        return Err(Error::illegal_argument(format!("an operation of [{bytes}] bytes is larger than the log takes: [{RECORD_BYTES_MAX}]")));
    }
    Ok(())
}

impl IndexShard {
    /// Reads the document of a write under the present mapping. Pure computation.
    ///
    /// # Errors
    /// A document that does not fit the mapping, or one too large for the log.
    pub fn parse(&self, operation: WriteOperation) -> Result<ParsedOperation> {
        let mapping = self.inner.mapping.load();
        let document = match &operation.kind {
            WriteKind::Index { source } | WriteKind::Create { source } | WriteKind::IndexNew { source } => {
                check_size(source.len() + operation.id.len() + 1024)?;
                let limits = self.inner.settings.load().document_limits;
                let parsed = mapping.parse_document_within(&operation.id, source, ParseMode::Strict, limits);
                Some(parsed.inspect_err(|_| {
                    self.inner.counters.rejected_documents.fetch_add(1, Ordering::Relaxed);
                })?)
            }
            WriteKind::Delete => None,
        };
        Ok(ParsedOperation { operation, document, mapping_version: mapping.version })
    }

    /// Writes a batch, each operation of it under an id of its own: one contiguous range of the log for the operations that may happen, an error for each other.
    /// What was sequenced before under the same operation id is not written again, and answered as the first time.
    /// Answers when the global checkpoint has reached the range (under `durability: async`, when it is written to the file).
    ///
    /// # Errors
    /// Nothing was written: the shard is not the active primary, has failed, or has too much waiting
    /// ([`Error::Rejected`]). [`Error::Timeout`] means that the outcome is not known. When the end of the batch was undone by a
    /// change of the primary, [`Error::ShardNotReady`]: the whole batch is to be decided again, under the same operation ids.
    ///
    /// # Cancel safety
    /// Dropping the call after it was first polled leaves the outcome unknown, as a timeout does.
    pub async fn write(&self, operations: Vec<ParsedOperation>, deadline: Instant) -> Result<Vec<Result<WriteResult>>> {
        let inner = &self.inner;
        inner.check()?;
        if let Some(operation) = operations.iter().find(|operation| operation.dynamic_update().is_some()) {
            let id = operation.id();
            return Err(Error::IllegalState { reason: format!("document [{id}] needs fields that the mapping does not have yet") });
        }
        let started = clock::now();
        inner.slow_down(deadline).await;
        let mut operations = operations;
        let mut attempt = 0;
        let batch = loop {
            attempt += 1;
            let replays = inner.find_replays(&operations).await?;
            let lookups = inner.look_up(&operations).await?;
            if let Some(batch) = inner.sequence(&mut operations, &replays, &lookups, attempt >= LOOKUP_ATTEMPTS)? {
                break batch;
            }
        };
        inner.work.times.lock().written = started;
        if inner.log.has_pending() {
            inner.wake_log();
        }
        if let Some((seq_no, op_term)) = batch.rests_on {
            let asynchronous = inner.settings.load().asynchronous;
            let reached = |progress: &Progress| if asynchronous { progress.written >= seq_no } else { progress.global >= seq_no };
            inner.wait_for_operation(deadline, "the write", (seq_no, op_term), reached).await?;
        }
        let took = clock::now().saturating_duration_since(started);
        inner.counters.indexing.add(batch.indexed, if batch.indexed > 0 { took } else { Duration::ZERO });
        inner.counters.delete.add(batch.deleted, if batch.indexed == 0 { took } else { Duration::ZERO });
        Ok(batch.results)
    }

    /// The term of the primary under which this copy writes, if it does.
    pub fn primary_term(&self) -> Option<PrimaryTerm> {
        match self.inner.sequencer.lock().role {
            Role::Primary(term) | Role::Follower(term) => Some(term),
            Role::Inactive | Role::Closed => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shard::tests::{Place, index as write_to};
    use bytes::Bytes;

    #[tokio::test]
    async fn an_operation_whose_twin_came_in_between_is_not_sequenced_again() {
        let place = Place::new();
        let shard = place.primary().await;
        let twin = WriteOperation { operation_id: 7, ..write_to("1", "a") };
        shard.one(twin.clone()).await.unwrap();
        let mut operations = vec![shard.parse(twin).unwrap()];
        let lookups = shard.inner.look_up(&operations).await.unwrap();
        assert!(shard.inner.sequence(&mut operations, &Replays::new(), &lookups, true).unwrap().is_none());
        assert_eq!((operations.len(), shard.stats().max_seq_no), (1, 0));
    }

    fn known(version: i64, deleted: bool) -> Present {
        Present::Known(Version { seq_no: SeqNo(7), op_term: PrimaryTerm(2), version, deleted })
    }

    fn index() -> WriteKind {
        WriteKind::Index { source: Bytes::from_static(b"{}") }
    }

    #[test]
    fn versions_follow_the_rules() {
        use WriteOutcome::{Created, Deleted, NotFound, Updated};
        let create = WriteKind::Create { source: Bytes::new() };
        let if_seq_no = Condition::IfSeqNo { seq_no: SeqNo(7), term: PrimaryTerm(2) };
        let ok = |version, outcome| Ok(Verdict { version, outcome });
        let conflict = |detail: &str| Err(detail.to_owned());
        let table = [
            (index(), Condition::None, Present::Missing, ok(1, Created)),
            (index(), Condition::None, known(4, false), ok(5, Updated)),
            (index(), Condition::None, known(4, true), ok(5, Created)),
            (create.clone(), Condition::None, Present::Missing, ok(1, Created)),
            (create.clone(), Condition::None, known(4, true), ok(5, Created)),
            (create, Condition::None, known(4, false), conflict("document already exists (current version [4])")),
            (WriteKind::Delete, Condition::None, Present::Missing, ok(1, NotFound)),
            (WriteKind::Delete, Condition::None, known(4, false), ok(5, Deleted)),
            (WriteKind::Delete, Condition::None, known(4, true), ok(5, NotFound)),
            (index(), if_seq_no, known(4, false), ok(5, Updated)),
            (index(), if_seq_no, known(4, true), conflict("required seqNo [7], primary term [2]. but no document was found")),
            (
                WriteKind::Delete,
                Condition::IfSeqNo { seq_no: SeqNo(10), term: PrimaryTerm(1) },
                known(4, false),
                conflict("required seqNo [10], primary term [1]. current document has seqNo [7] and primary term [2]"),
            ),
            (index(), Condition::External(9), Present::Missing, ok(9, Created)),
            (index(), Condition::External(5), known(4, false), ok(5, Updated)),
            (index(), Condition::External(4), known(4, true), conflict("current version [4] is higher or equal to the one provided [4]")),
            (index(), Condition::ExternalOrEqual(4), known(4, false), ok(4, Updated)),
            (index(), Condition::ExternalOrEqual(3), known(4, false), conflict("current version [4] is higher than the one provided [3]")),
        ];
        for (kind, condition, present, expected) in table {
            assert_eq!(decide(&kind, condition, present), expected, "{kind:?} {condition:?} {present:?}");
        }
    }
}
