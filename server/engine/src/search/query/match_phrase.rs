//! `match_phrase`: the words of a text next to each other.

use super::field::text_term;
use super::match_::{Analyzed, MatchOptions, analyzed, leaf_of, parse_text_query};
use super::text::scored;
use super::{Built, Common, Kind, Query, QueryContext, constant, nothing, unsupported};
use serde_json::Value;
use tandem_common::Result;
use tandem_common::json::Node;
use tandem_common::mapping::FieldType;
use tantivy::Term;
use tantivy::query::PhraseQuery;

#[derive(Clone, Debug)]
pub(super) struct MatchPhraseQuery {
    pub(super) field: String,
    pub(super) text: Value,
    pub(super) options: MatchOptions,
}

pub(super) fn parse(body: &Node<'_>) -> Result<Query> {
    let mut common = Common::new();
    let mut options = MatchOptions::default();
    let known = ["query", "slop", "analyzer", "zero_terms_query", "boost", "_name"];
    if let Some(Ok((_, first))) = body.fields().next() {
        for field in first.fields() {
            let (key, value) = field?;
            if !known.contains(&key) {
                return Err(unsupported("match_phrase", key, value));
            }
        }
    }
    let (field, text) = parse_text_query("match_phrase", body, &mut common, &mut options)?;
    common.query(Kind::MatchPhrase(MatchPhraseQuery { field, text, options }))
}

impl MatchPhraseQuery {
    pub(super) fn build(&self, context: &QueryContext<'_>) -> Result<Built> {
        build_phrase(context, &self.field, &self.text, &self.options)
    }
}

pub(super) fn build_phrase(context: &QueryContext<'_>, field: &str, text: &Value, options: &MatchOptions) -> Result<Built> {
    let mut terms = match analyzed(context, "match_phrase", field, text, options)? {
        Analyzed::Done(built) => return Ok(built),
        Analyzed::Words(terms) => terms,
    };
    let Some(leaf) = leaf_of(context, field) else { return Ok(nothing()) };
    let all: Vec<Term> = terms.iter().map(|(_, term)| term.clone()).collect();
    let inner: Built = if terms.len() == 1 {
        match terms.pop() {
            Some((_, term)) => text_term(term),
            None => return Ok(nothing()),
        }
    } else {
        Box::new(PhraseQuery::new_with_offset_and_slop(terms, options.slop))
    };
    Ok(if leaf.field_type == FieldType::MatchOnlyText { constant(inner) } else { scored(context, leaf, &all, inner) })
}
