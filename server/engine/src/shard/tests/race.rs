//! A copy that is taken while the leader writes, publishes and merges holds each document once.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_taken_under_load_holds_each_document_once() {
    let here = Place::new();
    let leader = here.primary().await;
    let stop = std::sync::atomic::AtomicBool::new(false);
    let writing = async {
        let mut id = 0;
        while !stop.load(Ordering::Relaxed) {
            for _ in 0..20 {
                leader.all((id..id + 25).map(|id| index(&id.to_string(), "first")).collect()).await;
                leader.all((id..id + 25).map(|id| index(&id.to_string(), "second")).collect()).await;
                id += 25;
            }
        }
    };
    let copying = async {
        for round in 0..25 {
            let there = Place::new();
            let lease = leader.acquire_commit().await.unwrap();
            follower::copy(&lease, there.path()).await;
            let copied = IndexShard::create_from_files(there.open_shard(), lease.describe()).await.unwrap();
            let count = lease.checkpoint.0 + 1;
            let expected = (count / 50) * 25 + (count % 50).min(25);
            assert_eq!(copied.stats().docs as i64, expected, "round {round}, checkpoint {}", lease.checkpoint);
        }
        stop.store(true, Ordering::Relaxed);
    };
    tokio::join!(writing, copying);
}
