//! `query_string`, and `q` of a URL: Lucene's syntax over one or several fields.

use super::excluded::excluded;
use super::fuzzy::Fuzziness;
use super::match_::{MatchOptions, build_match};
use super::match_phrase::build_phrase;
use super::minimum_should_match::MinimumShouldMatch;
use super::multi_match::{expanded, field_and_boost};
use super::pattern::{PatternKind, PatternQuery};
use super::query_syntax::{Clause, Node, Occurs, Syntax, parse_syntax};
use super::range::RangeQuery;
use super::{
    Built, Common, Kind, Query, QueryContext, boosted, everything, exists, flag, nothing, number, parsing_at, text as shown, texts,
    unsupported,
};
use serde_json::Value;
use tandem_common::json;
use tandem_common::{Error, Result};
use tantivy::query::{BooleanQuery, ConstScoreQuery, DisjunctionMaxQuery, Occur};

#[derive(Clone, Debug)]
pub(super) struct QueryStringQuery {
    pub(super) text: String,
    /// Names or patterns, with their boosts; empty for every field.
    pub(super) fields: Vec<(String, f32)>,
    pub(super) all_words: bool,
    pub(super) lenient: Option<bool>,
    pub(super) analyzer: Option<String>,
    pub(super) phrase_slop: u32,
    pub(super) tie_breaker: f32,
    pub(super) minimum_should_match: Option<MinimumShouldMatch>,
}

pub(super) fn parse(body: &json::Node<'_>) -> Result<Query> {
    let mut common = Common::new();
    let mut text = None;
    let mut query = QueryStringQuery {
        text: String::new(),
        fields: Vec::new(),
        all_words: false,
        lenient: None,
        analyzer: None,
        phrase_slop: 0,
        tie_breaker: 0.0,
        minimum_should_match: None,
    };
    for field in body.fields() {
        let (key, value) = field?;
        if (value.is_object() || value.is_array()) && key != "fields" {
            return Err(unsupported("query_string", key, value));
        }
        match key {
            "query" => text = Some(shown(value)?),
            "default_field" => query.fields = vec![(shown(value)?, 1.0)],
            "fields" => {
                if !value.is_array() {
                    return Err(unsupported("query_string", key, value));
                }
                query.fields = texts("query_string", key, value)?.iter().map(|field| field_and_boost(field)).collect::<Result<_>>()?;
            }
            "default_operator" => {
                let mut options = MatchOptions::default();
                options.take("operator", value)?;
                query.all_words = options.all_words;
            }
            "lenient" => query.lenient = Some(flag(value)?),
            "analyzer" => query.analyzer = Some(shown(value)?),
            "phrase_slop" => query.phrase_slop = u32::try_from(super::whole(value)?).unwrap_or(0),
            "tie_breaker" => query.tie_breaker = number(value)? as f32,
            "minimum_should_match" => query.minimum_should_match = Some(MinimumShouldMatch(shown(value)?)),
            // They say how terms are expanded, which does not show in the hits.
            "analyze_wildcard"
            | "allow_leading_wildcard"
            | "rewrite"
            | "fuzzy_rewrite"
            | "max_determinized_states"
            | "enable_position_increments"
            | "auto_generate_synonyms_phrase_query"
            | "fuzzy_prefix_length"
            | "fuzzy_max_expansions"
            | "fuzzy_transpositions"
            | "escape" => {}
            _ if common.take(key, value)? => {}
            _ => return Err(unsupported("query_string", key, value)),
        }
    }
    query.text = text.ok_or_else(|| parsing_at(body.close, "[query_string] must be provided with a [query]"))?;
    common.query(Kind::QueryString(query))
}

impl QueryStringQuery {
    pub(super) fn build(&self, context: &QueryContext<'_>) -> Result<Built> {
        let text = self.text.trim();
        if text.is_empty() {
            return Ok(nothing());
        }
        let clauses = parse_syntax(text, self.all_words).map_err(|Syntax(detail)| {
            let reason = format!("Failed to parse query [{}]", self.text);
            context.query_shard(reason, Some(Box::new(Error::QuerySyntax { reason: detail })))
        })?;
        let every = self.fields.is_empty() || self.fields.iter().any(|(field, _)| field == "*");
        let lenient = self.lenient.unwrap_or(every);
        let fields = if every { Vec::new() } else { self.fields.clone() };
        let builder = Builder { context, query: self, lenient };
        builder.clauses(&clauses, &fields, self.minimum_should_match.as_ref())
    }
}

struct Builder<'b> {
    context: &'b QueryContext<'b>,
    query: &'b QueryStringQuery,
    lenient: bool,
}

