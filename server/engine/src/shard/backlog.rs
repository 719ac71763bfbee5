//! What lies above the published checkpoint takes memory: the operations, their parsed documents, their entries in the version
//! map, the buffers of the index. It is counted here, for each shard and for all shards of a node together.
//!
//! As it grows, first the index publishes without waiting for its time, then writes wait for the index, and in the end they
//! are refused before they are sequenced.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tandem_common::{Error, Result, SeqNo, ShardId, units};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// What one shard may have above its published checkpoint, however much the node has.
const SHARD_BYTES_MAX: usize = 256 << 20;

/// The least that a node gives to its shards (`indices.memory.min_index_buffer_size` of OpenSearch).
const NODE_BYTES_MIN: usize = 48 << 20;

/// What all shards of a node may have above their published checkpoints. Cheap to clone; clones share it.
#[derive(Clone, Debug)]
pub struct IndexBuffer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    bytes_max: usize,
    used: AtomicUsize,
    /// Wakes the indices of all shards when it is time to publish, and the writes that wait when it is over.
    changed: Notify,
}

impl Default for IndexBuffer {
    /// As much as one shard may have.
    fn default() -> Self {
        Self::new(SHARD_BYTES_MAX)
    }
}

impl IndexBuffer {
    /// No more than `bytes_max` for all shards together.
    pub fn new(bytes_max: usize) -> Self {
        Self { shared: Arc::new(Shared { bytes_max, used: AtomicUsize::new(0), changed: Notify::new() }) }
    }

    /// By the setting `indices.memory.index_buffer_size`: a size, or a share such as `10%` of `memory` bytes.
    ///
    /// # Errors
    /// A text that is neither.
    pub fn from_setting(text: &str, memory: u64) -> Result<Self> {
        let key = "indices.memory.index_buffer_size";
        let bytes = match text.trim().strip_suffix('%') {
            Some(share) => {
                let share: f64 = share.trim().parse().map_err(|_| Error::parse(format!("failed to parse [{key}] with value [{text}]")))?;
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of the memory, and the cast saturates")]
                let bytes = (memory as f64 / 100.0 * share.clamp(0.0, 100.0)) as usize;
                bytes.max(NODE_BYTES_MIN)
            }
            None => usize::try_from(units::parse_bytes(text, key)?).unwrap_or(usize::MAX),
        };
        Ok(Self::new(bytes))
    }

    fn used(&self) -> usize {
        self.shared.used.load(Ordering::Relaxed)
    }

    /// Whether all shards together take more than this many quarters of what they may.
    fn above(&self, quarters: usize) -> bool {
        self.used() > self.shared.bytes_max / 4 * quarters
    }

    fn add(&self, bytes: usize) {
        let pressed = self.above(2);
        self.shared.used.fetch_add(bytes, Ordering::Relaxed);
        if !pressed && self.above(2) {
            self.shared.changed.notify_waiters();
        }
    }

    fn subtract(&self, bytes: usize) {
        let slowed = self.above(3);
        self.shared.used.fetch_sub(bytes, Ordering::Relaxed);
        if slowed && !self.above(3) {
            self.shared.changed.notify_waiters();
        }
    }

    /// Ends when it becomes time to publish, or when writes need no longer wait. Cancel-safe.
    pub(super) fn changed(&self) -> Notified<'_> {
        self.shared.changed.notified()
    }
}

/// What one shard has above its published checkpoint.
#[derive(Debug)]
pub(super) struct Backlog {
    buffer: IndexBuffer,
    /// (last operation, bytes) of each batch that is not published.
    batches: VecDeque<(SeqNo, usize)>,
    bytes: usize,
    /// How many of the batches, from the front on, are applied whole.
    applied_batches: usize,
    applied_bytes: usize,
}

impl Backlog {
    pub(super) fn new(buffer: IndexBuffer) -> Self {
        Self { buffer, batches: VecDeque::new(), bytes: 0, applied_batches: 0, applied_bytes: 0 }
    }

    /// What this shard may have.
    fn bytes_max(&self) -> usize {
        SHARD_BYTES_MAX.min(self.buffer.shared.bytes_max)
    }

    /// A batch was sequenced.
    pub(super) fn add(&mut self, last: SeqNo, bytes: usize) {
        self.batches.push_back((last, bytes));
        self.bytes += bytes;
        self.buffer.add(bytes);
    }

