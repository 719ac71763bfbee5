//! Scores and tokens of text fields.

use super::{Built, QueryContext};
use crate::analysis::AnalyzerRegistry;
use std::sync::Arc;
use tandem_common::mapping::{FieldType, LeafField, Mapping};
use tandem_common::{Error, Result};
use tantivy::query::{Bm25StatisticsProvider, BoostQuery, EnableScoring, Query as IndexQuery, Weight};
use tantivy::schema::Field;
use tantivy::{Searcher, Term};

/// The index library's formula has a factor k1 + 1 that OpenSearch 3 dropped.
const WITHOUT_K1_PLUS_1: f32 = 1.0 / 2.2;

/// A query on one field whose scores are computed from that field's documents alone.
#[derive(Clone)]
struct FieldScored {
    inner: Arc<dyn IndexQuery>,
    documents: u64,
    tokens: u64,
}

impl std::fmt::Debug for FieldScored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FieldScored({:?})", self.inner)
    }
}

impl IndexQuery for FieldScored {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        match scoring {
            EnableScoring::Enabled { searcher, .. } => {
                let statistics = FieldStatistics { searcher, documents: self.documents, tokens: self.tokens };
                self.inner.weight(EnableScoring::enabled_from_statistics_provider(&statistics, searcher))
            }
            disabled @ EnableScoring::Disabled { .. } => self.inner.weight(disabled),
        }
    }
}

struct FieldStatistics<'s> {
    searcher: &'s Searcher,
    documents: u64,
    tokens: u64,
}

impl Bm25StatisticsProvider for FieldStatistics<'_> {
    fn total_num_tokens(&self, _field: Field) -> tantivy::Result<u64> {
        Ok(self.tokens)
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        Ok(self.documents)
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        self.searcher.doc_freq(term)
    }
}

/// `inner` with the scores that OpenSearch would give it; `terms` are those that it looks for, all of `leaf`.
pub(super) fn scored(context: &QueryContext<'_>, leaf: &LeafField, terms: Vec<Term>, inner: Built) -> Built {
    let searcher = &context.shard.searcher;
    let frequency = |term: &Term| searcher.doc_freq(term).unwrap_or(0);
    let (present, wordless) = context.shard.schema.field_name_terms(&leaf.path);
    let documents = frequency(&present).saturating_sub(frequency(&wordless));
    // A term can be in no more documents than there are; the formula is not defined otherwise.
    let documents = terms.iter().map(frequency).fold(documents, u64::max).max(1);
    let tokens = match (leaf.field_type, terms.first().map(Term::field)) {
        (FieldType::Boolean, Some(field)) => [true, false].map(|value| frequency(&Term::from_field_bool(field, value))).iter().sum(),
        (_, Some(field)) => searcher
            .segment_readers()
            .iter()
            .filter_map(|reader| reader.inverted_index(field).ok())
            .map(|index| index.total_num_tokens())
            .sum(),
        (_, None) => documents,
    };
    let query = FieldScored { inner: Arc::from(inner), documents, tokens: tokens.max(1) };
    Box::new(BoostQuery::new(Box::new(query), WITHOUT_K1_PLUS_1))
}

/// One word of a text that is searched for.
pub(super) struct Word {
    pub(super) text: String,
    pub(super) position: usize,
}

/// The words of a text, by an analyzer's name.
///
/// # Errors
/// `[match] analyzer [x] not found`
pub(super) fn words(context: &QueryContext<'_>, query: &str, analyzer: &str, text: &str) -> Result<Vec<Word>> {
    let name = AnalyzerRegistry::tokenizer_name(analyzer);
    let Some(mut tokenizer) = context.shard.searcher.index().tokenizers().get(&name) else {
        return Err(context.query_shard(format!("[{query}] analyzer [{analyzer}] not found"), None));
    };
    let mut stream = tokenizer.token_stream(text);
    let mut words = Vec::new();
    while stream.advance() {
        let token = stream.token();
        words.push(Word { text: token.text.clone(), position: token.position });
        if words.len() > super::CLAUSES_MAX {
            return Err(Error::illegal_argument(format!("maxClauseCount is set to {}", super::CLAUSES_MAX)));
        }
    }
    Ok(words)
}

/// The fields whose path fits a pattern with `*`.
pub(super) fn fields_matching<'m>(mapping: &'m Mapping, pattern: &str) -> impl Iterator<Item = &'m LeafField> {
    let regex = regex::Regex::new(&format!("^{}$", regex::escape(pattern).replace("\\*", ".*"))).ok();
    mapping.leaves().iter().filter(move |leaf| regex.as_ref().is_some_and(|regex| regex.is_match(&leaf.path)))
}
