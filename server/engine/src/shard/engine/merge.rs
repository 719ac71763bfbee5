//! When segments are merged.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tantivy::index::SegmentMeta;
use tantivy::merge_policy::{LogMergePolicy, MergeCandidate, MergePolicy};

/// Segments of a like size are merged once there are this many: a searcher reopens every segment when it is published.
const SEGMENTS_PER_LEVEL: usize = 8;

/// Below this many documents, segments count as being of a like size.
const LEVEL_FLOOR_DOCS: u32 = 10_000;

/// Segments with more documents are left alone.
const MERGED_DOCS_MAX: usize = 5_000_000;

/// A level is merged earlier when a segment in it has more than this share of deleted documents.
const DELETED_RATIO_MAX: f32 = 0.3;

/// Merges by size, and counts.
#[derive(Debug)]
pub(super) struct CountingMergePolicy {
    inner: LogMergePolicy,
    started: Arc<AtomicU64>,
}

impl CountingMergePolicy {
    pub(super) fn new(started: Arc<AtomicU64>) -> Self {
        let mut inner = LogMergePolicy::default();
        inner.set_min_num_segments(SEGMENTS_PER_LEVEL);
        inner.set_min_layer_size(LEVEL_FLOOR_DOCS);
        inner.set_max_docs_before_merge(MERGED_DOCS_MAX);
        inner.set_del_docs_ratio_before_merge(DELETED_RATIO_MAX);
        Self { inner, started }
    }
}

impl MergePolicy for CountingMergePolicy {
    fn compute_merge_candidates(&self, segments: &[SegmentMeta]) -> Vec<MergeCandidate> {
        let candidates = self.inner.compute_merge_candidates(segments);
        self.started.fetch_add(candidates.len() as u64, Ordering::Relaxed);
        candidates
    }
}
