//! Writing: parse outside any lock, then one short lock to check conditions and number the operations, then wait.
//!
//! Conditions are checked against the version map, pending operations included, or for ids that are not in it against the
//! published index. That look-up is made before the lock; whether it still holds is checked under it.

use super::engine::{Version, VersionMap};
use super::operation::{Condition, LoggedKind, LoggedOperation, ParsedOperation, WriteKind, WriteOperation, WriteOutcome, WriteResult};
use super::translog::RECORD_BYTES_MAX;
use super::{IndexShard, Inner, Role};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tandem_common::env::clock::{self, Instant};
use tandem_common::mapping::{ParseMode, ParsedDocument};
use tandem_common::{Error, PrimaryTerm, Result, SeqNo, blocking};

/// What lies above the published checkpoint may take this many bytes; beyond, writes are refused until a publish.
const UNPUBLISHED_BYTES_MAX: usize = 128 << 20;

/// From here on a publish no longer waits for its time.
const UNPUBLISHED_BYTES_PRESSED: usize = UNPUBLISHED_BYTES_MAX / 4;

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
    prepared: VecDeque<Prepared>,
    /// (last operation, bytes) of each batch that is not published.
    unpublished: VecDeque<(SeqNo, usize)>,
    unpublished_bytes: usize,
    pub(super) last: SeqNo,
}

impl Sequencer {
    pub(super) fn new(last: SeqNo) -> Self {
        Self {
            role: Role::Inactive,
            versions: VersionMap::default(),
            prepared: VecDeque::new(),
            unpublished: VecDeque::new(),
            unpublished_bytes: 0,
            last,
        }
    }

    /// Takes what was kept of the operations up to `last`.
    pub(super) fn take_prepared(&mut self, last: SeqNo) -> VecDeque<Prepared> {
        let count = self.prepared.partition_point(|prepared| prepared.seq_no <= last);
        let rest = self.prepared.split_off(count);
        std::mem::replace(&mut self.prepared, rest)
    }

    /// Operations up to `published` no longer count against the bound.
    pub(super) fn release(&mut self, published: SeqNo) {
        while let Some((last, bytes)) = self.unpublished.front().copied()
            && last <= published
        {
            self.unpublished.pop_front();
            self.unpublished_bytes = self.unpublished_bytes.saturating_sub(bytes);
        }
        if self.unpublished.is_empty() {
            self.unpublished.shrink_to(16);
        }
    }

    /// Whether a publish should not wait.
    pub(super) fn pressed(&self) -> bool {
        self.unpublished_bytes > UNPUBLISHED_BYTES_PRESSED
    }

    pub(super) fn admit(&self, inner: &Inner) -> Result<()> {
        if self.unpublished_bytes > UNPUBLISHED_BYTES_MAX {
            return Err(Error::Rejected {
                reason: format!(
                    "rejected execution of primary operation [shard_detail=[{}], primary_operation_bytes={}, max_primary_bytes={}]",
                    inner.shard, self.unpublished_bytes, UNPUBLISHED_BYTES_MAX
                ),
            });
        }
        Ok(())
    }

    pub(super) fn count(&mut self, last: SeqNo, bytes: usize) {
        self.unpublished.push_back((last, bytes));
        self.unpublished_bytes += bytes;
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
        let unknown = |operation: &&ParsedOperation| {
            !matches!(operation.operation.kind, WriteKind::IndexNew { .. }) && sequencer.versions.get(operation.id()).is_none()
        };
        operations.iter().filter(unknown).map(|operation| operation.id().to_owned()).collect()
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

    /// Checks and numbers a batch; `None` when the look-ups no longer hold. No I/O, except after too many attempts.
    fn sequence(&self, operations: &mut Vec<ParsedOperation>, lookups: &Lookups, last_attempt: bool) -> Result<Option<Sequenced>> {
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
        sequencer.admit(self)?;
        let held = sequencer.versions.lookup_holds(lookups.checkpoint);
        let complete = operations.iter().all(|operation| {
            matches!(operation.operation.kind, WriteKind::IndexNew { .. })
                || sequencer.versions.get(operation.id()).is_some()
                || lookups.found.contains_key(operation.id())
                || self.searcher.load().searcher.num_docs() == 0
        });
        let stale = !(held && complete);
        if stale && !last_attempt {
            return Ok(None);
        }
        let fresh = stale.then(|| self.searcher.load_full());
        let mut batch = Sequenced { results: Vec::with_capacity(operations.len()), wait_for: SeqNo::NONE, indexed: 0, deleted: 0 };
        let mut logged = Vec::with_capacity(operations.len());
        let mut bytes = 0;
        for operation in operations.drain(..) {
            let id = operation.id();
            let present = match sequencer.versions.get(id) {
                Some(version) => Present::Known(version),
                None if matches!(operation.operation.kind, WriteKind::IndexNew { .. }) => Present::Missing,
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
                    if let Present::Known(version) = present {
                        batch.wait_for = batch.wait_for.max(version.seq_no);
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
            sequencer.prepared.push_back(Prepared { seq_no, document: operation.document, may_exist });
            // A parsed document takes about as much as its source.
            bytes += 2 * entry.bytes();
            batch.results.push(Ok(WriteResult { seq_no, op_term, version: verdict.version, outcome: verdict.outcome }));
            batch.wait_for = seq_no;
            logged.push(Arc::new(entry));
        }
        if bytes > 0 {
            let last = sequencer.last;
            sequencer.count(last, bytes);
            self.log.append(logged);
        }
        Ok(Some(batch))
    }
}

struct Sequenced {
    results: Vec<Result<WriteResult>>,
    wait_for: SeqNo,
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
                Some(mapping.parse_document_within(&operation.id, source, ParseMode::Strict, limits)?)
            }
            WriteKind::Delete => None,
        };
        Ok(ParsedOperation { operation, document, mapping_version: mapping.version })
    }

    /// Writes a batch: one contiguous range of the log for the operations that may happen, an error for each other.
    /// Answers when the global checkpoint has reached the range (under `durability: async`, when it is written to the file).
    ///
    /// # Errors
    /// Nothing was written: the shard is not the active primary, has failed, or has too much waiting
    /// ([`Error::Rejected`]). [`Error::Timeout`] means that the outcome is not known.
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
        let mut operations = operations;
        let mut attempt = 0;
        let batch = loop {
            attempt += 1;
            let lookups = inner.look_up(&operations).await?;
            if let Some(batch) = inner.sequence(&mut operations, &lookups, attempt >= LOOKUP_ATTEMPTS)? {
                break batch;
            }
        };
        inner.work.times.lock().written = started;
        if inner.log.has_pending() {
            inner.wake_log();
        }
        let wait_for = batch.wait_for;
        let asynchronous = inner.settings.load().asynchronous;
        inner
            .wait(deadline, "the write", |progress| if asynchronous { progress.written >= wait_for } else { progress.global >= wait_for })
            .await?;
        let took = clock::now().saturating_duration_since(started);
        inner.counters.indexing.add(batch.indexed, if batch.indexed > 0 { took } else { std::time::Duration::ZERO });
        inner.counters.delete.add(batch.deleted, if batch.indexed == 0 { took } else { std::time::Duration::ZERO });
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
    use bytes::Bytes;

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
