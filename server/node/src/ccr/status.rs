//! How the replication of an index stands, from what this node knows; the leader is asked, but not waited for long.

use crate::action::Services;
use crate::indices::recovery::target;
use std::time::Duration;
use tandem_cluster::state::{CopyState, ReplicationEntry, ReplicationState};
use tandem_cluster::{ClusterState, IndexMetadata};
use tandem_common::env::clock;
use tandem_common::{Context, Result};
use tandem_proto::history as wire;

/// How long the leader may take to tell its checkpoint; after that the last one heard of is shown.
const ASK_LIMIT: Duration = Duration::from_secs(1);
const NOT_IN_PROGRESS: &str = "REPLICATION NOT IN PROGRESS";

/// How the replication of an index stands.
#[derive(Clone, Debug, Default)]
pub struct ReplicationStatus {
    /// `SYNCING`, `BOOTSTRAPPING`, `PAUSED`, `FAILED`, `RUNNING`, `REPLICATION NOT IN PROGRESS`.
    pub status: &'static str,
    /// The rest; `None` when nothing is in progress.
    pub details: Option<StatusDetails>,
}

/// The parts of a status.
#[derive(Clone, Debug, Default)]
pub struct StatusDetails {
    /// Why it is in this state.
    pub reason: String,
    /// The connection.
    pub leader_alias: String,
    /// The leader index.
    pub leader_index: String,
    /// The follower index.
    pub follower_index: String,
    /// Sums over the shards; `None` while nothing syncs.
    pub syncing: Option<SyncingDetails>,
    /// Sums over the shards; `None` when there is nothing to say.
    pub bootstrap: Option<BootstrapDetails>,
    /// Per shard; shown with `verbose`.
    pub shards: Vec<ShardStatus>,
    /// How far behind; `None` unless it runs.
    pub lag: Option<Lag>,
}

/// `syncing_details`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SyncingDetails {
    /// The leader's global checkpoint.
    pub leader_checkpoint: i64,
    /// The follower's.
    pub follower_checkpoint: i64,
    /// The follower's next sequence number.
    pub seq_no: i64,
}

/// `bootstrap_details`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BootstrapDetails {
    /// Bytes to copy.
    pub bytes_total: u64,
    /// Bytes copied.
    pub bytes_recovered: u64,
    /// Their share, 0 to 100.
    pub bytes_percent: f64,
    /// Files to copy.
    pub files_total: u64,
    /// Files copied.
    pub files_recovered: u64,
    /// Their share, 0 to 100.
    pub files_percent: f64,
    /// Milliseconds since 1970.
    pub start_time: i64,
    /// Milliseconds.
    pub running_time: i64,
}

/// One shard of a verbose status.
#[derive(Clone, Debug)]
pub enum ShardStatus {
    /// It follows.
    Syncing {
        /// `[index][0]`.
        shard_id: String,
        /// Its numbers.
        details: SyncingDetails,
        /// How far behind.
        lag: Lag,
    },
    /// It is being copied.
    Bootstrapping {
        /// `[index][0]`.
        shard_id: String,
        /// Its numbers.
        details: BootstrapDetails,
    },
}

/// How far a follower is behind, as far as it knows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Lag {
    /// Operations.
    pub operations: i64,
    /// Seconds since the oldest operation it lacks was acknowledged.
    pub seconds: f64,
}

/// Tells how it stands.
///
/// # Errors
/// None so far: what cannot be asked is shown as last known.
pub async fn status(services: &Services, _context: &Context, index: &str) -> Result<ReplicationStatus> {
    let state = services.cluster.state();
    let Some(entry) = state.replications.get(index) else {
        return Ok(ReplicationStatus { status: NOT_IN_PROGRESS, details: None });
    };
    let mut details = StatusDetails {
        reason: entry.reason.clone(),
        leader_alias: entry.leader_alias.clone(),
        leader_index: entry.leader_index.clone(),
        follower_index: index.to_owned(),
        ..StatusDetails::default()
    };
    if entry.state != ReplicationState::Running {
        return Ok(ReplicationStatus { status: entry.state.as_str(), details: Some(details) });
    }
    let Some(follower) = state.indices.get(index).filter(|found| entry.follows(found)) else {
        return Ok(ReplicationStatus { status: NOT_IN_PROGRESS, details: None });
    };
    let asked = (0..follower.number_of_shards()).map(|shard| shard_status(services, &state, entry, follower, shard));
    details.shards = futures::future::join_all(asked).await.into_iter().flatten().collect();
    let status = match details.shards.first() {
        None => "RUNNING",
        Some(ShardStatus::Syncing { .. }) => "SYNCING",
        Some(ShardStatus::Bootstrapping { .. }) => "BOOTSTRAPPING",
    };
    summarize(&mut details);
    Ok(ReplicationStatus { status, details: Some(details) })
}

