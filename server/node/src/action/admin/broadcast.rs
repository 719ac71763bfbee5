//! `indices:admin/{refresh,flush,forcemerge}`: the same order to every shard copy of some indices.

use crate::action::resolve::{self, Purpose};
use crate::action::{IndexNames, Services, ShardsHeader};
use std::sync::Arc;
use tandem_cluster::IndexMetadata;
use tandem_common::error::ShardFailure;
use tandem_common::{Context, Result};

/// What every copy is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Make what is acknowledged searchable.
    Refresh,
    /// Make the index durable, so that a restart replays little.
    Flush,
    /// Merge down to this many segments.
    ForceMerge {
        /// At most this many remain; `None` lets the merge policy decide.
        max_segments: Option<usize>,
        /// Whether the replicas are left as they are.
        only_primaries: bool,
    },
}

/// Tells every copy of the indices that the expression names. The header counts copies.
///
/// # Errors
/// No such index; a copy that fails is in the header.
pub async fn execute(services: &Services, context: &Context, indices: IndexNames, order: Order) -> Result<ShardsHeader> {
    let found = resolve::indices(&services.cluster.state(), &indices, Purpose::Open)?;
    let mut header = ShardsHeader::default();
    let mut running = Vec::new();
    let only_primaries = matches!(order, Order::ForceMerge { only_primaries: true, .. });
    for index in &found {
        let replicas = if only_primaries { 0 } else { index.number_of_replicas() };
        header.total += index.number_of_shards() * (1 + replicas);
        running.extend((0..index.number_of_shards()).map(|shard| tell(services, context, Arc::clone(index), shard, order)));
    }
    for outcome in futures::future::join_all(running).await {
        match outcome {
            Ok(()) => header.successful += 1,
            Err(failure) => {
                header.failed += 1;
                header.failures.push(failure);
            }
        }
    }
    Ok(header)
}

async fn tell(services: &Services, context: &Context, index: Arc<IndexMetadata>, number: u32, order: Order) -> Result<(), ShardFailure> {
    let told = async {
        let shard = services.indices.primary(context, &index, number).await?;
        match order {
            Order::Refresh => shard.refresh().await,
            Order::Flush => shard.flush().await,
            Order::ForceMerge { max_segments, .. } => shard.force_merge(max_segments.unwrap_or(1).max(1)).await,
        }
    };
    told.await.map_err(|error| ShardFailure {
        shard: number,
        index: index.name.clone(),
        node: Some(services.cluster.local_node().id.to_string()),
        reason: Box::new(error),
    })
}
