//! One shard copy on disk: its log, its index, its sequence numbers, its history.
//!
//! *What it is*: [`IndexShard`], the front that everybody else uses, and the parts behind it. A write goes into the log
//! (`translog`); everything else is a cursor on the log: the disk, the index (`engine`), followers (`history`). ·
//! *Types to know*: [`IndexShard`], [`WriteOperation`] and [`LoggedOperation`], [`ShardSearcher`], [`HistoryState`],
//! [`CommitLease`], [`IndexBuffer`], the room [`delta`]. · **Invariants**: the log has no gaps; a write is answered when the global checkpoint has reached it;
//! nothing above the global checkpoint enters the index or leaves the shard; the global checkpoint never moves back; history
//! at or above the lowest lease is kept; nothing here knows other nodes or the cluster state. · *How it fails*: a failed
//! sync, damage, or an error of the index library fails the shard: later calls return that error, published searchers go on.
//! A full disk refuses operations, and only them, until there is space. ·
//! *How it is tested*: `tests/` beside the code: crashes and damage in a temporary folder, a model of documents under random
//! operations, a leader and a follower in one process.

mod background;
mod backlog;
mod checksum;
pub mod delta;
mod directory;
mod engine;
mod files;
mod generation;
mod get;
mod history;
mod norms;
mod operation;
mod operation_ids;
mod planted;
mod promotion;
mod replicated;
mod retention;
mod schedule;
pub mod schema;
pub mod searcher;
pub mod seqno;
mod settings;
mod stats;
mod store;
#[cfg(test)]
mod tests;
mod translog;
mod truncation;
mod writes;

pub use backlog::IndexBuffer;
pub use files::{CommitFile, CommitLease, CopiedCommit};
pub use history::HistoryState;
pub use operation::{
    Condition, GetResult, LoggedKind, LoggedOperation, ParsedOperation, WriteKind, WriteOperation, WriteOutcome, WriteResult,
};
pub use searcher::ShardSearcher;
pub use seqno::{Fork, Lineage, RetentionLease, TermStart};
pub use settings::SETTINGS;
pub use stats::{SearchTotals, SegmentStats, ShardStats, Total};

use crate::analysis::AnalyzerRegistry;
use arc_swap::ArcSwap;
use engine::Engine;
use parking_lot::Mutex;
use seqno::{ReplicationTracker, RetentionLeases};
use settings::ShardSettings;
use stats::{Counters, Progress, SegmentNumbers};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tandem_common::env::clock::{self, Instant};
use tandem_common::env::fs;
use tandem_common::mapping::Mapping;
use tandem_common::sync_queue::SyncQueue;
use tandem_common::{Error, PrimaryTerm, Result, SeqNo, Settings, ShardId, Tasks};
use tokio::sync::{Notify, watch};
use translog::Translog;
use writes::Sequencer;

/// What a shard needs to be opened.
pub struct OpenShard {
    /// The shard.
    pub shard: ShardId,
    /// The folder of this copy.
    pub path: PathBuf,
    /// The mapping of the index.
    pub mapping: Arc<Mapping>,
    /// The analyzers of the index.
    pub analysis: Arc<AnalyzerRegistry>,
    /// The settings of the index, flat.
    pub settings: Arc<Settings>,
    /// Where background work runs.
    pub tasks: Tasks,
    /// The memory that the shards of a node share.
    pub buffer: IndexBuffer,
}

/// One shard copy. Dropping it stops its background work without a flush, as a crash would.
pub struct IndexShard {
    inner: Arc<Inner>,
}

/// Who may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Opened; nobody has said yet what this copy is.
    Inactive,
    /// The primary: writes are sequenced here, under this term.
    Primary(PrimaryTerm),
    /// The primary of a follower index: operations come sequenced from another cluster; the term only fences.
    Follower(PrimaryTerm),
    /// Closed.
    Closed,
}

