//! What follows what: the durable part of cross-cluster replication.

use super::IndexMetadata;
use serde::{Deserialize, Serialize};
use tandem_common::{IndexUuid, Settings};

/// One follower index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReplicationEntry {
    /// Rises with each start, stop, pause and resume: what an older epoch began is not finished.
    pub epoch: u64,
    /// Whether it runs.
    pub state: ReplicationState,
    /// Why it is in this state.
    pub reason: String,
    /// The connection.
    pub leader_alias: String,
    /// The leader index.
    pub leader_index: String,
    /// The leader index's identity: another index of the same name is not followed.
    pub leader_uuid: IndexUuid,
    /// The follower index's identity.
    pub follower_uuid: IndexUuid,
    /// Settings that override the leader's.
    pub overrides: Settings,
}

/// The overall state of a follower index.
///
/// ```text
/// absent ──start──► Running ◄──resume── Paused
///   ▲                 │ │ └────pause──────►│
///   │                 │ └─cannot begin─► Failed
///   └──────────────stop (from any)──────────┘
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReplicationState {
    /// It follows, or is about to.
    Running,
    /// It holds still; the write block stays.
    Paused,
    /// It could not begin.
    Failed,
}

impl ReplicationState {
    /// Whether the drawing allows the step.
    pub fn can_become(self, next: ReplicationState) -> bool {
        use ReplicationState::{Failed, Paused, Running};
        matches!((self, next), (Running, Paused | Failed) | (Paused, Running))
    }

    /// OpenSearch's word.
    pub fn as_str(self) -> &'static str {
        match self {
            ReplicationState::Running => "RUNNING",
            ReplicationState::Paused => "PAUSED",
            ReplicationState::Failed => "FAILED",
        }
    }
}

impl ReplicationEntry {
    /// Whether `index` is the index that this entry made or took over.
    pub fn follows(&self, index: &IndexMetadata) -> bool {
        self.follower_uuid == index.uuid
    }
}
