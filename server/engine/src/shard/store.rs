//! Opening and closing a copy: the folder, its lock, and what a crash has left.

use super::delta::Tombstone;
use super::engine::{CommitPayload, Engine, Version, VersionMap};
use super::operation::{LoggedKind, LoggedOperation};
use super::operation_ids::{OperationIds, Sequenced};
use super::planted::{self, Bug};
use super::seqno::{Lineage, ReplicationTracker, RetentionLease, RetentionLeases};
use super::settings::ShardSettings;
use super::stats::{Counters, Progress};
use super::translog::Translog;
use super::writes::Sequencer;
use super::{IndexShard, Inner, OpenShard, Role, SELF, Work, generation};
use arc_swap::ArcSwap;
use parking_lot::Mutex;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;
use tandem_common::checked_file;
use tandem_common::env::clock;
use tandem_common::env::fs::{self, File};
use tandem_common::sync_queue::SyncQueue;
use tandem_common::{Error, HistoryId, PrimaryTerm, Result, SeqNo, ShardId, blocking};
use tokio::sync::watch;

/// How long closing waits for work in flight before it gives up on a clean end.
const CLOSE_WAIT: Duration = Duration::from_secs(30);

pub(super) fn index_folder(path: &Path) -> PathBuf {
    path.join("index")
}

pub(super) fn log_folder(path: &Path) -> PathBuf {
    path.join("translog")
}

pub(super) fn leases_file(path: &Path) -> PathBuf {
    path.join("retention_leases.json")
}

/// The deletions that came with a delta: (checkpoint of the delta, tombstones).
pub(super) fn tombstones_file(path: &Path) -> PathBuf {
    path.join("tombstones.json")
}

/// What opening has put together.
pub(super) struct Parts {
    store: PathBuf,
    log: Translog,
    engine: Engine,
    sequencer: Sequencer,
    leases: Vec<RetentionLease>,
    lock: File,
}

fn lock_folder(path: &Path, shard: &ShardId) -> Result<File> {
    fs::create_folders(path)?;
    let lock = path.join("shard.lock");
    let file = File::create(&lock)?;
    if file.try_lock()? {
        Ok(file)
    } else {
        Err(Error::ShardNotReady { reason: format!("{shard} is open already: [{}] is locked", lock.display()) })
    }
}

impl Parts {
    fn create(open: &OpenShard, history: HistoryId) -> Result<Parts> {
        let lock = lock_folder(&open.path, &open.shard)?;
        if Translog::exists(&log_folder(&open.path)) {
            return Err(Error::IllegalState { reason: format!("{} has a store in [{}]", open.shard, open.path.display()) });
        }
        // Without the checkpoint of a log there is no store: what lies here is left of a creation that did not end.
        fs::remove_folder(&index_folder(&open.path))?;
        fs::remove_folder(&log_folder(&open.path))?;
        fs::remove_file_if_exists(&leases_file(&open.path))?;
        let lineage = Lineage::new(history);
        let payload = CommitPayload::new(SeqNo::NONE, open.mapping.version, lineage.clone());
        let engine = Engine::create(&index_folder(&open.path), &open.shard, &open.mapping, &open.analysis, &payload)?;
        let log = Translog::create(&log_folder(&open.path), SeqNo(0), lineage, PrimaryTerm(0))?;
        fs::sync_folder(&open.path)?;
        let store = open.path.clone();
        Ok(Parts { store, log, engine, sequencer: Sequencer::new(SeqNo::NONE, open.buffer.clone()), leases: Vec::new(), lock })
    }

    /// The index was copied from another store; the log starts behind it.
    pub(super) fn adopt(open: &OpenShard, checkpoint: SeqNo, lineage: &Lineage, verify: impl FnOnce() -> Result<()>) -> Result<Parts> {
        let lock = lock_folder(&open.path, &open.shard)?;
        if Translog::exists(&log_folder(&open.path)) {
            return Err(Error::IllegalState { reason: format!("{} has a store in [{}]", open.shard, open.path.display()) });
        }
        verify()?;
        fs::remove_folder(&log_folder(&open.path))?;
        fs::remove_file_if_exists(&leases_file(&open.path))?;
        let (engine, payload) = Engine::open(&index_folder(&open.path), &open.shard, &open.mapping, &open.analysis)?;
        if payload.checkpoint != checkpoint {
            let found = payload.checkpoint;
            return Err(Error::Corrupt { reason: format!("{} copied an index up to [{found}], not [{checkpoint}]", open.shard) });
        }
        let log = Translog::create(&log_folder(&open.path), checkpoint.next(), lineage.clone(), PrimaryTerm(0))?;
        fs::sync_folder(&open.path)?;
        let mut sequencer = Sequencer::new(checkpoint, open.buffer.clone());
        sequencer.operation_ids = OperationIds::new(payload.operation_id_max);
        let store = open.path.clone();
        Ok(Parts { store, log, engine, sequencer, leases: Vec::new(), lock })
    }

    fn open(open: &OpenShard) -> Result<Parts> {
        let lock = lock_folder(&open.path, &open.shard)?;
        Self::open_locked(open, lock)
    }

