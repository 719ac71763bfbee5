//! The body of a search.

use super::query::Query;
use super::sort::SortSpec;
use super::source_filter::SourceFilter;
use serde_json::{Map, Value, json};
use std::time::Duration;
use tandem_common::{Error, Result, units};

/// How many hits are counted exactly unless asked otherwise.
pub const TRACK_TOTAL_HITS_DEFAULT: u64 = 10_000;

/// How many hits come back unless asked otherwise.
const SIZE_DEFAULT: usize = 10;

/// How exactly hits are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrackTotalHits {
    /// All of them.
    Exact,
    /// None: the answer has no total.
    Off,
    /// Up to a number; beyond it the answer says that there are more.
    UpTo(u64),
}

/// What a search asks for. The fields may be changed by parameters of the URL.
#[derive(Clone, Debug, Default)]
pub struct SearchSource {
    /// Which documents; all if `None`.
    pub query: Option<Query>,
    /// How many of the best are skipped.
    pub from: Option<usize>,
    /// How many are shown.
    pub size: Option<usize>,
    /// By what they are ordered; by score if empty.
    pub sort: Vec<SortSpec>,
    /// What is shown of the source.
    pub source: SourceFilter,
    /// How exactly they are counted; up to 10,000 if `None`.
    pub track_total_hits: Option<TrackTotalHits>,
    /// Documents that score less are no hits.
    pub min_score: Option<f32>,
    /// Whether hits show their version.
    pub version: bool,
    /// Whether hits show sequence number and primary term.
    pub seq_no_primary_term: bool,
    /// Whether hits have scores although they are sorted by something else.
    pub track_scores: bool,
    /// The sort values after which hits begin.
    pub search_after: Option<Vec<Value>>,
    /// How long a shard may take.
    pub timeout: Option<Duration>,
    /// After how many documents a shard stops; 0 for never.
    pub terminate_after: u64,
    /// `_none_`: hits have neither id nor source.
    pub stored_fields_none: bool,
    /// Fields whose columns are shown, with their formats.
    pub docvalue_fields: Vec<(String, Option<String>)>,
}

/// Keys that OpenSearch has and this does not.
const UNSUPPORTED: [&str; 17] = [
    "aggs",
    "aggregations",
    "post_filter",
    "highlight",
    "suggest",
    "rescore",
    "collapse",
    "script_fields",
    "pit",
    "slice",
    "fields",
    "indices_boost",
    "derived",
    "ext",
    "search_pipeline",
    "explain",
    "profile",
];

fn token(value: &Value) -> &'static str {
    match value {
        Value::Null => "VALUE_NULL",
        Value::Bool(_) => "VALUE_BOOLEAN",
        Value::Number(_) => "VALUE_NUMBER",
        Value::String(_) => "VALUE_STRING",
        Value::Array(_) => "START_ARRAY",
        Value::Object(_) => "START_OBJECT",
    }
}

fn unknown_key(key: &str, value: &Value) -> Error {
    Error::parsing(format!("Unknown key for a {} in [{key}].", token(value)))
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn integer(value: &Value) -> Result<i64> {
    match value.as_f64() {
        Some(number) => Ok(number as i64),
        None => text_of(value).parse().map_err(|_| Error::NumberFormat { input: text_of(value) }),
    }
}

fn flag(value: &Value) -> Result<bool> {
    match text_of(value).as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        text => Err(Error::illegal_argument(format!("Failed to parse value [{text}] as only [true] or [false] are allowed."))),
    }
}

/// Checks `from` or `size`.
///
/// # Errors
/// `[size] parameter cannot be negative, found [-1]`
fn not_negative(name: &str, number: i64) -> Result<usize> {
    usize::try_from(number).map_err(|_| Error::illegal_argument(format!("[{name}] parameter cannot be negative, found [{number}]")))
}

