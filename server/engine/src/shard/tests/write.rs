//! Versions, conditions, visibility, group commit.

use super::*;

fn detail(result: Result<WriteResult>) -> String {
    match result.unwrap_err() {
        error @ Error::VersionConflict { .. } => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_document_goes_through_its_life() {
    let place = Place::new();
    let shard = place.primary().await;
    let created = shard.one(index("1", "a")).await.unwrap();
    assert_eq!(created, WriteResult { seq_no: SeqNo(0), op_term: PrimaryTerm(1), version: 1, outcome: WriteOutcome::Created });
    let updated = shard.one(index("1", "b")).await.unwrap();
    assert_eq!((updated.seq_no, updated.version, updated.outcome), (SeqNo(1), 2, WriteOutcome::Updated));
    assert_eq!(shard.text("1").await, Some(source("b")));
    let deleted = shard.one(delete("1")).await.unwrap();
    assert_eq!((deleted.version, deleted.outcome), (3, WriteOutcome::Deleted));
    assert_eq!(shard.text("1").await, None);
    let again = shard.one(delete("1")).await.unwrap();
    assert_eq!((again.version, again.outcome), (4, WriteOutcome::NotFound));
    let back = shard.one(index("1", "c")).await.unwrap();
    assert_eq!((back.seq_no, back.version, back.outcome), (SeqNo(4), 5, WriteOutcome::Created));
    let never = shard.one(delete("2")).await.unwrap();
    assert_eq!((never.seq_no, never.version, never.outcome), (SeqNo(5), 1, WriteOutcome::NotFound));
}

#[tokio::test]
async fn versions_go_on_when_the_last_state_is_only_in_the_index() {
    let place = Place::new();
    let shard = place.primary().await;
    shard.one(index("1", "a")).await.unwrap();
    shard.one(index("2", "a")).await.unwrap();
    shard.one(delete("2")).await.unwrap();
    for id in ["x", "y"] {
        shard.refresh().await.unwrap();
        shard.one(index(id, "z")).await.unwrap();
    }
    shard.refresh().await.unwrap();
    assert_eq!(shard.one(index("1", "b")).await.unwrap().version, 2);
    assert_eq!(shard.one(index("2", "b")).await.unwrap().version, 3, "a tombstone keeps the version");
    let create = operation("x", WriteKind::Create { source: source("q") }, Condition::None);
    assert_eq!(detail(shard.one(create).await), "[x]: version conflict, document already exists (current version [1])");
}

#[tokio::test]
async fn a_failed_item_takes_no_place_in_the_log() {
    let place = Place::new();
    let shard = place.primary().await;
    let results = shard
        .all(vec![
            index("1", "a"),
            operation("1", WriteKind::Create { source: source("b") }, Condition::None),
            operation("1", WriteKind::Delete, Condition::IfSeqNo { seq_no: SeqNo(9), term: PrimaryTerm(1) }),
            index("2", "c"),
            operation("1", WriteKind::Index { source: source("d") }, Condition::IfSeqNo { seq_no: SeqNo(0), term: PrimaryTerm(1) }),
        ])
        .await;
    let seq_nos: Vec<_> = results.iter().map(|result| result.as_ref().ok().map(|result| result.seq_no.0)).collect();
    assert_eq!(seq_nos, [Some(0), None, None, Some(1), Some(2)]);
    assert_eq!(shard.text("1").await, Some(source("d")));
    assert_eq!(shard.stats().version_conflicts, 2);
    assert_eq!(shard.stats().max_seq_no, 2);
}

#[tokio::test]
async fn external_versions_only_rise() {
    let place = Place::new();
    let shard = place.primary().await;
    let external = |version| operation("1", WriteKind::Index { source: source("a") }, Condition::External(version));
    assert_eq!(shard.one(external(7)).await.unwrap().version, 7);
    let same = detail(shard.one(external(7)).await);
    assert_eq!(same, "[1]: version conflict, current version [7] is higher or equal to the one provided [7]");
    assert_eq!(shard.one(external(9)).await.unwrap().version, 9);
}

#[tokio::test]
async fn a_write_is_searchable_after_a_refresh_and_not_before() {
    let place = Place::new().with("index.refresh_interval", "-1");
    let shard = place.primary().await;
    shard.one(index("1", "a")).await.unwrap();
    assert_eq!(shard.searchable("1").await, None);
    assert_eq!(shard.text("1").await, Some(source("a")), "a realtime read does not need a refresh");
    shard.refresh().await.unwrap();
    let found = shard.searchable("1").await.unwrap();
    assert_eq!((found.version, found.seq_no, found.op_term), (1, SeqNo(0), PrimaryTerm(1)));
    assert_eq!(shard.searcher().checkpoint, SeqNo(0));
    shard.one(index("1", "b")).await.unwrap();
    shard.one(index("2", "b")).await.unwrap();
    shard.refresh().await.unwrap();
    assert_eq!(shard.searchable("1").await.unwrap().source, source("b"));
    assert_eq!(shard.stats().docs, 2, "the older state is gone");
}

#[tokio::test]
async fn without_a_refresh_interval_a_write_becomes_searchable_by_itself() {
    let place = Place::new();
    let shard = place.primary().await;
    let written = shard.one(index("1", "a")).await.unwrap();
    shard.wait_published(written.seq_no, soon()).await.unwrap();
    assert!(shard.searchable("1").await.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_at_once_get_a_contiguous_log_with_few_syncs() {
    let place = Place::new();
    let shard = place.primary().await;
    let before = shard.inner.log.syncs();
    let writers: Vec<_> = (0..32)
        .map(|writer| {
            let shard = shard.clone();
            async move {
                let mut seq_nos = Vec::new();
                for round in 0..20 {
                    let operations = vec![index(&format!("{writer}-{round}"), "a"), index("shared", &format!("{writer}"))];
                    for result in shard.all(operations).await {
                        seq_nos.push(result.unwrap().seq_no.0);
                    }
                }
                seq_nos
            }
        })
        .collect();
    let mut seq_nos = futures_all(writers).await;
    seq_nos.sort_unstable();
    assert_eq!(seq_nos, (0..1280).collect::<Vec<_>>());
    let syncs = shard.inner.log.syncs() - before;
    assert!(syncs < 320, "640 writes took {syncs} syncs");
    let last = shard.one(index("shared", "last")).await.unwrap();
    assert_eq!(last.version, 641);
    shard.refresh().await.unwrap();
    assert_eq!(shard.stats().docs, 641);
}

/// Polls all at once on this task.
async fn futures_all<F: Future<Output = Vec<i64>>>(futures: Vec<F>) -> Vec<i64> {
    let mut waiting: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut all = Vec::new();
    std::future::poll_fn(|context| {
        waiting.retain_mut(|future| match future.as_mut().poll(context) {
            std::task::Poll::Ready(values) => {
                all.extend(values);
                false
            }
            std::task::Poll::Pending => true,
        });
        if waiting.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    all
}

#[tokio::test]
async fn asynchronous_durability_answers_before_the_sync_and_shows_nothing_before_it() {
    let place = Place::new().with("index.translog.durability", "async").with("index.translog.sync_interval", "1h");
    let shard = place.primary().await;
    shard.one(index("0", "a")).await.unwrap();
    let synced = shard.inner.log.syncs();
    for id in ["1", "2", "3"] {
        shard.one(index(id, "a")).await.unwrap();
    }
    assert_eq!(shard.inner.log.syncs(), synced, "an acknowledged write waits for no sync");
    assert!(shard.stats().global_checkpoint < 3);
    shard.refresh().await.unwrap();
    assert_eq!(shard.stats().global_checkpoint, 3);
    assert!(shard.searchable("3").await.is_some());
    shard.one(index("4", "a")).await.unwrap();
    assert_eq!(shard.text("4").await, Some(source("a")), "a realtime read asks for the sync it needs");
}

#[tokio::test]
async fn a_copy_that_nobody_activated_takes_no_writes() {
    let place = Place::new();
    let shard = IndexShard::create(place.open_shard(), HistoryId("h".into())).await.unwrap();
    let parsed = shard.parse(delete("1")).unwrap();
    assert!(matches!(shard.write(vec![parsed], soon()).await, Err(Error::ShardNotReady { .. })));
    shard.activate_primary(PrimaryTerm(4)).await.unwrap();
    assert_eq!(shard.one(delete("1")).await.unwrap().op_term, PrimaryTerm(4));
    assert!(matches!(shard.activate_primary(PrimaryTerm(3)).await, Err(Error::IllegalState { .. })), "an old term is refused");
}

#[tokio::test]
async fn a_forced_merge_leaves_one_segment_without_deleted_documents() {
    let place = Place::new().with("index.refresh_interval", "-1");
    let shard = place.primary().await;
    for round in 0..5 {
        let operations = (0..20).map(|id| index(&format!("{id}"), &format!("{round}"))).collect();
        shard.all(operations).await;
        shard.refresh().await.unwrap();
    }
    shard.force_merge(1).await.unwrap();
    let stats = shard.stats();
    assert_eq!((stats.docs, stats.deleted_docs, stats.segments), (20, 0, 1));
    assert_eq!(shard.searchable("7").await.unwrap().version, 5);
}

#[tokio::test]
async fn routing_comes_back() {
    let place = Place::new();
    let shard = place.primary().await;
    let routed = WriteOperation { routing: Some("r".into()), ..index("1", "a") };
    shard.one(routed).await.unwrap();
    assert_eq!(shard.get("1", true, soon()).await.unwrap().unwrap().routing.as_deref(), Some("r"));
    shard.refresh().await.unwrap();
    assert_eq!(shard.searchable("1").await.unwrap().routing.as_deref(), Some("r"));
}

#[tokio::test]
async fn too_much_that_waits_to_be_published_refuses_writes_until_it_is() {
    let place = Place::new().with("index.refresh_interval", "-1");
    let shard = place.primary().await;
    shard.one(index("1", "a")).await.unwrap();
    shard.inner.sequencer.lock().backlog.add(SeqNo(0), 1 << 30);
    // The index is at work on something else for longer than the write can wait.
    let engine = shard.inner.engine.clone().lock_owned().await;
    let in_a_moment = clock::now() + Duration::from_millis(20);
    let refused = shard.write(vec![shard.parse(delete("1")).unwrap()], in_a_moment).await.unwrap_err();
    assert_eq!((refused.type_name(), refused.status()), ("rejected_execution_exception", 429));
    drop(engine);
    // The pressure makes the index publish although nobody asked for it, and a write that can wait is not refused.
    shard.set_settings(Arc::new(place.settings.clone()));
    assert_eq!(shard.one(delete("1")).await.unwrap().seq_no, SeqNo(1));
    shard.wait_published(SeqNo(0), soon()).await.unwrap();
}

#[tokio::test]
async fn a_failed_shard_answers_with_its_error_and_its_searchers_go_on() {
    let place = Place::new();
    let shard = place.primary().await;
    shard.one(index("1", "a")).await.unwrap();
    shard.refresh().await.unwrap();
    let error = Error::Io { reason: "cannot sync".into() };
    shard.inner.fail(error.clone());
    assert_eq!(shard.write(vec![shard.parse(delete("1")).unwrap()], soon()).await.unwrap_err(), error);
    assert_eq!(shard.refresh().await.unwrap_err(), error);
    assert_eq!(shard.flush().await.unwrap_err(), error);
    assert_eq!(shard.operations(SeqNo(0), 1).await.unwrap_err(), error);
    assert_eq!(shard.failure(), Some(error));
    assert_eq!(shard.searcher().searcher.num_docs(), 1);
    assert!(shard.close().await.is_err());
    assert_eq!(place.reopen(2).await.stats().docs, 1);
}