/// The name of this copy in its own tracker.
const SELF: &str = "_self";

struct Inner {
    shard: ShardId,
    /// The folder of the copy.
    base: PathBuf,
    /// The folder of its store, which is another after a delta.
    path: PathBuf,
    tasks: Tasks,
    analysis: Arc<AnalyzerRegistry>,
    mapping: ArcSwap<Mapping>,
    settings: ArcSwap<ShardSettings>,
    buffer: IndexBuffer,
    log: Translog,
    /// The turn of this log at the disk.
    syncs: SyncQueue,
    sequencer: Mutex<Sequencer>,
    tracker: Mutex<ReplicationTracker>,
    leases: Mutex<RetentionLeases>,
    /// Held while the leases are changed and stored, so that the file never goes back.
    lease_turn: tokio::sync::Mutex<()>,
    engine: Arc<tokio::sync::Mutex<Engine>>,
    /// Held over a flush and over changes of role.
    flush_turn: tokio::sync::Mutex<()>,
    searcher: ArcSwap<ShardSearcher>,
    segment_numbers: Mutex<SegmentNumbers>,
    /// Locked last and shortly: nothing else is locked while a borrow of it is held.
    progress: watch::Sender<Progress>,
    /// The checkpoint of the durable commit.
    durable: AtomicI64,
    counters: Counters,
    merges: Arc<AtomicU64>,
    work: Work,
    /// The lock on the folder, given back when the shard is closed.
    folder_lock: Mutex<Option<fs::File>>,
}

/// What keeps the background loops going.
struct Work {
    index_wake: Notify,
    index_running: AtomicBool,
    log_wake: Notify,
    log_running: AtomicBool,
    sync_wanted: AtomicBool,
    stopped: AtomicBool,
    /// The log, or the index, was refused space and has not written since: no operation is taken.
    log_full: AtomicBool,
    index_full: AtomicBool,
    /// Forced merges under way.
    merging: AtomicUsize,
    /// When something was last written, and when a searcher was last published and what that cost.
    times: Mutex<Times>,
}

#[derive(Clone, Copy, Debug)]
struct Times {
    written: Instant,
    published: Instant,
    publish_cost: Duration,
    synced: Instant,
}

impl Work {
    fn new() -> Self {
        let now = clock::now();
        Self {
            index_wake: Notify::new(),
            index_running: AtomicBool::new(false),
            log_wake: Notify::new(),
            log_running: AtomicBool::new(false),
            sync_wanted: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            log_full: AtomicBool::new(false),
            index_full: AtomicBool::new(false),
            merging: AtomicUsize::new(0),
            times: Mutex::new(Times { written: now, published: now, publish_cost: Duration::ZERO, synced: now }),
        }
    }
}

impl IndexShard {
    /// The shard.
    pub fn shard_id(&self) -> &ShardId {
        &self.inner.shard
    }

    /// Takes a newer mapping. New fields become known to the index with the next operations.
    pub fn set_mapping(&self, mapping: Arc<Mapping>) {
        if mapping.version >= self.inner.mapping.load().version {
            self.inner.mapping.store(mapping);
            self.inner.wake_index();
        }
    }

    /// Takes newer settings.
    pub fn set_settings(&self, settings: Arc<Settings>) {
        self.inner.settings.store(Arc::new(ShardSettings::new(&settings)));
        self.inner.wake_index();
        self.inner.wake_log();
    }

    /// The published index. Cheap.
    pub fn searcher(&self) -> ShardSearcher {
        ShardSearcher::clone(&self.inner.searcher.load())
    }

    /// The analyzers of the index.
    pub fn analysis(&self) -> &Arc<AnalyzerRegistry> {
        &self.inner.analysis
    }

    /// The mapping in use.
    pub fn mapping(&self) -> Arc<Mapping> {
        self.inner.mapping.load_full()
    }

