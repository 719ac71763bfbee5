//! `match`: the words of a text in one field.

use super::field::{FieldTarget, not_searchable, term_query, text_term};
use super::fuzzy::{FuzzyOptions, fuzzy_query};
use super::minimum_should_match::MinimumShouldMatch;
use super::text::{scored, words};
use super::{
    Built, Common, Kind, Query, QueryContext, constant, everything, flag, nothing, parsing_at, single_field, text, text_of, unsupported,
};
use serde_json::Value;
use tandem_common::json::{Node, NodeValue};
use tandem_common::mapping::{FieldType, LeafField};
use tandem_common::{Error, Result};
use tantivy::Term;
use tantivy::query::{BooleanQuery, Occur};

#[derive(Clone, Debug)]
pub(super) struct MatchQuery {
    pub(super) field: String,
    pub(super) text: Value,
    pub(super) options: MatchOptions,
}

/// What `match` and `multi_match` have in common.
#[derive(Clone, Debug, Default)]
pub(super) struct MatchOptions {
    pub(super) all_words: bool,
    pub(super) minimum_should_match: Option<MinimumShouldMatch>,
    pub(super) analyzer: Option<String>,
    pub(super) lenient: bool,
    pub(super) zero_terms_all: bool,
    pub(super) slop: u32,
    pub(super) fuzzy: FuzzyOptions,
}

impl MatchOptions {
    /// Whether the key was one of them.
    pub(super) fn take(&mut self, key: &str, value: &Node<'_>) -> Result<bool> {
        match key {
            "operator" => {
                self.all_words = match text(value)?.to_uppercase().as_str() {
                    "AND" => true,
                    "OR" => false,
                    other => {
                        return Err(Error::illegal_argument(format!("No enum constant org.opensearch.index.query.Operator.{other}")));
                    }
                }
            }
            "minimum_should_match" => self.minimum_should_match = Some(MinimumShouldMatch(text(value)?)),
            "analyzer" => self.analyzer = Some(text(value)?),
            "lenient" => self.lenient = flag(value)?,
            "zero_terms_query" => {
                self.zero_terms_all = match text(value)?.to_lowercase().as_str() {
                    "all" => true,
                    "none" => false,
                    _ => return Err(parsing_at(value.place, format!("Unsupported zero_terms_query value [{}]", text(value)?))),
                }
            }
            "slop" => {
                self.slop = u32::try_from(super::whole(value)?).map_err(|_| Error::illegal_argument("No negative slop allowed."))?;
            }
            // There are no synonyms, and every frequency is as good as any other.
            "auto_generate_synonyms_phrase_query" | "cutoff_frequency" => {}
            _ => return self.fuzzy.take(key, value),
        }
        Ok(true)
    }
}

pub(super) fn parse(body: &Node<'_>) -> Result<Query> {
    let mut common = Common::new();
    let mut options = MatchOptions::default();
    let (field, text) = parse_text_query("match", body, &mut common, &mut options)?;
    common.query(Kind::Match(MatchQuery { field, text, options }))
}

/// `{field: text}` or `{field: {"query": text, …}}`
pub(super) fn parse_text_query(query: &str, body: &Node<'_>, common: &mut Common, options: &mut MatchOptions) -> Result<(String, Value)> {
    let no_text = |at| parsing_at(at, "No text specified for text query");
    let Some((field, value)) = single_field(query, body, common)? else {
        // Each of the two has its own words for it.
        let missing = Error::illegal_argument(format!("[{query}] requires fieldName"));
        return Err(if query == "match" { no_text(body.close) } else { missing });
    };
    let mut no_text_at = value.close;
    let text = match &value.value {
        NodeValue::Object(_) => {
            let fields = value;
            no_text_at = body.close;
            let mut text = Value::Null;
            for field in fields.fields() {
                let (key, value) = field?;
                match key {
                    "query" if value.is_object() || value.is_array() => {
                        let reason = format!("[{query}] unknown token [{}] after [query]", value.kind_name());
                        return Err(parsing_at(value.place, reason));
                    }
                    "query" => text = value.to_value()?,
                    _ if common.take(key, value)? => {}
                    "slop" if query == "match" => return Err(unsupported(query, key, value)),
                    _ if options.take(key, value)? => {}
                    _ => return Err(unsupported(query, key, value)),
                }
            }
            text
        }
        NodeValue::Array(_) => {
            return Err(parsing_at(value.place, format!("[{query}] query does not support an array of values")));
        }
        _ => value.to_value()?,
    };
    if text.is_null() { Err(no_text(no_text_at)) } else { Ok((field.to_owned(), text)) }
}

