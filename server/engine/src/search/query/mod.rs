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
mod flat_object;
mod fuzzy;
mod geo;
mod ids;
mod match_;
mod match_phrase;
mod minimum_should_match;
mod multi_match;
mod nested;
mod pattern;
mod query_string;
mod query_syntax;
mod range;
mod range_field;
mod shown;
mod term;
mod terms;
mod text;

pub(super) use field::{ColumnType, column_type};
pub(super) use nested::{Bits, around, bits_of, without_nested};

use crate::shard::searcher::ShardSearcher;
use serde_json::Value;
use std::sync::Arc;
use tandem_common::json::{Node, Place, parse_tree};
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
    Nested(nested::NestedQuery),
    Geo(geo::GeoQuery),
}

const NAMES: [&str; 20] = [
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
    "nested",
    "geo_distance",
    "geo_bounding_box",
    "geo_polygon",
];

/// What building a query needs to know.
#[derive(Clone, Copy)]
pub(super) struct QueryContext<'c> {
    pub(super) shard: &'c ShardSearcher,
    /// What `now` means.
    pub(super) now_millis: i64,
    /// The nested object whose documents are looked at; none for the outermost ones.
    pub(super) scope: Option<&'c str>,
}

impl<'c> QueryContext<'c> {
    pub(super) fn new(shard: &'c ShardSearcher, now_millis: i64) -> Self {
        QueryContext { shard, now_millis, scope: None }
    }
}

/// A query ready to run.
type Built = Box<dyn IndexQuery>;

impl Query {
    /// Matches every document with a score of 1.
    pub fn match_all() -> Query {
        Query { kind: Kind::MatchAll, boost: 1.0, name: None, json: None }
    }

    /// Reads a query that did not come as text.
    ///
    /// # Errors
    /// A query that does not exist or has the wrong shape.
    pub fn parse(value: &Value) -> Result<Query> {
        Self::read(&parse_tree(value.to_string().as_bytes())?)
    }

    /// Reads a query.
    ///
    /// # Errors
    /// A query that does not exist or has the wrong shape; what is wrong with the text.
    pub(super) fn read(node: &Node<'_>) -> Result<Query> {
        let mut query = Self::parse_at(node, 0)?;
        query.json = Some(Arc::new(node.to_value()?));
        Ok(query)
    }

    /// The JSON that [`Query::parse`] read it from.
    pub fn to_json(&self) -> Value {
        self.json.as_ref().map_or_else(|| serde_json::json!({"match_all": {}}), |json| Value::clone(json))
    }

    fn parse_at(node: &Node<'_>, depth: usize) -> Result<Query> {
        if depth > DEPTH_MAX {
            return Err(Error::illegal_argument(format!(
                "The nested depth of the query exceeds the maximum nested depth for queries set in [{DEPTH_MAX}]"
            )));
        }
        if !node.is_object() {
            // The parser has gone on to see whether it starts there.
            return Err(parsing_at(node.after(), "[_na] query malformed, must start with start_object"));
        }
        let mut entries = node.fields();
        let Some(first) = entries.next() else {
            let (line, column) = node.close;
            return Err(Error::illegal_argument(format!("query malformed, empty clause found at [{line}:{column}]")));
        };
        let (name, body) = first?;
        if !body.is_object() {
            return Err(parsing_at(body.place, format!("[{name}] query malformed, no start_object after query name")));
        }
        if !NAMES.contains(&name) {
            return Err(unknown_query(name, body.place));
        }
        let query = Self::parse_body(name, body, depth)?;
        if let Some(next) = entries.next() {
            let reason = format!("[{name}] malformed query, expected [END_OBJECT] but found [FIELD_NAME]");
            return Err(parsing_at(next?.1.key_place, reason));
        }
        Ok(query)
    }