impl Builder<'_> {
    fn clauses(&self, clauses: &[Clause], fields: &[(String, f32)], minimum: Option<&MinimumShouldMatch>) -> Result<Built> {
        if let [Clause { occurs: Occurs::May | Occurs::Must, node }] = clauses {
            return self.node(node, fields);
        }
        let mut built = Vec::new();
        let mut optional = 0;
        let mut required = 0;
        for clause in clauses {
            let occur = match clause.occurs {
                Occurs::May => Occur::Should,
                Occurs::Must => Occur::Must,
                Occurs::Not => Occur::MustNot,
            };
            optional += usize::from(occur == Occur::Should);
            required += usize::from(occur == Occur::Must);
            let node = self.node(&clause.node, fields)?;
            built.push((occur, if occur == Occur::MustNot { excluded(node) } else { node }));
        }
        if optional + required == 0 {
            if built.is_empty() {
                return Ok(nothing());
            }
            built.push((Occur::Must, Box::new(ConstScoreQuery::new(everything(), 0.0))));
        }
        let wanted = minimum.map_or(Ok(0), |minimum| minimum.of(optional))?;
        let wanted = if required == 0 && optional > 0 { wanted.max(1) } else { wanted };
        if wanted > optional {
            return Ok(nothing());
        }
        Ok(Box::new(BooleanQuery::with_minimum_required_clauses(built, wanted)))
    }

    fn node(&self, node: &Node, fields: &[(String, f32)]) -> Result<Built> {
        match node {
            Node::All => Ok(everything()),
            Node::Group(clauses) => self.clauses(clauses, fields, None),
            Node::In(field, inner) => self.node(inner, &[(field.clone(), 1.0)]),
            Node::Boosted(inner, boost) => Ok(boosted(self.node(inner, fields)?, *boost)),
            Node::Exists(field) => Ok(exists::ExistsQuery::of(field).build(self.context)),
            Node::Words(text) => self.over_fields(fields, |field| build_match(self.context, field, &text.as_str().into(), &self.options())),
            Node::Fuzzy(text, edits) => {
                let mut options = self.options();
                options.fuzzy.fuzziness = Some(edits.map_or(Fuzziness::AUTO, Fuzziness::Edits));
                self.over_fields(fields, |field| build_match(self.context, field, &text.as_str().into(), &options))
            }
            Node::Phrase(text, slop) => {
                let mut options = self.options();
                options.slop = slop.unwrap_or(self.query.phrase_slop);
                self.over_fields(fields, |field| build_phrase(self.context, field, &text.as_str().into(), &options))
            }
            Node::Pattern(pattern) => self.over_fields(fields, |field| {
                let is_text = self.context.shard.schema.mapping().field(field).is_some_and(|(_, leaf)| leaf.field_type.is_text());
                // Words of texts are in lower case, so what is looked for among them is, too.
                let value = if is_text { pattern.to_lowercase() } else { pattern.clone() };
                PatternQuery { field: field.to_owned(), value, kind: PatternKind::Wildcard, case_insensitive: false }.build(self.context)
            }),
            Node::Range { lower, upper } => self.over_fields(fields, |field| {
                let bound = |bound: &Option<(String, bool)>| match bound {
                    Some((text, included)) => (Some(Value::from(text.as_str())), *included),
                    None => (None, true),
                };
                RangeQuery::between(field, bound(lower), bound(upper)).build(self.context)
            }),
        }
    }

    fn options(&self) -> MatchOptions {
        MatchOptions {
            all_words: self.query.all_words,
            analyzer: self.query.analyzer.clone(),
            lenient: self.lenient,
            ..MatchOptions::default()
        }
    }

    /// The best of what a query finds in each field.
    fn over_fields(&self, fields: &[(String, f32)], build: impl Fn(&str) -> Result<Built>) -> Result<Built> {
        let (found, _) = expanded(self.context, fields)?;
        let is_single = matches!(fields, [(name, _)] if !name.contains('*'));
        let mut built: Vec<Built> = Vec::new();
        for (field, boost) in &found {
            match build(field) {
                Ok(query) => built.push(boosted(query, *boost)),
                // What a field cannot hold, it does not hold.
                Err(_) if self.lenient || !is_single => {}
                Err(error) => return Err(error),
            }
        }
        Ok(match (built.pop(), built.is_empty()) {
            (None, _) => nothing(),
            (Some(only), true) => only,
            (Some(last), false) => {
                built.push(last);
                Box::new(DisjunctionMaxQuery::with_tie_breaker(built, self.query.tie_breaker))
            }
        })
    }
}