/// Sums over the shards; percentages are averaged, the start is the earliest, the time the longest.
fn summarize(details: &mut StatusDetails) {
    let mut syncing: Option<SyncingDetails> = None;
    let mut bootstraps = Vec::new();
    let mut lag: Option<Lag> = None;
    for shard in &details.shards {
        match shard {
            ShardStatus::Syncing { details, lag: of_shard, .. } => {
                let sum = syncing.get_or_insert_default();
                sum.leader_checkpoint += details.leader_checkpoint;
                sum.follower_checkpoint += details.follower_checkpoint;
                sum.seq_no += details.seq_no;
                let lag = lag.get_or_insert_default();
                lag.operations += of_shard.operations;
                lag.seconds = lag.seconds.max(of_shard.seconds);
            }
            ShardStatus::Bootstrapping { details, .. } => bootstraps.push(*details),
        }
    }
    let count = bootstraps.len().max(1) as f64;
    details.bootstrap = Some(BootstrapDetails {
        bytes_total: bootstraps.iter().map(|b| b.bytes_total).sum(),
        bytes_recovered: bootstraps.iter().map(|b| b.bytes_recovered).sum(),
        bytes_percent: bootstraps.iter().fold(0.0, |sum, b| sum + b.bytes_percent) / count,
        files_total: bootstraps.iter().map(|b| b.files_total).sum(),
        files_recovered: bootstraps.iter().map(|b| b.files_recovered).sum(),
        files_percent: bootstraps.iter().fold(0.0, |sum, b| sum + b.files_percent) / count,
        start_time: bootstraps.iter().map(|b| b.start_time).min().unwrap_or(0),
        running_time: bootstraps.iter().map(|b| b.running_time).max().unwrap_or(0),
    });
    details.syncing = syncing;
    details.lag = lag;
    if details.shards.is_empty() {
        details.bootstrap = None;
    }
}

async fn shard_status(
    services: &Services,
    state: &ClusterState,
    entry: &ReplicationEntry,
    follower: &IndexMetadata,
    number: u32,
) -> Option<ShardStatus> {
    let key = (follower.uuid.clone(), number);
    let shard_id = format!("[{}][{number}]", follower.name);
    if let Some((shard, ..)) = services.indices.active(&key) {
        let leader = ask_checkpoint(services, state, entry, &shard.history(), number).await;
        let stats = shard.stats();
        let progress = services.indices.follow_progress(&key).map(|progress| progress.get()).unwrap_or_default();
        let known = progress.leader_checkpoint.map_or(-1, |checkpoint| checkpoint.0);
        let follower_checkpoint = stats.global_checkpoint;
        let leader_checkpoint = leader.unwrap_or(known).max(follower_checkpoint);
        let operations = leader_checkpoint - follower_checkpoint;
        let since = progress.behind_since.map_or(0.0, |since| clock::now().saturating_duration_since(since).as_secs_f64());
        let lag = Lag { operations, seconds: if operations == 0 { 0.0 } else { since } };
        let details = SyncingDetails { leader_checkpoint, follower_checkpoint, seq_no: stats.local_checkpoint + 1 };
        return Some(ShardStatus::Syncing { shard_id, details, lag });
    }
    let copy = state.routing.get(&follower.uuid).and_then(|routing| routing.primary(number));
    let initializing = copy.is_some_and(|copy| copy.state == CopyState::Initializing);
    let numbers = services.indices.recovery_progress(&key).filter(|_| initializing)?.get();
    let percent = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 };
    let end = if numbers.end_time == 0 { clock::wall_millis() } else { numbers.end_time };
    let details = BootstrapDetails {
        bytes_total: numbers.bytes_total,
        bytes_recovered: numbers.bytes_recovered,
        bytes_percent: percent(numbers.bytes_recovered, numbers.bytes_total),
        files_total: numbers.files_total,
        files_recovered: numbers.files_recovered,
        files_percent: percent(numbers.files_recovered, numbers.files_total),
        start_time: numbers.start_time,
        running_time: if numbers.start_time == 0 { 0 } else { (end - numbers.start_time).max(0) },
    };
    Some(ShardStatus::Bootstrapping { shard_id, details })
}

/// The leader's global checkpoint now, if it answers soon.
async fn ask_checkpoint(
    services: &Services,
    state: &ClusterState,
    entry: &ReplicationEntry,
    history: &tandem_engine::shard::HistoryState,
    number: u32,
) -> Option<i64> {
    let remote = services.remotes.get(state, &entry.leader_alias).ok()?;
    let from = history.global_checkpoint.next();
    let request = wire::ReadOperationsRequest {
        shard: Some(shard_ref(entry, number)),
        from_seq_no: from.0,
        bytes_max: 0,
        wait_millis: 0,
        previous_op_term: history.lineage.op_term_at(history.global_checkpoint).map(|term| term.0),
        history_id: history.history.to_string(),
        mapping_version: u64::MAX,
    };
    clock::timeout(ASK_LIMIT, remote.read_operations(request, ASK_LIMIT)).await?.ok().map(|answer| answer.global_checkpoint)
}

/// The leader shard that a follower shard of this number follows.
pub(super) fn shard_ref(entry: &ReplicationEntry, number: u32) -> wire::ShardRef {
    wire::ShardRef { index: entry.leader_index.clone(), index_uuid: entry.leader_uuid.to_string(), shard: number }
}

/// The id of the lease of a follower shard.
pub(super) fn lease_of(state: &ClusterState, follower: &IndexMetadata, number: u32) -> (String, String) {
    (target::lease_id(state, follower, number), target::lease_source(state))
}
