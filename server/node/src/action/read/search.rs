//! `indices:data/read/search`: a query over shards.
//!
//! Two rounds: each shard finds its best documents on a searcher that is held, the results are merged, and only the shards
//! of winners are asked for what is shown of them, on the same searcher.

use super::shards::{self, Target};
use crate::action::{IndexNames, Services, ShardsHeader};
use std::sync::Arc;
use std::time::Duration;
use tandem_common::env::clock;
use tandem_common::error::ShardFailure;
use tandem_common::{Context, Error, Result, blocking};
pub use tandem_engine::search::{Hit, SearchSource};
use tandem_engine::search::{QueryResult, Reduced, TotalRelation, Winner, fetch_phase, query_phase, reduce};
use tandem_engine::shard::{IndexShard, ShardSearcher};

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

/// How many documents match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TotalHits {
    /// The number.
    pub value: u64,
    /// `eq` when it is exact, `gte` when there may be more.
    pub relation: &'static str,
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

/// A shard that answered, with what it found.
struct Answered {
    index: String,
    number: u32,
    shard: Arc<IndexShard>,
    searcher: ShardSearcher,
    result: QueryResult,
}

/// A shard that found winners, and the searcher that found them.
struct Place {
    index: String,
    number: u32,
    shard: Arc<IndexShard>,
    searcher: ShardSearcher,
}

/// Searches.
///
/// # Errors
/// A bad query (`search_phase_execution_exception` when the shards refuse it), no such index.
pub async fn execute(services: &Services, context: &Context, request: SearchRequest) -> Result<SearchResponse> {
    let began = clock::now();
    let targets = shards::targets(services, &request.indices, &request.source, request.routing.as_deref())?;
    let now_millis = clock::wall_millis();
    let running = targets.into_iter().map(|target| query(services, context, target, now_millis));
    let outcomes = futures::future::join_all(running).await;
    let mut shards = ShardsHeader { total: u32::try_from(outcomes.len()).unwrap_or(u32::MAX), ..ShardsHeader::default() };
    let mut answered = Vec::with_capacity(outcomes.len());
    for outcome in outcomes {
        match outcome {
            Ok(found) => answered.push(found),
            Err(failure) => shards.failures.push(failure),
        }
    }
    shards.failed = u32::try_from(shards.failures.len()).unwrap_or(u32::MAX);
    shards.successful = shards.total - shards.failed;
    if shards.failed > 0 && (shards.successful == 0 || !request.allow_partial_results) {
        return Err(Error::SearchPhaseExecution { phase: "query".into(), failures: shards.failures });
    }
    let nothing_asked = answered.is_empty();
    let (places, results): (Vec<_>, Vec<_>) = answered
        .into_iter()
        .map(|Answered { index, number, shard, searcher, result }| (Place { index, number, shard, searcher }, result))
        .unzip();
    let reduced = reduce(results, &request.source);
    let mut response = empty_response(&request.source, &reduced, shards);
    if nothing_asked {
        response.max_score = Some(0.0);
    }
    // One shard answers both phases at once, and then fails in the first.
    let phase = if places.len() == 1 { "query" } else { "fetch" };
    response.hits = match fetch(&request.source, places, &reduced.winners, now_millis).await? {
        Ok(hits) => hits,
        Err((index, number, error)) => {
            let failures = vec![shards::failure(services, index, number, error)];
            return Err(Error::SearchPhaseExecution { phase: phase.into(), failures });
        }
    };
    response.took = clock::now().saturating_duration_since(began);
    Ok(response)
}

fn empty_response(source: &SearchSource, reduced: &Reduced, shards: ShardsHeader) -> SearchResponse {
    let relation = match reduced.relation {
        TotalRelation::Equal => "eq",
        TotalRelation::AtLeast => "gte",
    };
    SearchResponse {
        took: Duration::ZERO,
        timed_out: reduced.timed_out,
        terminated_early: (source.terminate_after != 0).then_some(reduced.terminated_early),
        shards,
        total: reduced.total.map(|value| TotalHits { value, relation }),
        max_score: reduced.max_score,
        hits: Vec::new(),
    }
}

async fn query(services: &Services, context: &Context, target: Target, now_millis: i64) -> Result<Answered, ShardFailure> {
    let (index, number) = (target.index.name.clone(), target.shard);
    let found = async {
        let shard = services.indices.primary(context, &target.index, target.shard).await?;
        blocking::run(move || {
            let searcher = shard.searcher();
            let began = clock::now();
            let result = query_phase(&searcher, &target.source, now_millis, &target.index.settings)?;
            shard.count_query(clock::now().saturating_duration_since(began), &target.source.stats_groups);
            Ok((shard, searcher, result))
        })
        .await
    };
    match found.await {
        Ok((shard, searcher, result)) => Ok(Answered { index, number, shard, searcher, result }),
        Err(error) => Err(shards::failure(services, index, number, error)),
    }
}

/// The hits with their indices, or the shard that failed and how.
type Fetched = Result<Vec<(String, Hit)>, (String, u32, Error)>;

/// Loads the winners from the searchers that found them, and brings them back into their order.
async fn fetch(source: &SearchSource, places: Vec<Place>, winners: &[Winner], now_millis: i64) -> Result<Fetched> {
    if winners.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let winners = winners.to_vec();
    let source = source.clone();
    blocking::run(move || {
        let mut hits: Vec<Option<(String, Hit)>> = winners.iter().map(|_| None).collect();
        for (position, Place { index, number, shard, searcher }) in (0u32..).zip(&places) {
            let (ranks, mine): (Vec<usize>, Vec<Winner>) = winners
                .iter()
                .enumerate()
                .filter(|(_, winner)| winner.shard_position == position)
                .map(|(rank, winner)| (rank, winner.clone()))
                .unzip();
            if mine.is_empty() {
                continue;
            }
            let began = clock::now();
            let found = match fetch_phase(searcher, &source, &mine, now_millis) {
                Ok(found) => found,
                Err(error) => return Ok(Err((index.clone(), *number, error))),
            };
            shard.count_fetch(clock::now().saturating_duration_since(began), &source.stats_groups);
            for (rank, hit) in ranks.into_iter().zip(found) {
                if let Some(slot) = hits.get_mut(rank) {
                    *slot = Some((index.clone(), hit));
                }
            }
        }
        Ok(Ok(hits.into_iter().flatten().collect()))
    })
    .await
}
