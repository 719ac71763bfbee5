//! How many documents match. OpenSearch counts by a search of size 0 (`indices:data/read/search`).

use super::shards::{self, Target};
use crate::action::{IndexNames, Services, ShardsHeader};
use tandem_common::env::clock;
use tandem_common::error::ShardFailure;
use tandem_common::{Context, Error, Result, blocking};
use tandem_engine::search::{SearchSource, TrackTotalHits, query_phase};

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
///
/// # Errors
/// A query that every shard refuses; no such index.
pub async fn execute(services: &Services, context: &Context, request: CountRequest) -> Result<CountResponse> {
    let counting = SearchSource {
        query: request.source.query.clone(),
        min_score: request.source.min_score,
        size: Some(0),
        track_total_hits: Some(TrackTotalHits::Exact),
        ..SearchSource::default()
    };
    let targets = shards::targets(services, &request.indices, &counting, request.routing.as_deref())?;
    let now_millis = clock::wall_millis();
    let running = targets.into_iter().map(|target| count(services, context, target, now_millis));
    let mut answer = CountResponse { count: 0, shards: ShardsHeader::default() };
    for outcome in futures::future::join_all(running).await {
        answer.shards.total += 1;
        match outcome {
            Ok(count) => {
                answer.shards.successful += 1;
                answer.count += count;
            }
            Err(failure) => {
                answer.shards.failed += 1;
                answer.shards.failures.push(failure);
            }
        }
    }
    if answer.shards.failed > 0 && answer.shards.successful == 0 {
        return Err(Error::SearchPhaseExecution { phase: "query".into(), failures: answer.shards.failures });
    }
    Ok(answer)
}

async fn count(services: &Services, context: &Context, target: Target, now_millis: i64) -> Result<u64, ShardFailure> {
    let (index, number) = (target.index.name.clone(), target.shard);
    let counted = async {
        let shard = services.indices.primary(context, &target.index, target.shard).await?;
        blocking::run(move || {
            let result = query_phase(&shard.searcher(), &target.source, now_millis, &target.index.settings)?;
            Ok(result.total.unwrap_or(0))
        })
        .await
    };
    counted.await.map_err(|error| shards::failure(services, index, number, error))
}
