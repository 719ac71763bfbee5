//! The cluster as the rooms above see it: one value to read, one place to submit changes.
//!
//! Changes wait in one bounded queue; whatever waits when the last batch was agreed on becomes the next batch.

use crate::command::{Command, NodeJoined};
use crate::raft::Agreement;
use crate::state::{ClusterState, DiscoveryNode};
use std::path::PathBuf;
use std::sync::Arc;
use tandem_common::env::clock;
use tandem_common::{Context, Error, Result, Tasks};
use tokio::sync::{mpsc, oneshot, watch};

/// How many changes may wait; more are refused with 429.
const QUEUE_MAX: usize = 10_000;
/// How many changes one log entry takes.
const BATCH_MAX: usize = 256;

/// What a node brings along.
#[derive(Clone, Debug)]
pub struct ClusterConfig {
    /// The cluster's name.
    pub cluster_name: String,
    /// This node.
    pub node: DiscoveryNode,
    /// Where log, vote and snapshot are kept.
    pub folder: PathBuf,
}

/// A handle on the cluster. Cheap to clone.
#[derive(Clone)]
pub struct ClusterService {
    agreement: Agreement,
    queue: mpsc::Sender<Submission>,
    node: Arc<DiscoveryNode>,
}

struct Submission {
    command: Command,
    answer: oneshot::Sender<Result<()>>,
}

impl ClusterService {
    /// Opens the metadata and joins. Returns once this process is a member.
    ///
    /// # Errors
    /// A damaged log or snapshot; no cluster manager within 30 s.
    pub async fn start(config: ClusterConfig, tasks: &Tasks) -> Result<Self> {
        let agreement = Agreement::start(&config.node.id, &config.node.transport_address, &config.folder).await?;
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        tasks.spawn("cluster-state-changes", run_batches(agreement.clone(), waiting));
        let service = Self { agreement, queue, node: Arc::new(config.node.clone()) };
        let context = Context::background(tandem_common::Action("internal:cluster/coordination/join"));
        clock::timeout(context.remaining(), service.agreement.wait_for_manager()).await.unwrap_or_else(|| Err(timed_out()))?;
        let join =
            NodeJoined { node: config.node, cluster_name: config.cluster_name, cluster_uuid_if_new: tandem_common::ids::random_text_id() };
        service.submit(&context, Command::NodeJoined(join)).await?;
        Ok(service)
    }

    /// The state as this node has applied it.
    pub fn state(&self) -> Arc<ClusterState> {
        self.agreement.state().borrow().clone()
    }

    /// Wakes with each new state.
    pub fn watch(&self) -> watch::Receiver<Arc<ClusterState>> {
        self.agreement.state().clone()
    }

    /// This node.
    pub fn local_node(&self) -> &DiscoveryNode {
        &self.node
    }

    /// Whether this node manages the cluster.
    pub fn is_manager(&self) -> bool {
        self.agreement.is_manager()
    }

    /// Whether a cluster manager is known.
    pub fn manager_known(&self) -> bool {
        self.agreement.manager_known()
    }

    /// Changes the cluster state; returns the state after the change was applied here.
    ///
    /// # Errors
    /// What the command says; no manager, or a full queue; `timeout_exception` when the deadline passes first. The change
    /// may then still happen.
    pub async fn submit(&self, context: &Context, command: Command) -> Result<Arc<ClusterState>> {
        let (answer, outcome) = oneshot::channel();
        self.queue.try_send(Submission { command, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                Error::Rejected { reason: format!("rejected: [{QUEUE_MAX}] changes of the cluster state are waiting") }
            }
            mpsc::error::TrySendError::Closed(_) => stopping(),
        })?;
        match clock::timeout(context.remaining(), outcome).await {
            Some(Ok(result)) => result.map(|()| self.state()),
            Some(Err(_)) => Err(stopping()),
            None => Err(timed_out()),
        }
    }

    /// Waits until `done` finds what it looks for in a state, at most until the context's deadline; `None` when it did not.
    pub async fn wait_for<T>(&self, context: &Context, mut done: impl FnMut(&ClusterState) -> Option<T>) -> Option<T> {
        let mut states = self.watch();
        let search = async {
            loop {
                if let Some(found) = done(&states.borrow_and_update()) {
                    return Some(found);
                }
                if states.changed().await.is_err() {
                    return None;
                }
            }
        };
        clock::timeout(context.remaining(), search).await.flatten()
    }

    /// Leaves the agreement.
    pub async fn stop(&self) {
        self.agreement.stop().await;
    }
}

