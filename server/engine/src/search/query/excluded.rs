//! What must not match. The index library asks an excluded phrase about documents before its first, which a phrase does not
//! allow; this stands in between and answers with what it knows.

use super::Built;
use std::sync::Arc;
use tantivy::query::{EnableScoring, Explanation, Query as IndexQuery, Scorer, Weight};
use tantivy::{DocId, DocSet, Score, SegmentReader};

/// A query that may stand as what must not match.
pub(super) fn excluded(query: Built) -> Built {
    Box::new(Excluded(Arc::from(query)))
}

#[derive(Clone, Debug)]
struct Excluded(Arc<dyn IndexQuery>);

impl IndexQuery for Excluded {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(ExcludedWeight(self.0.weight(scoring)?)))
    }
}

struct ExcludedWeight(Box<dyn Weight>);

impl Weight for ExcludedWeight {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        Ok(Box::new(ExcludedScorer(self.0.scorer(reader, boost)?)))
    }

    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        self.0.explain(reader, doc)
    }
}

/// Keeps to the plain ways of moving, which are right from any position.
struct ExcludedScorer(Box<dyn Scorer>);

impl DocSet for ExcludedScorer {
    fn advance(&mut self) -> DocId {
        self.0.advance()
    }

    fn seek(&mut self, target: DocId) -> DocId {
        self.0.seek(target)
    }

    fn doc(&self) -> DocId {
        self.0.doc()
    }

    fn size_hint(&self) -> u32 {
        self.0.size_hint()
    }

    fn cost(&self) -> u64 {
        self.0.cost()
    }
}

impl Scorer for ExcludedScorer {
    fn score(&mut self) -> Score {
        self.0.score()
    }
}
