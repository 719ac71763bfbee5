//! The query language and the phases of a search on one shard, and how partial results merge.

use serde_json::Value;

/// The body of a search.
#[derive(Clone, Debug, Default)]
pub struct SearchSource {}

impl SearchSource {
    /// Reads a search body.
    ///
    /// # Errors
    /// A body of the wrong shape, an unknown query.
    pub fn parse(_body: &Value) -> tandem_common::Result<Self> {
        Ok(Self::default())
    }
}

/// Which parts of a source are wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceFilter {}

impl SourceFilter {
    /// Reads `_source` of a body: a boolean, a pattern, a list of patterns, `{"includes": …, "excludes": …}`.
    ///
    /// # Errors
    /// Any other shape.
    pub fn parse(_value: &Value) -> tandem_common::Result<Self> {
        Ok(Self::default())
    }
}

/// One hit.
#[derive(Clone, Debug, Default)]
pub struct Hit {
    /// The document.
    pub id: String,
    /// Its score, when scores were asked for.
    pub score: Option<f32>,
    /// Its source after filtering; `None` when none is wanted.
    pub source: Option<bytes::Bytes>,
    /// Its routing, if it was given.
    pub routing: Option<String>,
    /// Its version, when asked for.
    pub version: Option<i64>,
    /// Its last operation, when asked for.
    pub seq_no: Option<tandem_common::SeqNo>,
    /// That operation's term, when asked for.
    pub primary_term: Option<tandem_common::PrimaryTerm>,
    /// The sort values; empty when sorted by score only.
    pub sort: Vec<Value>,
    /// The fields whose values were left out.
    pub ignored: Vec<String>,
    /// `fields`, when asked for.
    pub fields: Option<Value>,
}

/// `hits.total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TotalHits {
    /// How many, at least.
    pub value: u64,
    /// `eq`, or `gte` when counting stopped.
    pub relation: &'static str,
}
