//! The blocking pool: file and index work runs here, never on the threads that serve the network.

use crate::error::{Error, Result};

/// Runs `work` on the blocking pool. A panic becomes an error of this call.
#[allow(clippy::disallowed_methods, reason = "this is the one place that may")]
pub async fn run<T, F>(work: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => {
            tracing::error!(%error, "blocking work panicked");
            Err(Error::internal("the operation failed unexpectedly"))
        }
    }
}

/// Starts a named thread that lives as long as its owner lets it.
#[allow(clippy::disallowed_methods, reason = "this is the one place that may")]
pub fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<std::thread::JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work)
}
