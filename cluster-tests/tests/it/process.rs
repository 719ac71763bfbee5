//! The life of one process.

use crate::NODE;
use serde_json::json;
use std::process::Command;
use std::time::Duration;
use tandem_cluster_tests::process::TestNode;

#[test]
fn a_node_that_is_asked_to_end_does_so_in_order_and_keeps_everything() {
    let mut node = TestNode::start(NODE, "orderly");
    node.must(201, "PUT", "/a/_doc/1", Some(&json!({"n": 1})));
    let settings = json!({"persistent": {"cluster.max_shards_per_node": 500}});
    node.must(200, "PUT", "/_cluster/settings", Some(&settings));
    let (code, took) = node.terminate();
    assert_eq!(code, Some(0), "{}", node.log());
    assert!(took < Duration::from_secs(5), "it took {took:?}");

    node.restart();
    assert_eq!(node.must(200, "GET", "/a/_doc/1", None)["_source"], json!({"n": 1}));
    assert_eq!(node.must(200, "GET", "/_cluster/settings?flat_settings=true", None)["persistent"]["cluster.max_shards_per_node"], "500");
    let term = node.must(201, "PUT", "/a/_doc/2", Some(&json!({"n": 2})))["_primary_term"].clone();
    assert_eq!(term, 2, "a new process serves under a new term");
}

#[test]
fn a_second_process_on_the_same_data_is_told_who_holds_it() {
    let node = TestNode::start(NODE, "holder");
    let output = Command::new(NODE)
        .args(["-E", &format!("path.data={}", node.data().display()), "-E", "http.port=0", "-E", "transport.port=0"])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(errors.contains(&format!("the process with id [{}]", node.process_id().unwrap())), "{errors}");
}

#[test]
fn an_unknown_setting_is_refused_with_the_nearest_one() {
    let output = Command::new(NODE).args(["-E", "cluster.nam=x"]).output().unwrap();
    assert!(!output.status.success());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("[cluster.nam]") && errors.contains("[cluster.name]"), "{errors}");
}

#[test]
fn a_node_does_not_listen_beyond_loopback_unless_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(NODE)
        .args(["-E", "network.host=0.0.0.0", "-E", "http.port=0", "-E", "transport.port=0"])
        .args(["-E", &format!("path.data={}", folder.path().display())])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("--insecure"), "{errors}");
}
