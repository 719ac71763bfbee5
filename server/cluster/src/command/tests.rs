//! State in, state out.

use super::*;
use crate::state::{CopyState, DiscoveryNode, FEATURE_LEVEL, IndexOrigin, ReplicationState, health};
use tandem_common::mapping::Mapping;
use tandem_common::{AllocationId, Error, HistoryId, IndexUuid, NodeId, PrimaryTerm, SessionId, Settings};

fn joined(session: u64) -> Command {
    let node = DiscoveryNode {
        id: NodeId("n1".into()),
        name: "one".into(),
        session: SessionId(session),
        transport_address: "127.0.0.1:9300".into(),
        http_address: "127.0.0.1:9200".into(),
        roles: vec!["cluster_manager".into(), "data".into()],
        attributes: Default::default(),
        feature_level: FEATURE_LEVEL,
    };
    Command::NodeJoined(NodeJoined { node, cluster_name: "c".into(), cluster_uuid_if_new: "cu".into() })
}

fn create(name: &str, shards: usize, replicas: usize) -> CreateIndex {
    let mut settings = Settings::new();
    settings.set("index.number_of_replicas", replicas.to_string());
    CreateIndex {
        name: name.into(),
        uuid: IndexUuid(format!("u-{name}")),
        creation_date: 1,
        settings,
        mapping: Mapping::default(),
        aliases: Default::default(),
        origin: IndexOrigin::Empty,
        histories: (0..shards).map(|n| HistoryId(format!("h{n}"))).collect(),
        allocation_ids: (0..8).map(|n| AllocationId(format!("a-{name}-{n}"))).collect(),
    }
}

fn cluster_with(commands: &[Command]) -> ClusterState {
    let mut state = ClusterState::default();
    for command in commands {
        command.apply(&mut state).unwrap();
    }
    state
}

fn start_all(state: &mut ClusterState, name: &str) {
    let index = state.indices[name].clone();
    for shard in 0..index.number_of_shards() {
        let id = state.routing[&index.uuid].primary(shard).unwrap().allocation_id.clone().unwrap();
        Command::ShardStarted(shards::started(&index.uuid, shard, &id)).apply(state).unwrap();
    }
}

#[test]
fn a_new_index_gets_its_primaries_a_node_and_is_yellow_without_room_for_replicas() {
    let mut state = cluster_with(&[joined(1), Command::CreateIndex(create("a", 2, 1))]);
    assert_eq!(health::of_index(&state, &state.indices["a"]).0, health::Health::Red);
    start_all(&mut state, "a");
    let (health, counts) = health::of_index(&state, &state.indices["a"]);
    assert_eq!(health, health::Health::Yellow);
    assert_eq!((counts.active_primary, counts.unassigned), (2, 2));
    assert_eq!(state.indices["a"].shards[0].primary_term, PrimaryTerm(1));
}

#[test]
fn an_index_that_exists_is_not_created_again() {
    let mut state = cluster_with(&[joined(1), Command::CreateIndex(create("a", 1, 0))]);
    let before = state.clone();
    let error = Command::CreateIndex(create("a", 1, 0)).apply(&mut state).unwrap_err();
    assert!(matches!(error, Error::ResourceAlreadyExists { .. }));
    assert_eq!(state, before);
}

#[test]
fn a_new_process_of_a_node_serves_under_a_new_term() {
    let mut state = cluster_with(&[joined(1), Command::CreateIndex(create("a", 1, 0))]);
    start_all(&mut state, "a");
    joined(2).apply(&mut state).unwrap();
    let uuid = state.indices["a"].uuid.clone();
    assert_eq!(state.routing[&uuid].primary(0).unwrap().state, CopyState::Initializing);
    start_all(&mut state, "a");
    assert_eq!(state.indices["a"].shards[0].primary_term, PrimaryTerm(2));
}

#[test]
fn a_report_of_a_copy_that_is_not_expected_is_refused() {
    let mut state = cluster_with(&[joined(1), Command::CreateIndex(create("a", 1, 0))]);
    let uuid = state.indices["a"].uuid.clone();
    let stranger = shards::started(&uuid, 0, &AllocationId("other".into()));
    assert!(Command::ShardStarted(stranger).apply(&mut state).is_err());
}

fn start_replication(name: &str) -> Command {
    let mut index = create(name, 1, 0);
    index.settings.set(LEADER_INDEX_SETTING, "east:l");
    Command::StartReplication(StartReplication {
        follower_index: name.into(),
        leader_alias: "east".into(),
        leader_index: "l".into(),
        leader_uuid: IndexUuid("lu".into()),
        overrides: Settings::new(),
        index,
    })
}

fn stop_replication(name: &str) -> Command {
    Command::StopReplication(StopReplication {
        follower_index: name.into(),
        histories: vec![HistoryId("new".into())],
        highest_op_term: PrimaryTerm(5 << 20),
        term_offset: 7,
    })
}

#[test]
fn a_stopped_follower_enters_new_histories_under_terms_of_a_new_block() {
    let mut state = cluster_with(&[joined(1), start_replication("f")]);
    start_all(&mut state, "f");
    assert_eq!(state.write_blocks(&state.indices["f"])[0].id, 1000);

    stop_replication("f").apply(&mut state).unwrap();
    let index = &state.indices["f"];
    assert!(state.write_blocks(index).is_empty());
    assert_eq!(index.shards[0].history, HistoryId("new".into()));
    assert_eq!(index.shards[0].primary_term.0, (6 << 20) + 7);
    assert!(index.settings.get(LEADER_INDEX_SETTING).is_none());
}

#[test]
fn a_follower_that_was_never_complete_goes_with_its_replication() {
    let mut state = cluster_with(&[joined(1), start_replication("f")]);
    stop_replication("f").apply(&mut state).unwrap();
    assert!(state.indices.is_empty() && state.routing.is_empty() && state.replications.is_empty());
}

#[test]
fn a_name_that_is_in_use_is_not_followed_into() {
    let mut state = cluster_with(&[joined(1), Command::CreateIndex(create("f", 1, 0))]);
    let error = start_replication("f").apply(&mut state).unwrap_err();
    assert_eq!(error.to_string(), "Cant use same index again for replication. Delete the index:f");
}

#[test]
fn a_pause_of_an_old_epoch_changes_nothing() {
    let mut state = cluster_with(&[joined(1), start_replication("f")]);
    let pause = |epoch| {
        Command::PauseReplication(PauseReplication {
            follower_index: "f".into(),
            state: ReplicationState::Paused,
            reason: "r".into(),
            epoch,
        })
    };
    assert!(pause(Some(9)).apply(&mut state).is_err());
    pause(None).apply(&mut state).unwrap();
    assert!(matches!(pause(None).apply(&mut state), Err(Error::AlreadyExists { .. })));
    Command::ResumeReplication(ResumeReplication { follower_index: "f".into() }).apply(&mut state).unwrap();
    assert_eq!(state.replications["f"].epoch, 3);
}
