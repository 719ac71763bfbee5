//! The shard copies of this node follow the cluster state; their history is served to whoever may have it.
//!
//! *What it is*: [`IndicesService`], the owner of every open shard. · *Types to know*: [`reconcile`], [`recovery`],
//! [`history`]. · **Invariants**: nobody else opens or closes a shard; a shard is handed out only while it is active; a copy is
//! active only under a term that was committed after its store was opened. · *How it fails*: a copy that cannot be opened is
//! reported failed and the others go on. · *How it is tested*: the decision as a table, the rest through the doors.

pub mod follow_progress;
pub mod history;
pub mod reconcile;
pub mod recovery;

use follow_progress::FollowProgress;
use parking_lot::Mutex;
use recovery::progress::RecoveryProgress;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tandem_cluster::transport::RemoteClusters;
use tandem_cluster::{ClusterService, ClusterState, IndexMetadata};
use tandem_common::env::{clock, fs};
use tandem_common::tasks::CancellationToken;
use tandem_common::{AllocationId, Context, Error, IndexUuid, PrimaryTerm, Result, SessionId, Tasks, blocking};
use tandem_engine::shard::{IndexBuffer, IndexShard};
use tokio::sync::watch;

/// One shard of one index, by identity.
pub type ShardKey = (IndexUuid, u32);

/// The open shards of this node.
pub struct IndicesService {
    folder: PathBuf,
    cluster: ClusterService,
    remotes: RemoteClusters,
    tasks: Tasks,
    slots: Mutex<BTreeMap<ShardKey, Slot>>,
    /// Rises when a slot changes, so that the reconciler and waiters look again.
    changes: watch::Sender<u64>,
    pinned: history::PinnedCommits,
    /// What all shards of this node may hold in memory.
    buffer: IndexBuffer,
    /// Set when the node stops: from then on no step is begun.
    closing: AtomicBool,
}

/// What this node knows of one of its copies.
struct Slot {
    allocation_id: AllocationId,
    session: SessionId,
    shard: Option<Arc<IndexShard>>,
    /// The term and role under which it is active.
    active: Option<(PrimaryTerm, Role)>,
    /// A step is being carried out.
    busy: bool,
    /// Ends a step that takes long.
    cancelled: CancellationToken,
    /// How a copy from another cluster gets on.
    recovery: Arc<RecoveryProgress>,
    /// How a follower gets on.
    follow: Arc<FollowProgress>,
    /// The settings and mapping last handed to the shard.
    given: Option<Arc<IndexMetadata>>,
}

/// What an active copy does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It takes writes of clients.
    Primary,
    /// It takes the operations of a leader.
    Follower,
}

impl IndicesService {
    /// No shards yet; the reconciler opens them.
    pub fn new(folder: PathBuf, cluster: ClusterService, remotes: RemoteClusters, tasks: Tasks, buffer: IndexBuffer) -> Arc<Self> {
        Arc::new(Self {
            folder,
            cluster,
            remotes,
            tasks,
            buffer,
            slots: Mutex::default(),
            changes: watch::channel(0).0,
            pinned: history::PinnedCommits::default(),
            closing: AtomicBool::new(false),
        })
    }

    /// The active copy of a shard on this node, if there is one.
    pub fn active(&self, key: &ShardKey) -> Option<(Arc<IndexShard>, Role, PrimaryTerm)> {
        let slots = self.slots.lock();
        let slot = slots.get(key)?;
        let (term, role) = slot.active?;
        Some((Arc::clone(slot.shard.as_ref()?), role, term))
    }

    /// The active primary of a shard, waiting for it until the context's deadline.
    ///
    /// # Errors
    /// `unavailable_shards_exception` when it does not become active.
    pub async fn primary(&self, context: &Context, index: &IndexMetadata, shard: u32) -> Result<Arc<IndexShard>> {
        let key = (index.uuid.clone(), shard);
        if let Some((found, ..)) = self.active(&key) {
            return Ok(found);
        }
        let mut changes = self.changes.subscribe();
        let search = async {
            loop {
                changes.borrow_and_update();
                if let Some((found, ..)) = self.active(&key) {
                    return Some(found);
                }
                if self.cluster.state().index_by_uuid(&key.0).is_none() || changes.changed().await.is_err() {
                    return None;
                }
            }
        };
        clock::timeout(context.remaining(), search)
            .await
            .flatten()
            .ok_or_else(|| Error::UnavailableShards { reason: format!("[{}][{shard}] primary shard is not active", index.name) })
    }

    /// How the copy of a shard from another cluster gets on.
    pub fn recovery_progress(&self, key: &ShardKey) -> Option<Arc<RecoveryProgress>> {
        self.slots.lock().get(key).map(|slot| Arc::clone(&slot.recovery))
    }

    /// How a follower shard gets on.
    pub fn follow_progress(&self, key: &ShardKey) -> Option<Arc<FollowProgress>> {
        self.slots.lock().get(key).map(|slot| Arc::clone(&slot.follow))
    }

    /// Wakes whenever a shard of this node is opened, activated or closed.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The commits that are pinned for others.
    pub(crate) fn pinned(&self) -> &history::PinnedCommits {
        &self.pinned
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    fn shard_folder(&self, key: &ShardKey) -> PathBuf {
        self.folder.join(key.0.as_str()).join(key.1.to_string())
    }

    /// Removes what a crash left of indices that were deleted.
    ///
    /// # Errors
    /// A folder that cannot be listed or removed.
    pub async fn remove_strangers(&self, state: &ClusterState) -> Result<()> {
        let folder = self.folder.clone();
        let known: Vec<String> = state.indices.values().map(|index| index.uuid.to_string()).collect();
        blocking::run(move || {
            for name in fs::list(&folder)? {
                if !known.contains(&name) {
                    tracing::info!(index_uuid = name, "removing the data of an index that was deleted");
                    fs::remove_folder(&folder.join(&name))?;
                }
            }
            Ok(())
        })
        .await
    }

    /// Flushes and closes every shard.
    pub async fn close_all(&self) {
        self.closing.store(true, Ordering::SeqCst);
        let slots = std::mem::take(&mut *self.slots.lock());
        let shards: Vec<Arc<IndexShard>> = slots
            .into_values()
            .filter_map(|slot| {
                slot.cancelled.cancel();
                slot.shard
            })
            .collect();
        let closing = shards.iter().map(|shard| shard.close());
        for error in futures::future::join_all(closing).await.into_iter().filter_map(Result::err) {
            tracing::warn!(%error, "a shard did not close cleanly");
        }
    }
}
