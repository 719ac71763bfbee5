//! What a follower shard knows of its leader; written by its task, read by the status.

use parking_lot::Mutex;
use tandem_common::SeqNo;
use tandem_common::env::clock::{self, Instant};

/// The progress of one follower shard since this node has it.
#[derive(Debug, Default)]
pub struct FollowProgress {
    inner: Mutex<Progress>,
}

/// Its numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// The leader's global checkpoint as last heard of.
    pub leader_checkpoint: Option<SeqNo>,
    /// Since when it has been behind; `None` while it is level.
    pub behind_since: Option<Instant>,
    /// Operations received.
    pub operations_read: u64,
    /// Operations written.
    pub operations_written: u64,
    /// Pulls that failed.
    pub failed_reads: u64,
}

impl FollowProgress {
    /// The numbers now.
    pub fn get(&self) -> Progress {
        *self.inner.lock()
    }

    /// Takes note of both checkpoints.
    pub fn note(&self, leader: SeqNo, follower: SeqNo) {
        let mut inner = self.inner.lock();
        inner.leader_checkpoint = Some(leader);
        if follower >= leader {
            inner.behind_since = None;
        } else if inner.behind_since.is_none() {
            inner.behind_since = Some(clock::now());
        }
    }

    /// Counts operations that arrived.
    pub fn count_read(&self, operations: usize) {
        self.inner.lock().operations_read += operations as u64;
    }

    /// Counts operations that were written.
    pub fn count_written(&self, operations: usize) {
        self.inner.lock().operations_written += operations as u64;
    }

    /// Counts a pull that failed.
    pub fn count_failure(&self) {
        self.inner.lock().failed_reads += 1;
    }
}
