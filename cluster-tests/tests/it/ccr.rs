//! Two clusters: what follows, document by document, and what happens when one side goes.

use crate::NODE;
use serde_json::{Value, json};
use std::time::Duration;
use tandem_cluster_tests::process::{TestNode, assert_same, eventually, follow, level, replication_status};

fn index(shards: u32) -> Value {
    json!({"settings": {"number_of_shards": shards, "number_of_replicas": 0}, "mappings": {"properties": {"id": {"type": "keyword"}}}})
}

/// Writes documents, then changes or deletes a third of them again.
fn load(node: &TestNode, index: &str, from: usize, to: usize) {
    for part in (from..to).step_by(500) {
        let mut lines = String::new();
        for n in part..(part + 500).min(to) {
            lines.push_str(&format!("{{\"index\":{{\"_id\":\"d{n}\"}}}}\n{{\"id\":\"d{n}\",\"n\":{n},\"t\":\"document number {n}\"}}\n"));
            match n % 6 {
                0 => lines.push_str(&format!("{{\"update\":{{\"_id\":\"d{n}\"}}}}\n{{\"doc\":{{\"n\":-{n}}}}}\n")),
                3 => lines.push_str(&format!("{{\"delete\":{{\"_id\":\"d{}\"}}}}\n", n - 1)),
                _ => {}
            }
        }
        let items = node.bulk(index, &lines).unwrap();
        let failed: Vec<&Value> =
            items.iter().filter(|item| item.as_object().is_some_and(|item| item.values().any(|item| !item["error"].is_null()))).collect();
        assert!(failed.is_empty(), "{failed:?}");
    }
}

fn max_seq_no_sum(node: &TestNode, index: &str) -> i64 {
    let stats = node.must(200, "GET", &format!("/{index}/_stats?level=shards"), None);
    stats["indices"][index]["shards"].as_object().unwrap().values().map(|copies| copies[0]["seq_no"]["max_seq_no"].as_i64().unwrap()).sum()
}

fn leases(node: &TestNode, index: &str) -> Vec<Value> {
    let stats = node.must(200, "GET", &format!("/{index}/_stats/docs?level=shards"), None);
    let shards = stats["indices"][index]["shards"].as_object().unwrap();
    shards.values().flat_map(|copies| copies[0]["retention_leases"]["leases"].as_array().unwrap().clone()).collect()
}

#[test]
fn documents_written_while_the_copy_is_made_arrive_each_once_and_in_order() {
    let (leader, follower) = (TestNode::start(NODE, "boot-leader"), TestNode::start(NODE, "boot-follower"));
    leader.must(200, "PUT", "/b", Some(&index(3)));
    load(&leader, "b", 0, 6_000);
    let url = leader.url();
    std::thread::scope(|scope| {
        let loading = scope.spawn(|| load(&leader, "b", 6_000, 12_000));
        follow(&leader, &follower, "b", "b");
        loading.join().unwrap();
    });
    level(&follower, "b", max_seq_no_sum(&leader, "b"));
    let (here, there) = (leader.documents("b"), follower.documents("b"));
    assert_eq!(here.len(), 10_000, "{url}");
    assert_same(&here, &there);
}

#[test]
fn leases_are_taken_moved_and_given_up() {
    let (leader, follower) = (TestNode::start(NODE, "lease-leader"), TestNode::start(NODE, "lease-follower"));
    leader.must(200, "PUT", "/l", Some(&index(1)));
    load(&leader, "l", 0, 600);
    follow(&leader, &follower, "l", "f");
    level(&follower, "f", max_seq_no_sum(&leader, "l"));
    let taken = leases(&leader, "l");
    assert_eq!(taken.len(), 1, "{taken:?}");
    assert!(taken[0]["id"].as_str().unwrap().starts_with("replication:lease-follower:"), "{taken:?}");
    load(&leader, "l", 600, 1_200);
    let before = taken[0]["retaining_seq_no"].as_i64().unwrap();
    eventually(Duration::from_secs(60), "the lease moves on", || {
        load(&leader, "l", 1_200, 1_206);
        leases(&leader, "l")[0]["retaining_seq_no"].as_i64().unwrap() > before
    });
    follower.must(200, "POST", "/_plugins/_replication/f/_stop", Some(&json!({})));
    assert!(leases(&leader, "l").is_empty());
}

