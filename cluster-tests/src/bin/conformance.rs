//! Runs the scenarios against a server that is already there.
//!
//! `conformance URL [options] [folder-or-file…]`; see `scripts/conformance.sh`.

#![expect(clippy::print_stdout, reason = "the result is meant for standard output")]
#![expect(clippy::disallowed_methods, reason = "the time taken is that of the real clock")]

use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use tandem_cluster_tests::{
    client::Client,
    scenarios::{Outcome, Runner, Server, Tally, load_all},
};

const USAGE: &str = "\
usage: conformance URL [options] [folder-or-file…]

  URL                     the server under test, http://host:port
  --follower URL          a second cluster, for the scenarios of replication
  --leader-seed HOST:PORT the transport address of the first one, as the second must be told it
  --server NAME           tandem (the default) or opensearch: which side of a named difference holds
  --quiet                 print failures only
  folder-or-file          which scenarios, relative to cluster-tests/scenarios (all of them by default)";

struct Arguments {
    runner: Runner,
    chosen: Vec<PathBuf>,
    quiet: bool,
}

fn main() -> ExitCode {
    match parse(env::args().skip(1)) {
        Ok(arguments) => match run(&arguments) {
            Ok(0) => ExitCode::SUCCESS,
            Ok(_) => ExitCode::FAILURE,
            Err(problem) => {
                println!("{problem}");
                ExitCode::from(2)
            }
        },
        Err(problem) => {
            println!("{problem}\n\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// Answers how many scenarios failed.
fn run(arguments: &Arguments) -> Result<usize, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut files = Vec::new();
    if arguments.chosen.is_empty() {
        files = load_all(&root, &root)?;
    }
    for chosen in &arguments.chosen {
        let path = if chosen.exists() { chosen.clone() } else { root.join(chosen) };
        files.extend(load_all(&root, &path)?);
    }

    let started = Instant::now();
    let tally = arguments.runner.run_all(&files, |title, outcome| match outcome {
        Outcome::Failed(problem) => println!("FAIL  {title}\n      {}", problem.replace('\n', "\n      ")),
        Outcome::Passed if !arguments.quiet => println!("ok    {title}"),
        Outcome::Skipped(reason) if !arguments.quiet => println!("skip  {title} ({reason})"),
        Outcome::Passed | Outcome::Skipped(_) => {}
    });
    let Tally { passed, failed, skipped, requests } = tally;
    if tally == Tally::default() {
        return Err("no scenario was found".to_owned());
    }
    println!("{requests} requests in {:.1} s, {skipped} scenarios skipped", started.elapsed().as_secs_f64());
    println!("{passed} passed, {failed} failed");
    Ok(failed)
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let (mut urls, mut chosen, mut quiet) = (Vec::new(), Vec::new(), false);
    let (mut follower, mut seed, mut server) = (None, None, Server::Tandem);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--follower" => follower = Some(Client::new(&value()?)?),
            "--leader-seed" => seed = Some(value()?),
            "--server" => {
                server = match value()?.as_str() {
                    "tandem" => Server::Tandem,
                    "opensearch" => Server::OpenSearch,
                    other => return Err(format!("no server is called [{other}]")),
                }
            }
            "--quiet" => quiet = true,
            option if option.starts_with("--") => return Err(format!("there is no option {option}")),
            url if urls.is_empty() => urls.push(Client::new(url)?),
            path => chosen.push(PathBuf::from(path)),
        }
    }
    let leader = urls.pop().ok_or("the URL of a server is missing")?;
    let follower = match (follower, seed) {
        (Some(follower), Some(seed)) => Some((follower, seed)),
        (None, None) => None,
        _ => return Err("--follower and --leader-seed go together".to_owned()),
    };
    Ok(Arguments { runner: Runner { leader, server, follower }, chosen, quiet })
}