    /// Operations up to `published` no longer count.
    pub(super) fn release(&mut self, published: SeqNo) {
        let before = self.bytes;
        while let Some((last, bytes)) = self.batches.front().copied()
            && last <= published
        {
            self.batches.pop_front();
            self.bytes = self.bytes.saturating_sub(bytes);
            if self.applied_batches > 0 {
                self.applied_batches -= 1;
                self.applied_bytes = self.applied_bytes.saturating_sub(bytes);
            }
        }
        if self.batches.is_empty() {
            self.batches.shrink_to(16);
        }
        if before > self.bytes {
            self.buffer.subtract(before - self.bytes);
        }
    }

    /// The index has reached `applied`.
    pub(super) fn note_applied(&mut self, applied: SeqNo) {
        while let Some((last, bytes)) = self.batches.get(self.applied_batches).copied()
            && last <= applied
        {
            self.applied_batches += 1;
            self.applied_bytes += bytes;
        }
    }

    /// The log was cut above `last`. What was counted together stays so until the last of it that is left is published.
    pub(super) fn cut(&mut self, last: SeqNo) {
        for (counted, _) in &mut self.batches {
            *counted = (*counted).min(last);
        }
    }

    /// Whether a publish should not wait. What is not applied yet would not be freed by it.
    pub(super) fn pressed(&self) -> bool {
        self.applied_bytes > self.bytes_max() / 4 || (self.applied_bytes > 0 && self.buffer.above(2))
    }

    /// Whether a write should wait for the index, so that a client that sends as fast as it is answered is slowed down long
    /// before it is refused.
    pub(super) fn slowed(&self) -> bool {
        self.bytes > self.bytes_max() / 2 || self.buffer.above(3)
    }

    /// Refuses writes when there is too much.
    ///
    /// # Errors
    /// [`Error::Rejected`].
    pub(super) fn admit(&self, shard: &ShardId) -> Result<()> {
        let max = self.bytes_max();
        if self.bytes <= max && !self.buffer.above(4) {
            return Ok(());
        }
        let Self { bytes, buffer, .. } = self;
        Err(Error::Rejected {
            reason: format!(
                "rejected execution of primary operation [shard_detail=[{shard}], primary_operation_bytes={bytes}, \
                 max_primary_bytes={max}, node_bytes={}, max_node_bytes={}]",
                buffer.used(),
                buffer.shared.bytes_max
            ),
        })
    }
}

impl Drop for Backlog {
    fn drop(&mut self) {
        self.buffer.subtract(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_common::IndexUuid;

    fn shard() -> ShardId {
        ShardId { index: "a".into(), index_uuid: IndexUuid("u".into()), shard: 0 }
    }

    #[test]
    fn pressure_rises_in_steps_and_falls_when_something_is_published() {
        let mut backlog = Backlog::new(IndexBuffer::new(400));
        let state = |backlog: &Backlog| (backlog.pressed(), backlog.slowed(), backlog.admit(&shard()).is_err());
        backlog.add(SeqNo(0), 101);
        assert_eq!(state(&backlog), (false, false, false), "what is not applied would not be freed");
        backlog.note_applied(SeqNo(0));
        assert_eq!(state(&backlog), (true, false, false));
        backlog.add(SeqNo(1), 100);
        assert_eq!(state(&backlog), (true, true, false));
        backlog.add(SeqNo(2), 200);
        assert_eq!(state(&backlog), (true, true, true));
        backlog.release(SeqNo(1));
        assert_eq!(state(&backlog), (false, false, false));
        assert_eq!(backlog.buffer.used(), 200);
    }

    #[test]
    fn what_others_use_counts_for_all() {
        let buffer = IndexBuffer::new(400);
        let (mut small, mut large) = (Backlog::new(buffer.clone()), Backlog::new(buffer));
        small.add(SeqNo(0), 1);
        small.note_applied(SeqNo(0));
        assert!(!small.pressed());
        large.add(SeqNo(0), 400);
        assert!(small.pressed() && small.slowed());
        let refused = small.admit(&shard()).unwrap_err();
        assert_eq!((refused.type_name(), refused.status()), ("rejected_execution_exception", 429));
        drop(large);
        assert!(!small.pressed() && small.admit(&shard()).is_ok());
    }

    #[test]
    fn the_setting_is_a_size_or_a_share() {
        let bytes = |text: &str| IndexBuffer::from_setting(text, 10 << 30).map(|buffer| buffer.shared.bytes_max);
        assert_eq!(bytes("10%").unwrap(), 1 << 30);
        assert_eq!(bytes("0.1%").unwrap(), NODE_BYTES_MIN);
        assert_eq!(bytes("64mb").unwrap(), 64 << 20);
        assert!(bytes("many").is_err() && bytes("x%").is_err());
    }
}
