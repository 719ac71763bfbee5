//! How the cluster agrees: openraft behind a front of a few methods.
//!
//! *What it is*: [`Agreement`]. · *Types to know*: [`log_store::LogStore`], [`state_machine::StateMachine`]. · **Invariants**:
//! nothing outside this folder names an openraft type; the log and the vote are on disk before anybody is told; commands are
//! batched, one log entry for all that wait. · *How it fails*: without a raft leader, `cluster_manager_not_discovered`. ·
//! *How it is tested*: restarts on the same folder, torn and damaged logs.

mod log_store;
mod network;
mod state_machine;

use crate::command::Command;
use crate::state::ClusterState;
use log_store::LogStore;
use openraft::{BasicNode, Config, Raft, ServerState, SnapshotPolicy};
use serde::{Deserialize, Serialize};
use state_machine::StateMachine;
use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;
use tandem_common::{Error, NodeId, Result, blocking};
use tokio::sync::watch;

/// Several commands in one log entry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Batch {
    commands: Vec<Command>,
}

/// One outcome for each command of a batch.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct BatchOutcome {
    outcomes: Vec<Result<()>>,
}

openraft::declare_raft_types!(
    /// What openraft works with here.
    pub(crate) TypeConfig: D = Batch, R = BatchOutcome,
);

/// The agreement of one node.
#[derive(Clone)]
pub(crate) struct Agreement {
    raft: Raft<TypeConfig>,
    state: watch::Receiver<Arc<ClusterState>>,
}

impl Agreement {
    /// Opens the log under `folder` and takes part. A node that has never agreed on anything begins a cluster of its own.
    pub(crate) async fn start(node: &NodeId, address: &str, folder: &Path) -> Result<Self> {
        let (publish, state) = watch::channel(Arc::new(ClusterState::default()));
        let folder = folder.to_owned();
        let (log, machine) = blocking::run(move || {
            let machine = StateMachine::open(&folder, publish)?;
            Ok((LogStore::open(&folder)?, machine))
        })
        .await?;
        let config = Config {
            cluster_name: "tandem".into(),
            heartbeat_interval: 100,
            election_timeout_min: 300,
            election_timeout_max: 600,
            snapshot_policy: SnapshotPolicy::LogsSinceLast(1_000),
            max_in_snapshot_log_to_keep: 100,
            ..Config::default()
        };
        let config = Arc::new(config.validate().map_err(|error| Error::internal(format!("raft configuration: {error}")))?);
        let raft = Raft::new(node.raft_id(), config, network::Network, log, machine).await.map_err(fatal)?;
        if !raft.is_initialized().await.map_err(fatal)? {
            let members = BTreeMap::from([(node.raft_id(), BasicNode::new(address))]);
            raft.initialize(members).await.map_err(fatal)?;
        }
        Ok(Self { raft, state })
    }

    /// The state after everything that this node has applied.
    pub(crate) fn state(&self) -> &watch::Receiver<Arc<ClusterState>> {
        &self.state
    }

    /// Whether this node is the raft leader, that is, the cluster manager.
    pub(crate) fn is_manager(&self) -> bool {
        self.raft.metrics().borrow().state == ServerState::Leader
    }

    /// Whether a raft leader is known.
    pub(crate) fn manager_known(&self) -> bool {
        self.raft.metrics().borrow().current_leader.is_some()
    }

    /// Waits until a raft leader is known.
    pub(crate) async fn wait_for_manager(&self) -> Result<()> {
        let mut metrics = self.raft.metrics();
        loop {
            if metrics.borrow_and_update().current_leader.is_some() {
                return Ok(());
            }
            metrics.changed().await.map_err(|_| not_discovered())?;
        }
    }

    /// Agrees on a batch; one outcome for each command, in order.
    pub(crate) async fn propose(&self, commands: Vec<Command>) -> Result<Vec<Result<()>>> {
        match self.raft.client_write(Batch { commands }).await {
            Ok(response) => Ok(response.data.outcomes),
            Err(error) => {
                tracing::warn!(%error, "a change of the cluster state was not agreed on");
                Err(not_discovered())
            }
        }
    }

    /// Leaves.
    pub(crate) async fn stop(&self) {
        if let Err(error) = self.raft.shutdown().await {
            tracing::warn!(%error, "raft did not stop cleanly");
        }
    }
}

fn not_discovered() -> Error {
    Error::ClusterManagerNotDiscovered { reason: "the cluster manager is not known".into() }
}

fn fatal(error: impl std::fmt::Display) -> Error {
    Error::internal(format!("raft: {error}"))
}
