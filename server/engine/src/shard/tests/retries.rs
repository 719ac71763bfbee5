//! The same operation twice: applied once, answered as the first time.

use super::*;

fn with_id(operation_id: u64, operation: WriteOperation) -> WriteOperation {
    WriteOperation { operation_id, ..operation }
}

fn new(operation_id: u64, id: &str) -> WriteOperation {
    with_id(operation_id, operation(id, WriteKind::IndexNew { source: source("a") }, Condition::None))
}

/// One of each kind, in an order in which none fails.
fn life() -> Vec<WriteOperation> {
    let condition = Condition::IfSeqNo { seq_no: SeqNo(0), term: PrimaryTerm(1) };
    vec![
        with_id(1000, operation("1", WriteKind::Create { source: source("a") }, Condition::None)),
        with_id(1001, operation("1", WriteKind::Index { source: source("b") }, condition)),
        with_id(1002, delete("1")),
        with_id(1003, delete("1")),
        with_id(1004, operation("1", WriteKind::Create { source: source("c") }, Condition::None)),
        with_id(50, operation("2", WriteKind::Index { source: source("a") }, Condition::External(1))),
        new(51, "3"),
    ]
}

fn answers(results: Vec<Result<WriteResult>>) -> Vec<WriteResult> {
    results.into_iter().map(Result::unwrap).collect()
}

#[tokio::test]
async fn a_replay_is_answered_as_the_first_time_also_after_a_refresh_a_flush_and_a_crash() {
    use WriteOutcome::{Created, Deleted, NotFound, Updated};
    let place = Place::new().with("index.gc_deletes", "0s");
    let shard = place.primary().await;
    let first = answers(shard.all(life()).await);
    assert_eq!(
        first.iter().map(|result| result.outcome).collect::<Vec<_>>(),
        [Created, Updated, Deleted, NotFound, Created, Created, Created]
    );
    assert_eq!(answers(shard.all(life()).await), first);
    for id in ["x", "y"] {
        shard.one(index(id, "a")).await.unwrap();
        shard.refresh().await.unwrap();
    }
    assert_eq!(answers(shard.all(life()).await), first);
    shard.flush().await.unwrap();
    assert_eq!(shard.history().lowest_retained, SeqNo(0), "the log is kept as long as somebody may ask again");
    assert_eq!(answers(shard.all(life()).await), first);
    drop(shard);
    let shard = place.reopen(2).await;
    assert_eq!(answers(shard.all(life()).await), first);
    assert_eq!((shard.stats().max_seq_no, shard.stats().docs), (8, 5));
    let more = [life(), vec![with_id(1005, delete("1"))]].concat();
    let results = answers(shard.all(more).await);
    assert_eq!((&results[..7], results[7].seq_no, results[7].version), (&first[..], SeqNo(9), 6), "what is new in a batch is done");
}

#[tokio::test]
async fn a_replay_of_an_operation_in_flight_waits_for_it() {
    let place = Place::new();
    let shard = place.primary().await;
    let (first, second) = tokio::join!(shard.one(with_id(7, delete("1"))), shard.one(with_id(7, delete("1"))));
    assert_eq!(first.unwrap(), second.unwrap());
    assert_eq!(shard.stats().max_seq_no, 0);
}

#[tokio::test]
async fn the_same_id_for_another_document_is_another_operation() {
    let place = Place::new();
    let shard = place.primary().await;
    assert_eq!(shard.one(with_id(7, index("1", "a"))).await.unwrap().seq_no, SeqNo(0));
    assert_eq!(shard.one(with_id(7, index("2", "a"))).await.unwrap().seq_no, SeqNo(1));
}

#[tokio::test]
async fn a_refused_operation_is_decided_again() {
    let place = Place::new();
    let shard = place.primary().await;
    shard.one(index("1", "a")).await.unwrap();
    let create = || with_id(7, operation("1", WriteKind::Create { source: source("b") }, Condition::None));
    assert!(shard.one(create()).await.is_err());
    shard.one(delete("1")).await.unwrap();
    assert_eq!(shard.one(create()).await.unwrap().version, 3);
}

#[tokio::test]
async fn a_new_document_that_may_be_a_forgotten_retry_is_looked_up() {
    let place = Place::new().with("index.gc_deletes", "0s");
    let shard = place.primary().await;
    shard.one(new(700, "1")).await.unwrap();
    let forget = |shard: &IndexShard| {
        let late = clock::now() + Duration::from_secs(3600);
        shard.inner.sequencer.lock().operation_ids.expire(SeqNo(i64::MAX), late);
    };
    forget(&shard);
    for operation_id in [701, 702] {
        shard.one(new(operation_id, &operation_id.to_string())).await.unwrap();
        shard.refresh().await.unwrap();
    }
    let again = shard.one(new(700, "1")).await.unwrap();
    assert_eq!((again.version, again.outcome), (2, WriteOutcome::Updated));
    shard.refresh().await.unwrap();
    assert_eq!(shard.stats().docs, 3);
    forget(&shard);
    shard.flush().await.unwrap();
    drop(shard);
    let shard = place.reopen(2).await;
    assert_eq!(shard.history().lowest_retained, SeqNo(4), "nothing of it is left in the log");
    assert_eq!(shard.one(new(702, "702")).await.unwrap().outcome, WriteOutcome::Updated);
    assert_eq!(shard.one(new(703, "703")).await.unwrap().outcome, WriteOutcome::Created);
    shard.refresh().await.unwrap();
    assert_eq!(shard.stats().docs, 4);
}

#[tokio::test]
async fn a_follower_knows_the_operations_of_its_leader() {
    let (here, there) = (Place::new(), Place::new());
    let leader = here.primary().await;
    let first = answers(leader.all(life()).await);
    let follower = IndexShard::create(there.open_shard(), HistoryId("history".into())).await.unwrap();
    follower.activate_follower(PrimaryTerm(1)).await.unwrap();
    follower.append_replicated(leader.operations(SeqNo(0), usize::MAX).await.unwrap(), soon()).await.unwrap();
    follower.open_for_writes(HistoryId("own".into()), PrimaryTerm(9)).await.unwrap();
    assert_eq!(answers(follower.all(life()).await), first);
}
