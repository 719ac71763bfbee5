//! A leader and a follower: files, then operations, then a life of its own.

use super::*;

pub(super) async fn copy(lease: &CommitLease, to: &Path) {
    let folder = to.join("shard/index");
    fs::create_folders(&folder).unwrap();
    for file in &lease.files {
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < file.length {
            let part = 1000.min(file.length - bytes.len() as u64);
            bytes.extend_from_slice(&lease.read(&file.name, bytes.len() as u64, usize::try_from(part).unwrap()).unwrap());
        }
        fs::write_durably(&folder.join(&file.name), &bytes).unwrap();
    }
}

async fn states(shard: &IndexShard, ids: usize) -> Vec<Option<GetResult>> {
    let mut states = Vec::new();
    for id in 0..ids {
        states.push(shard.get(&id.to_string(), true, soon()).await.unwrap());
    }
    states
}

#[tokio::test]
async fn a_follower_from_files_and_operations_equals_its_leader() {
    let (here, there) = (Place::new(), Place::new());
    let leader = here.primary().await;
    for round in 0..3 {
        leader.all((0..20).map(|id| index(&format!("{id}"), &format!("{round}"))).collect()).await;
    }
    leader.one(delete("7")).await.unwrap();
    let lease = leader.acquire_commit().await.unwrap();
    assert_eq!(lease.checkpoint, SeqNo(60));
    leader.add_lease("follower", lease.checkpoint.next(), "ccr").await.unwrap();
    // The leader goes on, merges and flushes; the leased files stay.
    leader.all((10..25).map(|id| index(&format!("{id}"), "late")).collect()).await;
    leader.one(delete("3")).await.unwrap();
    leader.force_merge(1).await.unwrap();
    leader.flush().await.unwrap();
    copy(&lease, there.path()).await;
    let commit = lease.describe();
    drop(lease);

    let follower = IndexShard::create_from_files(there.open_shard(), commit).await.unwrap();
    follower.activate_follower(PrimaryTerm(9)).await.unwrap();
    assert_eq!(follower.history().history, leader.history().history);
    assert_eq!(follower.history().global_checkpoint, SeqNo(60));
    let operations = leader.operations(SeqNo(61), usize::MAX).await.unwrap();
    assert_eq!(follower.append_replicated(operations.clone(), soon()).await.unwrap(), leader.history().global_checkpoint);
    assert_eq!(states(&follower, 26).await, states(&leader, 26).await);
    follower.refresh().await.unwrap();
    assert_eq!(follower.stats().docs, leader.stats().docs);
    assert_eq!(follower.searchable("12").await, leader.searchable("12").await);
    assert_eq!(follower.append_replicated(operations, soon()).await.unwrap(), SeqNo(76), "doing it again changes nothing");
    assert_eq!(follower.history().lineage, leader.history().lineage);

    drop(follower);
    let follower = there.try_reopen().await.unwrap();
    follower.activate_follower(PrimaryTerm(9)).await.unwrap();
    assert_eq!(states(&follower, 26).await, states(&leader, 26).await);
}

#[tokio::test]
async fn leased_files_stay_until_the_lease_is_dropped() {
    let place = Place::new();
    let shard = place.primary().await;
    for id in 0..3 {
        shard.one(index(&format!("{id}"), "a")).await.unwrap();
        shard.refresh().await.unwrap();
    }
    let lease = shard.acquire_commit().await.unwrap();
    let names: Vec<_> = lease.files.iter().map(|file| file.name.clone()).filter(|name| name != "meta.json").collect();
    shard.one(index("0", "b")).await.unwrap();
    shard.force_merge(1).await.unwrap();
    shard.flush().await.unwrap();
    let folder = place.path().join("shard/index");
    assert!(names.iter().all(|name| folder.join(name).exists()));
    assert!(matches!(lease.read("nothing", 0, 1), Err(Error::ResourceNotFound { .. })));
    let meta = lease.files.iter().find(|file| file.name == "meta.json").unwrap();
    let length = usize::try_from(meta.length).unwrap();
    assert_eq!(crc32fast::hash(&lease.read("meta.json", 0, length).unwrap()), meta.crc32);
    assert!(lease.read("meta.json", 1, length).is_err());
    drop(lease);
    assert!(names.iter().all(|name| !folder.join(name).exists()), "nobody names them any more");
}

#[tokio::test]
async fn a_file_that_was_copied_wrongly_is_refused() {
    let (here, there) = (Place::new(), Place::new());
    let leader = here.primary().await;
    leader.one(index("1", "a")).await.unwrap();
    let lease = leader.acquire_commit().await.unwrap();
    copy(&lease, there.path()).await;
    let victim = there.path().join("shard/index").join(&lease.files.iter().find(|file| file.name.ends_with(".store")).unwrap().name);
    let mut bytes = fs::read(&victim).unwrap();
    bytes[0] ^= 1;
    fs::write_durably(&victim, &bytes).unwrap();
    let refused = IndexShard::create_from_files(there.open_shard(), lease.describe()).await;
    assert!(matches!(refused, Err(Error::Corrupt { .. })));
}

