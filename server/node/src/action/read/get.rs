//! `indices:data/read/get`: one document by its id.

use crate::action::Services;
use bytes::Bytes;
use tandem_common::{Context, Error, PrimaryTerm, Result, SeqNo};
use tandem_engine::search::SourceFilter;

/// Which document.
#[derive(Clone, Debug)]
pub struct GetRequest {
    /// Index or alias of one index.
    pub index: String,
    /// The document.
    pub id: String,
    /// Its routing.
    pub routing: Option<String>,
    /// See what is acknowledged but not yet searchable (the default).
    pub realtime: bool,
    /// Refresh first.
    pub refresh: bool,
    /// The version that it must have, else a conflict.
    pub version: Option<i64>,
    /// `version_type=external_gte` was given: the version must be at least that (otherwise equal).
    pub version_or_higher: bool,
    /// What of the source is wanted; `None` for all of it, untouched.
    pub source_filter: Option<SourceFilter>,
}

/// The document, found or not.
#[derive(Clone, Debug, PartialEq)]
pub struct GetResponse {
    /// The concrete index.
    pub index: String,
    /// The document.
    pub id: String,
    /// What was found.
    pub found: Option<FoundDocument>,
}

/// A document that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundDocument {
    /// Its version.
    pub version: i64,
    /// Its last operation.
    pub seq_no: SeqNo,
    /// That operation's term.
    pub primary_term: PrimaryTerm,
    /// Its routing, if it was given.
    pub routing: Option<String>,
    /// The source after filtering; `None` when none was wanted.
    pub source: Option<Bytes>,
}

/// Gets it.
///
/// # Errors
/// No such index, missing routing, a version conflict. A missing document is an answer.
pub async fn execute(_services: &Services, _context: &Context, _request: GetRequest) -> Result<GetResponse> {
    Err(Error::internal("pending"))
}
