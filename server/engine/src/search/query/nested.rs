//! `nested`: documents around those that match, for the objects that are documents of their own.
//!
//! The documents of nested objects stand right before the document around them, in one segment. So the document around one
//! is the next that belongs to the level that is asked for.

use super::{Built, Common, Kind, Query, QueryContext, excluded, nothing, parsing_at, text, unsupported};
use std::sync::Arc;
use tandem_common::json::Node;
use tandem_common::{Error, Result};
use tantivy::query::{BooleanQuery, EnableScoring, Explanation, Occur, Query as IndexQuery, Scorer, TermSetQuery, Weight};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, DocSet, Score, SegmentReader, TERMINATED, Term};

#[derive(Clone, Debug)]
pub(super) struct NestedQuery {
    pub(super) path: String,
    pub(super) query: Box<Query>,
    pub(super) score_mode: ScoreMode,
    pub(super) ignore_unmapped: bool,
}

/// What the scores of several objects become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScoreMode {
    Avg,
    Sum,
    Min,
    Max,
    None,
}

impl ScoreMode {
    const ALL: [(&'static str, ScoreMode); 5] =
        [("avg", ScoreMode::Avg), ("sum", ScoreMode::Sum), ("min", ScoreMode::Min), ("max", ScoreMode::Max), ("none", ScoreMode::None)];

    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name)
    }
}

pub(super) fn parse(body: &Node<'_>, depth: usize) -> Result<Query> {
    let mut common = Common::new();
    let (mut path, mut query, mut score_mode, mut ignore_unmapped) = (None, None, ScoreMode::Avg, false);
    for field in body.fields() {
        let (key, value) = field?;
        match key {
            "query" if value.is_object() => query = Some(Query::parse_at(value, depth + 1)?),
            "path" => path = Some(text(value)?),
            "ignore_unmapped" => ignore_unmapped = super::flag(value)?,
            "score_mode" => {
                let name = text(value)?;
                let found = ScoreMode::ALL.iter().find(|(known, _)| *known == name);
                let refused = || Error::illegal_argument(format!("No score mode for child query [{name}] found"));
                score_mode = found.ok_or_else(refused)?.1;
            }
            "inner_hits" => return Err(parsing_at(value.place, "[nested] query does not support [inner_hits]")),
            _ if common.take(key, value)? => {}
            _ => return Err(unsupported("nested", key, value)),
        }
    }
    let required = |field: &str| Error::illegal_argument(format!("[nested] requires '{field}' field"));
    let path = path.ok_or_else(|| required("path"))?;
    let query = Box::new(query.ok_or_else(|| required("query"))?);
    common.query(Kind::Nested(NestedQuery { path, query, score_mode, ignore_unmapped }))
}

impl NestedQuery {
    pub(super) fn build(&self, context: &QueryContext<'_>) -> Result<Built> {
        let schema = &context.shard.schema;
        let path = &self.path;
        if !schema.mapping().is_nested(path) {
            if self.ignore_unmapped {
                return Ok(nothing());
            }
            let is_object = matches!(schema.mapping().resolve(path), Some(tandem_common::mapping::Resolved::Object));
            let reason = if is_object {
                format!("[nested] nested object under path [{path}] is not of nested type")
            } else {
                format!("[nested] failed to find nested object under path [{path}]")
            };
            return Err(Error::IllegalState { reason });
        }
        let Some(fields) = schema.nested() else { return Ok(nothing()) };
        let inner = self.query.build(&QueryContext { scope: Some(path), ..*context })?;
        Ok(Box::new(JoinQuery {
            inner: Arc::from(inner),
            objects: Term::from_field_text(fields.path, path),
            scope: context.scope.map(|scope| Term::from_field_text(fields.path, scope)),
            score_mode: self.score_mode,
        }))
    }
}

