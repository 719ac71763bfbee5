//! `_search` and `_count`. Parameters are read as a body that says the same, so that the query language is read in one place.

use super::call::{INDICES, SOURCE};
use super::params::{Params, split_list};
use super::respond::Answer;
use super::routes::Route;
use super::{App, Call, errors};
use http::Method;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use tandem_common::context::DEFAULT_TIMEOUT;
use tandem_common::env::clock;
use tandem_common::json::{self, Node, NodeValue};
use tandem_common::settings::parse_bool;
use tandem_common::{Action, Error, Result};
use tandem_engine::search::{Hit, SearchSource};
use tandem_node::action::read::count::{self, CountRequest};
use tandem_node::action::read::search::{self, SearchRequest, SearchResponse, TotalHits};
use tandem_node::action::{IndicesOptions, ShardsHeader};

const QUERY: &[&str] =
    &["q", "df", "analyzer", "analyze_wildcard", "default_operator", "lenient", "routing", "preference", "terminate_after"];
const SEARCH: &[&[&str]] = &[
    INDICES,
    SOURCE,
    QUERY,
    &[
        "from",
        "size",
        "sort",
        "docvalue_fields",
        "stored_fields",
        "explain",
        "version",
        "seq_no_primary_term",
        "track_total_hits",
        "track_scores",
        "rest_total_hits_as_int",
        "typed_keys",
        "scroll",
        "search_type",
        "include_named_queries_score",
        "request_cache",
        "timeout",
        "allow_partial_search_results",
        "batched_reduce_size",
        "max_concurrent_shard_requests",
        "pre_filter_shard_size",
        "ccs_minimize_roundtrips",
        "cancel_after_time_interval",
        "phase_took",
        "stats",
    ],
];
const COUNT: &[&[&str]] = &[INDICES, QUERY, &["min_score"]];
const GET_OR_POST: &[Method] = &[Method::GET, Method::POST];

/// The routes of this family.
pub(super) fn routes() -> Vec<Route> {
    let action = Action("indices:data/read/search");
    vec![
        Route::new(GET_OR_POST, "/_search", action, SEARCH, search),
        Route::new(GET_OR_POST, "/{index}/_search", action, SEARCH, search),
        Route::new(GET_OR_POST, "/_count", action, COUNT, count),
        Route::new(GET_OR_POST, "/{index}/_count", action, COUNT, count),
    ]
}

async fn search(app: App, call: Call) -> Result<Answer> {
    if call.params.text("scroll").is_some() {
        return Err(Error::illegal_argument("scroll is not supported yet; page with search_after"));
    }
    let mut source = SearchSource::parse_text(&call.body)?;
    let mut fields = parameters(&call.params)?;
    fields.extend(call.source_parameters().map(|source| ("_source".to_owned(), source)));
    source.merge(&fields)?;
    check_search_type(call.params.text("search_type"))?;
    let named_scores = call.params.bool("include_named_queries_score", false)?;
    source.named_queries_score = named_scores;
    let request = SearchRequest {
        indices: call.indices(IndicesOptions::default())?,
        source,
        routing: call.params.owned("routing"),
        preference: call.params.owned("preference"),
        allow_partial_results: call.params.bool("allow_partial_search_results", true)?,
    };
    // The `timeout` of a search is part of its body: shards that reach it answer with what they have. The call itself has
    // the time that every call has.
    let mut context = call.context.clone();
    context.deadline = clock::now() + DEFAULT_TIMEOUT;
    let total_as_number = call.params.bool("rest_total_hits_as_int", false)?;
    let found = search::execute(&app.services, &context, request).await?;
    Answer::ok(&Shown::of(&found, total_as_number, named_scores)?)
}

/// There is one way to search; those that clients may name are taken for it.
fn check_search_type(name: Option<&str>) -> Result<()> {
    match name {
        None | Some("query_then_fetch" | "dfs_query_then_fetch") => Ok(()),
        Some(old @ ("query_and_fetch" | "dfs_query_and_fetch")) => Err(Error::illegal_argument(format!("Unsupported search type [{old}]"))),
        Some(other) => Err(Error::illegal_argument(format!("No search type for [{other}]"))),
    }
}

async fn count(app: App, call: Call) -> Result<Answer> {
    let mut source = count_source(&call.body)?;
    let mut fields = Map::new();
    add_query(&mut fields, &call.params)?;
    add_terminate_after(&mut fields, &call.params)?;
    if let Some(text) = call.params.text("min_score") {
        let score: f64 = text.parse().map_err(|_| Error::NumberFormat { input: text.to_owned() })?;
        fields.insert("min_score".into(), score.into());
    }
    source.merge(&fields)?;
    let request = CountRequest { indices: call.indices(IndicesOptions::default())?, source, routing: call.params.owned("routing") };
    let counted = count::execute(&app.services, &call.context, request).await?;
    Answer::ok(&json!({"count": counted.count, "_shards": shards_json(&counted.shards)}))
}

