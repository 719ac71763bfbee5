//! The catalogue of queries: from JSON to a tree, and from the tree to what the index library runs.
//!
//! *What it is*: one file per query. · *Types to know*: [`Query`], [`QueryContext`]. · **Invariants**: reading a query needs no
//! index, building one needs no JSON; scores are those of BM25 without the factor k1 + 1; filters score nothing. · *How it
//! fails*: [`Error::Parsing`] for a bad shape, [`Error::QueryShard`] for a query that does not fit the mapping. · *How it is
//! tested*: scores and hits of OpenSearch 3.1 as tables in `search_tests.rs`.

mod bool;
mod constant_score;
mod dis_max;
mod excluded;
mod exists;
mod field;
mod fuzzy;
mod ids;
mod match_;
mod match_phrase;
mod minimum_should_match;
mod multi_match;
mod pattern;
mod query_string;
mod query_syntax;
mod range;
mod term;
mod terms;
mod text;

pub(super) use field::{ColumnType, column_type};

use crate::shard::searcher::ShardSearcher;
use serde_json::{Map, Value};
use std::sync::Arc;
use tandem_common::settings::nearest;
use tandem_common::{Error, Result};
use tantivy::query::{AllQuery, BoostQuery, ConstScoreQuery, EmptyQuery, Query as IndexQuery};

/// How many clauses a bool or a match may have (`indices.query.bool.max_clause_count`).
const CLAUSES_MAX: usize = 1_024;

/// How deep queries may nest, which bounds recursion.
const DEPTH_MAX: usize = 100;

/// A query as it was sent.
#[derive(Clone, Debug)]
pub struct Query {
    kind: Kind,
    boost: f32,
    name: Option<String>,
    /// The JSON it was read from; only the outermost keeps it.
    json: Option<Arc<Value>>,
}

#[derive(Clone, Debug)]
enum Kind {
    MatchAll,
    MatchNone,
    Bool(bool::BoolQuery),
    Term(term::TermQuery),
    Terms(terms::TermsQuery),
    Range(range::RangeQuery),
    Exists(exists::ExistsQuery),
    Ids(ids::IdsQuery),
    Match(match_::MatchQuery),
    MatchPhrase(match_phrase::MatchPhraseQuery),
    MultiMatch(multi_match::MultiMatchQuery),
    ConstantScore(constant_score::ConstantScoreQuery),
    DisMax(dis_max::DisMaxQuery),
    Pattern(pattern::PatternQuery),
    QueryString(query_string::QueryStringQuery),
}

const NAMES: [&str; 16] = [
    "match_all",
    "match_none",
    "bool",
    "term",
    "terms",
    "range",
    "exists",
    "ids",
    "match",
    "match_phrase",
    "multi_match",
    "constant_score",
    "dis_max",
    "prefix",
    "wildcard",
    "query_string",
];

/// What building a query needs to know.
#[derive(Clone, Copy)]
pub(super) struct QueryContext<'c> {
    pub(super) shard: &'c ShardSearcher,
    /// What `now` means.
    pub(super) now_millis: i64,
}

/// A query ready to run.
type Built = Box<dyn IndexQuery>;

impl Query {
    /// Matches every document with a score of 1.
    pub fn match_all() -> Query {
        Query { kind: Kind::MatchAll, boost: 1.0, name: None, json: None }
    }

    /// Reads a query.
    ///
    /// # Errors
    /// A query that does not exist or has the wrong shape.
    pub fn parse(value: &Value) -> Result<Query> {
        let mut query = Self::parse_at(value, 0)?;
        query.json = Some(Arc::new(value.clone()));
        Ok(query)
    }

    /// The JSON that [`Query::parse`] read it from.
    pub fn to_json(&self) -> Value {
        self.json.as_ref().map_or_else(|| serde_json::json!({"match_all": {}}), |json| Value::clone(json))
    }

    fn parse_at(value: &Value, depth: usize) -> Result<Query> {
        if depth > DEPTH_MAX {
            return Err(Error::illegal_argument(format!(
                "The nested depth of the query exceeds the maximum nested depth for queries set in [{DEPTH_MAX}]"
            )));
        }
        let Value::Object(clause) = value else {
            return Err(Error::parsing("[_na] query malformed, must start with start_object"));
        };
        let mut entries = clause.iter();
        let Some((name, body)) = entries.next() else {
            return Err(Error::illegal_argument("query malformed, empty clause found"));
        };
        if !NAMES.contains(&name.as_str()) {
            let hint = nearest(NAMES, name).map(|near| format!(" did you mean [{near}]?")).unwrap_or_default();
            return Err(Error::parsing(format!("unknown query [{name}]{hint}")));
        }
        let Value::Object(body) = body else {
            return Err(Error::parsing(format!("[{name}] query malformed, no start_object after query name")));
        };
        let query = Self::parse_body(name, body, depth)?;
        if entries.next().is_some() {
            return Err(Error::parsing(format!("[{name}] malformed query, expected [END_OBJECT] but found [FIELD_NAME]")));
        }
        Ok(query)
    }

    fn parse_body(name: &str, body: &Map<String, Value>, depth: usize) -> Result<Query> {
        match name {
            "match_all" | "match_none" => {
                let mut common = Common::new();
                for (key, value) in body {
                    if !common.take(key, value)? {
                        return Err(unknown_parameter(name, key, &["boost", "_name"]));
                    }
                }
                Ok(common.query(if name == "match_all" { Kind::MatchAll } else { Kind::MatchNone }))
            }
            "bool" => bool::parse(body, depth),
            "term" => term::parse(body),
            "terms" => terms::parse(body),
            "range" => range::parse(body),
            "exists" => exists::parse(body),
            "ids" => ids::parse(body),
            "match" => match_::parse(body),
            "match_phrase" => match_phrase::parse(body),
            "multi_match" => multi_match::parse(body),
            "constant_score" => constant_score::parse(body, depth),
            "dis_max" => dis_max::parse(body, depth),
            "query_string" => query_string::parse(body),
            _ => pattern::parse(name, body),
        }
    }

