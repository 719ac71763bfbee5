//! What every call carries: who asks, until when, as which task, under which opaque id.

use crate::env::clock::{self, Instant};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The OpenSearch name of what a route or an RPC does, such as `indices:data/write/bulk`. Every door declares one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Action(pub &'static str);

/// On whose behalf a call runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Subject {
    /// Without security everybody may do everything.
    Everyone,
    /// The node itself: background duties.
    Node,
    /// A cluster that follows this one, by its UUID as it presented it.
    RemoteCluster(String),
}

/// The context of one call. Cheap to clone; it is passed down unchanged.
#[derive(Clone, Debug)]
pub struct Context {
    /// Who asks.
    pub subject: Subject,
    /// What is done.
    pub action: Action,
    /// How long the asker was willing to wait.
    pub timeout: Duration,
    /// When the asker stops waiting.
    pub deadline: Instant,
    /// The number of the task on this node.
    pub task: u64,
    /// The `X-Opaque-Id` of the request, if any.
    pub opaque_id: Option<String>,
}

/// How long a call may take when its asker did not say (OpenSearch's default write timeout).
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

impl Context {
    /// The context of a background duty of this node.
    pub fn background(action: Action) -> Self {
        Self::with_timeout(Subject::Node, action, DEFAULT_TIMEOUT)
    }

    /// A context for `subject` that ends after `timeout`.
    pub fn with_timeout(subject: Subject, action: Action, timeout: Duration) -> Self {
        Self { subject, action, timeout, deadline: clock::now() + timeout, task: next_task(), opaque_id: None }
    }

    /// The time left until the deadline; zero when it has passed.
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(clock::now())
    }
}

/// Task numbers rise by one within a process.
fn next_task() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
