//! Which operations were just sequenced, by the ids that their senders gave them: a request that arrives twice is applied once.
//!
//! An id stays until its operation is committed and the retry window is over, or until the window is full. Ids that rise
//! together with the sequence numbers, as those of one request do, are kept as one *run*. The version of an operation is read
//! back from the log, which is kept as far as the window reaches.
//!
//! The highest id that was forgotten is remembered: whatever is not above it may be a retry that the window no longer knows.
//! Senders whose ids rise with time never notice. Pure: time comes in as an argument.

use super::operation::WriteOutcome;
use smallvec::SmallVec;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use tandem_common::env::clock::Instant;
use tandem_common::{PrimaryTerm, SeqNo};

/// A retry comes within the deadline of its request; this is longer than the default of every one.
pub(super) const RETRY_WINDOW: Duration = Duration::from_secs(90);

/// What committed operations may take in the window.
const BYTES_MAX: usize = 4 << 20;

/// What a run takes beside its outcomes.
const RUN_BYTES: usize = 120;

/// Operations with consecutive ids and consecutive sequence numbers.
#[derive(Debug)]
struct Run {
    first_seq_no: SeqNo,
    op_term: PrimaryTerm,
    outcomes: SmallVec<[WriteOutcome; 16]>,
}

impl Run {
    fn last_seq_no(&self) -> SeqNo {
        SeqNo(self.first_seq_no.0 - 1 + self.outcomes.len() as i64)
    }

    fn bytes(&self) -> usize {
        RUN_BYTES + self.outcomes.len()
    }
}

/// An operation that the window knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sequenced {
    pub(super) seq_no: SeqNo,
    pub(super) op_term: PrimaryTerm,
    pub(super) outcome: WriteOutcome,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct OperationIds {
    /// By the first id.
    runs: BTreeMap<u64, Run>,
    /// (since when, first id, first operation), oldest first.
    order: VecDeque<(Instant, u64, SeqNo)>,
    bytes: usize,
    forgotten: u64,
}

impl OperationIds {
    /// Nothing is known of ids up to `forgotten`.
    pub(super) fn new(forgotten: u64) -> Self {
        Self { forgotten, ..Self::default() }
    }

    /// Notes the operation that was sequenced last. An id of 0 is none.
    pub(super) fn put(&mut self, operation_id: u64, sequenced: Sequenced, now: Instant) {
        if operation_id == 0 {
            return;
        }
        if let Some((_, first_id, first_seq_no)) = self.order.back().copied()
            && let Some(run) = self.runs.get_mut(&first_id)
            && run.first_seq_no == first_seq_no
            && run.op_term == sequenced.op_term
            && first_id.checked_add(run.outcomes.len() as u64) == Some(operation_id)
            && run.last_seq_no().next() == sequenced.seq_no
        {
            run.outcomes.push(sequenced.outcome);
            self.bytes += 1;
            return;
        }
        let run = Run { first_seq_no: sequenced.seq_no, op_term: sequenced.op_term, outcomes: SmallVec::from_slice(&[sequenced.outcome]) };
        self.bytes += run.bytes();
        if let Some(before) = self.runs.insert(operation_id, run) {
            self.bytes = self.bytes.saturating_sub(before.bytes());
        }
        self.order.push_back((now, operation_id, sequenced.seq_no));
    }

    /// What was sequenced under an id. Whether it is the same document is for the caller to check: ids can collide.
    pub(super) fn get(&self, operation_id: u64) -> Option<Sequenced> {
        if operation_id == 0 {
            return None;
        }
        let (first_id, run) = self.runs.range(..=operation_id).next_back()?;
        let at = usize::try_from(operation_id - first_id).ok()?;
        let outcome = *run.outcomes.get(at)?;
        Some(Sequenced { seq_no: SeqNo(run.first_seq_no.0 + at as i64), op_term: run.op_term, outcome })
    }

    /// Whether an operation under this id may have been sequenced and forgotten.
    pub(super) fn may_be_forgotten(&self, operation_id: u64) -> bool {
        operation_id != 0 && operation_id <= self.forgotten
    }

    /// Forgets committed operations that are older than the retry window, and older ones when there are too many.
    pub(super) fn expire(&mut self, committed: SeqNo, now: Instant) {
        while let Some((since, first_id, first_seq_no)) = self.order.front().copied() {
            let run = self.runs.get(&first_id).filter(|run| run.first_seq_no == first_seq_no);
            let goes = run.is_none_or(|run| {
                run.last_seq_no() <= committed && (self.bytes > BYTES_MAX || now.saturating_duration_since(since) >= RETRY_WINDOW)
            });
            if !goes {
                break;
            }
            self.order.pop_front();
            if run.is_some()
                && let Some(run) = self.runs.remove(&first_id)
            {
                self.bytes = self.bytes.saturating_sub(run.bytes());
                self.forgotten = self.forgotten.max(first_id.saturating_add(run.outcomes.len() as u64 - 1));
            }
        }
        if self.order.is_empty() {
            self.order.shrink_to(0);
        }
    }