impl SearchSource {
    /// Reads the body of a search.
    ///
    /// # Errors
    /// Keys that do not exist, values of the wrong shape, and what is not supported.
    pub fn parse(body: &Value) -> Result<SearchSource> {
        let mut source = SearchSource::default();
        let fields = match body {
            Value::Object(fields) => fields,
            Value::Null => return Ok(source),
            other => return Err(Error::parsing(format!("Expected [START_OBJECT] but found [{}]", token(other)))),
        };
        for (key, value) in fields {
            source.take(key, value)?;
        }
        source.check()?;
        Ok(source)
    }

    fn take(&mut self, key: &str, value: &Value) -> Result<()> {
        let is_scalar = !value.is_object() && !value.is_array();
        match key {
            "query" if value.is_object() => self.query = Some(Query::parse(value)?),
            "sort" => self.sort = SortSpec::parse(value)?,
            "_source" => self.source = SourceFilter::parse(value)?,
            "from" if is_scalar => self.from = Some(not_negative("from", integer(value)?)?),
            "size" if is_scalar => self.size = Some(not_negative("size", integer(value)?)?),
            "track_total_hits" if is_scalar => self.track_total_hits = Some(Self::parse_track_total_hits(value)?),
            "min_score" if is_scalar => {
                let text = text_of(value);
                self.min_score = Some(text.parse().map_err(|_| Error::NumberFormat { input: text })?);
            }
            "version" if is_scalar => self.version = flag(value)?,
            "seq_no_primary_term" if is_scalar => self.seq_no_primary_term = flag(value)?,
            "track_scores" if is_scalar => self.track_scores = flag(value)?,
            "timeout" if is_scalar => self.timeout = units::parse_time(&text_of(value), "timeout")?,
            "terminate_after" if is_scalar => {
                let number = integer(value)?;
                self.terminate_after = u64::try_from(number).map_err(|_| Error::illegal_argument("terminateAfter must be > 0"))?;
            }
            "search_after" => self.search_after = Some(parse_search_after(value)?),
            "stored_fields" => match value {
                Value::Array(items) => self.stored_fields_none = items.iter().any(|item| item == "_none_"),
                other => self.stored_fields_none = other == "_none_",
            },
            "docvalue_fields" => self.docvalue_fields = parse_docvalue_fields(value)?,
            // Groups of statistics and named queries change nothing that is shown.
            "stats" | "include_named_queries_score" | "verbose_pipeline" => {}
            "explain" | "profile" if *value == Value::Bool(false) => {}
            "aggs" | "aggregations" | "highlight" | "suggest" | "script_fields" | "ext" if value.as_object().is_some_and(Map::is_empty) => {
            }
            _ if UNSUPPORTED.contains(&key) => {
                return Err(Error::illegal_argument(format!("[{key}] is not supported in a search")));
            }
            _ => return Err(unknown_key(key, value)),
        }
        Ok(())
    }

