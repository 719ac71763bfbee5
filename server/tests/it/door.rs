//! The REST door over one node, called in process.

use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use tandem_common::config::Config;
use tandem_node::{Addresses, Node};
use tandem_search::rest::{App, Door};

struct TestDoor {
    door: Door,
    node: Node,
    _folder: tempfile::TempDir,
}

struct Got {
    status: u16,
    headers: HeaderMap,
    bytes: Bytes,
}

impl Got {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl TestDoor {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::of([("path.data", folder.path().to_str().unwrap()), ("node.name", "n1"), ("cluster.name", "c1")]).unwrap();
        // Nobody connects to these: the door is called in process.
        let addresses = Addresses { http: "127.0.0.1:1".parse().unwrap(), transport: "127.0.0.1:2".parse().unwrap() };
        let node = Node::start(config, addresses).await.unwrap();
        let app = App { services: node.services().clone(), content_bytes_max: 1 << 20, head_bytes_max: 16 << 10 };
        Self { door: Door::new(app), node, _folder: folder }
    }

    async fn send(&self, method: &str, uri: &str, body: impl Into<Bytes>, headers: &[(&str, &str)]) -> Got {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.door.handle(request.body(Full::new(body.into())).unwrap()).await;
        let (head, body) = response.into_parts();
        Got { status: head.status.as_u16(), headers: head.headers, bytes: body.collect().await.unwrap().to_bytes() }
    }

    async fn get(&self, uri: &str) -> Got {
        self.send("GET", uri, "", &[]).await
    }

    async fn with(&self, method: &str, uri: &str, body: Value) -> Got {
        self.send(method, uri, body.to_string(), &[("content-type", "application/json")]).await
    }

    async fn lines(&self, uri: &str, body: &str) -> Got {
        self.send("POST", uri, body.to_owned(), &[("content-type", "application/x-ndjson")]).await
    }
}