/// The body of a count, which has a query and nothing else.
fn count_source(body: &[u8]) -> Result<SearchSource> {
    if body.is_empty() {
        return Ok(SearchSource::default());
    }
    let at = |node: &Node<'_>, reason| Error::Parsing { reason, position: Some(node.place), cause: None };
    let failed = |cause: Error| match cause {
        // Text that is no JSON is told by the parser of the whole.
        Error::JsonParse { .. } | Error::JsonEof { .. } | Error::StreamConstraints { .. } => {
            Error::Parsing { reason: "Failed to parse".into(), position: Some((1, 1)), cause: Some(Box::new(cause)) }
        }
        cause => cause,
    };
    let (root, _) = json::parse_open(body);
    if let NodeValue::Broken(error) = root.value {
        return Err(failed(error));
    }
    if !root.is_object() {
        return Err(at(&root, format!("Expected [START_OBJECT] but found [{}]", root.kind_name())));
    }
    let mut source = SearchSource::default();
    for field in root.fields() {
        let (key, node) = field.map_err(failed)?;
        if key != "query" {
            let place = node.key_place;
            return Err(Error::Parsing { reason: format!("request does not support [{key}]"), position: Some(place), cause: None });
        }
        source.take_query(node).map_err(failed)?;
    }
    Ok(source)
}

/// `q` and what belongs to it, as the query that it stands for.
fn add_query(body: &mut Map<String, Value>, params: &Params) -> Result<()> {
    let Some(text) = params.text("q") else { return Ok(()) };
    let mut query = json!({"query": text});
    for (parameter, field) in [("df", "default_field"), ("analyzer", "analyzer"), ("default_operator", "default_operator")] {
        if let Some(value) = params.text(parameter) {
            query[field] = value.into();
        }
    }
    for name in ["lenient", "analyze_wildcard"] {
        if params.get(name).is_some() {
            query[name] = params.bool(name, false)?.into();
        }
    }
    body.insert("query".into(), json!({ "query_string": query }));
    Ok(())
}

/// `terminate_after`, which must not be negative here, unlike in a body.
fn add_terminate_after(body: &mut Map<String, Value>, params: &Params) -> Result<()> {
    if let Some(number) = params.int("terminate_after")? {
        if number < 0 {
            return Err(Error::illegal_argument("terminateAfter must be > 0"));
        }
        body.insert("terminate_after".into(), number.into());
    }
    Ok(())
}

/// What the URL says, as a body would say it; it wins over the body.
fn parameters(params: &Params) -> Result<Map<String, Value>> {
    let mut fields = Map::new();
    let body = &mut fields;
    add_query(body, params)?;
    add_terminate_after(body, params)?;
    for name in ["from", "size"] {
        if let Some(number) = params.int(name)? {
            body.insert(name.into(), number.into());
        }
    }
    for name in ["explain", "version", "seq_no_primary_term", "track_scores"] {
        if params.get(name).is_some() {
            body.insert(name.into(), params.bool(name, false)?.into());
        }
    }
    if let Some(timeout) = params.text("timeout") {
        body.insert("timeout".into(), timeout.into());
    }
    for name in ["stored_fields", "docvalue_fields"] {
        if params.text(name).is_some() {
            body.insert(name.into(), params.list(name).into());
        }
    }
    if let Some(text) = params.get("track_total_hits") {
        let value = match text.parse::<i64>() {
            Ok(number) if number < -1 => {
                let reason = format!("[track_total_hits] parameter must be positive or equals to -1, got {number}");
                return Err(Error::illegal_argument(reason));
            }
            Ok(number) => number.into(),
            Err(_) => parse_bool(if text.is_empty() { "true" } else { text })?.into(),
        };
        body.insert("track_total_hits".into(), value);
    }
    if let Some(sort) = params.text("sort") {
        let keys: Vec<Value> = split_list(sort).iter().filter_map(|key| sort_key(key)).collect();
        if !keys.is_empty() {
            body.insert("sort".into(), keys.into());
        }
    }
    Ok(fields)
}

/// `field`, `field:asc`, `field:desc`; like OpenSearch, anything else after the colon is passed over.
fn sort_key(key: &str) -> Option<Value> {
    match key.rsplit_once(':') {
        None => Some(key.into()),
        Some((field, order @ ("asc" | "desc"))) => Some(json!({ field: { "order": order } })),
        Some(_) => None,
    }
}

/// `_shards` of a search: shards.
fn shards_json(shards: &ShardsHeader) -> Value {
    let mut header = json!({"total": shards.total, "successful": shards.successful, "skipped": shards.skipped, "failed": shards.failed});
    if !shards.failures.is_empty() {
        header["failures"] = shards.failures.iter().map(errors::shard_failure).collect();
    }
    header
}

/// A search's answer. Sources go out byte for byte as they came in.
#[derive(Serialize)]
struct Shown<'a> {
    took: u64,
    timed_out: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    terminated_early: Option<bool>,
    _shards: Value,
    hits: Hits<'a>,
}

#[derive(Serialize)]
struct Hits<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<Value>,
    max_score: Option<f32>,
    hits: Vec<ShownHit<'a>>,
}

