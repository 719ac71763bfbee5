//! The verbs: start, stop, pause, resume, status.

use super::leader;
use super::names;
pub use super::status::{BootstrapDetails, Lag, ReplicationStatus, ShardStatus, StatusDetails, SyncingDetails, status};
use super::status::{lease_of, shard_ref};
use crate::action::Services;
use crate::action::admin::create_index;
use std::time::Duration;
use tandem_cluster::command::{LEADER_INDEX_SETTING, PauseReplication, ResumeReplication, StartReplication, StopReplication};
use tandem_cluster::state::{IndexOrigin, IndexState, ReplicationEntry, ReplicationState};
use tandem_cluster::{ClusterState, Command, IndexMetadata, settings};
use tandem_common::env::rng;
use tandem_common::{Context, Error, HistoryId, IndexUuid, PrimaryTerm, Result, Settings};
use tandem_proto::history as wire;

/// How long one question to the leader may take.
const ASK_LIMIT: Duration = Duration::from_secs(10);
/// How long giving up a lease may take; a leader that is gone must not hold up a stop.
const RELEASE_LIMIT: Duration = Duration::from_secs(2);
/// How long a start or resume waits for the shards.
const START_LIMIT: Duration = Duration::from_secs(30);

/// Settings of the leader that its follower does not take over.
const NOT_COPIED: &[&str] = &[
    "index.uuid",
    "index.creation_date",
    "index.provided_name",
    "index.blocks.read_only",
    "index.blocks.read",
    "index.blocks.write",
    "index.blocks.metadata",
    "index.blocks.read_only_allow_delete",
    "index.routing.rebalance.enable",
    "index.routing.allocation.enable",
    "index.soft_deletes.retention_lease.period",
    "index.write.wait_for_active_shards",
    "index.plugins.replication.translog.retention_lease.pruning.enabled",
    LEADER_INDEX_SETTING,
];

/// `indices:admin/plugins/replication/index/start`: what to follow. The body's shape was checked by the door.
#[derive(Clone, Debug, Default)]
pub struct StartRequest {
    /// The follower index.
    pub follower_index: String,
    /// The connection alias; `None` when absent.
    pub leader_alias: Option<String>,
    /// The leader index; `None` when absent.
    pub leader_index: Option<String>,
    /// `use_roles` with only one of its two roles.
    pub half_roles: bool,
    /// Settings that override the leader's.
    pub settings: Settings,
    /// Answer only when it follows.
    pub wait_for_restore: bool,
}

/// Starts following: the entry and the follower index come into being together; the copy is made in the background.
///
/// # Errors
/// In the order of the checks: missing parameters, names, roles, the alias, the leader index, blocks, the follower index,
/// overrides.
pub async fn start(services: &Services, context: &Context, request: StartRequest) -> Result<()> {
    let (alias, leader) = checked_names(&request)?;
    let state = services.cluster.state();
    let remote = services.remotes.get(&state, &alias)?;
    let answer = remote.describe_index(wire::DescribeIndexRequest { index: leader.clone() }, ASK_LIMIT).await?;
    let metadata = leader::metadata_of(&answer)?;
    check_leader(&state, &alias, &leader, &answer, &metadata, &request.follower_index)?;
    if state.setting("plugins.replication.follower.block.start") == Some("true") {
        return Err(Error::Forbidden { reason: "[FORBIDDEN] Replication START block is set".into() });
    }
    if state.indices.contains_key(&request.follower_index) {
        let reason = format!("Cant use same index again for replication. Delete the index:{}", request.follower_index);
        return Err(Error::illegal_argument(reason));
    }
    settings::check_create(&request.settings)?;
    let index = follower_index(&request, &alias, &leader, &metadata);
    let uuid = index.uuid.clone();
    let command = StartReplication {
        follower_index: request.follower_index.clone(),
        leader_alias: alias,
        leader_index: leader,
        leader_uuid: metadata.uuid.clone(),
        overrides: request.settings,
        index,
    };
    services.cluster.submit(context, Command::StartReplication(command)).await?;
    if request.wait_for_restore && !shards_active(services, &uuid).await {
        return Err(Error::IllegalState { reason: "Timed out when waiting for persistent task after 30s".into() });
    }
    Ok(())
}

fn checked_names(request: &StartRequest) -> Result<(String, String)> {
    let (Some(alias), Some(leader)) = (&request.leader_alias, &request.leader_index) else {
        let missing: Vec<&str> = [("leader_alias", &request.leader_alias), ("leader_index", &request.leader_index)]
            .into_iter()
            .filter(|(_, value)| value.is_none())
            .map(|(name, _)| name)
            .collect();
        return Err(Error::invalid_request(format!("Mandatory params [{}] are missing for the request", missing.join(", "))));
    };
    let reasons: Vec<String> = names::violations(leader).into_iter().chain(names::violations(&request.follower_index)).collect();
    if !reasons.is_empty() {
        return Err(Error::ActionRequestValidation { reasons });
    }
    if request.half_roles {
        return Err(Error::invalid_request("Need roles for leader_cluster_role and follower_cluster_role"));
    }
    Ok((alias.clone(), leader.clone()))
}

