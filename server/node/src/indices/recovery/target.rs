//! The side that pulls: a lease and a pinned commit on the leader, its files, and a shard opened on them.

use super::progress::RecoveryProgress;
use futures::stream::{self, StreamExt, TryStreamExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tandem_cluster::command::PauseReplication;
use tandem_cluster::state::{ClusterState, ReplicationState};
use tandem_cluster::transport::{RemoteCluster, RemoteClusters};
use tandem_cluster::{ClusterService, Command, IndexMetadata};
use tandem_common::env::fs::{self, File};
use tandem_common::env::{clock, rng};
use tandem_common::{Action, Context, Error, IndexUuid, PrimaryTerm, Result, SeqNo, blocking};
use tandem_engine::shard::{CommitFile, CopiedCommit, IndexShard, Lineage, OpenShard};
use tandem_proto::history as wire;

/// How long one call to the leader may take.
const CALL_LIMIT: Duration = Duration::from_secs(60);
/// How large a part of a file is asked for at once.
const CHUNK_BYTES: u32 = 4 << 20;
/// How many parts are in flight.
const CHUNKS_IN_FLIGHT: usize = 4;
/// The waits between attempts double from here …
const RETRY_FIRST: Duration = Duration::from_millis(500);
/// … up to here.
const RETRY_MAX: Duration = Duration::from_secs(60);
const ACTION: Action = Action("indices:data/read/plugins/replication/file_chunk");

/// Where a copy comes from.
pub struct Source<'a> {
    /// The connection.
    pub alias: &'a str,
    /// The leader index.
    pub index: &'a str,
    /// Its identity.
    pub uuid: &'a IndexUuid,
    /// The follower index.
    pub follower: &'a IndexMetadata,
    /// The shard.
    pub shard: u32,
}

/// The id of the lease that a follower shard holds on its leader. It names the follower's cluster and index by identity, so
/// that two followers of equal names do not share one.
pub fn lease_id(state: &ClusterState, follower: &IndexMetadata, shard: u32) -> String {
    format!("replication:{}:{}:[{}/{}][{shard}]", state.cluster_name, state.cluster_uuid, follower.name, follower.uuid)
}

/// The `source` of such a lease.
pub fn lease_source(state: &ClusterState) -> String {
    format!("replication:{}:{}", state.cluster_name, state.cluster_uuid)
}

/// Copies a shard from its leader and opens it. Tries again while the cause may pass; otherwise the replication is marked
/// failed, and this waits until somebody stops it.
pub async fn copy(
    cluster: &ClusterService,
    remotes: &RemoteClusters,
    source: &Source<'_>,
    open: &(dyn Fn() -> Result<OpenShard> + Sync),
    progress: &RecoveryProgress,
) -> Result<Arc<IndexShard>> {
    let mut wait = RETRY_FIRST;
    loop {
        let error = match attempt(cluster, remotes, source, open, progress).await {
            Ok(shard) => return Ok(shard),
            Err(error) => error,
        };
        tracing::warn!(index = source.follower.name, shard = source.shard, %error, "copying a shard from its leader failed");
        if !error.is_retryable() {
            let pause = PauseReplication {
                follower_index: source.follower.name.clone(),
                state: ReplicationState::Failed,
                reason: error.to_string(),
                epoch: None,
            };
            match cluster.submit(&Context::background(ACTION), Command::PauseReplication(pause)).await {
                // From here on only a person can help; a stop removes this index and ends the wait.
                Ok(_) => std::future::pending().await,
                Err(refused) => tracing::warn!(index = source.follower.name, %refused, "the failure could not be recorded"),
            }
        }
        clock::sleep(wait + Duration::from_millis(rng::below(250))).await;
        wait = (wait * 2).min(RETRY_MAX);
    }
}

async fn attempt(
    cluster: &ClusterService,
    remotes: &RemoteClusters,
    source: &Source<'_>,
    open: &(dyn Fn() -> Result<OpenShard> + Sync),
    progress: &RecoveryProgress,
) -> Result<Arc<IndexShard>> {
    let state = cluster.state();
    let remote = remotes.get(&state, source.alias)?;
    let shard = wire::ShardRef { index: source.index.to_owned(), index_uuid: source.uuid.to_string(), shard: source.shard };
    let begin = wire::BeginRequest {
        shard: Some(shard),
        lease_id: lease_id(&state, source.follower, source.shard),
        lease_source: lease_source(&state),
    };
    let commit = remote.begin(begin, CALL_LIMIT).await?;
    let copied = read_commit(&remote, &commit, open, progress).await;
    // Whatever came of it, the leader need not keep the commit any longer; it lets go by itself if this is lost.
    if let Err(error) = remote.finish(wire::FinishRequest { commit_id: commit.commit_id }, CALL_LIMIT).await {
        tracing::debug!(%error, "a pinned commit was not released");
    }
    copied
}

async fn read_commit(
    remote: &RemoteCluster,
    commit: &wire::BeginResponse,
    open: &(dyn Fn() -> Result<OpenShard> + Sync),
    progress: &RecoveryProgress,
) -> Result<Arc<IndexShard>> {
    let lineage: Lineage = serde_json::from_slice(&commit.lineage)
        .map_err(|error| Error::Corrupt { reason: format!("the leader's lineage cannot be read: {error}") })?;
    let folder = open()?.path.join("index");
    let fresh = folder.clone();
    blocking::run(move || {
        fs::remove_folder(&fresh)?;
        Ok(fs::create_folders(&fresh)?)
    })
    .await?;
    progress.begin(commit.files.len() as u64, commit.files.iter().map(|file| file.length).sum());
    for file in &commit.files {
        read_file(remote, commit.commit_id, file, &folder, progress).await?;
        progress.add_file();
    }
    let files = commit.files.iter().map(|file| CommitFile { name: file.name.clone(), length: file.length, crc32: file.crc32 }).collect();
    let copied = CopiedCommit {
        files,
        checkpoint: SeqNo(commit.checkpoint),
        op_term: PrimaryTerm(commit.op_term),
        history: lineage.history.clone(),
        lineage,
    };
    let shard = IndexShard::create_from_files(open()?, copied).await?;
    progress.end();
    Ok(shard)
}

async fn read_file(
    remote: &RemoteCluster,
    commit_id: u64,
    file: &wire::FileInfo,
    folder: &Path,
    progress: &RecoveryProgress,
) -> Result<()> {
    // A name from another cluster is used as a file name: only plain ones are taken.
    if file.name.is_empty() || file.name.contains(['/', '\\']) || file.name.starts_with("..") {
        return Err(Error::Corrupt { reason: format!("the leader names a file [{}] that cannot be written", file.name) });
    }
    let path = folder.join(&file.name);
    let target = blocking::run(move || Ok(Arc::new(File::create(&path)?))).await?;
    let offsets = (0..file.length).step_by(CHUNK_BYTES as usize);
    let parts = stream::iter(offsets.map(|offset| {
        let target = Arc::clone(&target);
        async move {
            let length = u64::from(CHUNK_BYTES).min(file.length - offset);
            let request = wire::ReadFileRequest { commit_id, name: file.name.clone(), offset, length: length as u32 };
            let part = remote.read_file(request, CALL_LIMIT).await?;
            if part.data.len() as u64 != length {
                return Err(Error::Corrupt { reason: format!("the leader's file [{}] is cut short at [{offset}]", file.name) });
            }
            blocking::run(move || Ok(target.write_all_at(&part.data, offset)?)).await?;
            progress.add_bytes(length);
            Ok(())
        }
    }));
    parts.buffer_unordered(CHUNKS_IN_FLIGHT).try_collect::<()>().await
}
