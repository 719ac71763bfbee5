//! The command line: running a node, and the verbs of a client.
//!
//! *What it is*: what a person or a script types. · *Types to know*: [`Arguments`], [`Verb`]. · **Invariants**: a client
//! verb speaks REST and knows nothing of a node in this process; standard output carries answers, standard error
//! everything else. · *How it fails*: a sentence on standard error and exit code 1. · *How it is tested*: beside the code,
//! and by the process tests.

mod client;
mod config;
mod health;
mod req;

use clap::{Args, Parser, Subcommand};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use tandem_common::Result;
use tandem_common::config::{Config, ConfigSources};

/// What was typed.
#[derive(Debug, Parser)]
#[command(name = "tandem", version, about = "A search cluster with cross-cluster replication. Without a verb it runs a node.")]
pub struct Arguments {
    #[command(flatten)]
    node: NodeArguments,
    /// What to do instead of running a node.
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

#[derive(Debug, Args)]
struct NodeArguments {
    /// The configuration file; without it opensearch.yml in this directory, if there is one
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Sets one setting; may be given many times
    #[arg(short = 'E', value_name = "KEY=VALUE", global = true)]
    set: Vec<String>,
    /// Listen beyond loopback although there is neither TLS nor authentication
    #[arg(long, global = true)]
    insecure: bool,
}

/// A verb.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Shows every setting, its value and where it comes from
    Config,
    /// Asks a cluster how it is; exit code 0 means as good as asked for
    Health(health::Arguments),
    /// Sends one request and prints the answer
    Req(req::Arguments),
}

impl Arguments {
    /// The configuration that the file, the environment and these arguments make.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn config(&self) -> Result<Config> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Config::load(&ConfigSources {
            file: self.node.config.clone().or_else(|| variable("TANDEM_CONFIG").map(PathBuf::from)),
            environment: std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
            overrides: self.node.set.clone(),
            insecure: self.node.insecure || variable("TANDEM_INSECURE").is_some_and(|value| value == "true" || value == "1"),
        })
    }

    /// Runs a verb.
    pub async fn run(&self, verb: &Verb) -> ExitCode {
        let outcome = match verb {
            Verb::Config => self.config().map(|config| config::run(&config)),
            Verb::Health(arguments) => health::run(arguments).await,
            Verb::Req(arguments) => req::run(arguments).await,
        };
        outcome.unwrap_or_else(|error| {
            complain(&error.to_string());
            ExitCode::FAILURE
        })
    }
}

/// Where a client looks for a cluster when it is not told.
const DEFAULT_URL: &str = "http://127.0.0.1:9200";

/// The URL to use: what was typed, else `TANDEM_URL`, else [`DEFAULT_URL`].
fn url_or_default(typed: Option<&str>) -> String {
    typed.map(str::to_owned).or_else(|| std::env::var("TANDEM_URL").ok()).unwrap_or_else(|| DEFAULT_URL.to_owned())
}

/// Writes to standard output. That its reader went away is no failure.
pub fn say(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

/// Writes one line to standard error.
pub fn complain(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "tandem: {text}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
        let arguments = Arguments::parse_from(["tandem", "-E", "cluster.name=a", "-E", "http.port=0", "--insecure"]);
        assert!(arguments.verb.is_none());
        let config = arguments.config().unwrap();
        assert_eq!((config.cluster_name().as_str(), config.insecure), ("a", true));
        let arguments = Arguments::parse_from(["tandem", "req", "POST", "/i/_bulk", "-", "--expect", "200"]);
        assert!(matches!(arguments.verb, Some(Verb::Req(_))));
    }
}