/// `query` without the documents of nested objects.
pub(in crate::search) fn without_nested(context: &QueryContext<'_>, query: Built) -> Built {
    let schema = &context.shard.schema;
    let Some(fields) = schema.nested() else { return query };
    let paths = schema.mapping().nested_paths();
    let nested = TermSetQuery::new(paths.iter().map(|path| Term::from_field_text(fields.path, path)));
    Box::new(BooleanQuery::new(vec![(Occur::Must, query), (Occur::MustNot, excluded::excluded(Box::new(nested)))]))
}

/// The documents around those objects that `inner` matches.
#[derive(Clone, Debug)]
struct JoinQuery {
    inner: Arc<dyn IndexQuery>,
    /// What the objects have in `_nested_path`.
    objects: Term,
    /// The level of the documents around: an outer nested object, or the outermost documents.
    scope: Option<Term>,
    score_mode: ScoreMode,
}

impl IndexQuery for JoinQuery {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        let inner = self.inner.weight(scoring)?;
        let (objects, scope) = (self.objects.clone(), self.scope.clone());
        Ok(Box::new(JoinWeight { inner, objects, scope, score_mode: self.score_mode }))
    }
}

struct JoinWeight {
    inner: Box<dyn Weight>,
    objects: Term,
    scope: Option<Term>,
    score_mode: ScoreMode,
}

/// The documents of a level: those with a term of `_nested_path`, or the outermost ones, which have none.
pub(in crate::search) fn around(reader: &SegmentReader, nested_path: Field, scope: Option<&Term>) -> tantivy::Result<Bits> {
    if let Some(scope) = scope {
        return bits_of(reader, scope);
    }
    let mut bits = Bits::new(reader.max_doc(), true);
    let index = reader.inverted_index(nested_path)?;
    let mut stream = index.terms().stream()?;
    while stream.advance() {
        let mut postings = index.read_postings_from_terminfo(stream.value(), IndexRecordOption::Basic)?;
        while postings.doc() != TERMINATED {
            bits.set(postings.doc(), false);
            postings.advance();
        }
    }
    Ok(bits)
}

/// The documents that have a term.
pub(in crate::search) fn bits_of(reader: &SegmentReader, term: &Term) -> tantivy::Result<Bits> {
    let mut bits = Bits::new(reader.max_doc(), false);
    if let Some(mut postings) = reader.inverted_index(term.field())?.read_postings(term, IndexRecordOption::Basic)? {
        while postings.doc() != TERMINATED {
            bits.set(postings.doc(), true);
            postings.advance();
        }
    }
    Ok(bits)
}

impl Weight for JoinWeight {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let inner = self.inner.scorer(reader, boost)?;
        let (objects, around) = (bits_of(reader, &self.objects)?, around(reader, self.objects.field(), self.scope.as_ref())?);
        let mut scorer = JoinScorer { inner, objects, around, score_mode: self.score_mode, doc: 0, score: 0.0 };
        scorer.advance();
        Ok(Box::new(scorer))
    }

    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        let mut scorer = self.scorer(reader, 1.0)?;
        let at = if scorer.doc() < doc { scorer.seek(doc) } else { scorer.doc() };
        Ok(Explanation::new("the nested documents that match", if at == doc { scorer.score() } else { 0.0 }))
    }
}

/// One bit per document.
#[derive(Clone)]
pub(in crate::search) struct Bits {
    words: Vec<u64>,
    count: DocId,
}

impl Bits {
    pub(in crate::search) fn new(count: DocId, value: bool) -> Self {
        Bits { words: vec![if value { u64::MAX } else { 0 }; (count as usize).div_ceil(64)], count }
    }

    pub(in crate::search) fn set(&mut self, doc: DocId, value: bool) {
        if let Some(word) = self.words.get_mut(doc as usize / 64) {
            let bit = 1 << (doc % 64);
            *word = if value { *word | bit } else { *word & !bit };
        }
    }

    pub(in crate::search) fn has(&self, doc: DocId) -> bool {
        self.words.get(doc as usize / 64).is_some_and(|word| word >> (doc % 64) & 1 == 1)
    }