fn stopping() -> Error {
    Error::ClusterManagerNotDiscovered { reason: "the node is stopping".into() }
}

fn timed_out() -> Error {
    Error::ClusterManagerNotDiscovered { reason: "the cluster manager did not answer in time".into() }
}

async fn run_batches(agreement: Agreement, mut waiting: mpsc::Receiver<Submission>) {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, BATCH_MAX).await > 0 {
        let (commands, answers): (Vec<_>, Vec<_>) = batch.drain(..).map(|submission| (submission.command, submission.answer)).unzip();
        let outcomes = match agreement.propose(commands).await {
            Ok(outcomes) => outcomes,
            Err(error) => answers.iter().map(|_| Err(error.clone())).collect(),
        };
        for (answer, outcome) in answers.into_iter().zip(outcomes) {
            // A submitter that no longer waits has lost nothing: the change is agreed on.
            let _ = answer.send(outcome);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::UpdateClusterSettings;
    use crate::state::FEATURE_LEVEL;
    use std::path::Path;
    use std::time::Duration;
    use tandem_common::{NodeId, SessionId, Settings};

    fn config(folder: &Path) -> ClusterConfig {
        let node = DiscoveryNode {
            id: NodeId("n1".into()),
            name: "one".into(),
            session: SessionId::random(),
            transport_address: "127.0.0.1:9300".into(),
            http_address: "127.0.0.1:9200".into(),
            roles: vec!["data".into()],
            attributes: Default::default(),
            feature_level: FEATURE_LEVEL,
        };
        ClusterConfig { cluster_name: "c".into(), node, folder: folder.to_owned() }
    }

    fn set(key: &str, value: &str) -> Command {
        let mut persistent = Settings::new();
        persistent.set(key, value);
        Command::UpdateClusterSettings(UpdateClusterSettings { persistent, transient: Settings::new() })
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_restart_keeps_everything_that_was_agreed_on() {
        let folder = tempfile::tempdir().unwrap();
        let tasks = Tasks::new();
        let service = ClusterService::start(config(folder.path()), &tasks).await.unwrap();
        let context = Context::background(tandem_common::Action("t"));
        for n in 0..50 {
            service.submit(&context, set("a.b", &n.to_string())).await.unwrap();
        }
        let uuid = service.state().cluster_uuid.clone();
        service.stop().await;
        tasks.stop(Duration::from_secs(5)).await;

        let tasks = Tasks::new();
        let service = ClusterService::start(config(folder.path()), &tasks).await.unwrap();
        assert_eq!(service.state().persistent.text("a.b"), Some("49"));
        assert_eq!(service.state().cluster_uuid, uuid);
        service.stop().await;
        tasks.stop(Duration::from_secs(5)).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_snapshot_takes_the_place_of_the_log_behind_it() {
        let folder = tempfile::tempdir().unwrap();
        let tasks = Tasks::new();
        let service = ClusterService::start(config(folder.path()), &tasks).await.unwrap();
        let context = Context::background(tandem_common::Action("t"));
        for n in 0..1_300 {
            service.submit(&context, set("a.b", &n.to_string())).await.unwrap();
        }
        service.stop().await;
        tasks.stop(Duration::from_secs(5)).await;
        assert!(tandem_common::env::fs::exists(&folder.path().join("snapshot.json")));

        let tasks = Tasks::new();
        let service = ClusterService::start(config(folder.path()), &tasks).await.unwrap();
        assert_eq!(service.state().persistent.text("a.b"), Some("1299"));
        service.stop().await;
        tasks.stop(Duration::from_secs(5)).await;
    }
}