    /// Reads `track_total_hits`: true, false or a number.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse_track_total_hits(value: &Value) -> Result<TrackTotalHits> {
        match text_of(value).as_str() {
            "true" => Ok(TrackTotalHits::Exact),
            "false" => Ok(TrackTotalHits::Off),
            _ => match integer(value)? {
                -1 => Ok(TrackTotalHits::Off),
                number => u64::try_from(number).map(TrackTotalHits::UpTo).map_err(|_| {
                    Error::illegal_argument(format!("[track_total_hits] parameter must be positive or equals to -1, got {number}"))
                }),
            },
        }
    }

    /// What cannot be asked together; call it again after parameters of the URL were taken over.
    ///
    /// # Errors
    /// `search_after` beside `from` or without a sort.
    pub fn check(&self) -> Result<()> {
        if self.search_after.is_some() && self.from() > 0 {
            return Err(Error::invalid_request("`from` parameter must be set to 0 when `search_after` is used."));
        }
        Ok(())
    }

    /// How many of the best are skipped.
    pub fn from(&self) -> usize {
        self.from.unwrap_or(0)
    }

    /// How many are shown.
    pub fn size(&self) -> usize {
        self.size.unwrap_or(SIZE_DEFAULT)
    }

    /// How exactly hits are counted.
    pub fn track_total_hits(&self) -> TrackTotalHits {
        self.track_total_hits.unwrap_or(TrackTotalHits::UpTo(TRACK_TOTAL_HITS_DEFAULT))
    }

    /// Whether hits are ordered by score alone, best first.
    pub(super) fn is_by_score(&self) -> bool {
        self.sort.iter().all(SortSpec::is_best_score_first)
    }

    /// The body that [`SearchSource::parse`] reads as this, for another node.
    pub fn to_json(&self) -> Value {
        let mut out = Map::new();
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                out.insert(key.to_owned(), value);
            }
        };
        put("query", self.query.as_ref().map(Query::to_json));
        put("from", self.from.map(Value::from));
        put("size", self.size.map(Value::from));
        put("sort", (!self.sort.is_empty()).then(|| self.sort.iter().map(SortSpec::to_json).collect()));
        put("_source", Some(self.source.to_json()));
        put(
            "track_total_hits",
            self.track_total_hits.map(|track| match track {
                TrackTotalHits::Exact => true.into(),
                TrackTotalHits::Off => false.into(),
                TrackTotalHits::UpTo(limit) => limit.into(),
            }),
        );
        put("min_score", self.min_score.map(|score| json!(score)));
        put("version", self.version.then(|| true.into()));
        put("seq_no_primary_term", self.seq_no_primary_term.then(|| true.into()));
        put("track_scores", self.track_scores.then(|| true.into()));
        put("search_after", self.search_after.clone().map(Value::from));
        put("timeout", self.timeout.map(|timeout| format!("{}ms", timeout.as_millis()).into()));
        put("terminate_after", (self.terminate_after > 0).then(|| self.terminate_after.into()));
        put("stored_fields", self.stored_fields_none.then(|| "_none_".into()));
        let column = |(field, format): &(String, Option<String>)| match format {
            Some(format) => json!({"field": field, "format": format}),
            None => json!(field),
        };
        put("docvalue_fields", (!self.docvalue_fields.is_empty()).then(|| self.docvalue_fields.iter().map(column).collect()));
        out.into()
    }
}

fn parse_search_after(value: &Value) -> Result<Vec<Value>> {
    match value {
        Value::Array(items) if items.is_empty() => Err(Error::illegal_argument("Values must contains at least one value.")),
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => Err(Error::parsing(
            "Expected [VALUE_STRING] or [VALUE_NUMBER] or [VALUE_BOOLEAN] or [VALUE_NULL] but found something else inside search_after.",
        )),
        Value::Array(items) => Ok(items.clone()),
        other => Err(unknown_key("search_after", other)),
    }
}

