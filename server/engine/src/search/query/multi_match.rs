//! `multi_match`: the words of a text in several fields.

use super::match_::{MatchOptions, build_match};
use super::match_phrase::build_phrase;
use super::text::fields_matching;
use super::{Built, Common, Kind, Query, QueryContext, boosted, nothing, number, parsing_at, text, texts, unsupported};
use serde_json::Value;
use tandem_common::json::Node;
use tandem_common::mapping::FieldType;
use tandem_common::{Error, Result};
use tantivy::query::DisjunctionMaxQuery;

#[derive(Clone, Debug)]
pub(super) struct MultiMatchQuery {
    pub(super) text: Value,
    /// Names or patterns, with their boosts; empty for every field.
    pub(super) fields: Vec<(String, f32)>,
    pub(super) kind: MultiMatchKind,
    pub(super) tie_breaker: Option<f32>,
    pub(super) options: MatchOptions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MultiMatchKind {
    BestFields,
    MostFields,
    Phrase,
}

impl MultiMatchKind {
    pub(super) fn name(self) -> &'static str {
        match self {
            MultiMatchKind::BestFields => "best_fields",
            MultiMatchKind::MostFields => "most_fields",
            MultiMatchKind::Phrase => "phrase",
        }
    }
}

pub(super) fn parse(body: &Node<'_>) -> Result<Query> {
    let mut common = Common::new();
    let mut query = MultiMatchQuery {
        text: Value::Null,
        fields: Vec::new(),
        kind: MultiMatchKind::BestFields,
        tie_breaker: None,
        options: MatchOptions::default(),
    };
    for field in body.fields() {
        let (key, value) = field?;
        match key {
            "query" => query.text = value.to_value()?,
            "fields" => {
                query.fields = texts("multi_match", key, value)?.iter().map(|field| field_and_boost(field)).collect::<Result<_>>()?;
            }
            "type" => {
                query.kind = match text(value)?.as_str() {
                    "best_fields" => MultiMatchKind::BestFields,
                    "most_fields" => MultiMatchKind::MostFields,
                    "phrase" => MultiMatchKind::Phrase,
                    other @ ("cross_fields" | "phrase_prefix" | "bool_prefix") => {
                        return Err(parsing_at(value.place, format!("[multi_match] type [{other}] is not supported")));
                    }
                    other => {
                        return Err(Error::parse(format!("failed to parse [multi_match] query type [{other}]. unknown type.")));
                    }
                }
            }
            "tie_breaker" => query.tie_breaker = Some(number(value)? as f32),
            _ if common.take(key, value)? => {}
            _ if query.options.take(key, value)? => {}
            _ => return Err(unsupported("multi_match", key, value)),
        }
    }
    if query.text.is_null() {
        return Err(parsing_at(body.close, "No text specified for multi_match query"));
    }
    common.query(Kind::MultiMatch(query))
}

pub(super) fn field_and_boost(text: &str) -> Result<(String, f32)> {
    match text.split_once('^') {
        None => Ok((text.to_owned(), 1.0)),
        Some((field, boost)) => {
            let parsed = boost.parse().map_err(|_| Error::NumberFormat { input: boost.to_owned() })?;
            Ok((field.to_owned(), parsed))
        }
    }
}

/// The fields that names and patterns stand for, with their boosts, and whether there were patterns. None stand for all.
pub(super) fn expanded(context: &QueryContext<'_>, fields: &[(String, f32)]) -> Result<(Vec<(String, f32)>, bool)> {
    let mapping = context.shard.schema.mapping();
    let mut found: Vec<(String, f32)> = Vec::new();
    let mut has_patterns = fields.is_empty();
    if fields.is_empty() {
        let searchable = mapping
            .leaves()
            .iter()
            .filter(|leaf| !matches!(leaf.field_type, FieldType::Boolean | FieldType::Alias) && leaf.options().index);
        found.extend(searchable.map(|leaf| (leaf.path.to_string(), 1.0)));
    }
    for (name, boost) in fields {
        if name.contains('*') {
            has_patterns = true;
            found.extend(fields_matching(mapping, name).map(|leaf| (leaf.path.to_string(), *boost)));
        } else {
            found.push((name.clone(), *boost));
        }
    }
    if found.len() > super::CLAUSES_MAX {
        let (count, limit) = (found.len(), super::CLAUSES_MAX);
        return Err(Error::illegal_argument(format!("field expansion matches too many fields, limit: {limit}, got: {count}")));
    }
    Ok((found, has_patterns))
}

impl MultiMatchQuery {
    pub(super) fn build(&self, context: &QueryContext<'_>) -> Result<Built> {
        let (fields, has_patterns) = expanded(context, &self.fields)?;
        let mut options = self.options.clone();
        // A pattern meets fields that nobody thought of; they do not fail the query.
        options.lenient |= has_patterns;
        let mut built: Vec<Built> = Vec::new();
        for (field, boost) in &fields {
            let query = match self.kind {
                MultiMatchKind::Phrase => build_phrase(context, field, &self.text, &options)?,
                MultiMatchKind::BestFields | MultiMatchKind::MostFields => build_match(context, field, &self.text, &options)?,
            };
            built.push(boosted(query, *boost));
        }
        let tie_breaker = self.tie_breaker.unwrap_or(if self.kind == MultiMatchKind::MostFields { 1.0 } else { 0.0 });
        Ok(match (built.pop(), built.is_empty()) {
            (None, _) => nothing(),
            (Some(only), true) => only,
            (Some(last), false) => {
                built.push(last);
                Box::new(DisjunctionMaxQuery::with_tie_breaker(built, tie_breaker))
            }
        })
    }
}
