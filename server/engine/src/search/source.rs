//! The body of a search.

use super::query::Query;
use super::sort::SortSpec;
use super::source_filter::SourceFilter;
use serde_json::{Map, Value, json};
use std::time::Duration;
use tandem_common::json::{self, Node, NodeValue};
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
    /// After how many documents a shard stops; 0 for never, less for at once.
    pub terminate_after: i64,
    /// Which stored fields were asked for, which leaves out the source unless it is among them or asked for.
    pub stored_fields: Option<StoredFields>,
    /// Whether `_source` was asked for in so many words.
    pub source_is_asked: bool,
    /// Whether hits show the scores of the named queries that they fit.
    pub named_queries_score: bool,
    /// The groups in whose name the search is counted.
    pub stats_groups: Vec<String>,
    /// Fields whose columns are shown, with their formats.
    pub docvalue_fields: Vec<(String, Option<String>)>,
}

/// What `stored_fields` asks for. No field is stored by itself, so it says only what of the document is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoredFields {
    /// `_none_`: hits have neither id nor source.
    None,
    /// Fields that there are none of.
    Others,
    /// The source is among them.
    Source,
}

fn stats_groups(node: &Node<'_>) -> Result<Vec<String>> {
    if !node.is_array() {
        return Err(not_taken("stats", node));
    }
    node.items().map(|item| Ok(text_of(&item?.to_value()?))).collect()
}

impl StoredFields {
    fn read(node: &Node<'_>) -> Result<Self> {
        let names = match &node.value {
            NodeValue::Text(text) => vec![text.to_string()],
            NodeValue::Array(_) => {
                let text = |item: &Node<'_>| item.to_value().map(|value| text_of(&value));
                node.items().map(|item| text(item?)).collect::<Result<Vec<_>>>()?
            }
            _ => {
                let kind = node.kind_name();
                return Err(at(node, format!("Expected [VALUE_STRING] or [START_ARRAY] in [stored_fields] but found [{kind}]")));
            }
        };
        let has = |wanted: &str| names.iter().any(|name| name == wanted);
        match (has("_none_"), has("_source")) {
            (true, _) if names.len() > 1 => Err(Error::illegal_argument("cannot combine _none_ with other fields")),
            (true, _) => Ok(StoredFields::None),
            (false, true) => Ok(StoredFields::Source),
            (false, false) => Ok(StoredFields::Others),
        }
    }

