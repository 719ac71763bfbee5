//! `indices:data/read/search`: a query over shards.

use crate::action::{IndexNames, Services, ShardsHeader};
use std::time::Duration;
use tandem_common::{Context, Error, Result};
use tandem_engine::search::{Hit, SearchSource, TotalHits};

/// What to search.
#[derive(Clone, Debug)]
pub struct SearchRequest {
    /// Where.
    pub indices: IndexNames,
    /// Body and URL parameters, already brought together.
    pub source: SearchSource,
    /// Only the shards of these routing values (comma-separated).
    pub routing: Option<String>,
    /// Which copies.
    pub preference: Option<String>,
    /// Whether an answer may lack shards (the default).
    pub allow_partial_results: bool,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct SearchResponse {
    /// How long it took.
    pub took: Duration,
    /// Whether the time ran out.
    pub timed_out: bool,
    /// Whether `terminate_after` cut it short; `None` when that was not asked.
    pub terminated_early: Option<bool>,
    /// The shards asked.
    pub shards: ShardsHeader,
    /// How many match; `None` when they were not tracked.
    pub total: Option<TotalHits>,
    /// The best score.
    pub max_score: Option<f32>,
    /// (index, hit), best first.
    pub hits: Vec<(String, Hit)>,
}

/// Searches.
///
/// # Errors
/// A bad query (`search_phase_execution_exception` when the shards refuse it), no such index.
pub async fn execute(_services: &Services, _context: &Context, _request: SearchRequest) -> Result<SearchResponse> {
    Err(Error::internal("pending"))
}
