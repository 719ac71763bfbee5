//! What a shard counts.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::ops::AddAssign;
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
    /// Operations in the log that the durable index does not hold.
    pub translog_operations: u64,
    /// Their bytes.
    pub translog_bytes: u64,
    /// Operations in the log, those that are only history included.
    pub history_operations: u64,
    /// Bytes of the log.
    pub history_bytes: u64,
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
    /// Documents refused for what they contain.
    pub rejected_documents: u64,
    /// Updates that changed nothing.
    pub noop_updates: u64,
    /// Searchers published.
    pub refresh: Total,
    /// Flushes, those with nothing to do included.
    pub flush: Total,
    /// Of those, the ones that the size of the log made.
    pub periodic_flushes: u64,
    /// Merges begun.
    pub merge: Total,
    /// Forced merges that run now.
    pub merges_running: u64,
    /// Documents read by id.
    pub get: Total,
    /// Of those, the ones that were not there.
    pub get_missing: u64,
    /// Searches that looked for documents here.
    pub query: Total,
    /// Searches that loaded documents from here.
    pub fetch: Total,
    /// The same by the groups that searches named.
    pub search_groups: BTreeMap<String, SearchTotals>,
}

/// What searches of one group did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SearchTotals {
    /// Looking for documents.
    pub query: Total,
    /// Loading them.
    pub fetch: Total,
}

impl Total {
    fn add(&mut self, took: Duration) {
        self.count += 1;
        self.millis += u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    }
}

impl AddAssign for Total {
    fn add_assign(&mut self, other: Self) {
        self.count += other.count;
        self.millis += other.millis;
    }
}

impl AddAssign<&ShardStats> for ShardStats {
    /// The sum over copies. Positions in a log do not add up and stay as they are.
    fn add_assign(&mut self, other: &ShardStats) {
        self.docs += other.docs;
        self.deleted_docs += other.deleted_docs;
        self.store_bytes += other.store_bytes;
        self.segments += other.segments;
        self.translog_operations += other.translog_operations;
        self.translog_bytes += other.translog_bytes;
        self.history_operations += other.history_operations;
        self.history_bytes += other.history_bytes;
        self.indexing += other.indexing;
        self.delete += other.delete;
        self.version_conflicts += other.version_conflicts;
        self.rejected_documents += other.rejected_documents;
        self.noop_updates += other.noop_updates;
        self.refresh += other.refresh;
        self.flush += other.flush;
        self.periodic_flushes += other.periodic_flushes;
        self.merge += other.merge;
        self.merges_running += other.merges_running;
        self.get += other.get;
        self.get_missing += other.get_missing;
        self.query += other.query;
        self.fetch += other.fetch;
        for (group, totals) in &other.search_groups {
            let sum = self.search_groups.entry(group.clone()).or_default();
            sum.query += totals.query;
            sum.fetch += totals.fetch;
        }
    }
}

/// One segment of the published index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentStats {
    /// Its number: segments are numbered as they are first seen, from 0 each time that the shard is opened.
    pub generation: u64,
    /// Live documents.
    pub docs: u64,
    /// Deleted ones that still take space.
    pub deleted_docs: u64,
    /// Bytes of its files.
    pub bytes: u64,
    /// Whether the durable index holds it.
    pub committed: bool,
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

/// Small numbers for segments, whose own names are long and random.
#[derive(Debug, Default)]
pub(super) struct SegmentNumbers {
    known: BTreeMap<String, u64>,
    next: u64,
}

impl SegmentNumbers {
    /// The number of a segment; the next one when it has none yet.
    pub(super) fn of(&mut self, name: &str) -> u64 {
        if let Some(number) = self.known.get(name) {
            return *number;
        }
        let number = self.next;
        self.next += 1;
        self.known.insert(name.to_owned(), number);
        number
    }

    /// Forgets the segments that are gone.
    pub(super) fn keep(&mut self, there: impl Fn(&str) -> bool) {
        self.known.retain(|name, _| there(name));
    }
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) rejected_documents: AtomicU64,
    pub(super) noop_updates: AtomicU64,
    pub(super) periodic_flushes: AtomicU64,
    pub(super) query: Counter,
    pub(super) fetch: Counter,
    /// By group; a search that names a group adds to both.
    search_groups: Mutex<BTreeMap<String, SearchTotals>>,
    pub(super) indexing: Counter,
    pub(super) delete: Counter,
    pub(super) version_conflicts: AtomicU64,
    pub(super) refresh: Counter,
    pub(super) flush: Counter,
    pub(super) force_merge: Counter,
    pub(super) get: Counter,
    pub(super) get_missing: AtomicU64,
}

/// A search that names many groups counts in the first of them only.
const GROUPS_MAX: usize = 32;

/// New groups are not counted once there are this many: their names come from clients.
const GROUPS_KEPT_MAX: usize = 1_000;

impl Counters {
    fn in_groups(&self, groups: &[String], add: impl Fn(&mut SearchTotals)) {
        if groups.is_empty() {
            return;
        }
        let mut kept = self.search_groups.lock();
        for group in groups.iter().take(GROUPS_MAX) {
            if kept.contains_key(group) || kept.len() < GROUPS_KEPT_MAX {
                add(kept.entry(group.clone()).or_default());
            }
        }
    }

    pub(super) fn count_query(&self, took: Duration, groups: &[String]) {
        self.query.add(1, took);
        self.in_groups(groups, |totals| totals.query.add(took));
    }

    pub(super) fn count_fetch(&self, took: Duration, groups: &[String]) {
        self.fetch.add(1, took);
        self.in_groups(groups, |totals| totals.fetch.add(took));
    }

    pub(super) fn search_groups(&self) -> BTreeMap<String, SearchTotals> {
        self.search_groups.lock().clone()
    }
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
