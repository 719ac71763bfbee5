//! A shard's history for whoever may have it: files of a pinned commit, operations, leases.
//!
//! *What it is*: the serving side, one function for each call. · *Types to know*: [`PinnedCommits`]. · **Invariants**: only
//! operations at or below the global checkpoint leave the shard; a lease is on disk before it is promised. · *How it fails*:
//! errors that the caller can tell apart: not retained, mismatch, no such index. · *How it is tested*: two clusters.

pub mod files;
pub mod leases;
pub mod operations;

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tandem_cluster::ClusterState;
use tandem_common::env::clock::{self, Instant};
use tandem_common::{Error, Result, ids};
use tandem_engine::shard::{CommitLease, IndexShard};
use tandem_proto::history as wire;

/// A pinned commit that nobody reads from is let go after this.
const IDLE_LIMIT: Duration = Duration::from_secs(60);
/// How many commits may be pinned at once.
const PINNED_MAX: usize = 256;

/// Commits that are kept for others while they copy them.
#[derive(Default)]
pub struct PinnedCommits {
    inner: Mutex<BTreeMap<u64, Pinned>>,
}

struct Pinned {
    commit: Arc<CommitLease>,
    last_used: Instant,
}

impl PinnedCommits {
    fn add(&self, commit: CommitLease) -> Result<u64> {
        let now = clock::now();
        let mut inner = self.inner.lock();
        inner.retain(|_, pinned| now.saturating_duration_since(pinned.last_used) < IDLE_LIMIT);
        if inner.len() >= PINNED_MAX {
            return Err(Error::Rejected { reason: format!("[{PINNED_MAX}] copies of shards are being made") });
        }
        let id = tandem_common::env::rng::next_u64();
        inner.insert(id, Pinned { commit: Arc::new(commit), last_used: now });
        Ok(id)
    }

    fn get(&self, id: u64) -> Result<Arc<CommitLease>> {
        let mut inner = self.inner.lock();
        let pinned = inner.get_mut(&id).ok_or_else(|| Error::ShardNotReady { reason: "the commit is no longer pinned".into() })?;
        pinned.last_used = clock::now();
        Ok(Arc::clone(&pinned.commit))
    }

    fn remove(&self, id: u64) {
        self.inner.lock().remove(&id);
    }
}

/// The active primary of a shard that another cluster names, by the identity of its index.
fn shard_of(indices: &super::IndicesService, state: &ClusterState, shard: Option<&wire::ShardRef>) -> Result<Arc<IndexShard>> {
    let shard = shard.ok_or_else(|| Error::illegal_argument("the shard is missing"))?;
    let uuid = ids::IndexUuid(shard.index_uuid.clone());
    let Some(index) = state.index_by_uuid(&uuid) else {
        return Err(Error::IndexNotFound { index: shard.index.clone() });
    };
    if shard.shard >= index.number_of_shards() {
        return Err(Error::illegal_argument(format!("index [{}] has no shard [{}]", index.name, shard.shard)));
    }
    match indices.active(&(uuid, shard.shard)) {
        Some((found, ..)) => Ok(found),
        None => Err(Error::ShardNotReady { reason: format!("[{}][{}] primary shard is not active", index.name, shard.shard) }),
    }
}
