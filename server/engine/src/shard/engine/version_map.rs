//! The last operation on each document, for everything that a published searcher does not show yet.
//!
//! An entry stays for one publish longer than it must, so that a look-up in the index that was made just before a publish is
//! still good after it. Deletions stay as *tombstones* for a while: a document that is written again soon after continues
//! its versions.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tandem_common::env::clock::Instant;
use tandem_common::{PrimaryTerm, SeqNo};

/// More tombstones than this are not kept, whatever their age.
const TOMBSTONES_MAX: usize = 200_000;

/// The last operation on a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::shard) struct Version {
    pub(in crate::shard) seq_no: SeqNo,
    pub(in crate::shard) op_term: PrimaryTerm,
    pub(in crate::shard) version: i64,
    /// Whether it removed the document.
    pub(in crate::shard) deleted: bool,
}

/// See the module. Pure: time comes in as an argument.
#[derive(Debug, Default)]
pub(in crate::shard) struct VersionMap {
    recent: HashMap<Arc<str>, Version, foldhash::fast::RandomState>,
    order: VecDeque<(SeqNo, Arc<str>)>,
    tombstones: HashMap<Arc<str>, Version, foldhash::fast::RandomState>,
    tombstone_order: VecDeque<(Instant, SeqNo, Arc<str>)>,
    pruned: Option<SeqNo>,
}

impl VersionMap {
    /// The last operation on `id`, if it is recent or a deletion that is not forgotten yet.
    pub(in crate::shard) fn get(&self, id: &str) -> Option<Version> {
        self.recent.get(id).or_else(|| self.tombstones.get(id)).copied()
    }

    /// Notes an operation; they come in the order of the log.
    pub(in crate::shard) fn put(&mut self, id: &str, version: Version) {
        let id: Arc<str> = id.into();
        self.tombstones.remove(&id);
        self.order.push_back((version.seq_no, id.clone()));
        self.recent.insert(id, version);
    }

    /// Forgets what lies at or below `published`, except deletions, which age from `now` on.
    pub(in crate::shard) fn prune(&mut self, published: SeqNo, now: Instant) {
        self.pruned = self.pruned.max(Some(published));
        while let Some((seq_no, _)) = self.order.front()
            && *seq_no <= published
        {
            let Some((seq_no, id)) = self.order.pop_front() else { break };
            if let Some(version) = self.recent.get(&id).copied()
                && version.seq_no == seq_no
            {
                self.recent.remove(&id);
                if version.deleted {
                    self.tombstone_order.push_back((now, seq_no, id.clone()));
                    self.tombstones.insert(id, version);
                }
            }
        }
        if self.order.is_empty() {
            self.order.shrink_to(64);
            self.recent.shrink_to(64);
        }
    }

    /// The log was cut above `last`. Each document that an operation was undone on gets back what was before: the last
    /// operation that the log still has of it, if there is one.
    pub(in crate::shard) fn undo(&mut self, last: SeqNo, documents: &HashMap<String, Option<Version>>, now: Instant) {
        while self.order.back().is_some_and(|(seq_no, _)| *seq_no > last) {
            self.order.pop_back();
        }
        for (id, before) in documents {
            let id: Arc<str> = id.as_str().into();
            self.recent.remove(&id);
            match before {
                // Its place in the order is still there.
                Some(before) if self.pruned.is_none_or(|pruned| before.seq_no > pruned) => {
                    self.recent.insert(id, *before);
                }
                Some(before) if before.deleted => {
                    self.tombstone_order.push_back((now, before.seq_no, id.clone()));
                    self.tombstones.insert(id, *before);
                }
                _ => {}
            }
        }
    }

    /// Forgets the deletions that are older than `age`.
    pub(in crate::shard) fn expire(&mut self, now: Instant, age: Duration) {
        while let Some((since, _, _)) = self.tombstone_order.front()
            && (now.saturating_duration_since(*since) > age || self.tombstone_order.len() > TOMBSTONES_MAX)
        {
            let Some((_, seq_no, id)) = self.tombstone_order.pop_front() else { break };
            if self.tombstones.get(&id).is_some_and(|version| version.seq_no == seq_no) {
                self.tombstones.remove(&id);
            }
        }
        if self.tombstone_order.is_empty() {
            self.tombstones.shrink_to(0);
            self.tombstone_order.shrink_to(0);
        }
    }

