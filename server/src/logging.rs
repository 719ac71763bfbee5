//! The log: text on a terminal, JSON elsewhere, on standard error.

use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;

/// What is logged when `TANDEM_LOG` does not say otherwise.
const DEFAULT_FILTER: &str = "info,openraft=warn,h2=warn,hyper=warn,tantivy=warn";

/// Starts logging. `TANDEM_LOG` is read as `RUST_LOG` is elsewhere: `debug`, `info,tandem_node::ccr=trace`.
pub fn start() {
    let filter =
        std::env::var("TANDEM_LOG").ok().and_then(|text| EnvFilter::try_new(text).ok()).unwrap_or_else(|| EnvFilter::new(DEFAULT_FILTER));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second call, as in tests, changes nothing.
    let _ = if std::io::stderr().is_terminal() { builder.try_init() } else { builder.with_ansi(false).json().try_init() };
}
