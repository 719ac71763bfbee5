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

/// One hit.
#[derive(Clone, Debug)]
pub struct Hit {}

/// `hits.total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TotalHits {}