    fn parse_body(name: &str, body: &Node<'_>, depth: usize) -> Result<Query> {
        match name {
            "match_all" => {
                let mut common = Common::new();
                for field in body.fields() {
                    let (key, value) = field?;
                    if !common.take_strictly(name, key, value).map_err(|cause| parsing_of(value, cause))? {
                        return Err(parsing_of(value, unknown_field(name, key, value, &["boost", "_name"])));
                    }
                }
                common.query(Kind::MatchAll)
            }
            "match_none" => {
                let mut common = Common::new();
                for field in body.fields() {
                    let (key, value) = field?;
                    if !common.take(key, value)? {
                        return Err(unsupported(name, key, value));
                    }
                }
                common.query(Kind::MatchNone)
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
            "nested" => nested::parse(body, depth),
            "geo_distance" | "geo_bounding_box" | "geo_polygon" => geo::parse(name, body),
            _ => pattern::parse(name, body),
        }
    }

    /// Its `_name`, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The queries in it that have names, the inner ones first.
    pub(super) fn collect_named<'q>(&'q self, into: &mut Vec<(&'q str, &'q Query)>) {
        match &self.kind {
            Kind::Bool(query) => query.clauses().for_each(|query| query.collect_named(into)),
            Kind::DisMax(query) => query.queries.iter().for_each(|query| query.collect_named(into)),
            Kind::ConstantScore(query) => query.filter.collect_named(into),
            _ => {}
        }
        into.extend(self.name().map(|name| (name, self)));
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
            Kind::Nested(query) => query.build(context)?,
            Kind::Geo(query) => query.build(context)?,
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
    /// The parser and the place of `boost`, for parsers that name both.
    strict: Option<(String, Place)>,
    name: Option<String>,
}

impl Common {
    fn new() -> Self {
        Common { boost: 1.0, strict: None, name: None }
    }

