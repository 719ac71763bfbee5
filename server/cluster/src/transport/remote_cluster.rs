//! One connection per remote cluster, by its alias; made on first use, remade on the next seed after a failure.

use super::{CLUSTER_NAME_KEY, CLUSTER_UUID_KEY, MESSAGE_BYTES_MAX, status};
use crate::state::ClusterState;
use parking_lot::{Mutex, MutexGuard};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tandem_common::env::{clock, net};
use tandem_common::{Error, Result, Settings};
use tandem_proto::history as wire;
use tandem_proto::history::history_client::HistoryClient;
use tonic::metadata::MetadataValue;
use tonic::transport::{Channel, Endpoint, Uri};

/// How long a connection may take to stand.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that hears nothing for this long is asked whether it lives.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(2);
/// How long the answer to that may take.
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(2);
/// HTTP/2 windows: files travel in large pieces.
const WINDOW_BYTES: u32 = 4 << 20;

/// Every remote cluster that the settings name.
#[derive(Clone, Default)]
pub struct RemoteClusters {
    /// What the node's own configuration says; cluster settings win.
    configured: Arc<Settings>,
    open: Arc<Mutex<Open>>,
}

/// The clusters that a version of the state names. Every pull of every follower asks for one, so they are worked out once.
#[derive(Default)]
struct Open {
    version: Option<u64>,
    clusters: BTreeMap<String, Arc<RemoteCluster>>,
}

/// A remote cluster.
pub struct RemoteCluster {
    alias: String,
    mode: &'static str,
    seeds: Vec<String>,
    cluster_uuid: String,
    cluster_name: String,
    connection: tokio::sync::Mutex<Connection>,
    connected: std::sync::atomic::AtomicBool,
}

#[derive(Default)]
struct Connection {
    channel: Option<(String, Channel)>,
    next_seed: usize,
}

impl RemoteClusters {
    /// Remote clusters whose static part is in `configured` (`cluster.remote.<alias>.seeds`).
    pub fn new(configured: Arc<Settings>) -> Self {
        Self { configured, open: Arc::default() }
    }

    /// The aliases, in order, with their addresses.
    pub fn list(&self, state: &ClusterState) -> Vec<Arc<RemoteCluster>> {
        self.up_to_date(state).clusters.values().cloned().collect()
    }

    fn up_to_date(&self, state: &ClusterState) -> MutexGuard<'_, Open> {
        let mut open = self.open.lock();
        if open.version == Some(state.version) {
            return open;
        }
        let mut settings = self.configured.under("cluster.remote.");
        settings.apply(&state.effective_settings().under("cluster.remote."));
        let mut wanted: BTreeMap<String, (&'static str, Vec<String>)> = BTreeMap::new();
        for (key, _) in settings.iter() {
            let Some(rest) = key.strip_prefix("cluster.remote.") else { continue };
            if let Some(alias) = rest.strip_suffix(".seeds") {
                wanted.entry(alias.to_owned()).or_insert_with(|| ("sniff", settings.list(key).unwrap_or_default()));
            } else if let Some(alias) = rest.strip_suffix(".proxy_address") {
                wanted.insert(alias.to_owned(), ("proxy", settings.list(key).unwrap_or_default()));
            }
        }
        wanted.retain(|_, (_, seeds)| !seeds.is_empty());
        open.clusters.retain(|alias, cluster| {
            wanted.get(alias).is_some_and(|(mode, seeds)| cluster.mode == *mode && cluster.seeds == *seeds)
                && cluster.cluster_uuid == state.cluster_uuid
        });
        for (alias, (mode, seeds)) in wanted {
            open.clusters.entry(alias.clone()).or_insert_with(|| {
                Arc::new(RemoteCluster {
                    alias,
                    mode,
                    seeds,
                    cluster_uuid: state.cluster_uuid.clone(),
                    cluster_name: state.cluster_name.clone(),
                    connection: tokio::sync::Mutex::default(),
                    connected: false.into(),
                })
            });
        }
        open.version = Some(state.version);
        open
    }

    /// The remote cluster of this alias.
    ///
    /// # Errors
    /// `no_such_remote_cluster_exception`.
    pub fn get(&self, state: &ClusterState, alias: &str) -> Result<Arc<RemoteCluster>> {
        self.up_to_date(state).clusters.get(alias).cloned().ok_or_else(|| Error::NoSuchRemoteCluster { alias: alias.to_owned() })
    }
}

impl RemoteCluster {
    /// Its alias here.
    pub fn alias(&self) -> &str {
        &self.alias
    }

