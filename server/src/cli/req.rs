//! `tandem req`: one request, its answer on standard output.

use super::client::{Request, send};
use super::{complain, say, url_or_default};
use flate2::read::MultiGzDecoder;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use tandem_common::env::fs;
use tandem_common::{Error, Result, blocking};

/// The longest wait for an answer.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(600);

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// GET, PUT, POST, DELETE, HEAD
    method: String,
    /// The path with its query, such as /_cat/indices?v
    path: String,
    /// `-` reads the body from standard input
    #[arg(value_parser = ["-"], conflicts_with_all = ["body", "body_file", "gzip_file"])]
    stdin: Option<String>,
    /// Where the cluster is
    #[arg(long)]
    url: Option<String>,
    /// The body
    #[arg(long, conflicts_with_all = ["body_file", "gzip_file"])]
    body: Option<String>,
    /// A file with the body; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "gzip_file")]
    body_file: Option<PathBuf>,
    /// A gzip file; it is decompressed and sent
    #[arg(long, value_name = "FILE")]
    gzip_file: Option<PathBuf>,
    /// The type of the body; without it JSON, or lines of JSON for _bulk and _msearch
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    /// Print nothing but failures
    #[arg(long)]
    quiet: bool,
    /// Print the status on a line of its own before the answer
    #[arg(long)]
    with_status: bool,
    /// The one status that counts as success; without it every status below 400
    #[arg(long, value_name = "STATUS")]
    expect: Option<u16>,
}

/// Sends the request.
pub(super) async fn run(arguments: &Arguments) -> Result<ExitCode> {
    let path = arguments.path.split('?').next().unwrap_or_default();
    let default_type = if path.ends_with("_bulk") || path.ends_with("_msearch") { "application/x-ndjson" } else { "application/json" };
    let request = Request {
        method: arguments.method.to_ascii_uppercase(),
        url: url_or_default(arguments.url.as_deref()),
        path: arguments.path.clone(),
        body: body(arguments).await?,
        content_type: arguments.content_type.clone().unwrap_or_else(|| default_type.to_owned()),
    };
    let response = send(&request, ANSWER_WAIT_MAX).await?;
    let succeeded = arguments.expect.map_or(response.status < 400, |expected| response.status == expected);
    if arguments.with_status {
        say(format!("{}\n", response.status).as_bytes());
    }
    if !arguments.quiet || !succeeded {
        say(&response.body);
        if !response.body.is_empty() && !response.body.ends_with(b"\n") {
            say(b"\n");
        }
    }
    if !succeeded {
        complain(&format!("{} {} answered {}", request.method, request.path, response.status));
    }
    Ok(if succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn body(arguments: &Arguments) -> Result<Vec<u8>> {
    if let Some(text) = &arguments.body {
        return Ok(text.clone().into_bytes());
    }
    let from_stdin = arguments.stdin.is_some() || arguments.body_file.as_deref() == Some(Path::new("-"));
    let (plain, gzipped) = (arguments.body_file.clone(), arguments.gzip_file.clone());
    blocking::run(move || {
        if from_stdin {
            let mut bytes = Vec::new();
            std::io::stdin().lock().read_to_end(&mut bytes)?;
            return Ok(bytes);
        }
        match (plain, gzipped) {
            (Some(path), _) => Ok(fs::read(&path)?),
            (None, Some(path)) => {
                let mut bytes = Vec::new();
                let compressed = fs::read(&path)?;
                let named = |error: std::io::Error| Error::Io { reason: format!("[{}] is not gzip: {error}", path.display()) };
                MultiGzDecoder::new(compressed.as_slice()).read_to_end(&mut bytes).map_err(named)?;
                Ok(bytes)
            }
            (None, None) => Ok(Vec::new()),
        }
    })
    .await
}
