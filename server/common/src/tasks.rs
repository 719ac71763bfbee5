//! Background tasks: each has a name, ends on cancellation, and is waited for when the node stops.

use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
pub use tokio_util::sync::CancellationToken;

/// Spawns every task of a node. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    cancelled: CancellationToken,
    running: Mutex<JoinSet<()>>,
}

impl Tasks {
    /// No tasks yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs `task` until it ends or the node stops. A panic ends the task, is logged, and leaves the node running.
    #[allow(clippy::disallowed_methods, reason = "this is the one place that may spawn")]
    pub fn spawn<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let cancelled = self.inner.cancelled.clone();
        let mut running = self.inner.running.lock();
        while running.try_join_next().is_some() {}
        running.spawn(async move {
            let guarded = std::panic::AssertUnwindSafe(task);
            tokio::select! {
                biased;
                () = cancelled.cancelled() => {}
                outcome = tokio::spawn(guarded.0) => {
                    if let Err(error) = outcome {
                        tracing::error!(task = name, %error, "task panicked");
                    }
                }
            }
        });
    }

    /// Runs `task` and lets it see the cancellation itself, for a task that must finish what it holds.
    #[allow(clippy::disallowed_methods, reason = "this is the one place that may spawn")]
    pub fn spawn_graceful<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut running = self.inner.running.lock();
        while running.try_join_next().is_some() {}
        running.spawn(async move {
            if let Err(error) = tokio::spawn(task).await {
                tracing::error!(task = name, %error, "task panicked");
            }
        });
    }

    /// The token that is cancelled when the node stops.
    pub fn cancellation(&self) -> CancellationToken {
        self.inner.cancelled.clone()
    }

    /// Cancels every task and waits for them, at most `limit`.
    pub async fn stop(&self, limit: Duration) {
        self.inner.cancelled.cancel();
        let mut running = std::mem::take(&mut *self.inner.running.lock());
        let all = async { while running.join_next().await.is_some() {} };
        if tokio::time::timeout(limit, all).await.is_err() {
            tracing::warn!("tasks did not end in time");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn stopping_ends_a_task_that_waits_for_ever() {
        let tasks = Tasks::new();
        tasks.spawn("waits", std::future::pending());
        tasks.stop(Duration::from_secs(5)).await;
    }
}
