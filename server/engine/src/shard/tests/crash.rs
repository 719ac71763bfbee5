//! Crashes, torn tails, damage.

use super::*;
use tandem_common::env::fs;

#[tokio::test]
async fn acknowledged_writes_survive_a_crash_and_versions_go_on() {
    let place = Place::new();
    let shard = place.primary().await;
    shard.one(index("1", "a")).await.unwrap();
    shard.one(index("1", "b")).await.unwrap();
    shard.one(index("2", "a")).await.unwrap();
    shard.one(delete("2")).await.unwrap();
    drop(shard);
    let shard = place.reopen(2).await;
    assert_eq!(shard.text("1").await, Some(source("b")));
    assert_eq!(shard.text("2").await, None);
    assert!(shard.searchable("1").await.is_some(), "what is committed is searchable after a restart");
    let next = shard.one(index("2", "c")).await.unwrap();
    assert_eq!((next.seq_no, next.op_term, next.version), (SeqNo(4), PrimaryTerm(2), 3), "the tombstone is read back");
    assert_eq!(shard.one(index("1", "c")).await.unwrap().version, 3);
}

#[tokio::test]
async fn a_crash_after_a_flush_replays_only_what_came_later() {
    let place = Place::new();
    let shard = place.primary().await;
    for id in 0..50 {
        shard.one(index(&format!("{id}"), "a")).await.unwrap();
    }
    shard.flush().await.unwrap();
    shard.one(index("3", "b")).await.unwrap();
    shard.one(delete("4")).await.unwrap();
    shard.refresh().await.unwrap();
    shard.one(index("5", "c")).await.unwrap();
    drop(shard);
    let shard = place.reopen(2).await;
    assert_eq!(shard.stats().docs, 49);
    assert_eq!(shard.text("3").await, Some(source("b")));
    assert_eq!(shard.text("4").await, None);
    assert_eq!(shard.text("5").await, Some(source("c")));
    assert_eq!(shard.stats().max_seq_no, 52);
}

#[tokio::test]
async fn closing_and_opening_keeps_everything_and_can_be_done_twice() {
    let place = Place::new();
    let shard = place.primary().await;
    shard.one(index("1", "a")).await.unwrap();
    shard.close().await.unwrap();
    shard.close().await.unwrap();
    assert!(matches!(shard.refresh().await, Err(Error::ShardNotReady { .. })));
    let again = place.try_reopen().await.unwrap();
    assert_eq!(again.stats().docs, 1, "the durable commit needs no replay and no activation");
    assert_eq!(again.stats().global_checkpoint, 0);
    again.close().await.unwrap();
}

#[tokio::test]
async fn a_store_is_open_once() {
    let place = Place::new();
    let shard = place.primary().await;
    assert!(matches!(IndexShard::open(place.open_shard()).await, Err(Error::ShardNotReady { .. })));
    drop(shard);
    let created = IndexShard::create(place.open_shard(), HistoryId("h".into()));
    assert!(matches!(created.await, Err(Error::IllegalState { .. } | Error::ShardNotReady { .. })));
}

#[tokio::test]
async fn a_torn_tail_is_cut_and_writing_goes_on_behind_it() {
    let place = Place::new();
    let shard = place.primary().await;
    for id in ["1", "2", "3"] {
        shard.one(index(id, "a")).await.unwrap();
    }
    drop(shard);
    // Waits until the crashed shard is gone.
    drop(place.try_reopen().await.unwrap());
    let path = place.log_file(1);
    for garbage in [b"x".to_vec(), vec![0; 5000], vec![200; 64]] {
        let mut bytes = fs::read(&path).unwrap();
        bytes.extend_from_slice(&garbage);
        fs::write_durably(&path, &bytes).unwrap();
        let shard = place.try_reopen().await.unwrap();
        assert_eq!(shard.stats().max_seq_no, 2);
        drop(shard);
    }
    let shard = place.reopen(2).await;
    shard.one(index("4", "b")).await.unwrap();
    drop(shard);
    let shard = place.reopen(3).await;
    assert_eq!(shard.stats().docs, 4);
}

#[tokio::test]
async fn every_flipped_bit_in_what_was_synced_is_found_with_file_and_offset() {
    let place = Place::new();
    let shard = place.primary().await;
    for id in ["1", "2", "3"] {
        shard.one(index(id, "a")).await.unwrap();
    }
    shard.close().await.unwrap();
    drop(shard);
    let path = place.log_file(1);
    let good = fs::read(&path).unwrap();
    for at in (0..good.len()).step_by(11) {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        fs::write_durably(&path, &bad).unwrap();
        let error = place.try_reopen().await.err();
        let reason = match &error {
            Some(Error::Corrupt { reason }) => reason.clone(),
            other => panic!("byte {at} of {}: {other:?}", good.len()),
        };
        assert!(reason.contains("translog-1.tlog") && reason.contains("offset ["), "{reason}");
    }
    fs::write_durably(&path, &good).unwrap();
    assert_eq!(place.reopen(2).await.stats().docs, 3);
}

#[tokio::test]
async fn a_log_that_lost_synced_bytes_is_refused() {
    let place = Place::new();
    let shard = place.primary().await;
    for id in ["1", "2", "3"] {
        shard.one(index(id, "a")).await.unwrap();
    }
    shard.close().await.unwrap();
    drop(shard);
    let path = place.log_file(1);
    let good = fs::read(&path).unwrap();
    fs::write_durably(&path, &good[..good.len() - 200]).unwrap();
    assert!(matches!(place.try_reopen().await, Err(Error::Corrupt { .. })));
}

#[tokio::test]
async fn damage_in_the_index_commit_is_found() {
    let place = Place::new();
    let shard = place.primary().await;
    shard.one(index("1", "a")).await.unwrap();
    shard.close().await.unwrap();
    drop(shard);
    let path = place.path().join("shard/index/meta.json");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write_durably(&path, &bytes).unwrap();
    assert!(matches!(place.try_reopen().await, Err(Error::Corrupt { reason }) if reason.contains("meta.json")));
}
