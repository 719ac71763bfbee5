//! What the binary does: a verb of the client, or a node until a signal ends it.

use crate::cli::{Arguments, complain, say};
use crate::{Server, logging};
use clap::Parser as _;
use std::process::ExitCode;
use std::time::Duration;
use tandem_common::env::memory;
use tandem_common::{Error, Result};
use tokio::signal::unix::{SignalKind, signal};

/// How long blocking work that was given up may hold the process at its end.
const LEFTOVER_WAIT_MAX: Duration = Duration::from_millis(100);

/// Reads the arguments of this process, does what they say, and tells how it went.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Before there are other threads.
    memory::use_ordinary_pages();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("the threads cannot be started: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(async {
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
    });
    // What must last is on disk by now; work that nobody waits for any more does not keep the process.
    runtime.shutdown_timeout(LEFTOVER_WAIT_MAX);
    code
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