    /// Why the shard no longer works, if it does not.
    pub fn failure(&self) -> Option<Error> {
        self.inner.progress.borrow().failed.clone()
    }

    /// The numbers of the shard.
    pub fn stats(&self) -> ShardStats {
        let inner = &self.inner;
        let searcher = inner.searcher.load();
        let progress = inner.progress.borrow().clone();
        let (history_operations, history_bytes) = inner.log.extent();
        let durable = SeqNo(inner.durable.load(Ordering::Relaxed));
        let max_seq_no = inner.log.max_seq_no();
        let readers = searcher.searcher.segment_readers();
        let index_bytes = searcher.bytes_in(&store::index_folder(&inner.path));
        let merges = inner.counters.force_merge.total();
        ShardStats {
            docs: searcher.searcher.num_docs(),
            deleted_docs: readers.iter().map(|reader| u64::from(reader.num_deleted_docs())).sum(),
            store_bytes: index_bytes + history_bytes,
            segments: readers.len() as u64,
            translog_operations: u64::try_from(max_seq_no.0 - durable.0).unwrap_or(0),
            translog_bytes: if max_seq_no > durable { inner.log.bytes_above(durable) } else { 0 },
            history_operations,
            history_bytes,
            max_seq_no: max_seq_no.0,
            local_checkpoint: progress.local.0,
            global_checkpoint: progress.global.0,
            published_checkpoint: progress.published.0,
            indexing: inner.counters.indexing.total(),
            delete: inner.counters.delete.total(),
            version_conflicts: inner.counters.version_conflicts.load(Ordering::Relaxed),
            refresh: inner.counters.refresh.total(),
            flush: inner.counters.flush.total(),
            periodic_flushes: inner.counters.periodic_flushes.load(Ordering::Relaxed),
            merge: Total { count: inner.merges.load(Ordering::Relaxed), millis: merges.millis },
            get: inner.counters.get.total(),
            get_missing: inner.counters.get_missing.load(Ordering::Relaxed),
            rejected_documents: inner.counters.rejected_documents.load(Ordering::Relaxed),
            noop_updates: inner.counters.noop_updates.load(Ordering::Relaxed),
            merges_running: inner.work.merging.load(Ordering::Relaxed) as u64,
            query: inner.counters.query.total(),
            fetch: inner.counters.fetch.total(),
            search_groups: inner.counters.search_groups(),
        }
    }

    /// An update of a document changed nothing.
    pub fn count_noop_update(&self) {
        self.inner.counters.noop_updates.fetch_add(1, Ordering::Relaxed);
    }

    /// A search looked for documents here, in the name of `groups`.
    pub fn count_query(&self, took: Duration, groups: &[String]) {
        self.inner.counters.count_query(took, groups);
    }

    /// A search loaded documents from here.
    pub fn count_fetch(&self, took: Duration, groups: &[String]) {
        self.inner.counters.count_fetch(took, groups);
    }

    /// The segments of the published index, oldest number first.
    ///
    /// # Errors
    /// A durable commit that cannot be read.
    pub async fn segments(&self) -> Result<Vec<SegmentStats>> {
        let searcher = self.inner.searcher.load_full();
        self.inner
            .with_engine(move |inner, engine| {
                let durable = engine.durable_segments()?;
                let folder = store::index_folder(&inner.path);
                let mut numbers = inner.segment_numbers.lock();
                let readers = searcher.searcher.segment_readers();
                let mut found: Vec<SegmentStats> = readers
                    .iter()
                    .map(|reader| {
                        let name = reader.segment_id().uuid_string();
                        SegmentStats {
                            generation: numbers.of(&name),
                            docs: u64::from(reader.num_docs()),
                            deleted_docs: u64::from(reader.num_deleted_docs()),
                            bytes: searcher::files_bytes(&folder, &name),
                            committed: durable.contains(&name),
                        }
                    })
                    .collect();
                numbers.keep(|name| readers.iter().any(|reader| reader.segment_id().uuid_string() == name));
                found.sort_by_key(|segment| segment.generation);
                Ok(found)
            })
            .await
    }
}

