//! History: reading operations, leases, trimming.

use super::*;

async fn write_many(shard: &IndexShard, from: usize, to: usize) {
    let operations = (from..to).map(|id| index(&format!("{id}"), "a")).collect();
    for result in shard.all(operations).await {
        result.unwrap();
    }
}

async fn seq_nos(shard: &IndexShard, from: i64, bytes_max: usize) -> Result<Vec<i64>> {
    Ok(shard.operations(SeqNo(from), bytes_max).await?.iter().map(|operation| operation.seq_no.0).collect())
}

#[tokio::test]
async fn operations_come_in_order_from_memory_and_from_files() {
    let place = Place::new().with("index.translog.generation_threshold_size", "4kb");
    let shard = place.primary().await;
    for round in 0..20 {
        write_many(&shard, round * 10, round * 10 + 10).await;
    }
    assert_eq!(seq_nos(&shard, 0, usize::MAX).await.unwrap(), (0..200).collect::<Vec<_>>());
    shard.inner.log.shrink_tail(0);
    assert!(place.log_file(3).exists(), "the log has several files");
    for from in [0, 1, 57, 199] {
        assert_eq!(seq_nos(&shard, from, usize::MAX).await.unwrap(), (from..200).collect::<Vec<_>>());
    }
    assert_eq!(seq_nos(&shard, 5, 1).await.unwrap(), [5], "at least one");
    assert!(seq_nos(&shard, 5, 1000).await.unwrap().len() < 10);
    assert_eq!(seq_nos(&shard, 200, 1000).await.unwrap(), [] as [i64; 0]);
    let operation = shard.operations(SeqNo(42), 1).await.unwrap().pop().unwrap();
    assert_eq!((operation.id.as_str(), operation.version), ("42", 1));
    assert_eq!(operation.kind, LoggedKind::Index { source: source("a") });
}

#[tokio::test]
async fn a_flush_trims_what_nobody_needs_and_leases_keep_it_across_a_restart() {
    let place = Place::new().with("index.gc_deletes", "0s");
    let shard = place.primary().await;
    write_many(&shard, 0, 10).await;
    shard.flush().await.unwrap();
    assert_eq!(shard.history().lowest_retained, SeqNo(10));
    assert_eq!(seq_nos(&shard, 3, 1000).await.unwrap_err(), Error::HistoryNotAvailable { from: 3, lowest: 10 });
    let gone = shard.add_lease("late", SeqNo(4), "ccr").await.unwrap_err();
    assert_eq!(gone, Error::HistoryNotAvailable { from: 4, lowest: 10 });
    assert!(shard.leases().is_empty());

    let lease = shard.add_lease("follower", SeqNo(12), "ccr").await.unwrap();
    assert_eq!(shard.leases().first(), Some(&lease));
    write_many(&shard, 10, 20).await;
    shard.flush().await.unwrap();
    write_many(&shard, 20, 30).await;
    shard.flush().await.unwrap();
    shard.close().await.unwrap();
    drop(shard);
    let shard = place.reopen(2).await;
    assert_eq!(shard.leases(), [lease]);
    shard.flush().await.unwrap();
    shard.trim_history().await.unwrap();
    assert_eq!(seq_nos(&shard, 12, usize::MAX).await.unwrap(), (12..30).collect::<Vec<_>>());

    shard.renew_lease("follower", SeqNo(25), "ccr").await.unwrap();
    assert!(matches!(shard.renew_lease("follower", SeqNo(24), "ccr").await, Err(Error::RetentionLeaseInvalid { .. })));
    shard.trim_history().await.unwrap();
    assert_eq!(shard.history().lowest_retained, SeqNo(20), "whole files go");
    shard.remove_lease("follower").await.unwrap();
    shard.trim_history().await.unwrap();
    assert_eq!(shard.history().lowest_retained, SeqNo(30));
}

