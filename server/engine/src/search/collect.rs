//! The best documents of one segment.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use tantivy::{DocId, Score};

/// A document that may be among the best.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    /// Lower comes first.
    pub(super) keys: smallvec::SmallVec<[u64; 2]>,
    /// Of equal ones the one that was sequenced first comes first.
    pub(super) seq_no: i64,
    pub(super) doc: DocId,
    pub(super) score: Score,
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Candidate {}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.keys.cmp(&other.keys).then(self.seq_no.cmp(&other.seq_no)).then(self.doc.cmp(&other.doc))
    }
}

/// Keeps the first `limit` candidates.
pub(super) struct Best {
    limit: usize,
    heap: BinaryHeap<Candidate>,
}

impl Best {
    pub(super) fn new(limit: usize) -> Self {
        Best { limit, heap: BinaryHeap::new() }
    }

    /// Whether a candidate with this first key has no chance, whatever its other keys are.
    pub(super) fn refuses(&self, first_key: u64) -> bool {
        self.heap.len() >= self.limit
            && self.heap.peek().is_none_or(|worst| worst.keys.first().is_some_and(|worst_key| first_key > *worst_key))
    }

    pub(super) fn offer(&mut self, candidate: Candidate) {
        if self.heap.len() < self.limit {
            self.heap.push(candidate);
        } else if let Some(mut worst) = self.heap.peek_mut()
            && candidate < *worst
        {
            *worst = candidate;
        }
    }

    /// The score that a candidate needs to be better than or equal to the worst one kept.
    pub(super) fn score_wanted(&self) -> Score {
        if self.heap.len() < self.limit {
            return Score::NEG_INFINITY;
        }
        // Equal scores are decided by the sequence number, so they are looked at.
        self.heap.peek().map_or(Score::INFINITY, |worst| worst.score.next_down())
    }

    /// The candidates, in no order.
    pub(super) fn into_candidates(self) -> Vec<Candidate> {
        self.heap.into_vec()
    }
}