impl Drop for IndexShard {
    fn drop(&mut self) {
        self.inner.stop();
    }
}

impl Inner {
    /// Ends the background loops.
    fn stop(&self) {
        self.work.stopped.store(true, Ordering::Release);
        self.work.index_wake.notify_one();
        self.work.log_wake.notify_one();
    }

    /// The error of a failed or closed shard.
    fn check(&self) -> Result<()> {
        if let Some(error) = &self.progress.borrow().failed {
            return Err(error.clone());
        }
        if self.sequencer.lock().role == Role::Closed { Err(self.closed()) } else { Ok(()) }
    }

    fn closed(&self) -> Error {
        Error::ShardNotReady { reason: format!("{} is closed", self.shard) }
    }

    /// From here on every call returns this error. Published searchers go on.
    fn fail(&self, error: Error) {
        tracing::error!(shard = %self.shard, %error, "shard failed");
        self.progress.send_modify(|progress| {
            progress.failed.get_or_insert(error);
        });
        self.stop();
    }

    /// Fails the shard, unless only space is missing, which ends by itself, or the shard was closed meanwhile.
    fn judge(&self, error: &Error) {
        if !matches!(error, Error::DiskFull { .. } | Error::ShardNotReady { .. }) {
            self.fail(error.clone());
        }
    }

    /// Notes whether the disk had space, for the log or for the index.
    fn note_space(&self, full: bool, part: &AtomicBool) {
        if part.swap(full, Ordering::AcqRel) != full {
            if full {
                tracing::warn!(shard = %self.shard, "the disk is full, no operation is taken");
            } else {
                tracing::info!(shard = %self.shard, "the disk has space again");
            }
        }
    }

    /// Refuses operations while the disk is full.
    fn check_space(&self) -> Result<()> {
        let full = self.work.log_full.load(Ordering::Acquire) || self.work.index_full.load(Ordering::Acquire);
        if full { Err(Error::disk_full_block(&self.shard.index)) } else { Ok(()) }
    }

    /// Waits until `reached` holds; the error of a shard that fails meanwhile.
    async fn wait(&self, deadline: Instant, what: &str, reached: impl Fn(&Progress) -> bool) -> Result<()> {
        let mut progress = self.progress.subscribe();
        let waiting = progress.wait_for(|progress| progress.failed.is_some() || reached(progress));
        let left = deadline.saturating_duration_since(clock::now());
        match clock::timeout(left, waiting).await {
            Some(Ok(progress)) => match &progress.failed {
                Some(error) if !reached(&progress) => Err(error.clone()),
                _ => Ok(()),
            },
            Some(Err(_)) => Err(self.closed()),
            None => Err(Error::Timeout { reason: format!("{} timed out while waiting for {what}", self.shard) }),
        }
    }

    /// Waits until `reached` holds for an operation of the log, named by its number and its term.
    ///
    /// # Errors
    /// [`Error::ShardNotReady`] when the operation was cut off the log meanwhile: it never happened. Another one may stand at
    /// its number by then.
    async fn wait_for_operation(
        &self,
        deadline: Instant,
        what: &str,
        (seq_no, op_term): (SeqNo, PrimaryTerm),
        reached: impl Fn(&Progress) -> bool,
    ) -> Result<()> {
        loop {
            let cuts = self.log.cuts();
            if self.log.op_term_at(seq_no) != Some(op_term) {
                return Err(Error::ShardNotReady { reason: format!("{} is not the primary any more: [{seq_no}] was undone", self.shard) });
            }
            self.wait(deadline, what, |progress| progress.cuts > cuts || reached(progress)).await?;
            if self.log.cuts() == cuts {
                return Ok(());
            }
        }
    }

    fn global(&self) -> SeqNo {
        self.progress.borrow().global
    }
}
