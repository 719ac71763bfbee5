//! The listener: connections with limits in number, in silence and in slow heads, and an orderly end.

use super::dispatch::Door;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use parking_lot::Mutex;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tandem_common::Tasks;
use tandem_common::env::clock::{self, Instant};
use tandem_common::env::net::{TcpListener, TcpStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Semaphore;

/// Connections at once; more wait in the system's queue.
const CONNECTIONS_MAX: usize = 10_000;
/// A head that takes longer to arrive is an attack or a broken client.
const HEAD_WAIT_MAX: Duration = Duration::from_secs(10);
/// A connection without a request for so long is closed.
const IDLE_MAX: Duration = Duration::from_secs(300);
/// How often the two limits above are looked at.
const WATCH_INTERVAL: Duration = Duration::from_secs(2);
/// The pause after a failed accept: most often the process is out of file handles.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// The buffer for reading also carries bodies, which want more room than heads.
const READ_BYTES_MIN: usize = 64 << 10;
/// Requests at once on one HTTP/2 connection.
const STREAMS_MAX: u32 = 200;

/// Serves `door` on `listener` until `tasks` are stopped; requests in flight are finished then.
pub fn serve(listener: TcpListener, door: Door, tasks: &Tasks) {
    let head_bytes_max = door.head_bytes_max();
    let spawner = tasks.clone();
    tasks.spawn_graceful("rest listener", async move {
        let stopping = spawner.cancellation();
        let free = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        loop {
            let accepted = tokio::select! {
                biased;
                () = stopping.cancelled() => return,
                accepted = async {
                    let permit = free.clone().acquire_owned().await.map_err(io::Error::other)?;
                    listener.accept().await.map(|(stream, _)| (stream, permit))
                } => accepted,
            };
            match accepted {
                Ok((stream, permit)) => {
                    let (door, stopping) = (door.clone(), stopping.clone());
                    let requests = spawner.clone();
                    spawner.spawn_graceful("rest connection", async move {
                        serve_connection(stream, door, head_bytes_max, requests, stopping.cancelled()).await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    clock::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    });
}

async fn serve_connection(stream: TcpStream, door: Door, head_bytes_max: usize, tasks: Tasks, stopping: impl Future<Output = ()>) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let activity = Arc::new(Mutex::new(Activity::new()));
    let watched = Watched { stream, activity: activity.clone() };
    let service = service_fn(|request| {
        let (door, activity) = (door.clone(), activity.clone());
        async move {
            let running = Running::start(activity);
            let response = door.handle(request).await;
            drop(running);
            Ok::<_, std::convert::Infallible>(response)
        }
    });
    let mut builder = Builder::new(SpawnStreams(tasks));
    // hyper's own head timer also runs between requests and would cut idle connections off; ours does not.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(IDLE_MAX).max_buf_size(head_bytes_max.max(READ_BYTES_MIN));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(u32::try_from(head_bytes_max).unwrap_or(16 << 10));
    let mut connection = pin!(builder.serve_connection(TokioIo::new(watched), service));
    let mut stopping = pin!(stopping);
    let mut ending = false;
    loop {
        tokio::select! {
            biased;
            () = &mut stopping, if !ending => {
                ending = true;
                connection.as_mut().graceful_shutdown();
            }
            outcome = &mut connection => {
                if let Err(error) = outcome {
                    tracing::debug!(%error, "connection ended");
                }
                return;
            }
            () = clock::sleep(WATCH_INTERVAL) => match activity.lock().verdict(clock::now()) {
                Verdict::Fine => {}
                Verdict::SlowHead => return,
                // Asked to end long ago and still there: its client takes nothing any more.
                Verdict::Idle if ending => return,
                Verdict::Idle => {
                    ending = true;
                    connection.as_mut().graceful_shutdown();
                }
            },
        }
    }
}

/// What happens on one connection.
struct Activity {
    in_flight: usize,
    /// Since when a head is arriving; `None` between requests and on HTTP/2, whose frames need no request.
    head_since: Option<Instant>,
    last: Instant,
    first_read: bool,
    http2: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Fine,
    SlowHead,
    Idle,
}

impl Activity {
    fn new() -> Self {
        // A connection that sends nothing at all counts as a slow head.
        Self { in_flight: 0, head_since: Some(clock::now()), last: clock::now(), first_read: true, http2: false }
    }

    fn read(&mut self, bytes: &[u8], now: Instant) {
        if std::mem::take(&mut self.first_read) {
            self.http2 = bytes.starts_with(b"PRI");
        }
        self.last = now;
        if self.http2 {
            self.head_since = None;
        } else if self.in_flight == 0 {
            self.head_since.get_or_insert(now);
        }
    }

    fn verdict(&self, now: Instant) -> Verdict {
        match self.head_since {
            Some(since) if now.saturating_duration_since(since) > HEAD_WAIT_MAX => Verdict::SlowHead,
            None if self.in_flight == 0 && now.saturating_duration_since(self.last) > IDLE_MAX => Verdict::Idle,
            _ => Verdict::Fine,
        }
    }
}

/// Counts a request while it lives, also when it is dropped because the asker went away.
struct Running(Arc<Mutex<Activity>>);

impl Running {
    fn start(activity: Arc<Mutex<Activity>>) -> Self {
        let mut now = activity.lock();
        now.in_flight += 1;
        now.head_since = None;
        drop(now);
        Self(activity)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut activity = self.0.lock();
        activity.in_flight -= 1;
        activity.last = clock::now();
    }
}

/// A stream that tells [`Activity`] when bytes come and go.
struct Watched {
    stream: TcpStream,
    activity: Arc<Mutex<Activity>>,
}

impl Watched {
    fn wrote(&self, polled: &Poll<io::Result<usize>>) {
        if matches!(polled, Poll::Ready(Ok(written)) if *written > 0) {
            self.activity.lock().last = clock::now();
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if let Some(fresh) = buffer.filled().get(before..).filter(|fresh| !fresh.is_empty()) {
            self.activity.lock().read(fresh, clock::now());
        }
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(&polled);
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, parts: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.wrote(&polled);
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// Lets hyper spawn the streams of an HTTP/2 connection as tasks of the door.
#[derive(Clone)]
struct SpawnStreams(Tasks);

impl<F> hyper::rt::Executor<F> for SpawnStreams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, future: F) {
        self.0.spawn_graceful("rest stream", future);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_head_is_told_from_an_idle_connection() {
        let mut activity = Activity::new();
        let start = clock::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(activity.verdict(after(9)), Verdict::Fine);
        assert_eq!(activity.verdict(after(11)), Verdict::SlowHead);
        activity.read(b"GET / HT", after(1));
        assert_eq!(activity.verdict(after(12)), Verdict::SlowHead);
        // The request has come and gone: the connection waits for the next one.
        activity.head_since = None;
        assert_eq!(activity.verdict(after(200)), Verdict::Fine);
        assert_eq!(activity.verdict(after(400)), Verdict::Idle);
        activity.in_flight = 1;
        assert_eq!(activity.verdict(after(400)), Verdict::Fine);
    }

    #[test]
    fn frames_of_http2_are_no_heads() {
        let mut activity = Activity::new();
        activity.read(b"PRI * HTTP/2.0\r\n", clock::now());
        activity.read(b"\0\0\0\x04", clock::now());
        assert_eq!(activity.verdict(clock::now() + Duration::from_secs(20)), Verdict::Fine);
    }
}
