//! A node with its doors.

use crate::addresses::{listen, published};
use crate::grpc;
use crate::rest::{self, App, Door};
use std::net::SocketAddr;
use std::time::Duration;
use tandem_common::config::Config;
use tandem_common::env::clock;
use tandem_common::{Result, Tasks};
use tandem_node::{Addresses, Node};

/// How long requests in flight may take to finish when the server stops.
const DRAIN_LIMIT: Duration = Duration::from_secs(2);
/// How long the whole stop may take: whoever stops a process kills it soon after.
const STOP_LIMIT: Duration = Duration::from_millis(4_800);

/// A [`Node`] with its listeners.
pub struct Server {
    node: Node,
    doors: Tasks,
    config: Config,
    http: SocketAddr,
    transport: SocketAddr,
}

impl Server {
    /// Takes the ports, then the data directory, and begins to serve.
    ///
    /// # Errors
    /// A port or directory that is taken, an address that needs `--insecure`, damaged data.
    pub async fn start(config: Config) -> Result<Server> {
        let http = listen(&config.http_host(), config.http_ports()?, config.insecure).await?;
        let transport = listen(&config.transport_host(), config.transport_ports()?, config.insecure).await?;
        let (http_bound, transport_bound) = (http.local_addr()?, transport.local_addr()?);
        let addresses = Addresses { http: published(http_bound, &config).await?, transport: published(transport_bound, &config).await? };
        let node = Node::start(config.clone(), addresses).await?;
        let doors = Tasks::new();
        let app = App {
            services: node.services().clone(),
            content_bytes_max: config.http_content_bytes_max(),
            head_bytes_max: config.http_header_bytes_max(),
        };
        rest::serve(http, Door::new(app), &doors);
        let (services, stopping) = (node.services().clone(), doors.cancellation());
        doors.spawn_graceful("grpc listener", async move {
            if let Err(error) = grpc::serve(transport, services, stopping).await {
                tracing::error!(%error, "the door for other clusters is closed");
            }
        });
        Ok(Server { node, doors, config, http: http_bound, transport: transport_bound })
    }

    /// Where REST listens.
    pub fn http_address(&self) -> SocketAddr {
        self.http
    }

    /// Where other nodes and clusters connect.
    pub fn transport_address(&self) -> SocketAddr {
        self.transport
    }

    /// The node behind the doors.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// What a person who started it wants to know, in plain words.
    pub fn banner(&self) -> String {
        format!(
            "Tandem {} (answers as OpenSearch {})\n  REST     http://{}\n  gRPC     {}\n  cluster  {}\n  node     {} ({})\n  data     {}\nTo stop it press Ctrl-C or send SIGTERM; requests in flight are finished first.\n",
            env!("CARGO_PKG_VERSION"),
            rest::VERSION,
            self.http,
            self.transport,
            self.config.cluster_name(),
            self.node.node_name(),
            self.node.node_id(),
            self.config.data_path().display(),
        )
    }

    /// Stops accepting, finishes requests in flight, flushes and closes everything.
    pub async fn stop(self) {
        let orderly = async {
            self.doors.stop(DRAIN_LIMIT).await;
            self.node.stop().await;
        };
        if clock::timeout(STOP_LIMIT, orderly).await.is_none() {
            tracing::warn!("the server did not stop in time; the next start recovers from the log");
        }
    }
}