    /// Whether the key was one of the two.
    fn take(&mut self, key: &str, value: &Node<'_>) -> Result<bool> {
        match key {
            "boost" => self.boost = number(value)? as f32,
            "_name" => self.name = Some(text(value)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// As [`Common::take`], for the queries whose parsers say which of their fields they failed at.
    fn take_strictly(&mut self, query: &str, key: &str, value: &Node<'_>) -> Result<bool> {
        if (key == "boost" || key == "_name") && (value.is_object() || value.is_array()) {
            return Err(wrong_kind(query, key, value));
        }
        if key == "boost" {
            self.strict = Some((query.to_owned(), value.place));
        }
        self.take(key, value).map_err(|cause| failed_field(query, key, value, cause))
    }

    /// The query, once all of it was read.
    ///
    /// # Errors
    /// A negative boost.
    fn query(self, kind: Kind) -> Result<Query> {
        if self.boost >= 0.0 {
            return Ok(Query { kind, boost: self.boost, name: self.name, json: None });
        }
        let shown = shown::shown(&kind);
        let cause =
            Error::illegal_argument(format!("negative [boost] are not allowed in [{shown}], use a value between 0 and 1 to deboost"));
        Err(match self.strict {
            None => cause,
            Some((query, place)) => {
                let failed = failed_at(&query, "boost", place, cause);
                // The smallest queries hand it on as an error of the whole.
                if query == "bool" { failed } else { parsing_at_of(place, failed) }
            }
        })
    }
}

/// A `parsing_exception` that says where.
fn parsing_at(place: Place, reason: impl Into<String>) -> Error {
    Error::Parsing { reason: reason.into(), position: Some(place), cause: None }
}

/// An error of a parser of fields, as the parsers of whole queries report it.
fn parsing_of(value: &Node<'_>, cause: Error) -> Error {
    parsing_at_of(value.place, cause)
}

fn parsing_at_of(place: Place, cause: Error) -> Error {
    Error::Parsing { reason: cause.to_string(), position: Some(place), cause: Some(Box::new(cause)) }
}

fn unknown_query(name: &str, place: Place) -> Error {
    let hint = nearest(NAMES, name).map(|near| format!(" did you mean [{near}]?")).unwrap_or_default();
    let (line, column) = place;
    let cause = Error::NamedObjectNotFound { reason: format!("[{line}:{column}] unknown field [{name}]") };
    Error::Parsing { reason: format!("unknown query [{name}]{hint}"), position: Some(place), cause: Some(Box::new(cause)) }
}

fn unknown_field(query: &str, key: &str, value: &Node<'_>, known: &[&str]) -> Error {
    let hint = nearest(known.iter().copied(), key).map(|near| format!(" did you mean [{near}]?")).unwrap_or_default();
    let (line, column) = value.key_place;
    Error::XContentParse { reason: format!("[{line}:{column}] [{query}] unknown field [{key}]{hint}"), cause: None }
}

/// `[1:26] [bool] must doesn't support values of type: VALUE_NUMBER`
fn wrong_kind(query: &str, key: &str, value: &Node<'_>) -> Error {
    let ((line, column), kind) = (value.place, value.kind_name());
    Error::XContentParse { reason: format!("[{line}:{column}] [{query}] {key} doesn't support values of type: {kind}"), cause: None }
}

/// `[1:35] [bool] failed to parse field [must]`, at the place that the cause names where it names one.
fn failed_field(query: &str, key: &str, value: &Node<'_>, cause: Error) -> Error {
    failed_at(query, key, value.place, cause)
}

/// The same for a query within a query, which fails where it ends unless it says where.
fn failed_clause(query: &str, key: &str, clause: &Node<'_>, cause: Error) -> Error {
    let place = match clause.fields().next() {
        Some(Ok((_, body))) => body.close,
        _ => clause.close,
    };
    failed_at(query, key, place, cause)
}

fn failed_at(query: &str, key: &str, place: Place, cause: Error) -> Error {
    let mut chain = std::iter::successors(Some(&cause), |error| error.cause());
    let named = chain.find_map(|error| if let Error::Parsing { position, .. } = error { *position } else { None });
    let (line, column) = named.unwrap_or(place);
    Error::XContentParse { reason: format!("[{line}:{column}] [{query}] failed to parse field [{key}]"), cause: Some(Box::new(cause)) }
}

fn unsupported(query: &str, key: &str, value: &Node<'_>) -> Error {
    parsing_at(value.place, format!("[{query}] query does not support [{key}]"))
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

fn text(value: &Node<'_>) -> Result<String> {
    Ok(text_of(&value.to_value()?))
}

/// A list of texts, or one.
fn texts(query: &str, key: &str, value: &Node<'_>) -> Result<Vec<String>> {
    if value.is_object() {
        return Err(unsupported(query, key, value));
    }
    if !value.is_array() {
        return Ok(vec![text(value)?]);
    }
    value.items().map(|item| text(item?)).collect()
}

fn number(value: &Node<'_>) -> Result<f64> {
    let value = value.to_value()?;
    match value.as_f64() {
        Some(number) => Ok(number),
        None => tandem_common::mapping::field_types::number_of_query(&text_of(&value)),
    }
}

fn flag(value: &Node<'_>) -> Result<bool> {
    value.flag()
}

fn flag_of(value: &Value) -> Result<bool> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        other => match text_of(other).as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            text => Err(Error::illegal_argument(format!("Failed to parse value [{text}] as only [true] or [false] are allowed."))),
        },
    }
}

fn whole(value: &Node<'_>) -> Result<i64> {
    let number = number(value)?;
    Ok(number as i64)
}

/// The one field of a query such as `{"term": {field: …}}`, beside `boost` and `_name`.
fn single_field<'b>(query: &str, body: &'b Node<'_>, common: &mut Common) -> Result<Option<(&'b str, &'b Node<'b>)>> {
    let mut found: Option<(&str, &Node<'_>)> = None;
    for field in body.fields() {
        let (key, value) = field?;
        // Beside a field that comes as an object these two belong to the query.
        if (key == "boost" || key == "_name") && !value.is_object() && common.take(key, value)? {
            continue;
        }
        if let Some((first, _)) = found {
            let reason = format!("[{query}] query doesn't support multiple fields, found [{first}] and [{key}]");
            return Err(parsing_at(value.place, reason));
        }
        found = Some((key, value));
    }
    Ok(found)
}
