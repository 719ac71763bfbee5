//! What a node does: its shard copies follow the cluster state, the use cases, cross-cluster replication.
//!
//! Knows the engine and the cluster. Knows nothing of HTTP, of JSON rendering, or of the libraries below them.
#![warn(missing_docs)]

pub mod action;
pub mod ccr;
pub mod indices;

use action::Services;
use indices::IndicesService;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tandem_cluster::state::{DiscoveryNode, FEATURE_LEVEL};
use tandem_cluster::transport::RemoteClusters;
use tandem_cluster::{ClusterConfig, ClusterService};
use tandem_common::config::Config;
use tandem_common::env::fs::{self, File};
use tandem_common::env::memory;
use tandem_common::{Error, NodeId, Result, SessionId, Tasks, blocking};
use tandem_engine::shard::IndexBuffer;

/// The layout of the data directory that this build writes.
const DATA_VERSION: &str = "1";
/// How long tasks may take to end when the node stops.
const STOP_LIMIT: Duration = Duration::from_secs(4);

/// The addresses at which the doors of a node are reached.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// REST.
    pub http: SocketAddr,
    /// gRPC.
    pub transport: SocketAddr,
}

/// A node without doors.
pub struct Node {
    services: Services,
    /// Held while the node lives: no second process may use the directory.
    _lock: File,
}

impl Node {
    /// Takes the data directory, joins the cluster and lets the local shards follow its state.
    ///
    /// # Errors
    /// A directory that another process holds or a newer version wrote; damaged metadata.
    pub async fn start(config: Config, addresses: Addresses) -> Result<Node> {
        let data = config.data_path();
        let (lock, id) = blocking::run(move || prepare(&data)).await?;
        let data = config.data_path();
        let tasks = Tasks::new();
        let node = DiscoveryNode {
            name: config.node_name().unwrap_or_else(|| id.as_str().chars().take(7).collect()),
            id,
            session: SessionId::random(),
            transport_address: addresses.transport.to_string(),
            http_address: addresses.http.to_string(),
            roles: config.node_roles(),
            attributes: config.node_attributes(),
            feature_level: FEATURE_LEVEL,
        };
        let cluster_config = ClusterConfig { cluster_name: config.cluster_name(), node, folder: data.join("raft") };
        let settings = Arc::new(config.settings());
        let cluster = ClusterService::start(cluster_config, &tasks).await?;
        let remotes = RemoteClusters::new(Arc::clone(&settings));
        let buffer = IndexBuffer::from_setting(&config.text("indices.memory.index_buffer_size"), memory::total())?;
        let indices = IndicesService::new(data.join("indices"), cluster.clone(), remotes.clone(), tasks.clone(), buffer);
        indices.remove_strangers(&cluster.state()).await?;
        let services = Services { cluster, indices, remotes, tasks: tasks.clone(), settings };
        indices::reconcile::start(&services.indices, &tasks);
        ccr::follower::start(&services, &tasks);
        Ok(Node { services, _lock: lock })
    }

    /// What the doors work with.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// Its identity.
    pub fn node_id(&self) -> &NodeId {
        &self.services.cluster.local_node().id
    }

    /// Its name.
    pub fn node_name(&self) -> &str {
        &self.services.cluster.local_node().name
    }

    /// Ends every task, flushes and closes every shard, leaves the cluster.
    pub async fn stop(&self) {
        self.services.indices.close_all().await;
        self.services.cluster.stop().await;
        self.services.tasks.stop(STOP_LIMIT).await;
    }
}

/// Locks the directory, checks its version and reads or makes the node's identity.
fn prepare(data: &Path) -> Result<(File, NodeId)> {
    fs::create_folders(data)?;
    let lock = lock(&data.join("node.lock"))?;
    check_version(&data.join("VERSION"))?;
    let path = data.join("node.id");
    let found = fs::read_if_exists(&path)?;
    // Without metadata every index would look like one that was deleted.
    if (found.is_none() || !fs::exists(&data.join("raft/log"))) && !fs::list(&data.join("indices"))?.is_empty() {
        let folder = data.display();
        return Err(Error::IllegalState {
            reason: format!("[{folder}] holds indices but not the metadata that belongs to them; it is not used, so that nothing is lost"),
        });
    }
    let id = match found {
        Some(bytes) => NodeId(String::from_utf8_lossy(&bytes).trim().to_owned()),
        None => {
            let id = NodeId::random();
            fs::write_durably(&path, id.as_str().as_bytes())?;
            id
        }
    };
    Ok((lock, id))
}

fn lock(path: &Path) -> Result<File> {
    let existing = fs::read_if_exists(path)?;
    let mut file = if existing.is_some() { File::open(path)? } else { File::create(path)? };
    if !file.try_lock()? {
        let holder = existing.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned()).unwrap_or_default();
        let folder = path.parent().unwrap_or(path).display().to_string();
        return Err(Error::IllegalState {
            reason: format!(
                "the data directory [{folder}] is in use by the process with id [{holder}]; stop it or choose another path.data"
            ),
        });
    }
    file.set_len(0)?;
    file.write_all(std::process::id().to_string().as_bytes())?;
    Ok(file)
}

fn check_version(path: &Path) -> Result<()> {
    match fs::read_if_exists(path)? {
        None => Ok(fs::write_durably(path, DATA_VERSION.as_bytes())?),
        Some(found) => {
            let found = String::from_utf8_lossy(&found).trim().to_owned();
            if found == DATA_VERSION {
                return Ok(());
            }
            Err(Error::IllegalState {
                reason: format!(
                    "[{}] says that the data was written in version [{found}] of the layout; this program knows version [{DATA_VERSION}]",
                    path.display()
                ),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_directory_has_one_holder_and_a_lasting_identity() {
        let folder = tempfile::tempdir().unwrap();
        let (held, id) = prepare(folder.path()).unwrap();
        let error = prepare(folder.path()).expect_err("the lock is held");
        assert!(error.to_string().contains(&format!("process with id [{}]", std::process::id())), "{error}");
        drop(held);
        assert_eq!(prepare(folder.path()).unwrap().1, id);
    }

    #[test]
    fn indices_without_their_metadata_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        drop(prepare(folder.path()).unwrap());
        fs::create_folders(&folder.path().join("indices/u/0")).unwrap();
        assert!(prepare(folder.path()).expect_err("refused").to_string().contains("so that nothing is lost"));
        fs::create_folders(&folder.path().join("raft")).unwrap();
        fs::write_durably(&folder.path().join("raft/log"), b"").unwrap();
        assert!(prepare(folder.path()).is_ok());
    }

    #[test]
    fn data_of_another_layout_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write_durably(&folder.path().join("VERSION"), b"99").unwrap();
        assert!(prepare(folder.path()).expect_err("refused").to_string().contains("version [99]"));
    }
}