fn logged(seq_no: i64, op_term: u64, id: &str) -> LoggedOperation {
    LoggedOperation {
        seq_no: SeqNo(seq_no),
        op_term: PrimaryTerm(op_term),
        mapping_version: 0,
        operation_id: 0,
        version: seq_no + 1,
        id: id.into(),
        routing: None,
        kind: LoggedKind::Index { source: source("a") },
    }
}

#[tokio::test]
async fn a_follower_refuses_gaps_and_other_histories_and_local_writes() {
    let place = Place::new();
    let follower = IndexShard::create(place.open_shard(), HistoryId("leader".into())).await.unwrap();
    follower.activate_follower(PrimaryTerm(1)).await.unwrap();
    let first = vec![logged(0, 5, "a"), logged(1, 5, "b")];
    assert_eq!(follower.append_replicated(first.clone(), soon()).await.unwrap(), SeqNo(1));
    let gap = follower.append_replicated(vec![logged(3, 5, "c")], soon()).await;
    assert!(matches!(gap, Err(Error::IllegalState { .. })), "{gap:?}");
    let other = follower.append_replicated(vec![logged(1, 6, "x"), logged(2, 6, "y")], soon()).await;
    assert!(matches!(other, Err(Error::HistoryMismatch { seq_no: 1, .. })), "{other:?}");
    let falling = follower.append_replicated(vec![logged(2, 4, "y")], soon()).await;
    assert!(matches!(falling, Err(Error::HistoryMismatch { seq_no: 2, .. })), "{falling:?}");
    assert_eq!(follower.stats().max_seq_no, 1, "a refused batch leaves nothing behind");
    let overlapping = [first, vec![logged(2, 7, "c")]].concat();
    assert_eq!(follower.append_replicated(overlapping, soon()).await.unwrap(), SeqNo(2));
    assert_eq!(follower.op_term_at(SeqNo(2)), Some(PrimaryTerm(7)));
    let local = follower.write(vec![follower.parse(delete("a")).unwrap()], soon()).await;
    assert!(matches!(local, Err(Error::ShardNotReady { .. })));
}

#[tokio::test]
async fn a_follower_opened_for_writes_has_a_history_of_its_own() {
    let place = Place::new();
    let follower = IndexShard::create(place.open_shard(), HistoryId("leader".into())).await.unwrap();
    follower.activate_follower(PrimaryTerm(1)).await.unwrap();
    follower.append_replicated(vec![logged(0, 5, "a"), logged(1, 5, "b")], soon()).await.unwrap();
    let low = follower.open_for_writes(HistoryId("own".into()), PrimaryTerm(5)).await;
    assert!(matches!(low, Err(Error::IllegalState { .. })), "the term must lie above every op term of the log");
    follower.open_for_writes(HistoryId("own".into()), PrimaryTerm(1000)).await.unwrap();
    let late = follower.append_replicated(vec![logged(2, 5, "c")], soon()).await;
    assert!(matches!(late, Err(Error::ShardNotReady { .. })), "what is still being pulled is fenced");
    let written = follower.one(index("a", "own")).await.unwrap();
    assert_eq!((written.seq_no, written.op_term, written.version), (SeqNo(2), PrimaryTerm(1000), 2));
    drop(follower);
    let shard = place.reopen(1000).await;
    let history = shard.history();
    assert_eq!(history.history, HistoryId("own".into()));
    assert_eq!(history.lineage.forks, [Fork { parent: HistoryId("leader".into()), fork: SeqNo(1) }]);
    assert_eq!(shard.op_term_at(SeqNo(1)), Some(PrimaryTerm(5)));
    assert_eq!(shard.op_term_at(SeqNo(2)), Some(PrimaryTerm(1000)));
}

#[tokio::test]
async fn a_copy_that_was_not_activated_shows_nothing_above_its_global_checkpoint() {
    let place = Place::new();
    let shard = place.primary().await;
    shard.one(index("1", "a")).await.unwrap();
    shard.flush().await.unwrap();
    shard.one(index("2", "a")).await.unwrap();
    drop(shard);
    // The newest log file keeps its operation and loses the marks that say that it was committed.
    drop(place.try_reopen().await.unwrap());
    let path = place.log_file(2);
    let reader = fs::read(&path).unwrap();
    // A mark may stand before the operation as well, when the log was quiet for a moment.
    let last = source("a");
    let behind = reader.windows(last.len()).rposition(|window| window == &*last).unwrap();
    let mark = behind + reader[behind..].windows(8).position(|window| window == b"\xf5TNDMSYN").unwrap();
    fs::write_durably(&path, &reader[..mark - 9]).unwrap();
    let shard = place.try_reopen().await.unwrap();
    assert_eq!((shard.stats().max_seq_no, shard.stats().global_checkpoint), (1, 0));
    shard.refresh().await.unwrap();
    assert_eq!(shard.searchable("2").await, None);
    assert_eq!(shard.operations(SeqNo(0), usize::MAX).await.unwrap().len(), 1);
    shard.activate_primary(PrimaryTerm(2)).await.unwrap();
    assert!(shard.searchable("2").await.is_some());
}
