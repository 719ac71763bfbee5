//! Which history a log belongs to, and under which term each of its operations was first sequenced.
//!
//! With (history id, op term, sequence number) two copies, in one cluster or in two, can find the last operation that
//! they share. The list is short: one entry for each primary that sequenced something.

use serde::{Deserialize, Serialize};
use tandem_common::{HistoryId, PrimaryTerm, SeqNo};

/// The first operation that was sequenced under a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TermStart {
    /// The term.
    pub op_term: PrimaryTerm,
    /// Its first operation.
    pub first_seq_no: SeqNo,
}

/// Where a history left its parent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fork {
    /// The history before.
    pub parent: HistoryId,
    /// The last operation that both share.
    pub fork: SeqNo,
}

/// The identity of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lineage {
    /// The present history.
    pub history: HistoryId,
    /// The terms, oldest first, both numbers rising.
    pub terms: Vec<TermStart>,
    /// The histories before, oldest first.
    pub forks: Vec<Fork>,
}

impl Lineage {
    /// A history with no operation yet.
    pub fn new(history: HistoryId) -> Self {
        Self { history, terms: Vec::new(), forks: Vec::new() }
    }

    /// The term under which `seq_no` was sequenced, if the log reached it; the caller knows where the log ends.
    pub fn op_term_at(&self, seq_no: SeqNo) -> Option<PrimaryTerm> {
        if seq_no < SeqNo(0) {
            return None;
        }
        self.terms.iter().rev().find(|start| start.first_seq_no <= seq_no).map(|start| start.op_term)
    }

    /// The history in which the operation at `seq_no` was sequenced, or will be.
    pub fn history_at(&self, seq_no: SeqNo) -> &HistoryId {
        let mut history = &self.history;
        for Fork { parent, fork } in self.forks.iter().rev() {
            if seq_no > *fork {
                break;
            }
            history = parent;
        }
        history
    }

    /// The last operation that this log, which ends at `end`, shares with another: up to there each has the same history and
    /// the same term in both. `None` when they have no history in common. What lies above a fork is never shared.
    pub fn last_shared(&self, end: SeqNo, other: &Lineage, other_end: SeqNo) -> Option<SeqNo> {
        if self.history_at(SeqNo::NONE) != other.history_at(SeqNo::NONE) {
            return None;
        }
        // Between these places nothing changes in either.
        let terms = [self, other].into_iter().flat_map(|lineage| lineage.terms.iter().map(|start| start.first_seq_no));
        let forks = [self, other].into_iter().flat_map(|lineage| lineage.forks.iter().map(|fork| fork.fork.next()));
        let mut places: Vec<SeqNo> = terms.chain(forks).filter(|place| *place >= SeqNo(0)).collect();
        places.sort_unstable();
        let last = end.min(other_end);
        let differs =
            |place: &&SeqNo| self.history_at(**place) != other.history_at(**place) || self.op_term_at(**place) != other.op_term_at(**place);
        let parting = places.iter().filter(|place| **place <= last).find(differs);
        Some(parting.map_or(last, |place| SeqNo(place.0 - 1)))
    }

    /// The highest term in the log.
    pub fn last_op_term(&self) -> Option<PrimaryTerm> {
        self.terms.last().map(|start| start.op_term)
    }

    /// Notes that the operation at `seq_no` has `op_term`. Only a new term adds something.
    pub fn note(&mut self, seq_no: SeqNo, op_term: PrimaryTerm) {
        if self.last_op_term() != Some(op_term) {
            self.terms.push(TermStart { op_term, first_seq_no: seq_no });
        }
    }

    /// Forgets what lies above `last`, for a log that was cut there.
    pub fn truncate(&mut self, last: SeqNo) {
        self.terms.retain(|start| start.first_seq_no <= last);
    }

    /// Starts a history of its own at `fork`, the last operation shared with the present one.
    pub fn fork(&mut self, history: HistoryId, fork: SeqNo) {
        let parent = std::mem::replace(&mut self.history, history);
        self.forks.push(Fork { parent, fork });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lineage() -> Lineage {
        let mut lineage = Lineage::new(HistoryId("a".into()));
        for (seq_no, term) in [(0, 1), (1, 1), (2, 4), (3, 4), (4, 9)] {
            lineage.note(SeqNo(seq_no), PrimaryTerm(term));
        }
        lineage
    }

    #[test]
    fn each_operation_has_the_term_that_sequenced_it() {
        let lineage = lineage();
        let terms: Vec<_> = (-1..6).map(|n| lineage.op_term_at(SeqNo(n)).map(|term| term.0)).collect();
        assert_eq!(terms, [None, Some(1), Some(1), Some(4), Some(4), Some(9), Some(9)]);
        assert_eq!(lineage.terms.len(), 3);
    }

    #[test]
    fn cutting_the_log_forgets_the_terms_above() {
        let mut lineage = lineage();
        lineage.truncate(SeqNo(3));
        assert_eq!(lineage.last_op_term(), Some(PrimaryTerm(4)));
        lineage.truncate(SeqNo(-1));
        assert_eq!(lineage.last_op_term(), None);
    }

    #[test]
    fn two_logs_share_what_has_the_same_history_and_the_same_term() {
        let history = |name: &str| HistoryId(name.into());
        let base = lineage();
        let forked = |mut lineage: Lineage, name: &str, at: i64, terms: &[(i64, u64)]| {
            lineage.truncate(SeqNo(at));
            lineage.fork(history(name), SeqNo(at));
            terms.iter().for_each(|(seq_no, term)| lineage.note(SeqNo(*seq_no), PrimaryTerm(*term)));
            lineage
        };
        let leader = {
            let mut leader = base.clone();
            leader.note(SeqNo(6), PrimaryTerm(12));
            leader
        };
        let promoted = forked(base.clone(), "b", 4, &[(5, 1000)]);
        let twice = forked(promoted.clone(), "c", 7, &[(8, 2000)]);
        let earlier = forked(promoted.clone(), "d", 2, &[(3, 3000)]);
        let stranger = Lineage::new(history("x"));
        let lost = {
            let mut lost = base.clone();
            lost.truncate(SeqNo(3));
            lost.note(SeqNo(4), PrimaryTerm(10));
            lost
        };
        let table = [
            (&base, 5, &leader, 9, Some(5)),
            (&leader, 9, &promoted, 9, Some(4)),
            (&leader, 9, &promoted, 3, Some(3)),
            (&promoted, 9, &twice, 12, Some(7)),
            (&leader, 9, &twice, 12, Some(4)),
            (&earlier, 9, &leader, 9, Some(2)),
            (&earlier, 9, &promoted, 9, Some(2)),
            (&earlier, 9, &twice, 9, Some(2)),
            (&lost, 9, &leader, 9, Some(3)),
            (&leader, -1, &promoted, 9, Some(-1)),
            (&leader, 9, &stranger, 9, None),
        ];
        for (one, one_end, other, other_end, expected) in table {
            let shared = one.last_shared(SeqNo(one_end), other, SeqNo(other_end));
            assert_eq!(shared, expected.map(SeqNo), "{one:?} {other:?}");
            assert_eq!(other.last_shared(SeqNo(other_end), one, SeqNo(one_end)), shared, "it is the same from both sides");
        }
    }

    #[test]
    fn a_fork_remembers_its_parent() {
        let mut lineage = lineage();
        lineage.fork(HistoryId("b".into()), SeqNo(4));
        assert_eq!(lineage.history, HistoryId("b".into()));
        assert_eq!(lineage.forks, [Fork { parent: HistoryId("a".into()), fork: SeqNo(4) }]);
    }
}
