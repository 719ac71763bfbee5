//! How many documents match. OpenSearch counts by a search of size 0 (`indices:data/read/search`).

use crate::action::{IndexNames, Services, ShardsHeader};
use tandem_common::{Context, Error, Result};
use tandem_engine::search::SearchSource;

/// What to count.
#[derive(Clone, Debug)]
pub struct CountRequest {
    /// Where.
    pub indices: IndexNames,
    /// Only `query` and `min_score` are used.
    pub source: SearchSource,
    /// Only the shards of these routing values.
    pub routing: Option<String>,
}

/// How many.
#[derive(Clone, Debug)]
pub struct CountResponse {
    /// The number.
    pub count: u64,
    /// The shards asked.
    pub shards: ShardsHeader,
}

/// Counts.
pub async fn execute(_services: &Services, _context: &Context, _request: CountRequest) -> Result<CountResponse> {
    Err(Error::internal("pending"))
}