    /// `sniff` or `proxy`.
    pub fn mode(&self) -> &'static str {
        self.mode
    }

    /// Its addresses.
    pub fn seeds(&self) -> &[String] {
        &self.seeds
    }

    /// Whether the last call found it.
    pub fn is_connected(&self) -> bool {
        self.connected.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Makes the connection stand now, if it can.
    pub async fn connect(&self) -> Result<()> {
        self.channel().await.map(|_| ())
    }

    /// What an index is.
    pub async fn describe_index(&self, request: wire::DescribeIndexRequest, limit: Duration) -> Result<wire::DescribeIndexResponse> {
        self.call(limit, request, async |mut client, request| client.describe_index(request).await).await
    }

    /// Takes a lease and pins a commit.
    pub async fn begin(&self, request: wire::BeginRequest, limit: Duration) -> Result<wire::BeginResponse> {
        self.call(limit, request, async |mut client, request| client.begin(request).await).await
    }

    /// A part of a pinned file.
    pub async fn read_file(&self, request: wire::ReadFileRequest, limit: Duration) -> Result<wire::ReadFileResponse> {
        self.call(limit, request, async |mut client, request| client.read_file(request).await).await
    }

    /// Releases a pinned commit.
    pub async fn finish(&self, request: wire::FinishRequest, limit: Duration) -> Result<wire::FinishResponse> {
        self.call(limit, request, async |mut client, request| client.finish(request).await).await
    }

    /// Operations from a place on.
    pub async fn read_operations(&self, request: wire::ReadOperationsRequest, limit: Duration) -> Result<wire::ReadOperationsResponse> {
        self.call(limit, request, async |mut client, request| client.read_operations(request).await).await
    }

    /// Moves a lease on.
    pub async fn renew_lease(&self, request: wire::RenewLeaseRequest, limit: Duration) -> Result<wire::RenewLeaseResponse> {
        self.call(limit, request, async |mut client, request| client.renew_lease(request).await).await
    }

    /// Gives a lease up.
    pub async fn remove_lease(&self, request: wire::RemoveLeaseRequest, limit: Duration) -> Result<wire::RemoveLeaseResponse> {
        self.call(limit, request, async |mut client, request| client.remove_lease(request).await).await
    }

    async fn call<Q, A>(
        &self,
        limit: Duration,
        message: Q,
        rpc: impl AsyncFnOnce(HistoryClient<Channel>, tonic::Request<Q>) -> Result<tonic::Response<A>, tonic::Status>,
    ) -> Result<A> {
        let (address, channel) = self.channel().await?;
        let client = HistoryClient::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX).max_encoding_message_size(MESSAGE_BYTES_MAX);
        let mut request = tonic::Request::new(message);
        request.set_timeout(limit);
        for (key, value) in [(CLUSTER_UUID_KEY, &self.cluster_uuid), (CLUSTER_NAME_KEY, &self.cluster_name)] {
            if let Ok(value) = MetadataValue::try_from(value.as_str()) {
                request.metadata_mut().insert(key, value);
            }
        }
        // tonic enforces the limit on the far side; this one holds when the far side is silent.
        let outcome = clock::timeout(limit + Duration::from_secs(1), rpc(client, request)).await;
        match outcome {
            Some(Ok(response)) => Ok(response.into_inner()),
            Some(Err(status)) => {
                let error = status::to_error(&status, &address);
                if matches!(error, Error::ConnectTransport { .. }) {
                    self.forget(&address).await;
                }
                Err(error)
            }
            None => {
                self.forget(&address).await;
                Err(Error::Timeout { reason: format!("[{address}] did not answer in time") })
            }
        }
    }

    async fn channel(&self) -> Result<(String, Channel)> {
        let mut connection = self.connection.lock().await;
        if let Some(open) = &connection.channel {
            return Ok(open.clone());
        }
        let mut last = Error::ConnectTransport { reason: format!("[{}] has no seeds", self.alias) };
        for attempt in 0..self.seeds.len() {
            let seed = &self.seeds[(connection.next_seed + attempt) % self.seeds.len()];
            match connect(seed).await {
                Ok(channel) => {
                    connection.channel = Some((seed.clone(), channel.clone()));
                    self.connected.store(true, std::sync::atomic::Ordering::Relaxed);
                    return Ok((seed.clone(), channel));
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn forget(&self, address: &str) {
        let mut connection = self.connection.lock().await;
        if connection.channel.as_ref().is_some_and(|(open, _)| open == address) {
            connection.channel = None;
            connection.next_seed += 1;
            self.connected.store(false, std::sync::atomic::Ordering::Relaxed);
        }
    }
}

async fn connect(seed: &str) -> Result<Channel> {
    let failed = |what: &dyn std::fmt::Display| Error::ConnectTransport { reason: format!("[{seed}] connect_exception: {what}") };
    let endpoint = Endpoint::from_shared(format!("http://{seed}"))
        .map_err(|error| failed(&error))?
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES);
    let connector = tower::service_fn(|uri: Uri| async move {
        let address = format!("{}:{}", uri.host().unwrap_or_default(), uri.port_u16().unwrap_or(9300));
        net::connect(&address).await.map(hyper_util::rt::TokioIo::new)
    });
    match clock::timeout(CONNECT_TIMEOUT, endpoint.connect_with_connector(connector)).await {
        Some(Ok(channel)) => Ok(channel),
        Some(Err(error)) => Err(failed(&source_of(&error))),
        None => Err(failed(&"timed out")),
    }
}

/// The innermost cause, which is what a person needs to read.
fn source_of(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}
