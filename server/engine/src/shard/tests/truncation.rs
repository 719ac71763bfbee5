//! Cutting the log above what a new primary has.

use super::*;

/// Another copy counts and does not answer: nothing written from here on is committed.
fn hold_back(shard: &IndexShard) {
    let mut tracker = shard.inner.tracker.lock();
    let committed = tracker.global_checkpoint();
    tracker.track("silent", committed);
    tracker.mark_in_sync("silent");
}

/// Starts writes that cannot be committed, and returns once they are sequenced and durable here.
async fn pending(shard: &Arc<IndexShard>, operations: Vec<WriteOperation>) -> tokio::task::JoinHandle<Result<Vec<Result<WriteResult>>>> {
    let end = SeqNo(shard.stats().max_seq_no + operations.len() as i64);
    let parsed = operations.into_iter().map(|operation| shard.parse_any(operation)).collect();
    let writer = shard.clone();
    #[expect(clippy::disallowed_methods, reason = "a test that waits for the outcome itself")]
    let waiting = tokio::spawn(async move { writer.write(parsed, soon()).await });
    shard.inner.wait(soon(), "the log", |progress| progress.local >= end).await.unwrap();
    waiting
}

#[tokio::test]
async fn what_was_undone_never_happened() {
    let place = Place::new();
    let shard = place.primary().await;
    for id in ["published", "deleted", "kept"] {
        shard.one(index(id, "a")).await.unwrap();
    }
    shard.one(delete("deleted")).await.unwrap();
    shard.refresh().await.unwrap();
    shard.one(index("kept", "b")).await.unwrap();
    hold_back(&shard);
    let survives = pending(&shard, vec![index("kept", "c")]).await;
    let undone = pending(&shard, ["published", "deleted", "kept", "new"].map(|id| index(id, "z")).into()).await;
    let create = operation("new", WriteKind::Create { source: source("y") }, Condition::None);
    let writer = shard.clone();
    let parsed = vec![shard.parse_any(create)];
    #[expect(clippy::disallowed_methods, reason = "a test that waits for the outcome itself")]
    let conflict = tokio::spawn(async move { writer.write(parsed, soon()).await });
    let reader = shard.clone();
    #[expect(clippy::disallowed_methods, reason = "a test that waits for the outcome itself")]
    let reading = tokio::spawn(async move { reader.get("new", true, soon()).await });
    while shard.stats().version_conflicts == 0 {
        tokio::task::yield_now().await;
    }

    let refused = shard.truncate_above(SeqNo(3)).await;
    assert!(matches!(refused, Err(Error::HistoryMismatch { seq_no: 3, .. })), "what is committed stays");
    shard.truncate_above(SeqNo(5)).await.unwrap();
    shard.truncate_above(SeqNo(5)).await.unwrap();
    for lost in [undone, conflict] {
        let answer = lost.await.unwrap();
        assert!(matches!(answer, Err(Error::ShardNotReady { .. })), "a retry decides again: {answer:?}");
    }
    assert_eq!(reading.await.unwrap().unwrap(), None);
    assert!(matches!(shard.write(vec![shard.parse_any(delete("x"))], soon()).await, Err(Error::ShardNotReady { .. })));
    assert_eq!((shard.stats().max_seq_no, shard.stats().local_checkpoint, shard.stats().global_checkpoint), (5, 5, 4));

    shard.inner.tracker.lock().remove("silent");
    shard.activate_primary(PrimaryTerm(2)).await.unwrap();
    assert_eq!(survives.await.unwrap().unwrap().pop().unwrap().unwrap().seq_no, SeqNo(5));
    for (id, version) in [("published", 2), ("deleted", 3), ("kept", 4), ("new", 1)] {
        let written = shard.one(index(id, "d")).await.unwrap();
        assert_eq!((written.version, written.op_term), (version, PrimaryTerm(2)), "{id}");
    }
    drop(shard);
    let shard = place.reopen(3).await;
    assert_eq!((shard.stats().max_seq_no, shard.stats().docs), (9, 4));
    assert_eq!(shard.text("new").await, Some(source("d")));
    assert_eq!(shard.op_term_at(SeqNo(6)), Some(PrimaryTerm(2)));
}

#[tokio::test]
async fn a_cut_survives_a_crash() {
    let place = Place::new().with("index.translog.generation_threshold_size", "1kb");
    let shard = place.primary().await;
    shard.one(index("1", "a")).await.unwrap();
    hold_back(&shard);
    let waiting = pending(&shard, (0..40).map(|id| index(&format!("{id}"), "z")).collect()).await;
    shard.truncate_above(SeqNo(7)).await.unwrap();
    assert!(waiting.await.unwrap().is_err());
    drop(shard);
    let shard = place.try_reopen().await.unwrap();
    assert_eq!((shard.stats().max_seq_no, shard.stats().global_checkpoint), (7, 0));
    shard.activate_primary(PrimaryTerm(2)).await.unwrap();
    assert_eq!(shard.stats().docs, 7);
    assert_eq!(shard.one(index("1", "b")).await.unwrap().version, 3);
}
