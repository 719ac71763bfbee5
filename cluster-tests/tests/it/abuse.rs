//! Input that is too large, too deep or not what it should be: an answer, and the node is still there.

use crate::NODE;
use serde_json::json;
use tandem_cluster_tests::client::Request;
use tandem_cluster_tests::process::TestNode;

fn put(target: &str, body: Vec<u8>) -> Request {
    let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
    Request { method: "PUT".into(), target: target.into(), headers, body: Some(body), chunked: false }
}

#[test]
fn a_document_of_nearly_a_hundred_megabytes_is_kept_and_a_larger_body_is_refused() {
    let node = TestNode::start(NODE, "large");
    let mapping = json!({"settings": {"number_of_replicas": 0}, "mappings": {"properties": {"t": {"type": "keyword", "index": false, "doc_values": false}}}});
    node.must(200, "PUT", "/big", Some(&mapping));
    let document = |megabytes: usize| format!("{{\"t\":\"{}\"}}", "x".repeat(megabytes << 20)).into_bytes();
    let answer = node.client().send(&put("/big/_doc/1", document(99))).unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text());
    let found = node.client().send(&Request { method: "GET".into(), target: "/big/_source/1".into(), ..Request::default() }).unwrap();
    assert_eq!((found.status, found.body.len()), (200, document(99).len()));

    // Past the limit the answer may come before the body is read: what matters is that nothing was written.
    match node.client().send(&put("/big/_doc/2", document(101))) {
        Ok(answer) => assert_eq!(answer.status, 413, "{}", answer.text()),
        Err(error) => assert!(matches!(error.kind(), std::io::ErrorKind::BrokenPipe | std::io::ErrorKind::ConnectionReset), "{error}"),
    }
    node.must(404, "GET", "/big/_doc/2", None);
    node.must(200, "GET", "/_cluster/health", None);
}

#[test]
fn ten_thousand_levels_are_refused_everywhere() {
    let node = TestNode::start(NODE, "deep");
    let deep = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000)).into_bytes();
    for (method, target) in
        [("PUT", "/d/_doc/1"), ("PUT", "/e"), ("POST", "/d/_search"), ("PUT", "/_cluster/settings"), ("POST", "/d/_update/1")]
    {
        let mut request = put(target, deep.clone());
        request.method = method.into();
        let answer = node.client().send(&request).unwrap();
        assert_eq!(answer.status, 400, "{method} {target}: {}", answer.text());
    }
    node.must(200, "GET", "/_cluster/health", None);
}
