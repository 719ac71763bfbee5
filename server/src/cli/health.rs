//! `tandem health`: how a cluster is, for people and for scripts that wait.

use super::client::{Request, send};
use super::{complain, say, url_or_default};
use clap::ValueEnum;
use serde_json::Value;
use std::process::ExitCode;
use std::time::Duration;
use tandem_common::env::clock;
use tandem_common::{Error, Result, units};

/// The pause between two attempts while nothing answers.
const RETRY_INTERVAL: Duration = Duration::from_millis(200);
/// The longest time that one request waits at the server, so that a dead connection is noticed.
const ONE_WAIT_MAX: Duration = Duration::from_secs(10);

/// The longest wait; longer ones are cut.
const TIMEOUT_MAX: Duration = Duration::from_secs(24 * 3600);

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Wait until the cluster is at least this well
    #[arg(long, value_enum)]
    wait: Option<Status>,
    /// How long to wait for it, with a unit
    #[arg(long, default_value = "30s")]
    timeout: String,
    /// Where the cluster is
    #[arg(long)]
    url: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Status {
    /// A primary is missing
    Red,
    /// A replica is missing
    Yellow,
    /// Nothing is missing
    Green,
}

impl Status {
    fn of(text: &str) -> Option<Self> {
        <Self as ValueEnum>::from_str(text, true).ok()
    }

    fn word(self) -> &'static str {
        match self {
            Status::Red => "red",
            Status::Yellow => "yellow",
            Status::Green => "green",
        }
    }
}

/// Asks, or waits until the answer is good enough or the time is up.
pub(super) async fn run(arguments: &Arguments) -> Result<ExitCode> {
    let timeout =
        units::parse_time(&arguments.timeout, "--timeout")?.ok_or_else(|| Error::illegal_argument("--timeout takes a time such as 30s"))?;
    let deadline = clock::now() + timeout.min(TIMEOUT_MAX);
    let wanted = arguments.wait.unwrap_or(Status::Yellow);
    loop {
        let left = deadline.saturating_duration_since(clock::now());
        let outcome = ask(arguments, wanted, left.min(ONE_WAIT_MAX)).await;
        let last = arguments.wait.is_none() || left <= RETRY_INTERVAL;
        match outcome {
            Ok((status, line)) if last || status.is_some_and(|status| status >= wanted) => {
                say(line.as_bytes());
                return Ok(if status.is_some_and(|status| status >= wanted) { ExitCode::SUCCESS } else { ExitCode::FAILURE });
            }
            Err(error) if last => {
                complain(&error.to_string());
                return Ok(ExitCode::FAILURE);
            }
            Ok(_) | Err(_) => clock::sleep(RETRY_INTERVAL).await,
        }
    }
}

async fn ask(arguments: &Arguments, wanted: Status, wait: Duration) -> Result<(Option<Status>, String)> {
    let query = match arguments.wait {
        Some(_) => format!("?wait_for_status={}&timeout={}ms", wanted.word(), wait.as_millis()),
        None => String::new(),
    };
    let request = Request {
        method: "GET".to_owned(),
        url: url_or_default(arguments.url.as_deref()),
        path: format!("/_cluster/health{query}"),
        ..Request::default()
    };
    let response = send(&request, wait + Duration::from_secs(5)).await?;
    let body: Value = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
    let text = |name: &str| body.get(name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).unwrap_or_default();
    let Some(status) = body.get("status").and_then(Value::as_str).and_then(Status::of) else {
        return Ok((None, format!("status {}: {}\n", response.status, String::from_utf8_lossy(&response.body))));
    };
    let line = format!(
        "{} · cluster {} · {} nodes · {} active shards, {} initializing, {} unassigned\n",
        status.word(),
        text("cluster_name"),
        text("number_of_nodes"),
        text("active_shards"),
        text("initializing_shards"),
        text("unassigned_shards"),
    );
    Ok((Some(status), line))
}
