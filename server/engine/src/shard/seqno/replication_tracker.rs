//! How far each copy of a shard has come, seen from its primary.
//!
//! The global checkpoint is the lowest local checkpoint among the in-sync copies: what lies at or below it is on every disk
//! that counts. A copy that joins is *tracked* first; it counts once it is marked in sync, and until it has caught up the
//! global checkpoint simply stands still. Before the primary is active nothing moves: the copy only knows what it was told.

use std::collections::BTreeMap;
use tandem_common::SeqNo;

/// The state of one copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct CopyState {
    local_checkpoint: SeqNo,
    in_sync: bool,
}

/// The copies of one shard, by the name of their data. Pure.
#[derive(Clone, Debug)]
pub struct ReplicationTracker {
    copies: BTreeMap<String, CopyState>,
    global_checkpoint: SeqNo,
    active: bool,
}

impl ReplicationTracker {
    /// No copy counts yet; the global checkpoint is what is known from before.
    pub fn new(global_checkpoint: SeqNo) -> Self {
        Self { copies: BTreeMap::new(), global_checkpoint, active: false }
    }

    /// From here on the global checkpoint follows the in-sync copies.
    pub fn activate(&mut self) -> SeqNo {
        self.active = true;
        self.recompute()
    }

    /// Whether this copy decides on the global checkpoint.
    pub fn is_active(&self) -> bool {
        self.active
    }

    /// From here on the global checkpoint stands still: another copy decides.
    pub fn deactivate(&mut self) {
        self.active = false;
    }

    /// The log of `copy` was cut above `last`, which is never below the global checkpoint.
    pub fn cut(&mut self, copy: &str, last: SeqNo) {
        debug_assert!(last >= self.global_checkpoint, "what is committed is never undone");
        if let Some(state) = self.copies.get_mut(copy) {
            state.local_checkpoint = state.local_checkpoint.min(last);
        }
    }

    /// Adds a copy that does not count yet.
    pub fn track(&mut self, copy: &str, local_checkpoint: SeqNo) {
        self.copies.entry(copy.to_owned()).or_insert(CopyState { local_checkpoint, in_sync: false });
    }

    /// From here on `copy` counts; true when it is known.
    pub fn mark_in_sync(&mut self, copy: &str) -> bool {
        let known = self.copies.get_mut(copy).map(|state| state.in_sync = true).is_some();
        self.recompute();
        known
    }

    /// `copy` has made everything up to `local_checkpoint` durable. Returns the global checkpoint.
    pub fn update_local_checkpoint(&mut self, copy: &str, local_checkpoint: SeqNo) -> SeqNo {
        if let Some(state) = self.copies.get_mut(copy) {
            state.local_checkpoint = state.local_checkpoint.max(local_checkpoint);
        }
        self.recompute()
    }

    /// `copy` no longer counts. The last in-sync copy stays. Returns the global checkpoint.
    pub fn remove(&mut self, copy: &str) -> SeqNo {
        let others_in_sync = self.copies.iter().any(|(name, state)| name != copy && state.in_sync);
        let counts = self.copies.get(copy).is_some_and(|state| state.in_sync);
        if !counts || others_in_sync {
            self.copies.remove(copy);
        }
        self.recompute()
    }

    /// The names of the copies that count.
    pub fn in_sync(&self) -> impl Iterator<Item = &str> {
        self.copies.iter().filter(|(_, state)| state.in_sync).map(|(name, _)| name.as_str())
    }

    /// Everything up to here is durable on every copy that counts. Never moves back.
    pub fn global_checkpoint(&self) -> SeqNo {
        self.global_checkpoint
    }

    fn recompute(&mut self) -> SeqNo {
        let lowest = self.copies.values().filter(|state| state.in_sync).map(|state| state.local_checkpoint).min();
        if let (true, Some(lowest)) = (self.active, lowest) {
            self.global_checkpoint = self.global_checkpoint.max(lowest);
        }
        self.global_checkpoint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_moves_before_the_primary_is_active() {
        let mut tracker = ReplicationTracker::new(SeqNo(3));
        tracker.track("a", SeqNo(9));
        tracker.mark_in_sync("a");
        assert_eq!(tracker.global_checkpoint(), SeqNo(3));
        assert_eq!(tracker.activate(), SeqNo(9));
    }

    #[test]
    fn the_slowest_copy_in_sync_decides() {
        let mut tracker = ReplicationTracker::new(SeqNo::NONE);
        for copy in ["a", "b", "c"] {
            tracker.track(copy, SeqNo::NONE);
        }
        tracker.mark_in_sync("a");
        tracker.mark_in_sync("b");
        tracker.activate();
        tracker.update_local_checkpoint("a", SeqNo(5));
        assert_eq!(tracker.global_checkpoint(), SeqNo::NONE);
        assert_eq!(tracker.update_local_checkpoint("b", SeqNo(2)), SeqNo(2));
        assert!(tracker.mark_in_sync("c"), "a copy that is behind holds the checkpoint where it is");
        assert_eq!(tracker.update_local_checkpoint("b", SeqNo(5)), SeqNo(2));
        assert_eq!(tracker.remove("c"), SeqNo(5));
    }

    #[test]
    fn a_cut_log_counts_only_up_to_the_cut() {
        let mut tracker = ReplicationTracker::new(SeqNo(3));
        tracker.track("a", SeqNo(9));
        tracker.mark_in_sync("a");
        tracker.cut("a", SeqNo(5));
        assert_eq!(tracker.activate(), SeqNo(5));
        tracker.deactivate();
        assert_eq!(tracker.update_local_checkpoint("a", SeqNo(7)), SeqNo(5), "it stands still");
    }

    #[test]
    fn the_last_copy_in_sync_never_leaves() {
        let mut tracker = ReplicationTracker::new(SeqNo::NONE);
        tracker.track("a", SeqNo(1));
        tracker.mark_in_sync("a");
        tracker.remove("a");
        assert_eq!(tracker.in_sync().collect::<Vec<_>>(), ["a"]);
    }

    proptest! {
        #[test]
        fn the_global_checkpoint_never_moves_back(steps in proptest::collection::vec((0u8..4, 0usize..3, -1i64..50), 0..60)) {
            let names = ["a", "b", "c"];
            let mut tracker = ReplicationTracker::new(SeqNo::NONE);
            tracker.track("a", SeqNo::NONE);
            tracker.mark_in_sync("a");
            tracker.activate();
            let mut before = tracker.global_checkpoint();
            for (kind, copy, value) in steps {
                let copy = names[copy];
                match kind {
                    0 => tracker.track(copy, SeqNo(value)),
                    1 => { tracker.mark_in_sync(copy); }
                    2 => { tracker.update_local_checkpoint(copy, SeqNo(value)); }
                    _ => { tracker.remove(copy); }
                }
                prop_assert!(tracker.global_checkpoint() >= before);
                prop_assert!(tracker.in_sync().count() > 0);
                before = tracker.global_checkpoint();
            }
        }
    }
}