    /// The bits that both have.
    pub(in crate::search) fn and(mut self, other: &Bits) -> Bits {
        for (word, other) in self.words.iter_mut().zip(other.words.iter().chain(std::iter::repeat(&0))) {
            *word &= other;
        }
        self
    }

    /// Unsets the bits of documents that do not pass.
    pub(in crate::search) fn keep(&mut self, passes: impl Fn(DocId) -> bool) {
        let mut doc = self.next(0);
        while doc != TERMINATED {
            if !passes(doc) {
                self.set(doc, false);
            }
            doc = self.next(doc + 1);
        }
    }

    /// The first set bit at or behind `doc`.
    pub(in crate::search) fn next(&self, doc: DocId) -> DocId {
        let mut at = doc as usize / 64;
        let mut word = self.words.get(at).map_or(0, |word| word & (u64::MAX << (doc % 64)));
        while word == 0 {
            at += 1;
            match self.words.get(at) {
                Some(next) => word = *next,
                None => return TERMINATED,
            }
        }
        let found = DocId::try_from(at * 64).unwrap_or(TERMINATED).saturating_add(word.trailing_zeros());
        if found < self.count { found } else { TERMINATED }
    }
}

struct JoinScorer {
    /// Stands on the first match behind `doc`.
    inner: Box<dyn Scorer>,
    objects: Bits,
    around: Bits,
    score_mode: ScoreMode,
    doc: DocId,
    score: Score,
}

impl DocSet for JoinScorer {
    fn advance(&mut self) -> DocId {
        let mut first = self.inner.doc();
        // What matches and is no such object does not count.
        while first != TERMINATED && !self.objects.has(first) {
            first = self.inner.advance();
        }
        if first == TERMINATED {
            self.doc = TERMINATED;
            return TERMINATED;
        }
        self.doc = self.around.next(first);
        let (mut count, mut sum, mut low, mut high) = (0_u32, 0.0_f32, Score::INFINITY, Score::NEG_INFINITY);
        let mut doc = first;
        while doc < self.doc {
            if self.score_mode != ScoreMode::None && self.objects.has(doc) {
                let score = self.inner.score();
                count += 1;
                sum += score;
                low = low.min(score);
                high = high.max(score);
            }
            doc = self.inner.advance();
        }
        self.score = match self.score_mode {
            ScoreMode::Avg => sum / count as f32,
            ScoreMode::Sum => sum,
            ScoreMode::Min => low,
            ScoreMode::Max => high,
            ScoreMode::None => 0.0,
        };
        self.doc
    }

    fn seek(&mut self, target: DocId) -> DocId {
        while self.doc < target {
            self.advance();
        }
        self.doc
    }

    fn doc(&self) -> DocId {
        self.doc
    }

    fn size_hint(&self) -> u32 {
        self.inner.size_hint()
    }

    fn cost(&self) -> u64 {
        self.inner.cost()
    }
}

impl Scorer for JoinScorer {
    fn score(&mut self) -> Score {
        self.score
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_bit_is_found_across_words() {
        let mut bits = Bits::new(130, false);
        for doc in [3, 64, 129] {
            bits.set(doc, true);
        }
        for (from, found) in [(0, 3), (3, 3), (4, 64), (65, 129), (129, 129), (130, TERMINATED), (500, TERMINATED)] {
            assert_eq!(bits.next(from), found, "{from}");
        }
        let mut rest = Bits::new(70, true);
        rest.set(5, false);
        let mut other = Bits::new(130, true);
        other.keep(|doc| doc > 3);
        let both = bits.clone().and(&other);
        assert_eq!((both.next(0), both.next(65)), (64, 129));
        assert!(bits.has(64) && !bits.has(65) && !bits.has(500));
        assert_eq!((rest.next(5), rest.next(69), rest.next(70)), (6, 69, TERMINATED));
    }
}
