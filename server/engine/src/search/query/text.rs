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
    /// How many documents every term is said to be in.
    frequency: Option<u64>,
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
                let statistics = FieldStatistics { searcher, query: self };
                self.inner.weight(EnableScoring::enabled_from_statistics_provider(&statistics, searcher))
            }
            disabled @ EnableScoring::Disabled { .. } => self.inner.weight(disabled),
        }
    }
}

struct FieldStatistics<'s> {
    searcher: &'s Searcher,
    query: &'s FieldScored,
}

impl Bm25StatisticsProvider for FieldStatistics<'_> {
    fn total_num_tokens(&self, _field: Field) -> tantivy::Result<u64> {
        Ok(self.query.tokens)
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        Ok(self.query.documents)
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        match self.query.frequency {
            Some(frequency) => Ok(frequency),
            None => self.searcher.doc_freq(term),
        }
    }
}

/// How many documents have a word in a field.
pub(super) fn field_documents(context: &QueryContext<'_>, leaf: &LeafField) -> u64 {
    let frequency = |term: &Term| context.shard.searcher.doc_freq(term).unwrap_or(0);
    let (present, wordless) = context.shard.schema.field_name_terms(&leaf.path);
    frequency(&present).saturating_sub(frequency(&wordless))
}

/// `inner` with the scores that OpenSearch would give it; `terms` are those that it looks for, all of `leaf`.
pub(super) fn scored(context: &QueryContext<'_>, leaf: &LeafField, terms: &[Term], inner: Built) -> Built {
    let Some(field) = terms.first().map(Term::field) else { return inner };
    let frequency = |term: &Term| context.shard.searcher.doc_freq(term).unwrap_or(0);
    // A term can be in no more documents than there are; the formula is not defined otherwise.
    let documents = terms.iter().map(frequency).fold(field_documents(context, leaf), u64::max);
    let query = with_statistics(context, leaf, inner, (documents, field, None));
    Box::new(BoostQuery::new(query, WITHOUT_K1_PLUS_1))
}

/// `inner`, scored from these statistics: documents, the field, and how frequent every term is to be taken for.
pub(super) fn with_statistics(
    context: &QueryContext<'_>,
    leaf: &LeafField,
    inner: Built,
    (documents, field, frequency): (u64, Field, Option<u64>),
) -> Built {
    let searcher = &context.shard.searcher;
    let tokens: u64 = if leaf.field_type == FieldType::Boolean {
        // Without lengths every value counts as one word.
        [true, false].map(|value| searcher.doc_freq(&Term::from_field_bool(field, value)).unwrap_or(0)).iter().sum()
    } else {
        let indexes = searcher.segment_readers().iter().filter_map(|reader| reader.inverted_index(field).ok());
        indexes.map(|index| index.total_num_tokens()).sum()
    };
    Box::new(FieldScored { inner: Arc::from(inner), documents: documents.max(1), tokens: tokens.max(1), frequency })
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
    let matching = mapping.leaves().iter().filter(move |leaf| regex.as_ref().is_some_and(|regex| regex.is_match(&leaf.path)));
    matching.filter_map(|leaf| mapping.behind(leaf))
}
