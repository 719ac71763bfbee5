//! The files of a commit: begin (lease, pin, list), read, finish.

use super::shard_of;
use crate::action::Services;
use bytes::Bytes;
use tandem_common::{Context, Error, Result, blocking};
use tandem_proto::history as wire;

/// The largest part of a file that is sent at once.
const PART_BYTES_MAX: u32 = 16 << 20;

/// Takes a lease on everything that is retained, pins a commit, and then lets the lease hold only what comes after it.
pub async fn begin(services: &Services, _context: &Context, request: wire::BeginRequest) -> Result<wire::BeginResponse> {
    let shard = shard_of(&services.indices, &services.cluster.state(), request.shard.as_ref())?;
    let id = &request.lease_id;
    if shard.leases().iter().any(|lease| lease.id == *id) {
        shard.remove_lease(id).await?;
    }
    shard.add_lease(id, shard.history().lowest_retained, &request.lease_source).await?;
    let commit = shard.acquire_commit().await?;
    shard.renew_lease(id, commit.checkpoint.next(), &request.lease_source).await?;
    let files =
        commit.files.iter().map(|file| wire::FileInfo { name: file.name.clone(), length: file.length, crc32: file.crc32 }).collect();
    let lineage = serde_json::to_vec(&commit.lineage).map_err(|error| Error::internal(error.to_string()))?;
    let (checkpoint, op_term) = (commit.checkpoint.0, commit.op_term.0);
    let commit_id = services.indices.pinned().add(commit)?;
    Ok(wire::BeginResponse { commit_id, files, checkpoint, op_term, lineage: Bytes::from(lineage) })
}

/// A part of a file.
pub async fn read(services: &Services, _context: &Context, request: wire::ReadFileRequest) -> Result<wire::ReadFileResponse> {
    let commit = services.indices.pinned().get(request.commit_id)?;
    let length = request.length.min(PART_BYTES_MAX) as usize;
    let data = blocking::run(move || commit.read(&request.name, request.offset, length)).await?;
    Ok(wire::ReadFileResponse { data })
}

/// Lets a commit go.
pub async fn finish(services: &Services, _context: &Context, request: wire::FinishRequest) -> Result<wire::FinishResponse> {
    services.indices.pinned().remove(request.commit_id);
    Ok(wire::FinishResponse {})
}
