//! The verbs: start, stop, pause, resume, status.

use crate::action::Services;
use tandem_common::{Context, Error, Result, Settings};

/// `indices:admin/plugins/replication/index/start`: what to follow. The body's shape was checked by the door.
#[derive(Clone, Debug, Default)]
pub struct StartRequest {
    /// The follower index.
    pub follower_index: String,
    /// The connection alias; `None` when absent.
    pub leader_alias: Option<String>,
    /// The leader index; `None` when absent.
    pub leader_index: Option<String>,
    /// `use_roles` with only one of its two roles.
    pub half_roles: bool,
    /// Settings that override the leader's.
    pub settings: Settings,
    /// Answer only when it follows.
    pub wait_for_restore: bool,
}

/// Starts following.
pub async fn start(_services: &Services, _context: &Context, _request: StartRequest) -> Result<()> {
    Err(Error::internal("pending"))
}

/// Stops following: the index becomes an ordinary one.
pub async fn stop(_services: &Services, _context: &Context, _index: &str) -> Result<()> {
    Err(Error::internal("pending"))
}

/// Pauses; `reason` is shown in the status.
pub async fn pause(_services: &Services, _context: &Context, _index: &str, _reason: Option<String>) -> Result<()> {
    Err(Error::internal("pending"))
}

/// Resumes.
pub async fn resume(_services: &Services, _context: &Context, _index: &str, _force: bool) -> Result<()> {
    Err(Error::internal("pending"))
}

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
/// `replication_exception` when it cannot be told.
pub async fn status(_services: &Services, _context: &Context, _index: &str) -> Result<ReplicationStatus> {
    Err(Error::internal("pending"))
}