    /// Remembers a deletion that another copy remembers. Nothing newer is known of the document.
    pub(in crate::shard) fn remember(&mut self, id: &str, version: Version, now: Instant) {
        let id: Arc<str> = id.into();
        self.tombstone_order.push_back((now, version.seq_no, id.clone()));
        self.tombstones.insert(id, version);
    }

    /// The deletions up to `checkpoint` that are remembered, in no order.
    pub(in crate::shard) fn deletions(&self, checkpoint: SeqNo) -> impl Iterator<Item = (&str, Version)> {
        let all = self.recent.iter().chain(&self.tombstones);
        all.filter(move |(_, version)| version.deleted && version.seq_no <= checkpoint).map(|(id, version)| (&**id, *version))
    }

    /// When the newest tombstone is old enough to be forgotten; a moment later than `age`, so that it is.
    pub(in crate::shard) fn expires_at(&self, age: Duration) -> Option<Instant> {
        self.tombstone_order.back().map(|(since, _, _)| *since + age + Duration::from_millis(1))
    }

    /// Whether a look-up in an index that was published up to `checkpoint` still holds for an id that is not in the map.
    pub(in crate::shard) fn lookup_holds(&self, checkpoint: SeqNo) -> bool {
        self.pruned.is_none_or(|pruned| checkpoint >= pruned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_common::env::clock;

    fn version(seq_no: i64, deleted: bool) -> Version {
        Version { seq_no: SeqNo(seq_no), op_term: PrimaryTerm(1), version: seq_no + 1, deleted }
    }

    #[test]
    fn an_entry_goes_when_it_is_published_unless_it_was_overwritten() {
        let now = clock::now();
        let mut map = VersionMap::default();
        map.put("a", version(0, false));
        map.put("b", version(1, false));
        map.put("a", version(2, false));
        map.prune(SeqNo(1), now);
        assert_eq!(map.get("a"), Some(version(2, false)));
        assert_eq!(map.get("b"), None);
        map.prune(SeqNo(2), now);
        assert_eq!(map.get("a"), None);
    }

    #[test]
    fn a_deletion_is_remembered_for_its_age_or_until_the_document_is_back() {
        let start = clock::now();
        let minute = Duration::from_secs(60);
        let mut map = VersionMap::default();
        map.put("a", version(0, true));
        map.put("b", version(1, true));
        map.prune(SeqNo(1), start);
        map.expire(start + minute, minute);
        assert_eq!(map.get("a"), Some(version(0, true)));
        map.put("b", version(2, false));
        map.prune(SeqNo(2), start);
        assert_eq!(map.get("b"), None);
        map.expire(start + minute * 2, minute);
        assert_eq!(map.get("a"), None);
    }

    #[test]
    fn what_was_undone_gives_way_to_what_it_hid() {
        let now = clock::now();
        let mut map = VersionMap::default();
        map.put("published", version(0, false));
        map.put("deleted", version(1, true));
        map.prune(SeqNo(1), now);
        map.put("pending", version(2, false));
        for (seq_no, id) in (3..).zip(["published", "deleted", "pending", "new"]) {
            map.put(id, version(seq_no, true));
        }
        let undone = [
            ("published", Some(version(0, false))),
            ("deleted", Some(version(1, true))),
            ("pending", Some(version(2, false))),
            ("new", None),
        ];
        map.undo(SeqNo(2), &undone.map(|(id, before)| (id.to_owned(), before)).into(), now);
        assert_eq!(map.get("published"), None, "the index knows it");
        assert_eq!(map.get("deleted"), Some(version(1, true)));
        assert_eq!(map.get("pending"), Some(version(2, false)));
        assert_eq!(map.get("new"), None);
        map.prune(SeqNo(2), now);
        assert_eq!(map.get("pending"), None, "and what came back is forgotten in its turn");
    }

    #[test]
    fn a_lookup_older_than_what_was_forgotten_no_longer_holds() {
        let mut map = VersionMap::default();
        assert!(map.lookup_holds(SeqNo::NONE));
        map.put("a", version(0, false));
        map.prune(SeqNo(0), clock::now());
        assert!(!map.lookup_holds(SeqNo::NONE));
        assert!(map.lookup_holds(SeqNo(0)));
    }
}
