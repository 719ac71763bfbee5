//! Time. Leases and deadlines use [`now`], which is monotonic; only answers and date math use the wall clock.

pub use tokio::time::Instant;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The monotonic time.
pub fn now() -> Instant {
    Instant::now()
}

/// Milliseconds since 1970 by the wall clock; never used to decide what is safe.
pub fn wall_millis() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
}

/// Waits. Cancel-safe.
pub async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// Runs `future` for at most `duration`; `None` when the time ran out.
pub async fn timeout<F: Future>(duration: Duration, future: F) -> Option<F::Output> {
    tokio::time::timeout(duration, future).await.ok()
}