    /// The log was cut above `last`: what lies above may be sequenced again.
    pub(super) fn undo(&mut self, last: SeqNo) {
        while let Some((since, first_id, first_seq_no)) = self.order.pop_back() {
            let Some(run) = self.runs.get_mut(&first_id).filter(|run| run.first_seq_no == first_seq_no) else { continue };
            if run.last_seq_no() <= last {
                self.order.push_back((since, first_id, first_seq_no));
                break;
            }
            let before = run.bytes();
            run.outcomes.truncate(usize::try_from(last.0 - first_seq_no.0 + 1).unwrap_or(0));
            if run.outcomes.is_empty() {
                self.runs.remove(&first_id);
                self.bytes = self.bytes.saturating_sub(before);
            } else {
                self.bytes = self.bytes.saturating_sub(before - run.bytes());
                self.order.push_back((since, first_id, first_seq_no));
                break;
            }
        }
    }

    /// The highest id that is or was in the window.
    pub(super) fn highest(&self) -> u64 {
        let last = |(first_id, run): (&u64, &Run)| first_id.saturating_add(run.outcomes.len() as u64 - 1);
        self.runs.last_key_value().map_or(0, last).max(self.forgotten)
    }

    /// When the newest operation is old enough to be forgotten.
    pub(super) fn expires_at(&self) -> Option<Instant> {
        self.order.back().map(|(since, _, _)| *since + RETRY_WINDOW)
    }

    /// The lowest operation that a retry may ask for.
    pub(super) fn lowest(&self) -> Option<SeqNo> {
        self.order.front().map(|(_, _, first)| *first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_common::env::clock;

    fn sequenced(seq_no: i64) -> Sequenced {
        let outcome = if seq_no % 2 == 0 { WriteOutcome::Created } else { WriteOutcome::Updated };
        Sequenced { seq_no: SeqNo(seq_no), op_term: PrimaryTerm(1), outcome }
    }

    fn filled(pairs: impl IntoIterator<Item = (u64, i64)>, now: Instant) -> OperationIds {
        let mut ids = OperationIds::default();
        for (id, seq_no) in pairs {
            ids.put(id, sequenced(seq_no), now);
        }
        ids
    }

    #[test]
    fn an_id_leads_to_its_operation_alone_or_in_a_run() {
        let pairs = [(7, 0), (100, 1), (101, 2), (102, 4), (0, 5), (103, 6), (104, 7), (50, 8)];
        let ids = filled(pairs, clock::now());
        assert_eq!(ids.runs.len(), 5);
        for (id, seq_no) in pairs {
            assert_eq!(ids.get(id), (id != 0).then(|| sequenced(seq_no)), "{id}");
        }
        for unknown in [1, 8, 51, 99, 105, u64::MAX] {
            assert_eq!(ids.get(unknown), None);
        }
    }

    #[test]
    fn a_run_of_many_takes_a_byte_for_each() {
        let ids = filled((0..10_000).map(|n| (n + 1, n as i64)), clock::now());
        assert_eq!((ids.runs.len(), ids.bytes), (1, RUN_BYTES + 10_000));
    }

    #[test]
    fn an_id_is_forgotten_after_the_window_when_it_is_committed_and_that_is_remembered() {
        let start = clock::now();
        let mut ids = filled([(10, 0), (20, 1), (21, 2), (30, 3)], start);
        ids.expire(SeqNo(9), start + RETRY_WINDOW - Duration::from_secs(1));
        assert!(ids.get(10).is_some() && !ids.may_be_forgotten(10));
        ids.expire(SeqNo(1), start + RETRY_WINDOW);
        assert_eq!(ids.get(10), None);
        assert_eq!(ids.get(20), Some(sequenced(1)), "the run is not committed to its end");
        assert!(ids.may_be_forgotten(10) && !ids.may_be_forgotten(11) && !ids.may_be_forgotten(0));
        ids.expire(SeqNo(3), start + RETRY_WINDOW);
        assert!(ids.may_be_forgotten(30) && ids.lowest().is_none());
        assert_eq!(ids.bytes, 0);
    }

    #[test]
    fn a_full_window_forgets_the_oldest_but_nothing_that_is_in_flight() {
        let now = clock::now();
        let mut ids = filled((0..60_000).map(|n| (n * 2 + 1, n as i64)), now);
        ids.expire(SeqNo(30_000), now);
        assert!(ids.bytes <= BYTES_MAX);
        assert_eq!(ids.get(1), None);
        assert!(ids.get(30_001 * 2 + 1).is_some());
        let mut ids = filled((0..60_000).map(|n| (n * 2 + 1, n as i64)), now);
        ids.expire(SeqNo::NONE, now);
        assert!(ids.get(1).is_some());
    }

    #[test]
    fn what_was_undone_can_come_again() {
        let now = clock::now();
        for last in -1..6 {
            let mut ids = filled([(10, 0), (20, 1), (21, 2), (22, 3), (5, 4), (10, 5)], now);
            ids.undo(SeqNo(last));
            for (id, seq_no) in [(20, 1), (21, 2), (22, 3), (5, 4)] {
                assert_eq!(ids.get(id).is_some(), seq_no <= last, "{id} after a cut above {last}");
            }
            ids.put(9, sequenced(last + 1), now);
            assert_eq!(ids.get(9), Some(sequenced(last + 1)));
            ids.expire(SeqNo(9), now + RETRY_WINDOW);
            assert_eq!((ids.bytes, ids.runs.len()), (0, 0));
        }
    }
}