    /// Its `_name`, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The query for one shard.
    pub(super) fn build(&self, context: &QueryContext<'_>) -> Result<Built> {
        let built: Built = match &self.kind {
            Kind::MatchAll => Box::new(AllQuery),
            Kind::MatchNone => Box::new(EmptyQuery),
            Kind::Bool(query) => query.build(context)?,
            Kind::Term(query) => query.build(context)?,
            Kind::Terms(query) => query.build(context)?,
            Kind::Range(query) => query.build(context)?,
            Kind::Exists(query) => query.build(context),
            Kind::Ids(query) => query.build(context),
            Kind::Match(query) => query.build(context)?,
            Kind::MatchPhrase(query) => query.build(context)?,
            Kind::MultiMatch(query) => query.build(context)?,
            Kind::ConstantScore(query) => query.build(context)?,
            Kind::DisMax(query) => query.build(context)?,
            Kind::Pattern(query) => query.build(context)?,
            Kind::QueryString(query) => query.build(context)?,
        };
        Ok(boosted(built, self.boost))
    }

    /// As [`Query::build`], with errors as a shard reports them.
    pub(super) fn build_on_shard(&self, context: &QueryContext<'_>) -> Result<Built> {
        self.build(context).map_err(|cause| match cause {
            // A date that cannot be read in a range is found before the query is made.
            Error::Parse { .. } | Error::QueryShard { .. } => cause,
            cause => context.failed_to_create(cause),
        })
    }
}

impl QueryContext<'_> {
    fn failed_to_create(&self, cause: Error) -> Error {
        self.query_shard(format!("failed to create query: {cause}"), Some(Box::new(cause)))
    }

    pub(super) fn query_shard(&self, reason: String, cause: Option<Box<Error>>) -> Error {
        let shard = &self.shard.shard;
        Error::QueryShard { reason, index: shard.index.clone(), uuid: shard.index_uuid.clone(), cause }
    }
}

fn boosted(query: Built, boost: f32) -> Built {
    if boost == 1.0 { query } else { Box::new(BoostQuery::new(query, boost)) }
}

/// Every hit scores 1.
fn constant(query: Built) -> Built {
    Box::new(ConstScoreQuery::new(query, 1.0))
}

fn nothing() -> Built {
    Box::new(EmptyQuery)
}

fn everything() -> Built {
    Box::new(AllQuery)
}

/// What every query takes: `boost` and `_name`.
struct Common {
    boost: f32,
    name: Option<String>,
}

impl Common {
    fn new() -> Self {
        Common { boost: 1.0, name: None }
    }

    /// Whether the key was one of the two.
    fn take(&mut self, key: &str, value: &Value) -> Result<bool> {
        match key {
            "boost" => {
                let boost = number(value)? as f32;
                if boost < 0.0 {
                    let shown = tandem_common::mapping::java_double(f64::from(boost));
                    return Err(Error::illegal_argument(format!(
                        "negative [boost] are not allowed in [{shown}], use a value between 0 and 1 to deboost"
                    )));
                }
                self.boost = boost;
            }
            "_name" => self.name = Some(text_of(value)),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn query(self, kind: Kind) -> Query {
        Query { kind, boost: self.boost, name: self.name, json: None }
    }
}

fn unknown_field(query: &str, key: &str, known: &[&str]) -> Error {
    let hint = nearest(known.iter().copied(), key).map(|near| format!(" did you mean [{near}]?")).unwrap_or_default();
    Error::XContentParse { reason: format!("[{query}] unknown field [{key}]{hint}"), cause: None }
}

/// As [`unknown_field`], as the parsers of whole queries report it.
fn unknown_parameter(query: &str, key: &str, known: &[&str]) -> Error {
    let cause = unknown_field(query, key, known);
    Error::Parsing { reason: cause.to_string(), position: None, cause: Some(Box::new(cause)) }
}

fn unsupported(query: &str, key: &str) -> Error {
    Error::parsing(format!("[{query}] query does not support [{key}]"))
}

/// A scalar as text.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => tandem_common::mapping::java_double(float),
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}

fn number(value: &Value) -> Result<f64> {
    match value.as_f64() {
        Some(number) => Ok(number),
        None => tandem_common::mapping::field_types::number_of_query(&text_of(value)),
    }
}

fn flag(value: &Value) -> Result<bool> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        other => match text_of(other).as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            text => Err(Error::illegal_argument(format!("Failed to parse value [{text}] as only [true] or [false] are allowed."))),
        },
    }
}

fn whole(value: &Value) -> Result<i64> {
    let number = number(value)?;
    Ok(number as i64)
}

/// The one field of a query such as `{"term": {field: …}}`, beside `boost` and `_name`.
fn single_field<'b>(query: &str, body: &'b Map<String, Value>, common: &mut Common) -> Result<Option<(&'b str, &'b Value)>> {
    let mut found: Option<(&str, &Value)> = None;
    for (key, value) in body {
        // Beside a field that comes as an object these two belong to the query.
        if (key == "boost" || key == "_name") && !value.is_object() && common.take(key, value)? {
            continue;
        }
        if let Some((first, _)) = found {
            return Err(Error::parsing(format!("[{query}] query doesn't support multiple fields, found [{first}] and [{key}]")));
        }
        found = Some((key, value));
    }
    Ok(found)
}