    fn to_json(self) -> Value {
        match self {
            StoredFields::None => json!("_none_"),
            StoredFields::Others => json!([]),
            StoredFields::Source => json!(["_source"]),
        }
    }
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

fn unknown_key(key: &str, node: &Node<'_>) -> Error {
    at(node, format!("Unknown key for a {} in [{key}].", node.kind_name()))
}

fn at(node: &Node<'_>, reason: String) -> Error {
    Error::Parsing { reason, position: Some(node.place), cause: None }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A 32-bit number, which may also be written as text; what is behind the point does not count.
fn integer(node: &Node<'_>) -> Result<i32> {
    let value = node.to_value()?;
    let text = text_of(&value);
    let number: f64 = text.parse().map_err(|_| Error::NumberFormat { input: text.clone() })?;
    if !number.is_finite() {
        return Err(Error::NumberFormat { input: text });
    }
    let truncated = number.trunc();
    if (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&truncated) {
        return Ok(truncated as i32);
    }
    match &node.value {
        NodeValue::Number(text) => {
            let (line, column) = node.after();
            let (least, most, place) = (i32::MIN, i32::MAX, json::location_text(line, column));
            Err(Error::InputCoercion { reason: format!("Numeric value ({text}) out of range of int ({least} - {most})\n at {place}") })
        }
        _ => Err(Error::illegal_argument(format!("Value [{text}] is out of range for an integer"))),
    }
}

/// Checks `from` or `size`.
///
/// # Errors
/// `[size] parameter cannot be negative, found [-1]`
fn not_negative(name: &str, number: i32) -> Result<usize> {
    usize::try_from(number).map_err(|_| Error::illegal_argument(format!("[{name}] parameter cannot be negative, found [{number}]")))
}

impl SearchSource {
    /// Reads the body of a search.
    ///
    /// # Errors
    /// Text that is no JSON, keys that do not exist, values of the wrong shape, and what is not supported; whichever comes
    /// first in the text.
    pub fn parse_text(body: &[u8]) -> Result<SearchSource> {
        let mut source = SearchSource::default();
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(source);
        }
        let (root, extra) = json::parse_open(body);
        if let NodeValue::Broken(error) = root.value {
            return Err(error);
        }
        if !root.is_object() {
            return Err(at(&root, format!("Expected [START_OBJECT] but found [{}]", root.kind_name())));
        }
        let late = source.take_fields(&root)?;
        match extra {
            None => late.map_or(Ok(source), Err),
            Some(Node { value: NodeValue::Broken(error), .. }) => Err(error),
            Some(extra) => Err(at(&extra, format!("Unexpected token [{}] found after the main object.", extra.kind_name()))),
        }
    }

    /// As [`SearchSource::parse_text`], for a body that did not come as text; `null` asks for nothing special.
    ///
    /// # Errors
    /// The same.
    pub fn parse(body: &Value) -> Result<SearchSource> {
        if body.is_null() { Ok(SearchSource::default()) } else { Self::parse_text(body.to_string().as_bytes()) }
    }

    /// Takes over a query.
    ///
    /// # Errors
    /// What is none.
    pub fn take_query(&mut self, node: &Node<'_>) -> Result<()> {
        self.query = Some(Query::read(node)?);
        Ok(())
    }

    /// Takes over what `fields` say, over what was said before.
    ///
    /// # Errors
    /// Keys that do not exist and values of the wrong shape.
    pub fn merge(&mut self, fields: &Map<String, Value>) -> Result<()> {
        let text = serde_json::to_vec(fields).map_err(|error| Error::internal(error.to_string()))?;
        self.take_fields(&json::parse_tree(&text)?)?.map_or(Ok(()), Err)
    }

    /// Gives back what is wrong, but is told only when nothing else is.
    fn take_fields(&mut self, body: &Node<'_>) -> Result<Option<Error>> {
        let mut late = None;
        for field in body.fields() {
            let (key, node) = field?;
            self.take(key, node, &mut late)?;
        }
        Ok(late)
    }

    fn take(&mut self, key: &str, node: &Node<'_>, late: &mut Option<Error>) -> Result<()> {
        let is_scalar = !node.is_object() && !node.is_array();
        match key {
            "query" if node.is_object() => self.query = Some(Query::read(node)?),
            _ if node.is_null() => return Err(unknown_key(key, node)),
            "sort" => self.sort = SortSpec::read(node)?,
            "_source" => {
                self.source = SourceFilter::read(node)?;
                self.source_is_asked = !self.source.is_off();
            }
            "search_after" => self.search_after = Some(parse_search_after(node)?),
            "stored_fields" => self.stored_fields = Some(StoredFields::read(node)?),
            "docvalue_fields" => self.docvalue_fields = parse_docvalue_fields(node)?,
            _ if is_scalar => return self.take_scalar(key, node, late),
            "stats" => self.stats_groups = stats_groups(node)?,
            "aggs" | "aggregations" | "highlight" | "suggest" | "script_fields" | "ext" if matches!(&node.value, NodeValue::Object(fields) if fields.is_empty()) =>
                {}
            _ => return Err(not_taken(key, node)),
        }
        Ok(())
    }

    fn take_scalar(&mut self, key: &str, node: &Node<'_>, late: &mut Option<Error>) -> Result<()> {
        let value = &node.to_value()?;
        match key {
            "from" => self.from = Some(not_negative("from", integer(node)?)?),
            "size" => self.size = Some(not_negative("size", integer(node)?)?),
            "track_total_hits" => self.take_track_total_hits(node, late)?,
            "min_score" => {
                let text = text_of(value);
                self.min_score = Some(text.parse().map_err(|_| Error::NumberFormat { input: text })?);
            }
            "version" => self.version = node.flag()?,
            "seq_no_primary_term" => self.seq_no_primary_term = node.flag()?,
            "track_scores" => self.track_scores = node.flag()?,
            "timeout" => self.timeout = units::parse_time(&text_of(value), "timeout")?,
            "terminate_after" => self.terminate_after = i64::from(integer(node)?),
            // They change nothing that is shown.
            "include_named_queries_score" | "verbose_pipeline" => drop(node.flag()?),
            "explain" | "profile" if !node.flag()? => {}
            "explain" | "profile" => return Err(not_taken(key, node)),
            _ => return Err(unknown_key(key, node)),
        }
        Ok(())
    }

    /// Reads `track_total_hits`: true, false or a number.
    fn take_track_total_hits(&mut self, node: &Node<'_>, late: &mut Option<Error>) -> Result<()> {
        self.track_total_hits = Some(match text_of(&node.to_value()?).as_str() {
            "true" => TrackTotalHits::Exact,
            "false" => TrackTotalHits::Off,
            _ => match integer(node)? {
                -1 => TrackTotalHits::Off,
                number => match u64::try_from(number) {
                    Ok(limit) => TrackTotalHits::UpTo(limit),
                    Err(_) => {
                        let cause = Error::illegal_argument(format!("value must be >= 0, got {number}"));
                        *late = Some(Error::SearchPhaseFailed { phase: "fetch".to_owned(), cause: Box::new(cause) });
                        TrackTotalHits::Off
                    }
                },
            },
        });
        Ok(())
    }

    /// What cannot be asked together. Shards say it, so that a search of no shards may ask for anything.
    pub(super) fn check(&self) -> Result<()> {
        let refused = |reason: &str| Err(Error::Search { reason: reason.to_owned() });
        if self.search_after.is_some() && self.from() > 0 {
            return refused("`from` parameter must be set to 0 when `search_after` is used.");
        }
        if self.stored_fields == Some(StoredFields::None) && self.source_is_asked {
            return refused("[stored_fields] cannot be disabled if [_source] is requested");
        }
        Ok(())
    }

    /// Whether hits have their source, or what the filter leaves of it.
    pub(super) fn shows_source(&self) -> bool {
        match self.stored_fields {
            None => !self.source.is_off(),
            Some(StoredFields::None) => false,
            Some(StoredFields::Others) => self.source_is_asked,
            Some(StoredFields::Source) => true,
        }
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
        put("_source", (self.source_is_asked || self.source.is_off()).then(|| self.source.to_json()));
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
        put("terminate_after", (self.terminate_after != 0).then(|| self.terminate_after.into()));
        put("stored_fields", self.stored_fields.map(StoredFields::to_json));
        let column = |(field, format): &(String, Option<String>)| match format {
            Some(format) => json!({"field": field, "format": format}),
            None => json!(field),
        };
        put("docvalue_fields", (!self.docvalue_fields.is_empty()).then(|| self.docvalue_fields.iter().map(column).collect()));
        out.into()
    }
}

/// A key that is not taken in this shape, or not at all.
fn not_taken(key: &str, node: &Node<'_>) -> Error {
    if UNSUPPORTED.contains(&key) {
        return Error::illegal_argument(format!("[{key}] is not supported in a search"));
    }
    unknown_key(key, node)
}

fn parse_search_after(node: &Node<'_>) -> Result<Vec<Value>> {
    if !node.is_array() {
        return Err(unknown_key("search_after", node));
    }
    let mut values = Vec::new();
    for item in node.items() {
        let item = item?;
        if item.is_object() || item.is_array() {
            let reason = format!(
                "Expected [VALUE_STRING] or [VALUE_NUMBER] or [VALUE_BOOLEAN] or [VALUE_NULL] but found [{}] inside search_after.",
                item.kind_name()
            );
            return Err(at(item, reason));
        }
        values.push(item.to_value()?);
    }
    if values.is_empty() { Err(Error::illegal_argument("Values must contains at least one value.")) } else { Ok(values) }
}

fn parse_docvalue_fields(node: &Node<'_>) -> Result<Vec<(String, Option<String>)>> {
    if !node.is_array() {
        return Err(unknown_key("docvalue_fields", node));
    }
    let read = |item: &Node<'_>| {
        if !item.is_object() {
            return Ok((text_of(&item.to_value()?), None));
        }
        let (mut name, mut format) = (None, None);
        for field in item.fields() {
            let (key, value) = field?;
            match key {
                "field" => name = Some(text_of(&value.to_value()?)),
                "format" => format = Some(text_of(&value.to_value()?)),
                _ => {
                    let (line, column) = value.key_place;
                    let reason = format!("[{line}:{column}] [docvalues_field] unknown field [{key}]");
                    return Err(Error::XContentParse { reason, cause: None });
                }
            }
        }
        name.map(|name| (name, format)).ok_or_else(|| Error::illegal_argument("Required [field]"))
    };
    node.items().map(|item| read(item?)).collect()
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