#[tokio::test]
async fn leases_keep_no_more_than_their_bound_and_the_holder_is_told_why() {
    let place = Place::new().with("index.gc_deletes", "0s").with("index.soft_deletes.retention.max_bytes", "3kb");
    let shard = place.primary().await;
    shard.add_lease("dead", SeqNo(0), "ccr").await.unwrap();
    shard.add_lease("slow", SeqNo(10), "ccr").await.unwrap();
    write_many(&shard, 0, 10).await;
    shard.flush().await.unwrap();
    assert_eq!(shard.history().lowest_retained, SeqNo(0), "within the bound it is kept");
    for part in 1..6 {
        write_many(&shard, part * 10, part * 10 + 10).await;
        shard.flush().await.unwrap();
        if part < 5 {
            shard.renew_lease("slow", SeqNo(part as i64 * 10), "ccr").await.unwrap();
        }
    }
    assert_eq!(shard.leases().iter().map(|lease| lease.id.as_str()).collect::<Vec<_>>(), ["slow"]);
    assert_eq!(shard.history().lowest_retained, SeqNo(40));
    assert!(shard.stats().translog_bytes < 4 << 10);
    let told = shard.renew_lease("dead", SeqNo(5), "ccr").await.unwrap_err();
    assert!(told.to_string().starts_with("retention lease with ID [dead] not found: it kept ["), "{told}");
    assert!(told.to_string().ends_with("more than [3kb]: index.soft_deletes.retention.max_bytes"), "{told}");
}

#[tokio::test]
async fn a_copy_that_grants_no_leases_ends_none() {
    let place = Place::new().with("index.gc_deletes", "0s").with("index.soft_deletes.retention.max_bytes", "1b");
    let shard = place.primary().await;
    write_many(&shard, 0, 10).await;
    shard.add_lease("follower", SeqNo(0), "ccr").await.unwrap();
    shard.truncate_above(SeqNo(9)).await.unwrap();
    shard.flush().await.unwrap();
    assert_eq!((shard.leases().len(), shard.history().lowest_retained), (1, SeqNo(0)));
    shard.activate_primary(PrimaryTerm(2)).await.unwrap();
    shard.trim_history().await.unwrap();
    assert_eq!((shard.leases().len(), shard.history().lowest_retained), (0, SeqNo(10)));
}

#[tokio::test]
async fn the_tombstone_window_keeps_the_log_until_it_is_over() {
    let place = Place::new().with("index.gc_deletes", "1h");
    let shard = place.primary().await;
    write_many(&shard, 0, 10).await;
    let deleted = shard.one(delete("1")).await.unwrap();
    shard.flush().await.unwrap();
    drop(shard);
    let shard = place.reopen(2).await;
    assert_eq!(shard.history().lowest_retained, SeqNo(0));
    assert_eq!(shard.one(index("1", "b")).await.unwrap().version, deleted.version + 1);
    shard.flush().await.unwrap();
    shard.set_settings(Arc::new(Place::new().with("index.gc_deletes", "0s").settings));
    shard.trim_history().await.unwrap();
    assert_eq!(shard.history().lowest_retained, SeqNo(12));
}

#[tokio::test]
async fn a_lease_that_nobody_renews_ends() {
    let place = Place::new().with("index.soft_deletes.retention_lease.period", "0s");
    let shard = place.primary().await;
    shard.add_lease("a", SeqNo(0), "ccr").await.unwrap();
    while !shard.leases().is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(matches!(shard.renew_lease("a", SeqNo(0), "ccr").await, Err(Error::RetentionLeaseNotFound { .. })));
}

#[tokio::test]
async fn a_long_poll_ends_when_the_checkpoint_is_reached_or_the_limit_is_over() {
    let place = Place::new();
    let shard = place.primary().await;
    assert_eq!(shard.wait_global_checkpoint(SeqNo(0), Duration::from_millis(5)).await, SeqNo(-1));
    let waiting = shard.wait_global_checkpoint(SeqNo(0), Duration::from_secs(30));
    let (reached, written) = tokio::join!(waiting, shard.one(index("1", "a")));
    assert_eq!(reached, written.unwrap().seq_no);
}

#[tokio::test]
async fn terms_are_known_also_for_what_was_trimmed() {
    let place = Place::new().with("index.gc_deletes", "0s");
    let shard = place.primary().await;
    write_many(&shard, 0, 3).await;
    shard.close().await.unwrap();
    drop(shard);
    let shard = place.reopen(5).await;
    write_many(&shard, 3, 5).await;
    drop(shard);
    let shard = place.reopen(6).await;
    shard.flush().await.unwrap();
    let terms: Vec<_> = (-1..6).map(|n| shard.op_term_at(SeqNo(n)).map(|term| term.0)).collect();
    assert_eq!(terms, [None, Some(1), Some(1), Some(1), Some(5), Some(5), None]);
    assert_eq!(shard.history().lowest_retained, SeqNo(5));
}