/// The words of a text for one field, or a finished query where the field has no words.
pub(super) enum Analyzed {
    Words(Vec<(usize, Term)>),
    Done(Built),
}

/// What a text becomes for a field: words for text fields, one exact value for all others.
pub(super) fn analyzed(context: &QueryContext<'_>, query: &str, field: &str, text: &Value, options: &MatchOptions) -> Result<Analyzed> {
    if let Some(analyzer) = &options.analyzer {
        // Checked even where the field does not use it.
        words(context, query, analyzer, "")?;
    }
    let FieldTarget::Leaf(number, leaf) = FieldTarget::find(context, field) else {
        return Ok(Analyzed::Done(term_query(context, field, text)?));
    };
    if !leaf.field_type.is_text() {
        return match term_query(context, field, text) {
            Ok(built) => Ok(Analyzed::Done(built)),
            Err(_) if options.lenient => Ok(Analyzed::Done(nothing())),
            Err(error) => Err(error),
        };
    }
    let Some(index_field) = context.shard.schema.leaf_field(number) else { return Err(not_searchable(leaf)) };
    let analyzer = options.analyzer.as_deref().unwrap_or(&leaf.options().search_analyzer);
    let found = words(context, query, analyzer, &text_of(text))?;
    if found.is_empty() {
        return Ok(Analyzed::Done(if options.zero_terms_all { everything() } else { nothing() }));
    }
    Ok(Analyzed::Words(found.into_iter().map(|word| (word.position, Term::from_field_text(index_field, &word.text))).collect()))
}

impl MatchQuery {
    pub(super) fn build(&self, context: &QueryContext<'_>) -> Result<Built> {
        build_match(context, &self.field, &self.text, &self.options)
    }
}

pub(super) fn build_match(context: &QueryContext<'_>, field: &str, text: &Value, options: &MatchOptions) -> Result<Built> {
    let terms = match analyzed(context, "match", field, text, options)? {
        Analyzed::Done(built) => return Ok(built),
        Analyzed::Words(terms) => terms,
    };
    let Some(leaf) = leaf_of(context, field) else { return Ok(nothing()) };
    let all: Vec<Term> = terms.iter().map(|(_, term)| term.clone()).collect();
    let mut clauses = Vec::with_capacity(terms.len());
    for (_, term) in terms {
        let word = term.value().as_str().unwrap_or_default().to_owned();
        clauses.push(match fuzzy_query(context, leaf, &term, &word, &options.fuzzy)? {
            Some(fuzzy) => fuzzy,
            None if leaf.field_type == FieldType::MatchOnlyText => constant(text_term(term)),
            None => text_term(term),
        });
    }
    let count = clauses.len();
    let inner: Built = match (clauses.pop(), count) {
        (Some(only), 1) => only,
        (last, _) => {
            clauses.extend(last);
            let occur = if options.all_words { Occur::Must } else { Occur::Should };
            let wanted = match &options.minimum_should_match {
                Some(minimum) if !options.all_words => minimum.of(count)?,
                _ => 0,
            };
            if wanted > count {
                return Ok(nothing());
            }
            let wanted = if options.all_words { 0 } else { wanted.max(1) };
            let clauses = clauses.into_iter().map(|clause| (occur, clause)).collect();
            Box::new(BooleanQuery::with_minimum_required_clauses(clauses, wanted))
        }
    };
    // Without frequencies every word that is there counts as much as any other.
    Ok(if leaf.field_type == FieldType::MatchOnlyText { inner } else { scored(context, leaf, &all, inner) })
}

pub(super) fn leaf_of<'c>(context: &QueryContext<'c>, field: &str) -> Option<&'c LeafField> {
    context.shard.schema.mapping().field(field).map(|(_, leaf)| leaf)
}