fn parse_docvalue_fields(value: &Value) -> Result<Vec<(String, Option<String>)>> {
    let Value::Array(items) = value else { return Err(unknown_key("docvalue_fields", value)) };
    let read = |item: &Value| match item {
        Value::Object(fields) => match fields.get("field").and_then(Value::as_str) {
            Some(field) => Ok((field.to_owned(), fields.get("format").map(text_of))),
            None => Err(Error::XContentParse { reason: "Required [field]".to_owned(), cause: None }),
        },
        other => Ok((text_of(other), None)),
    };
    items.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_of_the_wrong_shape_are_refused() {
        for (body, expected) in [
            (json!({"size": -1}), "[size] parameter cannot be negative, found [-1]"),
            (json!({"from": -1}), "[from] parameter cannot be negative, found [-1]"),
            (json!({"size": "x"}), "For input string: \"x\""),
            (json!({"qury": {}}), "Unknown key for a START_OBJECT in [qury]."),
            (json!({"query": []}), "Unknown key for a START_ARRAY in [query]."),
            (json!({"query": {}}), "query malformed, empty clause found"),
            (json!({"foo": 1}), "Unknown key for a VALUE_NUMBER in [foo]."),
            (json!([]), "Expected [START_OBJECT] but found [START_ARRAY]"),
            (json!({"track_total_hits": "x"}), "For input string: \"x\""),
            (json!({"timeout": "x"}), "failed to parse setting [timeout] with value [x] as a time value: unit is missing or unrecognized"),
            (json!({"aggs": {"a": {}}}), "[aggs] is not supported in a search"),
            (json!({"query": {"mach": {}}}), "unknown query [mach] did you mean [match]?"),
            (json!({"query": {"match_all": []}}), "[match_all] query malformed, no start_object after query name"),
            (json!({"query": {"match_all": {}, "term": {}}}), "[match_all] malformed query, expected [END_OBJECT] but found [FIELD_NAME]"),
            (json!({"query": {"match": {}}}), "No text specified for text query"),
            (json!({"query": {"match": {"a": "x", "b": "y"}}}), "[match] query doesn't support multiple fields, found [a] and [b]"),
            (json!({"query": {"match": {"a": {"qery": "x"}}}}), "[match] query does not support [qery]"),
            (
                json!({"query": {"match": {"a": {"query": "x", "operator": "xor"}}}}),
                "No enum constant org.opensearch.index.query.Operator.XOR",
            ),
            (json!({"query": {"term": {"a": ["x"]}}}), "[term] query does not support array of values"),
            (json!({"query": {"term": {"a": {}}}}), "value cannot be null"),
            (json!({"query": {"term": {}}}), "field name is null or empty"),
            (json!({"query": {"terms": {"a": "x"}}}), "[terms] query does not support [a]"),
            (json!({"query": {"terms": {"a": ["x"], "b": [1]}}}), "[terms] query does not support multiple fields"),
            (json!({"query": {"range": {"n": {"foo": 1}}}}), "[range] query does not support [foo]"),
            (json!({"query": {"range": {"n": 5}}}), "[range] query does not support [n]"),
            (json!({"query": {"bool": {"mst": []}}}), "[bool] unknown field [mst] did you mean [must]?"),
            (json!({"query": {"bool": {"must": 5}}}), "[bool] must doesn't support values of type: VALUE_NUMBER"),
            (json!({"query": {"exists": {}}}), "[exists] must be provided with a [field]"),
            (json!({"query": {"exists": {"fild": "x"}}}), "[exists] query does not support [fild]"),
            (
                json!({"search_after": [1], "from": 1}),
                "Validation Failed: 1: `from` parameter must be set to 0 when `search_after` is used.;",
            ),
            (json!({"sort": [{"n": "up"}]}), "No enum constant org.opensearch.search.sort.SortOrder.UP"),
            (json!({"sort": [{"n": {"foo": 1}}]}), "[field_sort] unknown field [foo]"),
        ] {
            assert_eq!(SearchSource::parse(&body).unwrap_err().to_string(), expected, "{body}");
        }
    }

    #[test]
    fn a_body_survives_the_way_to_another_node() {
        let body = json!({"query": {"term": {"a": "x"}}, "from": 5, "size": 3, "sort": [{"n": {"order": "desc", "missing": "_first"}}, "_score"],
            "_source": {"includes": ["a*"], "excludes": ["b"]}, "track_total_hits": 5, "min_score": 0.5, "version": true, "track_scores": true,
            "timeout": "1500ms", "terminate_after": 7, "docvalue_fields": ["a", {"field": "d", "format": "yyyy"}]});
        let first = SearchSource::parse(&body).unwrap().to_json();
        assert_eq!(SearchSource::parse(&first).unwrap().to_json(), first);
        assert_eq!(first["query"], body["query"]);
        assert_eq!(first["track_total_hits"], 5);
    }
}
