//! `kill -9` at any moment: nothing that was acknowledged is missing, nothing that was never sent is there, and a follower
//! goes on by itself.

use crate::NODE;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tandem_cluster_tests::process::{TestNode, assert_same, eventually, follow, level};

/// How often a node is killed.
const KILLS: usize = 32;
/// How many different documents each writer changes, again and again.
const IDS: usize = 150;
const WRITERS: usize = 3;

/// What a document may be: the last acknowledged state and what was sent after it without an answer.
#[derive(Clone, Default)]
struct Known {
    acknowledged: Option<(i64, Option<u64>)>,
    unanswered: Vec<Option<u64>>,
}

/// A writer's view of its documents: value by id, `None` for deleted.
type View = BTreeMap<String, Known>;

/// Writes bulks until told to stop; a bulk without an answer leaves its documents unknown until the next answer.
fn write(url: &str, writer: usize, stop: &AtomicBool, acknowledged: &AtomicUsize) -> View {
    let client = tandem_cluster_tests::client::Client::new(url).unwrap();
    let mut view = View::new();
    let mut value = 0u64;
    while !stop.load(Ordering::Relaxed) {
        let mut lines = String::new();
        let mut sent = Vec::new();
        for step in 0..20 {
            value += 1;
            let id = format!("{writer}-{}", (value as usize * 7 + step) % IDS);
            if sent.iter().any(|(other, _)| *other == id) {
                continue;
            }
            if value.is_multiple_of(5) {
                lines.push_str(&format!("{{\"delete\":{{\"_id\":\"{id}\"}}}}\n"));
                sent.push((id, None));
            } else {
                lines.push_str(&format!("{{\"index\":{{\"_id\":\"{id}\"}}}}\n{{\"id\":\"{id}\",\"v\":{value}}}\n"));
                sent.push((id, Some(value)));
            }
        }
        let request = tandem_cluster_tests::client::Request {
            method: "POST".into(),
            target: "/w/_bulk".into(),
            headers: vec![("Content-Type".into(), "application/x-ndjson".into())],
            body: Some(lines.into_bytes()),
            chunked: false,
        };
        let items = client
            .send(&request)
            .ok()
            .filter(|response| response.status == 200)
            .and_then(|response| serde_json::from_slice::<Value>(&response.body).ok())
            .and_then(|answer| answer["items"].as_array().cloned());
        for (position, (id, written)) in sent.into_iter().enumerate() {
            let known = view.entry(id).or_default();
            let item = items.as_ref().and_then(|items| items.get(position)).and_then(|item| item.as_object()?.values().next().cloned());
            match item {
                Some(item) if item["error"].is_null() => {
                    *known = Known { acknowledged: item["_seq_no"].as_i64().map(|seq_no| (seq_no, written)), unanswered: Vec::new() };
                    acknowledged.fetch_add(1, Ordering::Relaxed);
                }
                // Refused or unanswered: it may be there, or may yet come.
                _ => known.unanswered.push(written),
            }
        }
        if items.is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    view
}

fn check(node: &TestNode, view: &View) {
    let found: BTreeMap<String, Value> = node.documents("w").into_iter().collect();
    for (id, known) in view {
        let value = found.get(id).and_then(|hit| hit["_source"]["v"].as_u64());
        let seq_no = found.get(id).and_then(|hit| hit["_seq_no"].as_i64());
        let (base_seq_no, base) = known.acknowledged.unwrap_or((-1, None));
        let as_acknowledged = value == base && seq_no.is_none_or(|seq_no| seq_no == base_seq_no);
        let as_sent_later = known.unanswered.contains(&value) && seq_no.is_none_or(|seq_no| seq_no > base_seq_no);
        assert!(
            as_acknowledged || as_sent_later,
            "{id} is {value:?} at {seq_no:?}; acknowledged {:?}, unanswered {:?}",
            known.acknowledged,
            known.unanswered
        );
    }
    let strangers: Vec<&String> = found.keys().filter(|id| !view.contains_key(*id)).collect();
    assert!(strangers.is_empty(), "never written: {strangers:?}");
}

#[test]
fn acknowledged_writes_survive_kills_and_the_follower_goes_on() {
    let mut leader = TestNode::start(NODE, "crash-leader");
    let mut follower = TestNode::start(NODE, "crash-follower");
    let index =
        json!({"settings": {"number_of_replicas": 0}, "mappings": {"properties": {"id": {"type": "keyword"}, "v": {"type": "long"}}}});
    leader.must(200, "PUT", "/w", Some(&index));
    follow(&leader, &follower, "w", "w");

    let (stop, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (url, stop, acknowledged) = (leader.url(), Arc::clone(&stop), Arc::clone(&acknowledged));
            std::thread::spawn(move || write(&url, writer, &stop, &acknowledged))
        })
        .collect();
    for round in 0..KILLS {
        let before = acknowledged.load(Ordering::Relaxed);
        // A moment that differs from round to round, somewhere within a few bulks; and never without a write in between.
        let moment = Instant::now() + Duration::from_millis(40 + (round as u64 * 37) % 190);
        eventually(Duration::from_secs(30), "writes are acknowledged between two kills", || {
            Instant::now() >= moment && acknowledged.load(Ordering::Relaxed) > before
        });
        let victim = if round % 2 == 0 { &mut leader } else { &mut follower };
        victim.kill();
        victim.restart();
    }
    stop.store(true, Ordering::Relaxed);
    let mut view = View::new();
    for writer in writers {
        view.extend(writer.join().unwrap());
    }
    assert!(acknowledged.load(Ordering::Relaxed) > 1_000, "only {acknowledged:?} writes were acknowledged");
    check(&leader, &view);

    let stats = leader.must(200, "GET", "/w/_stats?level=shards", None);
    let max_seq_no = stats["indices"]["w"]["shards"]["0"][0]["seq_no"]["max_seq_no"].as_i64().unwrap();
    level(&follower, "w", max_seq_no);
    assert_same(&leader.documents("w"), &follower.documents("w"));
}