#[derive(Serialize)]
struct ShownHit<'a> {
    _index: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    _id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    _version: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    _seq_no: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    _primary_term: Option<u64>,
    _score: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    _routing: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    _ignored: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    _source: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<&'a Map<String, Value>>,
    #[serde(skip_serializing_if = "<[Value]>::is_empty")]
    sort: &'a [Value],
    #[serde(skip_serializing_if = "Option::is_none")]
    matched_queries: Option<MatchedQueries<'a>>,
}

/// The names of the queries that a hit fits: a list, or with their scores.
#[derive(Serialize)]
#[serde(untagged)]
enum MatchedQueries<'a> {
    Names(Vec<&'a str>),
    Scores(BTreeMap<&'a str, f32>),
}

impl<'a> MatchedQueries<'a> {
    fn of(hit: &'a Hit, with_scores: bool) -> Option<Self> {
        if hit.matched_queries.is_empty() {
            return None;
        }
        let pairs = hit.matched_queries.iter().map(|(name, score)| (name.as_str(), *score));
        Some(if with_scores { Self::Scores(pairs.collect()) } else { Self::Names(pairs.map(|(name, _)| name).collect()) })
    }
}

impl<'a> Shown<'a> {
    fn of(found: &'a SearchResponse, total_as_number: bool, named_scores: bool) -> Result<Self> {
        let hits = found.hits.iter().map(|(index, hit)| ShownHit::of(index, hit, named_scores)).collect::<Result<_>>()?;
        Ok(Self {
            took: u64::try_from(found.took.as_millis()).unwrap_or(u64::MAX),
            timed_out: found.timed_out,
            terminated_early: found.terminated_early,
            _shards: shards_json(&found.shards),
            hits: Hits { total: found.total.map(|total| total_json(total, total_as_number)), max_score: found.max_score, hits },
        })
    }
}

fn total_json(total: TotalHits, as_number: bool) -> Value {
    if as_number { total.value.into() } else { json!({"value": total.value, "relation": total.relation}) }
}

impl<'a> ShownHit<'a> {
    fn of(index: &'a str, hit: &'a Hit, named_scores: bool) -> Result<Self> {
        Ok(Self {
            _index: index,
            _id: &hit.id,
            _version: hit.version,
            _seq_no: hit.seq_no,
            _primary_term: hit.primary_term,
            _score: hit.score,
            _routing: hit.routing.as_deref(),
            _ignored: &hit.ignored,
            _source: hit.source.as_deref(),
            fields: hit.fields.as_ref(),
            sort: &hit.sort,
            matched_queries: MatchedQueries::of(hit, named_scores),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn read(query: &str) -> Value {
        parameters(&Params::parse(query).unwrap()).unwrap().into()
    }

    #[test]
    fn parameters_say_what_a_body_would_and_win_over_it() {
        assert_eq!(
            read("size=2&sort=n:desc,m,x:up&track_total_hits=5&version&explain=false"),
            json!({"size": 2, "explain": false, "version": true, "track_total_hits": 5, "sort": [{"n": {"order": "desc"}}, "m"]})
        );
        let mut source = SearchSource::parse_text(br#"{"size": 9, "from": 3}"#).unwrap();
        source.merge(&parameters(&Params::parse("size=2").unwrap()).unwrap()).unwrap();
        assert_eq!((source.size, source.from), (Some(2), Some(3)));
        assert_eq!(
            read("q=brown&df=title&lenient"),
            json!({"query": {"query_string": {"query": "brown", "default_field": "title", "lenient": true}}})
        );
        for (query, reason) in [
            ("size=x", "Failed to parse int parameter [size] with value [x]"),
            ("terminate_after=-1", "terminateAfter must be > 0"),
            ("track_total_hits=-2", "[track_total_hits] parameter must be positive or equals to -1, got -2"),
        ] {
            assert_eq!(parameters(&Params::parse(query).unwrap()).unwrap_err().to_string(), reason);
        }
    }

    #[test]
    fn an_answer_has_opensearchs_order_and_short_scores() {
        let hit = Hit {
            id: "1".into(),
            score: Some(0.595_341_15),
            source: serde_json::from_str("{ \"a\":1.0}").ok(),
            sort: vec![json!(5)],
            ..Hit::default()
        };
        let found = SearchResponse {
            took: Duration::from_millis(3),
            timed_out: false,
            terminated_early: None,
            shards: ShardsHeader { total: 1, successful: 1, ..ShardsHeader::default() },
            total: Some(TotalHits { value: 1, relation: "eq" }),
            max_score: None,
            hits: vec![("i".to_owned(), hit)],
        };
        assert_eq!(
            serde_json::to_string(&Shown::of(&found, false, false).unwrap()).unwrap(),
            r#"{"took":3,"timed_out":false,"_shards":{"total":1,"successful":1,"skipped":0,"failed":0},"hits":{"total":{"value":1,"relation":"eq"},"max_score":null,"hits":[{"_index":"i","_id":"1","_score":0.59534115,"_source":{ "a":1.0},"sort":[5]}]}}"#
        );
    }
}
