//! The face for other clusters (and, once there are several nodes, for other nodes): unwrap, call, wrap.
//!
//! *What it is*: one listener with one file per service. · *Types to know*: [`serve`]. · **Invariants**: every RPC names its
//! OpenSearch action; nothing is decided here; an error travels whole. · *How it fails*: a status with the error inside. ·
//! *How it is tested*: two clusters in `cluster-tests`.

mod history;

use std::time::Duration;
use tandem_cluster::transport::{CLUSTER_UUID_KEY, MESSAGE_BYTES_MAX, OPAQUE_ID_KEY, status};
use tandem_common::env::net::TcpListener;
use tandem_common::tasks::CancellationToken;
use tandem_common::{Action, Context, Error, Result, Subject};
use tandem_node::action::Services;
use tandem_proto::history::history_server::HistoryServer;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

/// How long a call may take when its caller did not say.
const DEFAULT_LIMIT: Duration = Duration::from_secs(60);
/// A connection that hears nothing for this long is asked whether it lives.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(5);
/// How long the answer to that may take.
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(5);
/// HTTP/2 windows: files travel in large pieces.
const WINDOW_BYTES: u32 = 4 << 20;
/// How many calls of one connection are worked on at once.
const STREAMS_MAX: u32 = 1_024;

/// Serves the gRPC door until `stopping` is cancelled, then lets the calls in flight finish; those that wait for news end.
///
/// # Errors
/// A listener that breaks.
pub async fn serve(listener: TcpListener, services: Services, stopping: CancellationToken) -> Result<()> {
    let history = HistoryServer::new(history::HistoryService { services, stopping: stopping.clone() })
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    // tonic sets no options on sockets that it is given: without this, small answers wait 40 ms for an acknowledgement.
    let sockets = TcpListenerStream::new(listener).map(|accepted| {
        let socket = accepted?;
        socket.set_nodelay(true)?;
        Ok::<_, std::io::Error>(socket)
    });
    Server::builder()
        .http2_keepalive_interval(Some(KEEP_ALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEP_ALIVE_TIMEOUT))
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .max_concurrent_streams(STREAMS_MAX)
        .add_service(history)
        .serve_with_incoming_shutdown(sockets, stopping.cancelled_owned())
        .await
        .map_err(|error| Error::Io { reason: format!("the gRPC door failed: {error}") })
}

/// The context of a call: who asks, what for, until when.
fn context_of<T>(request: &Request<T>, action: Action) -> Context {
    let text = |key: &str| request.metadata().get(key).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let limit = text("grpc-timeout").and_then(|value| parse_timeout(&value)).unwrap_or(DEFAULT_LIMIT);
    let subject = Subject::RemoteCluster(text(CLUSTER_UUID_KEY).unwrap_or_default());
    Context { opaque_id: text(OPAQUE_ID_KEY), ..Context::with_timeout(subject, action, limit) }
}

/// The `grpc-timeout` header: at most eight digits and a unit (gRPC over HTTP/2, "Requests").
fn parse_timeout(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
    match unit {
        'H' => Some(Duration::from_secs(number.checked_mul(3_600)?)),
        'M' => Some(Duration::from_secs(number.checked_mul(60)?)),
        'S' => Some(Duration::from_secs(number)),
        'm' => Some(Duration::from_millis(number)),
        'u' => Some(Duration::from_micros(number)),
        'n' => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

/// Wraps the outcome of a call.
fn answer<T>(outcome: Result<T>) -> std::result::Result<Response<T>, Status> {
    outcome.map(Response::new).map_err(|error| status::from_error(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_reads_as_grpc_writes_it() {
        assert_eq!(parse_timeout("100m"), Some(Duration::from_millis(100)));
        assert_eq!(parse_timeout("2S"), Some(Duration::from_secs(2)));
        assert_eq!(parse_timeout("99999999999999999999S"), None);
        assert_eq!(parse_timeout(""), None);
    }
}