    /// Opens the present generation; the lock on the folder is held already.
    pub(super) fn open_locked(open: &OpenShard, lock: File) -> Result<Parts> {
        let store = generation::store(&open.path, generation::present(&open.path)?);
        if !Translog::exists(&log_folder(&store)) {
            return Err(Error::Corrupt { reason: format!("{} has no store in [{}]", open.shard, store.display()) });
        }
        generation::clean(&open.path)?;
        let (engine, payload) = Engine::open(&index_folder(&store), &open.shard, &open.mapping, &open.analysis)?;
        let applied = payload.checkpoint;
        let mut versions = VersionMap::default();
        let mut operation_ids = OperationIds::new(payload.operation_id_max);
        let now = clock::now();
        let brought: Option<(SeqNo, Vec<Tombstone>)> = checked_file::read(&tombstones_file(&store))?;
        // Once the index has gone on, it may hold again what they say is gone.
        for tombstone in brought.into_iter().filter(|(checkpoint, _)| *checkpoint == applied).flat_map(|(_, tombstones)| tombstones) {
            let Tombstone { id, seq_no, op_term, version } = tombstone;
            versions.remember(&id, Version { seq_no, op_term, version, deleted: true }, now);
        }
        let forget = planted::is(Bug::TombstoneLost, &open.path);
        let note = |operation: LoggedOperation| {
            if forget && operation.kind == LoggedKind::Delete {
                return;
            }
            operation_ids.put(operation.operation_id, Sequenced::read_back(&operation, versions.get(&operation.id)), now);
            versions.put(&operation.id, Version::of(&operation));
        };
        let log = Translog::open(&log_folder(&store), applied, note)?;
        let mut sequencer = Sequencer::new(log.max_seq_no(), open.buffer.clone());
        sequencer.versions = versions;
        sequencer.operation_ids = operation_ids;
        // What the index holds needs no entry; the deletions in it become tombstones that age from now on.
        sequencer.versions.prune(applied, now);
        let leases = checked_file::read(&leases_file(&store))?.unwrap_or_default();
        Ok(Parts { store, log, engine, sequencer, leases, lock })
    }

    pub(super) fn assemble(self, open: OpenShard) -> Arc<IndexShard> {
        let Parts { store, log, engine, sequencer, leases, lock } = self;
        let applied = engine.applied();
        let leases = RetentionLeases::restore(leases, log.lowest(), clock::now());
        let end = log.max_seq_no();
        let global = log.global_checkpoint().max(applied);
        log.set_global_checkpoint(global);
        let mut tracker = ReplicationTracker::new(global);
        tracker.track(SELF, end);
        tracker.mark_in_sync(SELF);
        let progress = Progress { written: end, local: end, global, published: applied, cuts: 0, failed: None };
        let searcher = engine.searcher();
        let merges = engine.merges();
        let inner = Inner {
            syncs: SyncQueue::of(&open.path),
            shard: open.shard,
            base: open.path,
            path: store,
            tasks: open.tasks,
            analysis: open.analysis,
            mapping: ArcSwap::new(open.mapping),
            settings: ArcSwap::from_pointee(ShardSettings::new(&open.settings)),
            buffer: open.buffer,
            log,
            sequencer: Mutex::new(sequencer),
            tracker: Mutex::new(tracker),
            leases: Mutex::new(leases),
            lease_turn: tokio::sync::Mutex::new(()),
            engine: Arc::new(tokio::sync::Mutex::new(engine)),
            flush_turn: tokio::sync::Mutex::new(()),
            searcher: ArcSwap::from_pointee(searcher),
            segment_numbers: Mutex::default(),
            progress: watch::Sender::new(progress),
            durable: AtomicI64::new(applied.0),
            counters: Counters::default(),
            merges,
            work: Work::new(),
            folder_lock: Mutex::new(Some(lock)),
        };
        Arc::new(IndexShard { inner: Arc::new(inner) })
    }
}

impl Version {
    /// The version after an operation.
    pub(super) fn of(operation: &LoggedOperation) -> Version {
        Version {
            seq_no: operation.seq_no,
            op_term: operation.op_term,
            version: operation.version,
            deleted: operation.kind == LoggedKind::Delete,
        }
    }
}

impl IndexShard {
    /// A new, empty store under `history`.
    ///
    /// # Errors
    /// [`Error::IllegalState`] when there is a store already; [`Error::ShardNotReady`] when it is open elsewhere.
    pub async fn create(open: OpenShard, history: HistoryId) -> Result<Arc<IndexShard>> {
        blocking::run(move || Ok(Parts::create(&open, history)?.assemble(open))).await
    }

    /// Opens a store: the last durable commit, then the log up to the global checkpoint. What lies above waits until the
    /// copy is activated.
    ///
    /// # Errors
    /// [`Error::Corrupt`] with file and offset when something is damaged; [`Error::ShardNotReady`] when it is open elsewhere.
    pub async fn open(open: OpenShard) -> Result<Arc<IndexShard>> {
        let shard = blocking::run(move || Ok(Parts::open(&open)?.assemble(open))).await?;
        shard.inner.catch_up(shard.inner.global()).await?;
        Ok(shard)
    }

    /// Writes out everything, makes the index durable and ends the background work. Calling it again does nothing.
    ///
    /// # Errors
    /// What the last flush failed with; the shard is closed all the same.
    pub async fn close(&self) -> Result<()> {
        let inner = &self.inner;
        {
            let mut sequencer = inner.sequencer.lock();
            if sequencer.role == Role::Closed {
                return Ok(());
            }
            sequencer.role = Role::Closed;
        }
        let flushed = clock::timeout(CLOSE_WAIT, inner.flush_all()).await;
        inner.stop();
        let engine = inner.engine.clone().lock_owned().await;
        let owned = inner.clone();
        let stored = blocking::run(move || {
            let mut engine = engine;
            engine.release_writer();
            // What failed is left as it is: the next opening judges it.
            let failed = owned.progress.borrow().failed.clone();
            let stored = failed.map_or_else(|| owned.log.finish(), Err);
            owned.log.close();
            owned.folder_lock.lock().take();
            stored
        })
        .await;
        match flushed {
            Some(flushed) => flushed.and(stored),
            None => Err(Error::Timeout { reason: format!("{} did not close in time", inner.shard) }),
        }
    }
}