fn check_leader(
    state: &ClusterState,
    alias: &str,
    leader: &str,
    answer: &wire::DescribeIndexResponse,
    metadata: &IndexMetadata,
    follower: &str,
) -> Result<()> {
    if metadata.name != leader {
        return Err(Error::IndexNotFound { index: format!("{alias}:{leader}") });
    }
    if metadata.state == IndexState::Close {
        return Err(Error::IndexClosed { index: leader.to_owned(), uuid: metadata.uuid.clone() });
    }
    if !answer.primaries_active {
        return Err(Error::Validation { reasons: vec![format!("Primary shards in the Index[{alias}:{leader}] are not active")] });
    }
    // Following the leader's own leaders must not come back to this index.
    let this = state.indices.get(follower).map(|index| format!("{}/{}", state.cluster_uuid, index.uuid));
    let same = answer.cluster_uuid == state.cluster_uuid && leader == follower;
    if same || this.is_some_and(|this| answer.follows.contains(&this)) {
        return Err(Error::illegal_argument(format!("Cannot Replicate a Replicated Index {leader}")));
    }
    Ok(())
}

/// The follower index: the leader's settings with the overrides, its mapping with its versions, its aliases without the
/// write index.
fn follower_index(request: &StartRequest, alias: &str, leader: &str, metadata: &IndexMetadata) -> tandem_cluster::command::CreateIndex {
    let uuid = IndexUuid::random();
    let mut settings: Settings =
        metadata.settings.iter().filter(|(key, _)| !NOT_COPIED.contains(key)).map(|(key, value)| (key.to_owned(), value.clone())).collect();
    settings.apply(&request.settings);
    // The copy has the leader's shards, whatever the overrides say.
    settings.set("index.number_of_shards", metadata.number_of_shards().to_string());
    settings.set(LEADER_INDEX_SETTING, format!("{alias}:{leader}"));
    create_index::complete(&mut settings, &request.follower_index, &uuid);
    let mut aliases = metadata.aliases.clone();
    for alias in aliases.values_mut().filter(|alias| alias.is_write_index == Some(true)) {
        alias.is_write_index = Some(false);
    }
    let origin = IndexOrigin::Leader { alias: alias.to_owned(), index: leader.to_owned(), uuid: metadata.uuid.clone() };
    let mapping = tandem_common::mapping::Mapping::clone(&metadata.mapping);
    create_index::new_index(request.follower_index.clone(), uuid, settings, mapping, aliases, origin)
}

/// Waits until every shard of an index is active here.
async fn shards_active(services: &Services, uuid: &IndexUuid) -> bool {
    let context = Context::with_timeout(
        tandem_common::Subject::Node,
        tandem_common::Action("indices:admin/plugins/replication/index/start"),
        START_LIMIT,
    );
    let state = services.cluster.state();
    let Some(index) = state.index_by_uuid(uuid) else { return false };
    for shard in 0..index.number_of_shards() {
        if services.indices.primary(&context, index, shard).await.is_err() {
            return false;
        }
    }
    true
}

fn entry_of<'a>(state: &'a ClusterState, index: &str) -> Result<&'a ReplicationEntry> {
    state
        .replications
        .get(index)
        .map(|entry| &**entry)
        .ok_or_else(|| Error::illegal_argument(format!("No replication in progress for index:{index}")))
}

/// Stops following: the index becomes an ordinary one, with all it holds and a history of its own. Works without the leader.
///
/// # Errors
/// Nothing in progress; the index did not open for writes in time (it will).
pub async fn stop(services: &Services, context: &Context, index: &str) -> Result<()> {
    let state = services.cluster.state();
    let entry = entry_of(&state, index)?.clone();
    let follower = state.indices.get(index).filter(|found| entry.follows(found)).cloned();
    let shards = follower.as_ref().map_or(0, |follower| follower.number_of_shards());
    let command = StopReplication {
        follower_index: index.to_owned(),
        histories: (0..shards).map(|_| HistoryId::random()).collect(),
        highest_op_term: follower.as_ref().map_or(PrimaryTerm(0), |follower| highest_op_term(services, follower)),
        term_offset: rng::next_u64(),
    };
    let after = services.cluster.submit(context, Command::StopReplication(command)).await?;
    if let Some(follower) = &follower {
        release_leases(services, &state, &entry, follower).await;
    }
    let Some(opened) = follower.and_then(|follower| after.index_by_uuid(&follower.uuid).cloned()) else { return Ok(()) };
    let mut changes = services.indices.changes();
    for (number, shard) in (0u32..).zip(&opened.shards) {
        let key = (opened.uuid.clone(), number);
        let open = async {
            loop {
                changes.borrow_and_update();
                let active = services.indices.active(&key);
                if active.is_some_and(|(_, _, term)| term >= shard.primary_term) || changes.changed().await.is_err() {
                    return;
                }
            }
        };
        if tandem_common::env::clock::timeout(context.remaining(), open).await.is_none() {
            return Err(Error::Timeout { reason: format!("index [{index}] is not yet open for writes; it will be") });
        }
    }
    Ok(())
}

