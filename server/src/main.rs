//! The binary: arguments, then a verb of the client or a node until a signal ends it.

use clap::Parser as _;
use std::process::ExitCode;
use tandem_common::{Error, Result};
use tandem_search::cli::{Arguments, complain, say};
use tandem_search::{Server, logging};
use tokio::signal::unix::{SignalKind, signal};

// Indexing allocates small things on many threads, where it clearly beats the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("the threads cannot be started: {error}"));
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(async {
        if let Some(verb) = &arguments.verb {
            return arguments.run(verb).await;
        }
        match run(&arguments).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                complain(&error.to_string());
                ExitCode::FAILURE
            }
        }
    })
}

/// Runs a node until SIGTERM or SIGINT.
async fn run(arguments: &Arguments) -> Result<()> {
    logging::start();
    let config = arguments.config()?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    // Before anything is opened, so that a signal during the start is not lost.
    let watched = |kind| signal(kind).map_err(Error::from);
    let (mut terminate, mut interrupt) = (watched(SignalKind::terminate())?, watched(SignalKind::interrupt())?);
    let server = tokio::select! {
        started = Server::start(config) => started?,
        _ = terminate.recv() => return Ok(()),
        _ = interrupt.recv() => return Ok(()),
    };
    say(server.banner().as_bytes());
    let name = tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    };
    tracing::info!(signal = name, "stopping");
    server.stop().await;
    tracing::info!("stopped");
    Ok(())
}
