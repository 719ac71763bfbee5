//! What a follower cluster may ask of its leader beside the data: what an index is, and what it follows itself.

use crate::action::Services;
use bytes::Bytes;
use std::time::Duration;
use tandem_cluster::IndexMetadata;
use tandem_common::{Context, Error, Result};
use tandem_proto::history as wire;

/// How long asking one leader up the chain may take.
const CHAIN_LIMIT: Duration = Duration::from_secs(5);

/// Describes an index: its metadata, whether it can be read, and the chain of what it follows.
///
/// # Errors
/// `index_not_found_exception`.
pub async fn describe(services: &Services, _context: &Context, request: wire::DescribeIndexRequest) -> Result<wire::DescribeIndexResponse> {
    let state = services.cluster.state();
    if !state.indices.contains_key(&request.index)
        && let Some(aliased) = state.alias(&request.index).first()
    {
        // A name that is an alias is told apart by the name of what is behind it.
        return describe_index(services, aliased).await;
    }
    let index = state.index(&request.index)?;
    describe_index(services, index).await
}

async fn describe_index(services: &Services, index: &IndexMetadata) -> Result<wire::DescribeIndexResponse> {
    let state = services.cluster.state();
    let active = (0..index.number_of_shards()).all(|shard| services.indices.active(&(index.uuid.clone(), shard)).is_some());
    Ok(wire::DescribeIndexResponse {
        metadata: Bytes::from(serde_json::to_vec(index).map_err(|error| Error::internal(error.to_string()))?),
        primaries_active: active,
        cluster_uuid: state.cluster_uuid.clone(),
        cluster_name: state.cluster_name.clone(),
        follows: chain(services, index).await,
    })
}

/// What an index follows, nearest first, as `cluster uuid/index uuid`. A leader that cannot be asked ends the chain.
async fn chain(services: &Services, index: &IndexMetadata) -> Vec<String> {
    let state = services.cluster.state();
    let Some(entry) = state.replications.get(&index.name).filter(|entry| entry.follows(index)) else { return Vec::new() };
    let Ok(remote) = services.remotes.get(&state, &entry.leader_alias) else { return Vec::new() };
    let request = wire::DescribeIndexRequest { index: entry.leader_index.clone() };
    match remote.describe_index(request, CHAIN_LIMIT).await {
        Ok(answer) => {
            let mut chain = vec![format!("{}/{}", answer.cluster_uuid, entry.leader_uuid)];
            chain.extend(answer.follows);
            chain
        }
        Err(_) => Vec::new(),
    }
}

/// The metadata inside an answer.
///
/// # Errors
/// An answer that cannot be read.
pub fn metadata_of(answer: &wire::DescribeIndexResponse) -> Result<IndexMetadata> {
    serde_json::from_slice(&answer.metadata)
        .map_err(|error| Error::Corrupt { reason: format!("the leader's index metadata cannot be read: {error}") })
}