#[tokio::test]
async fn what_no_route_takes_is_refused_as_opensearch_does() {
    let door = TestDoor::open().await;
    let got = door.get("/nosuch/path/x?a=b").await;
    assert_eq!((got.status, got.text().as_str()), (400, r#"{"error":"no handler found for uri [/nosuch/path/x] and method [GET]"}"#));
    let got = door.send("DELETE", "/_search", "", &[]).await;
    assert_eq!((got.status, got.header("allow")), (405, "GET,POST"));
    assert_eq!(
        got.text(),
        r#"{"error":"Incorrect HTTP method for uri [/_search] and method [DELETE], allowed: [GET, POST]","status":405}"#
    );
    let got = door.send("OPTIONS", "/_search", "", &[]).await;
    assert_eq!((got.status, got.header("allow"), got.bytes.len()), (200, "GET,POST", 0));
    let got = door.get("/?prety").await;
    assert_eq!(got.json()["error"]["reason"], "request [/] contains unrecognized parameter: [prety] -> did you mean [pretty]?");
    let got = door.get("/_cluster/health?master_timeout=5s&cluster_manager_timeout=5s").await;
    assert_eq!((got.status, got.json()["error"]["type"].as_str()), (400, Some("parse_exception")));
    let got = door.get(&format!("/?{}", "a".repeat(5_000))).await;
    assert_eq!(got.status, 400);
    door.node.stop().await;
}

#[tokio::test]
async fn a_literal_segment_goes_before_a_named_one() {
    let door = TestDoor::open().await;
    door.with("PUT", "/routed", json!({"settings": {"number_of_replicas": 0}})).await;
    // Which index was looked for tells which route was taken; a branch that ends nowhere gives way to a named segment.
    for (uri, index) in [("/_nosuch", "_nosuch"), ("/_searchx/_search", "_searchx"), ("/_cat/_search", "_cat"), ("/%5Fsearch", "_search")] {
        let error = door.get(uri).await.json()["error"]["index"].clone();
        assert_eq!(error, index, "{uri}");
    }
    for uri in ["/_search", "/_search/", "//_search", "/routed/_search//", "/%72outed/_search"] {
        assert_eq!(door.get(uri).await.json()["hits"]["total"]["value"], 0, "{uri}");
    }
    assert!(door.get("/_cat/indices/routed?h=index").await.text().starts_with("routed\n"));
    assert_eq!(door.get("/_cat/nosuch").await.status, 400);
    door.node.stop().await;
}

#[tokio::test]
async fn a_request_that_cannot_be_read_is_refused_before_a_route_is_sought() {
    let door = TestDoor::open().await;
    assert_eq!(door.get("/nosuch/a/%zz").await.text(), r#"{"error":"invalid uri has been requested"}"#);
    for uri in ["/nosuch/a/b?x=%zz", "/nosuch/a/b?pretty=x"] {
        let got = door.get(uri).await;
        assert_eq!((got.status, got.json()["error"]["type"].as_str()), (400, Some("illegal_argument_exception")), "{uri}");
    }
    let got = door.get("/nosuch/a/b?pretty").await;
    assert_eq!(got.text(), "{\n  \"error\" : \"no handler found for uri [/nosuch/a/b] and method [GET]\"\n}\n");
    assert_eq!(door.send("HEAD", "/_search", "", &[]).await.header("allow"), "GET,POST");
    door.node.stop().await;
}

#[tokio::test]
async fn head_has_the_headers_of_get_and_no_body() {
    let door = TestDoor::open().await;
    let (get, head) = (door.get("/").await, door.send("HEAD", "/", "", &[]).await);
    assert_eq!((head.status, head.bytes.len()), (200, 0));
    for name in ["content-type", "content-length"] {
        assert_eq!(get.header(name), head.header(name), "{name}");
    }
    assert_eq!(get.header("content-length"), get.bytes.len().to_string());
    assert_eq!(door.send("HEAD", "/nosuch/a/b", "", &[]).await.status, 400);
    door.node.stop().await;
}

#[tokio::test]
async fn answers_take_the_shape_that_is_asked_for() {
    let door = TestDoor::open().await;
    let root = door.get("/?pretty=false&filter_path=version.number").await;
    assert_eq!(root.text(), r#"{"version":{"number":"3.1.0"}}"#);
    assert!(door.get("/").await.text().starts_with("{\n  \"name\" : \"n1\",\n  \"cluster_name\" : \"c1\""));
    assert!(door.get("/?format=yaml").await.text().starts_with("---\nname: \"n1\"\n"));
    let got = door.send("GET", "/", "", &[("x-opaque-id", "abc"), ("authorization", "Basic YTpi")]).await;
    assert_eq!((got.status, got.header("x-opaque-id")), (200, "abc"));
    let got = door.send("GET", "/_cat/indices?help", "", &[("accept-encoding", "gzip, deflate")]).await;
    assert_eq!(got.header("content-encoding"), "gzip");
    let mut text = String::new();
    GzDecoder::new(got.bytes.as_ref()).read_to_string(&mut text).unwrap();
    assert!(text.starts_with("health "), "{text}");
    door.node.stop().await;
}

#[tokio::test]
async fn a_body_is_limited_after_decompression() {
    let door = TestDoor::open().await;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![b' '; 50 << 20]).unwrap();
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 1 << 20);
    let got = door.send("POST", "/i/_doc", bomb, &[("content-type", "application/json"), ("content-encoding", "gzip")]).await;
    assert_eq!(got.status, 413);
    assert_eq!(door.send("POST", "/i/_doc", vec![b' '; 2 << 20], &[("content-type", "application/json")]).await.status, 413);
    assert_eq!(door.send("POST", "/i/_doc", "{}", &[("content-type", "text/plain")]).await.status, 406);
    assert_eq!(door.send("POST", "/i/_doc", "{}", &[]).await.json()["error"], "Content-Type header [] is not supported");
    door.node.stop().await;
}

#[tokio::test]
async fn a_document_is_written_read_changed_and_deleted() {
    let door = TestDoor::open().await;
    let created = door.with("PUT", "/docs", json!({"settings": {"number_of_replicas": 0}})).await;
    assert_eq!(created.json(), json!({"acknowledged": true, "shards_acknowledged": true, "index": "docs"}));
    let got = door.with("PUT", "/docs/_doc/a%2Fb?refresh=true", json!({"n": 1})).await;
    assert_eq!((got.status, got.header("location")), (201, "/docs/_doc/a%2Fb"), "{}", got.text());
    assert_eq!(
        got.text(),
        r#"{"_index":"docs","_id":"a/b","_version":1,"result":"created","forced_refresh":true,"_shards":{"total":1,"successful":1,"failed":0},"_seq_no":0,"_primary_term":1}"#
    );
    let got = door.get("/docs/_doc/a%2Fb").await;
    assert_eq!(got.json()["_source"], json!({"n": 1}));
    assert_eq!(door.get("/docs/_source/a%2Fb").await.json(), json!({"n": 1}));
    assert_eq!(door.with("PUT", "/docs/_create/a%2Fb", json!({"n": 2})).await.status, 409);
    let got = door.with("POST", "/docs/_update/a%2Fb", json!({"doc": {"m": 2}})).await;
    assert_eq!((got.status, got.json()["result"].as_str()), (200, Some("updated")), "{}", got.text());
    assert_eq!(door.get("/docs/_source/a%2Fb").await.json(), json!({"n": 1, "m": 2}));
    let got = door.with("POST", "/_mget", json!({"docs": [{"_index": "docs", "_id": "a/b"}, {"_index": "docs", "_id": "none"}]})).await;
    assert_eq!(got.json()["docs"][1], json!({"_index": "docs", "_id": "none", "found": false}));
    assert_eq!(door.send("DELETE", "/docs/_doc/a%2Fb", "", &[]).await.json()["result"], "deleted");
    let got = door.get("/docs/_doc/a%2Fb").await;
    assert_eq!((got.status, got.text().as_str()), (404, r#"{"_index":"docs","_id":"a/b","found":false}"#));
    assert_eq!(door.send("DELETE", "/docs", "", &[]).await.json(), json!({"acknowledged": true}));
    assert_eq!(door.get("/docs").await.json()["error"]["type"], "index_not_found_exception");
    door.node.stop().await;
}

#[tokio::test]
async fn a_bulk_answers_each_item_in_its_place() {
    let door = TestDoor::open().await;
    door.with("PUT", "/bulk", json!({"settings": {"number_of_replicas": 0}})).await;
    let body = "{\"index\":{\"_id\":1}}\r\n{\"a\":1}\r\n{\"create\":{\"_id\":\"1\"}}\n{\"a\":2}\n{\"delete\":{\"_id\":\"none\"}}\n";
    let got = door.lines("/bulk/_bulk?refresh=true", body).await;
    assert_eq!(got.status, 200);
    let answer = got.json();
    assert_eq!(answer["errors"], true);
    let statuses: Vec<u64> = answer["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item.as_object().unwrap().values().next().unwrap()["status"].as_u64().unwrap())
        .collect();
    assert_eq!(statuses, [201, 409, 404]);
    assert_eq!(answer["items"][1]["create"]["error"]["type"], "version_conflict_engine_exception");
    let got = door.lines("/bulk/_bulk", "{\"index\":{\"_id\":\"2\"}}\n{\"a\":1}\n").await;
    assert!(got.text().contains("\"errors\":false,\"items\":["), "{}", got.text());
    assert_eq!(door.lines("/bulk/_bulk", "{\"index\":{}}").await.status, 400);
    assert_eq!(door.lines("/bulk/_bulk", "").await.json()["error"]["reason"], "request body is required");
    door.node.stop().await;
}

#[tokio::test]
async fn tables_and_health_tell_of_an_index() {
    let door = TestDoor::open().await;
    door.with("PUT", "/tab", json!({})).await;
    assert_eq!(door.get("/_cluster/health/tab").await.json()["status"], "yellow");
    let got = door.get("/_cluster/health/tab?wait_for_status=green&timeout=50ms").await;
    assert_eq!((got.status, got.json()["timed_out"].as_bool()), (408, Some(true)));
    assert_eq!(door.get("/_cat/indices?h=health,index,pri,rep").await.text(), "yellow tab 1 1\n");
    let got = door.get("/_cat/shards/tab?format=json&h=index,shard,prirep,state").await;
    assert_eq!(got.json()[1], json!({"index": "tab", "shard": "0", "prirep": "r", "state": "UNASSIGNED"}));
    assert_eq!(door.get("/_cat/indices?s=nosuch").await.json()["error"]["type"], "illegal_argument_exception");
    let nodes = door.get("/_nodes/http").await.json();
    let node = nodes["nodes"].as_object().unwrap().values().next().unwrap().clone();
    assert_eq!((node["name"].as_str(), node["http"]["publish_address"].as_str()), (Some("n1"), Some("127.0.0.1:1")));
    let stats = door.get("/tab/_stats/docs?level=shards").await.json();
    assert!(stats["indices"]["tab"]["shards"]["0"][0]["retention_leases"]["leases"].is_array(), "{stats}");
    door.node.stop().await;
}

#[tokio::test]
async fn what_would_change_the_answer_is_refused_where_it_cannot_be_done() {
    let door = TestDoor::open().await;
    door.with("PUT", "/plain", json!({"settings": {"number_of_replicas": 0}})).await;
    for (method, uri, reason) in [
        ("GET", "/plain?include_type_name=true", "request [/plain] contains unrecognized parameter: [include_type_name]"),
        ("PUT", "/plain/_mapping?write_index_only=true", "[write_index_only] is not supported"),
        ("GET", "/_cluster/health?level=awareness_attributes", "level [awareness_attributes] is not supported"),
        ("GET", "/_cluster/health?wait_for_active_shards=-2", "shard count cannot be a negative value"),
        ("GET", "/_cat/indices?format=cbor", "the format [cbor] is not supported"),
    ] {
        let got = door.with(method, uri, json!({})).await;
        assert_eq!((got.status, got.json()["error"]["reason"].as_str()), (400, Some(reason)), "{uri}");
    }
    door.with("PUT", "/copied", json!({"settings": {"number_of_replicas": 1}})).await;
    for (uri, copies) in
        [("/copied/_forcemerge?only_expunge_deletes=true&max_num_segments=1", 2), ("/copied/_forcemerge?primary_only=true", 1)]
    {
        assert_eq!(door.send("POST", uri, "", &[]).await.json()["_shards"]["total"], copies, "{uri}");
    }
    assert_eq!(door.get("/_cat/count?ts=false").await.text(), "0\n");
    assert_eq!(door.get("/_cat/nodes?h=m,cluster_manager").await.text(), "* *\n");
    door.node.stop().await;
}

#[tokio::test]
async fn an_expression_that_names_nothing_deletes_nothing() {
    let door = TestDoor::open().await;
    door.with("PUT", "/kept", json!({"settings": {"number_of_replicas": 0}})).await;
    for uri in ["/,", "/%20", "/%2C%2C", "//"] {
        let got = door.send("DELETE", uri, "", &[]).await;
        assert!(got.status >= 400, "{uri}: {}", got.text());
    }
    assert_eq!(door.send("HEAD", "/kept", "", &[]).await.status, 200);
    door.node.stop().await;
}

#[tokio::test]
async fn an_absurd_timeout_is_cut_and_harms_nobody() {
    let door = TestDoor::open().await;
    for timeout in ["99999999999d", "-1", "0"] {
        assert!(door.get(&format!("/_nodes?timeout={timeout}")).await.status < 500, "{timeout}");
    }
    assert_eq!(door.get("/_nodes?timeout=x").await.status, 400);
    door.node.stop().await;
}
