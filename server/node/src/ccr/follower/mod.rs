//! The follower side: one task for each follower shard whose primary is active here.
//!
//! Who should run is derived from the cluster state and from the active shards; the loop compares that with what runs, starts
//! what is missing and cancels what should not be. A task belongs to an epoch of its replication: pause, resume and stop
//! raise it, so that nothing of an older one goes on.

mod shard_task;

use crate::action::Services;
use crate::indices::{Role, ShardKey};
use std::collections::BTreeMap;
use tandem_cluster::ClusterState;
use tandem_cluster::state::ReplicationState;
use tandem_common::Tasks;
use tandem_common::tasks::CancellationToken;

/// A task that runs, by shard and epoch.
type Running = BTreeMap<(ShardKey, u64), CancellationToken>;

/// Starts the loop.
pub fn start(services: &Services, tasks: &Tasks) {
    let services = services.clone();
    tasks.spawn("follow", async move {
        let mut running = Running::new();
        let mut states = services.cluster.watch();
        let mut changes = services.indices.changes();
        loop {
            let state = states.borrow_and_update().clone();
            changes.borrow_and_update();
            reconcile(&services, &state, &mut running);
            tokio::select! {
                changed = states.changed() => if changed.is_err() { return },
                changed = changes.changed() => if changed.is_err() { return },
            }
        }
    });
}

fn reconcile(services: &Services, state: &ClusterState, running: &mut Running) {
    let wanted = wanted(services, state);
    running.retain(|task, cancelled| {
        let keep = wanted.contains_key(task);
        if !keep {
            cancelled.cancel();
        }
        keep
    });
    for (task, name) in wanted {
        if running.contains_key(&task) {
            continue;
        }
        let cancelled = services.tasks.cancellation().child_token();
        let job = shard_task::ShardTask::new(services.clone(), name, task.0.1, task.1);
        let token = cancelled.clone();
        running.insert(task, cancelled);
        services.tasks.spawn("follow-shard", async move {
            tokio::select! {
                biased;
                () = token.cancelled() => {}
                () = job.run() => {}
            }
        });
    }
}

/// The tasks that should run here: (shard, epoch) with the name of the follower index.
fn wanted(services: &Services, state: &ClusterState) -> BTreeMap<(ShardKey, u64), String> {
    let mut wanted = BTreeMap::new();
    for (name, entry) in state.replications.iter().filter(|(_, entry)| entry.state == ReplicationState::Running) {
        let Some(index) = state.indices.get(name).filter(|index| entry.follows(index)) else { continue };
        for shard in 0..index.number_of_shards() {
            let key = (index.uuid.clone(), shard);
            if services.indices.active(&key).is_some_and(|(_, role, _)| role == Role::Follower) {
                wanted.insert((key, entry.epoch), name.clone());
            }
        }
    }
    wanted
}