/// The highest op term in the logs of a follower index; chains of followers bring along terms of several clusters.
fn highest_op_term(services: &Services, follower: &IndexMetadata) -> PrimaryTerm {
    let of_shard = |shard| {
        let (open, ..) = services.indices.active(&(follower.uuid.clone(), shard))?;
        open.history().lineage.last_op_term()
    };
    (0..follower.number_of_shards()).filter_map(of_shard).max().unwrap_or(PrimaryTerm(0))
}

/// Gives up the leases on the leader, as far as it can be reached.
async fn release_leases(services: &Services, state: &ClusterState, entry: &ReplicationEntry, follower: &IndexMetadata) {
    let Ok(remote) = services.remotes.get(state, &entry.leader_alias) else { return };
    let released = (0..follower.number_of_shards()).map(|number| {
        let (lease_id, _) = lease_of(state, follower, number);
        remote.remove_lease(wire::RemoveLeaseRequest { shard: Some(shard_ref(entry, number)), lease_id }, RELEASE_LIMIT)
    });
    for error in futures::future::join_all(released).await.into_iter().filter_map(Result::err) {
        tracing::warn!(index = follower.name, %error, "a retention lease stays on the leader until it expires");
    }
}

/// Pauses; `reason` is shown in the status. Works without the leader.
///
/// # Errors
/// Nothing in progress; already paused; failed; the copy is still being made.
pub async fn pause(services: &Services, context: &Context, index: &str, reason: Option<String>) -> Result<()> {
    let state = services.cluster.state();
    let entry = entry_of(&state, index)?;
    let copying = state.indices.get(index).is_some_and(|found| found.shards.iter().any(|shard| shard.in_sync.is_empty()));
    if copying && entry.state == ReplicationState::Running {
        return Err(Error::internal(format!(
            "Index is in restore phase currently for index: {index}. You can pause after restore completes."
        )));
    }
    let command = PauseReplication {
        follower_index: index.to_owned(),
        state: ReplicationState::Paused,
        reason: reason.unwrap_or_else(|| "User initiated".into()),
        epoch: None,
    };
    services.cluster.submit(context, Command::PauseReplication(command)).await.map(|_| ())
}

/// Resumes by operations. A lease that has expired is taken anew while its history is still there.
///
/// # Errors
/// Nothing in progress; already running; the alias, the leader index or its history is gone.
pub async fn resume(services: &Services, context: &Context, index: &str, force: bool) -> Result<()> {
    let state = services.cluster.state();
    let entry = entry_of(&state, index)?;
    if entry.state != ReplicationState::Paused {
        return Err(Error::AlreadyExists { reason: format!("Replication on Index {index} is already running") });
    }
    let remote = services.remotes.get(&state, &entry.leader_alias)?;
    let answer = remote.describe_index(wire::DescribeIndexRequest { index: entry.leader_index.clone() }, ASK_LIMIT).await?;
    let metadata = leader::metadata_of(&answer)?;
    if metadata.state == IndexState::Close {
        return Err(Error::IndexClosed { index: entry.leader_index.clone(), uuid: metadata.uuid });
    }
    if metadata.uuid != entry.leader_uuid {
        return Err(history_gone(index));
    }
    let follower = state.index(index)?;
    for number in 0..follower.number_of_shards() {
        let shard = services.indices.primary(context, follower, number).await?;
        let (lease_id, lease_source) = lease_of(&state, follower, number);
        let renewal = wire::RenewLeaseRequest {
            shard: Some(shard_ref(entry, number)),
            lease_id,
            retaining_seq_no: shard.history().global_checkpoint.next().0,
            lease_source,
        };
        match remote.renew_lease(renewal, ASK_LIMIT).await {
            Err(Error::RetentionLeaseNotFound { .. }) if force => {
                return Err(Error::UnsupportedOperation {
                    reason: format!("the history that index [{index}] lacks is gone; stop it, delete it and start again"),
                });
            }
            Err(Error::RetentionLeaseNotFound { .. }) => return Err(history_gone(index)),
            other => other?,
        };
    }
    services.cluster.submit(context, Command::ResumeReplication(ResumeReplication { follower_index: index.to_owned() })).await.map(|_| ())
}

fn history_gone(index: &str) -> Error {
    Error::ResourceNotFound {
        reason: format!(
            "Retention lease doesn't exist. Replication can't be resumed for {index}. Use force_resume=true to restore from snapshot."
        ),
    }
}
