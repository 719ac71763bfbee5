//! What a shard counts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tandem_common::SeqNo;

/// How often something was done and how long that took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// How often.
    pub count: u64,
    /// All in all.
    pub millis: u64,
}

/// The numbers of one shard copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShardStats {
    /// Searchable documents.
    pub docs: u64,
    /// Deleted documents that still take space.
    pub deleted_docs: u64,
    /// Bytes of the index and of the log on disk.
    pub store_bytes: u64,
    /// Segments of the published index.
    pub segments: u64,
    /// Operations in the log.
    pub translog_operations: u64,
    /// Bytes of the log.
    pub translog_bytes: u64,
    /// Operations in the log that the durable index does not hold.
    pub translog_uncommitted_operations: u64,
    /// The last operation of the log; -1 for none.
    pub max_seq_no: i64,
    /// Everything up to here is durable on this copy.
    pub local_checkpoint: i64,
    /// Everything up to here is durable on every copy that counts.
    pub global_checkpoint: i64,
    /// Everything up to here is searchable.
    pub published_checkpoint: i64,
    /// Documents written.
    pub indexing: Total,
    /// Documents deleted.
    pub delete: Total,
    /// Writes refused because of a condition.
    pub version_conflicts: u64,
    /// Searchers published.
    pub refresh: Total,
    /// Durable commits.
    pub flush: Total,
    /// Merges begun.
    pub merge: Total,
    /// Documents read by id.
    pub get: Total,
    /// Of those, the ones that were not there.
    pub get_missing: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counter {
    count: AtomicU64,
    micros: AtomicU64,
}

impl Counter {
    pub(super) fn add(&self, count: u64, took: Duration) {
        self.count.fetch_add(count, Ordering::Relaxed);
        self.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(super) fn total(&self) -> Total {
        Total { count: self.count.load(Ordering::Relaxed), millis: self.micros.load(Ordering::Relaxed) / 1000 }
    }
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) indexing: Counter,
    pub(super) delete: Counter,
    pub(super) version_conflicts: AtomicU64,
    pub(super) refresh: Counter,
    pub(super) flush: Counter,
    pub(super) force_merge: Counter,
    pub(super) get: Counter,
    pub(super) get_missing: AtomicU64,
}

/// How far a shard has come; waiters watch it.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    /// Everything up to here is in the file of the log.
    pub(super) written: SeqNo,
    /// Everything up to here is durable on this copy.
    pub(super) local: SeqNo,
    /// Everything up to here is durable on every copy that counts.
    pub(super) global: SeqNo,
    /// Everything up to here is searchable.
    pub(super) published: SeqNo,
    /// How often the log was cut.
    pub(super) cuts: u64,
    /// Why the shard no longer works.
    pub(super) failed: Option<tandem_common::Error>,
}
