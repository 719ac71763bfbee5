//! Whose turn it is to sync: the logs of all shards of a disk, and the log of the cluster state, share one queue per disk.
//!
//! Each log has at most one group commit under way, so the queue is never longer than there are logs. A disk merges flushes
//! that are asked for at the same time; more of them at once than [`SYNCS_AT_ONCE`] bring nothing, and would only keep
//! threads of the blocking pool from other work when a disk is slow.

use crate::blocking;
use crate::env::fs;
use crate::error::{Error, Result};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// How many logs of one disk are written and synced at the same time. Measured with 50 logs on ext4: 4 at once give 11,000
/// syncs a second, 8 give 14,000 to 18,000, 16 give 18,000 to 19,000, 50 no more.
const SYNCS_AT_ONCE: usize = 16;

/// The queue of one disk. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SyncQueue {
    turns: Arc<Semaphore>,
    ahead: Arc<Semaphore>,
}

/// Every disk of this process has one queue, by the number of its device.
static QUEUES: Mutex<BTreeMap<u64, SyncQueue>> = Mutex::new(BTreeMap::new());

impl SyncQueue {
    /// The queue of the disk that a folder lies on; of no particular disk while there is no such folder. Blocking.
    pub fn of(folder: &Path) -> SyncQueue {
        let device = fs::device(folder).unwrap_or_default();
        QUEUES.lock().entry(device).or_insert_with(|| SyncQueue::new(SYNCS_AT_ONCE)).clone()
    }

    fn new(at_once: usize) -> SyncQueue {
        SyncQueue { turns: Arc::new(Semaphore::new(at_once)), ahead: Arc::new(Semaphore::new(1)) }
    }

    /// Runs work that ends with a sync, on the blocking pool, when it is its turn.
    ///
    /// # Errors
    /// Those of the work.
    ///
    /// # Cancel safety
    /// Dropped before its turn the work never runs; after that it runs to its end.
    pub async fn run<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T> + Send + 'static,
    {
        Self::run_with(&self.turns, work).await
    }

    /// Like [`Self::run`], ahead of everybody else: for the log of the cluster state, without which nobody is primary for
    /// long. One such work at a time.
    ///
    /// # Errors
    /// Those of the work.
    pub async fn run_ahead<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T> + Send + 'static,
    {
        Self::run_with(&self.ahead, work).await
    }

    async fn run_with<T, F>(turns: &Arc<Semaphore>, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T> + Send + 'static,
    {
        let turn = turns.clone().acquire_owned().await.map_err(|_| Error::internal("the queue of a disk is closed"))?;
        blocking::run(move || {
            let outcome = work();
            // Given back by the work itself: whoever asked for it may be gone by now.
            drop(turn);
            outcome
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Barrier, mpsc};

    #[tokio::test]
    async fn one_folder_has_one_queue() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (SyncQueue::of(folder.path()), SyncQueue::of(folder.path()));
        assert!(Arc::ptr_eq(&first.turns, &second.turns));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn as_many_run_at_once_as_there_are_turns_and_no_more() {
        let queue = SyncQueue::new(4);
        let (running, highest) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        // Each work waits until three others run beside it.
        let beside = Arc::new(Barrier::new(4));
        let work = (0..40).map(|_| {
            let (running, highest, beside) = (running.clone(), highest.clone(), beside.clone());
            queue.run(move || {
                highest.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                beside.wait();
                running.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            })
        });
        let mut waiting: Vec<_> = work.map(Box::pin).collect();
        std::future::poll_fn(|context| {
            waiting.retain_mut(|work| work.as_mut().poll(context).is_pending());
            if waiting.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
        assert_eq!(highest.load(Ordering::SeqCst), 4);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_cluster_state_waits_for_no_shard() {
        let queue = SyncQueue::new(1);
        let (release, held) = mpsc::channel::<()>();
        let shard = queue.run(move || held.recv().map_err(|_| Error::internal("nobody released it")));
        let ahead = async {
            queue.run_ahead(|| Ok(())).await.unwrap();
            release.send(()).unwrap();
        };
        let (shard, ()) = tokio::join!(shard, ahead);
        shard.unwrap();
        queue.run(|| Ok(())).await.unwrap();
    }
}
