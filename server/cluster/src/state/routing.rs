//! Where the copies of shards are.

use serde::{Deserialize, Serialize};
use tandem_common::{AllocationId, NodeId, SessionId};

/// The copies of one index, by shard.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct IndexRouting {
    /// For each shard its copies, the primary first.
    pub shards: Vec<Vec<ShardRouting>>,
}

/// One copy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShardRouting {
    /// Whether it is the primary.
    pub primary: bool,
    /// What it is doing.
    pub state: CopyState,
    /// Where; `None` while unassigned.
    pub node: Option<NodeId>,
    /// The name of its data; `None` while it has none.
    pub allocation_id: Option<AllocationId>,
    /// The opening of its store that was reported started.
    pub session: Option<SessionId>,
}

/// The life of a copy.
///
/// ```text
/// Unassigned ──allocated──► Initializing ──reported started──► Started
///      ▲                         │                                │
///      └──────── node left, or the copy failed ───────────────────┘
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CopyState {
    /// It has no node.
    Unassigned,
    /// Its node is opening, creating or copying it.
    Initializing,
    /// It serves.
    Started,
}

impl CopyState {
    /// Whether the drawing allows the step.
    pub fn can_become(self, next: CopyState) -> bool {
        use CopyState::{Initializing, Started, Unassigned};
        matches!((self, next), (Unassigned, Initializing) | (Initializing, Started) | (Initializing | Started, Unassigned))
    }

    /// OpenSearch's word.
    pub fn as_str(self) -> &'static str {
        match self {
            CopyState::Unassigned => "UNASSIGNED",
            CopyState::Initializing => "INITIALIZING",
            CopyState::Started => "STARTED",
        }
    }
}

impl ShardRouting {
    /// A copy without a node.
    pub fn unassigned(primary: bool) -> Self {
        Self { primary, state: CopyState::Unassigned, node: None, allocation_id: None, session: None }
    }

    /// Its store is going to be opened again: it serves when that was reported, under a new term.
    pub fn reopen(&mut self) {
        if self.node.is_some() {
            self.state = CopyState::Initializing;
            self.session = None;
        }
    }

    /// Whether it serves.
    pub fn is_started(&self) -> bool {
        self.state == CopyState::Started
    }
}

impl IndexRouting {
    /// The primary of a shard.
    pub fn primary(&self, shard: u32) -> Option<&ShardRouting> {
        self.shards.get(shard as usize)?.iter().find(|copy| copy.primary)
    }
}
