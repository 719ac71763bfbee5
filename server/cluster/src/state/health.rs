//! Green, yellow, red: derived, never stored.

use super::{ClusterState, CopyState, IndexMetadata, ShardRouting};

/// The health of a shard, an index or the cluster, from worst to best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// A primary is missing.
    Red,
    /// A replica is missing.
    Yellow,
    /// Every copy is started.
    Green,
}

impl Health {
    /// OpenSearch's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Health::Red => "red",
            Health::Yellow => "yellow",
            Health::Green => "green",
        }
    }
}

/// Copies by their state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CopyCounts {
    /// Started primaries.
    pub active_primary: u32,
    /// Started copies.
    pub active: u32,
    /// Copies being prepared.
    pub initializing: u32,
    /// Copies without a node.
    pub unassigned: u32,
}

impl CopyCounts {
    /// Adds the counts of another part.
    pub fn add(&mut self, other: CopyCounts) {
        self.active_primary += other.active_primary;
        self.active += other.active;
        self.initializing += other.initializing;
        self.unassigned += other.unassigned;
    }
}

/// The health and counts of one shard.
pub fn of_shard(copies: &[ShardRouting]) -> (Health, CopyCounts) {
    let mut counts = CopyCounts::default();
    for copy in copies {
        match copy.state {
            CopyState::Started => {
                counts.active += 1;
                counts.active_primary += u32::from(copy.primary);
            }
            CopyState::Initializing => counts.initializing += 1,
            CopyState::Unassigned => counts.unassigned += 1,
        }
    }
    let health = if counts.active_primary == 0 {
        Health::Red
    } else if counts.active as usize == copies.len() {
        Health::Green
    } else {
        Health::Yellow
    };
    (health, counts)
}

/// The health and counts of one index.
pub fn of_index(state: &ClusterState, index: &IndexMetadata) -> (Health, CopyCounts) {
    let mut total = CopyCounts::default();
    let mut worst = Health::Green;
    for copies in state.routing.get(&index.uuid).map(|routing| routing.shards.as_slice()).unwrap_or_default() {
        let (health, counts) = of_shard(copies);
        worst = worst.min(health);
        total.add(counts);
    }
    (worst, total)
}