#[test]
fn a_follower_opens_for_writes_when_its_leader_is_gone() {
    let (mut leader, mut follower) = (TestNode::start(NODE, "gone-leader"), TestNode::start(NODE, "gone-follower"));
    leader.must(200, "PUT", "/g", Some(&index(1)));
    load(&leader, "g", 0, 600);
    follow(&leader, &follower, "g", "g");
    level(&follower, "g", max_seq_no_sum(&leader, "g"));
    let had = leader.documents("g");
    leader.kill();

    let refused = follower.must(403, "PUT", "/g/_doc/mine", Some(&json!({"id": "mine"})));
    assert_eq!(refused["error"]["reason"], "index [g] blocked by: [FORBIDDEN/1000/index read-only(cross-cluster-replication)];");
    assert_eq!(replication_status(&follower, "g")["status"], "SYNCING", "the follower answers from what it knows");
    follower.must(200, "POST", "/_plugins/_replication/g/_stop", Some(&json!({})));
    assert_same(&follower.documents("g"), &had);
    let mine = follower.must(201, "PUT", "/g/_doc/mine", Some(&json!({"id": "mine"})));
    assert!(mine["_primary_term"].as_i64().unwrap() >= 1 << 20, "terms of the two sides never meet: {mine}");
    follower.kill();
    follower.restart();
    assert_eq!(follower.documents("g").len(), had.len() + 1);
}

#[test]
fn an_interrupted_leader_is_followed_again_without_anybody_s_help() {
    let (mut leader, follower) = (TestNode::start(NODE, "back-leader"), TestNode::start(NODE, "back-follower"));
    leader.must(200, "PUT", "/r", Some(&index(1)));
    load(&leader, "r", 0, 60);
    follow(&leader, &follower, "r", "r");
    level(&follower, "r", max_seq_no_sum(&leader, "r"));
    leader.kill();
    leader.restart();
    load(&leader, "r", 60, 120);
    level(&follower, "r", max_seq_no_sum(&leader, "r"));
    assert_same(&leader.documents("r"), &follower.documents("r"));
}

#[test]
fn a_new_field_reaches_the_follower_without_a_document() {
    let (leader, follower) = (TestNode::start(NODE, "field-leader"), TestNode::start(NODE, "field-follower"));
    leader.must(200, "PUT", "/m", Some(&index(1)));
    follow(&leader, &follower, "m", "m");
    level(&follower, "m", -1);
    leader.must(200, "PUT", "/m/_mapping", Some(&json!({"properties": {"fresh": {"type": "keyword"}}})));
    eventually(Duration::from_secs(5), "the new field is on the follower", || {
        follower.must(200, "GET", "/m/_mapping", None)["m"]["mappings"]["properties"]["fresh"]["type"] == "keyword"
    });
}

#[test]
fn a_leader_index_that_was_deleted_and_made_anew_is_not_followed() {
    let (leader, follower) = (TestNode::start(NODE, "anew-leader"), TestNode::start(NODE, "anew-follower"));
    leader.must(200, "PUT", "/x", Some(&index(1)));
    load(&leader, "x", 0, 60);
    follow(&leader, &follower, "x", "x");
    level(&follower, "x", max_seq_no_sum(&leader, "x"));
    let had = follower.documents("x");
    leader.must(200, "DELETE", "/x", None);
    leader.must(200, "PUT", "/x", Some(&index(1)));
    load(&leader, "x", 0, 12);
    eventually(Duration::from_secs(60), "the follower pauses", || replication_status(&follower, "x")["status"] == "PAUSED");
    let reason = replication_status(&follower, "x")["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("IndexNotFoundException") && reason.contains("no such index [x]"), "{reason}");
    // Nothing of the new index was merged.
    assert_same(&follower.documents("x"), &had);
}
