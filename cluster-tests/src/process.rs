//! Nodes as real processes: started, killed, started again on the same data.

use crate::client::{Client, Request};
use serde_json::Value;
use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// How long a node may take until it answers.
const START_LIMIT: Duration = Duration::from_secs(30);
/// The pause between two looks at something that is awaited.
const POLL_PAUSE: Duration = Duration::from_millis(10);

/// A cluster of one node with its data in a temporary folder.
pub struct TestNode {
    program: PathBuf,
    name: String,
    http: u16,
    transport: u16,
    folder: tempfile::TempDir,
    child: Option<Child>,
}

impl TestNode {
    /// Starts `program` as the cluster `name` on free ports and waits until it answers.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start(program: impl Into<PathBuf>, name: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut node =
            Self { program: program.into(), name: name.to_owned(), http: free_port(), transport: free_port(), folder, child: None };
        node.restart();
        node
    }

    /// Starts it again on its data.
    ///
    /// # Panics
    /// When it runs, or does not come up.
    pub fn restart(&mut self) {
        assert!(self.child.is_none(), "the node runs");
        let log = File::options().create(true).append(true).open(self.folder.path().join("log")).expect("a log file");
        let mut command = Command::new(&self.program);
        for setting in [
            format!("cluster.name={}", self.name),
            format!("node.name={}-1", self.name),
            format!("path.data={}", self.data().display()),
            format!("http.port={}", self.http),
            format!("transport.port={}", self.transport),
        ] {
            command.arg("-E").arg(setting);
        }
        let errors = log.try_clone().expect("the log file again");
        self.child = Some(command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn().expect("the node starts"));
        eventually(START_LIMIT, &format!("the node {} answers", self.name), || {
            self.client()
                .json("GET", "/_cluster/health?wait_for_no_initializing_shards=true&timeout=1s", None)
                .is_ok_and(|(status, _)| status == 200)
        });
    }

    /// Ends it at once, as a power cut of the process would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("a signal can be sent");
            child.wait().expect("the process ends");
        }
    }

    /// Asks it to end and waits; its exit code and how long it took.
    ///
    /// # Panics
    /// When it does not run or has not ended after ten seconds.
    pub fn terminate(&mut self) -> (Option<i32>, Duration) {
        let mut child = self.child.take().expect("the node runs");
        let began = Instant::now();
        let sent = Command::new("sh").arg("-c").arg(format!("kill -TERM {}", child.id())).status().expect("a shell runs");
        assert!(sent.success(), "a signal can be sent");
        let mut code = None;
        eventually(Duration::from_secs(10), "the node ends", || {
            code = child.try_wait().expect("the process can be asked");
            code.is_some()
        });
        (code.and_then(|status| status.code()), began.elapsed())
    }

    /// The process, while it runs.
    pub fn process_id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Where its data is.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// What it printed.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// A client of its REST door.
    pub fn client(&self) -> Client {
        Client::new(&self.url()).expect("a URL of our own")
    }

    /// The address of its REST door.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.http)
    }

    /// The address of its gRPC door.
    pub fn seed(&self) -> String {
        format!("127.0.0.1:{}", self.transport)
    }

    /// Sends a request that must be answered with `status`.
    ///
    /// # Panics
    /// When it is not.
    pub fn must(&self, status: u16, method: &str, target: &str, body: Option<&Value>) -> Value {
        let (found, answer) =
            self.client().json(method, target, body).unwrap_or_else(|error| panic!("{method} {target}: {error}\n{}", self.log()));
        assert_eq!(found, status, "{method} {target}: {answer}");
        answer
    }

    /// Sends NDJSON; the answer's items, or an error when the node is gone.
    ///
    /// # Errors
    /// No answer, or one that is none.
    pub fn bulk(&self, index: &str, lines: &str) -> std::io::Result<Vec<Value>> {
        let response = self.client().send(&Request {
            method: "POST".into(),
            target: format!("/{index}/_bulk"),
            headers: vec![("Content-Type".into(), "application/x-ndjson".into())],
            body: Some(lines.as_bytes().to_vec()),
            chunked: false,
        })?;
        if response.status != 200 {
            return Err(std::io::Error::other(format!("{}: {}", response.status, response.text())));
        }
        let mut answer: Value = serde_json::from_slice(&response.body)?;
        Ok(answer["items"].as_array_mut().map(std::mem::take).unwrap_or_default())
    }

    /// Every document of an index as (id, hit), by id; the index needs a keyword field `id` equal to `_id`.
    ///
    /// # Panics
    /// When a search fails.
    pub fn documents(&self, index: &str) -> Vec<(String, Value)> {
        self.must(200, "POST", &format!("/{index}/_refresh"), None);
        let mut found = Vec::new();
        let mut body = serde_json::json!({"size": 5_000, "version": true, "seq_no_primary_term": true, "sort": ["id"]});
        loop {
            let mut answer = self.must(200, "POST", &format!("/{index}/_search"), Some(&body));
            let hits = answer["hits"]["hits"].as_array_mut().map(std::mem::take).unwrap_or_default();
            let Some(last) = hits.last() else { return found };
            body["search_after"] = last["sort"].clone();
            for mut hit in hits {
                if let Some(fields) = hit.as_object_mut() {
                    fields.remove("_index");
                }
                found.push((hit["_id"].as_str().unwrap_or_default().to_owned(), hit));
            }
        }
    }
}

impl Drop for TestNode {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- log of {} ---\n{}", self.name, self.log());
        }
    }
}

/// A port that nobody uses, and that no outgoing connection is given while a node that listened on it is down: it lies below
/// the range from which the system takes those.
///
/// # Panics
/// When no port is free.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 12_000 + u16::try_from(std::process::id() % 90).unwrap_or(0) * 200;
    for _ in 0..2_000 {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed) % 2_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}

/// Waits until `condition` holds.
///
/// # Panics
/// When it does not hold within `limit`.
pub fn eventually(limit: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + limit;
    while !condition() {
        assert!(Instant::now() < end, "waited {limit:?} in vain: {what}");
        std::thread::sleep(POLL_PAUSE);
    }
}

/// Connects `follower` to `leader` under the alias `leader` and starts following.
///
/// # Panics
/// When it is refused.
pub fn follow(leader: &TestNode, follower: &TestNode, leader_index: &str, follower_index: &str) {
    let seeds = serde_json::json!({"persistent": {"cluster.remote.leader.seeds": [leader.seed()]}});
    follower.must(200, "PUT", "/_cluster/settings", Some(&seeds));
    let start = serde_json::json!({"leader_alias": "leader", "leader_index": leader_index});
    follower.must(200, "PUT", &format!("/_plugins/_replication/{follower_index}/_start"), Some(&start));
}

/// The status of a follower index.
///
/// # Panics
/// When it cannot be told.
pub fn replication_status(follower: &TestNode, index: &str) -> Value {
    follower.must(200, "GET", &format!("/_plugins/_replication/{index}/_status"), None)
}

/// Waits until the follower has everything that the leader has acknowledged; nobody may write meanwhile.
///
/// # Panics
/// When it does not get there within a minute.
pub fn level(follower: &TestNode, index: &str, max_seq_no: i64) {
    let mut last = Value::Null;
    eventually(Duration::from_secs(60), "the follower is level with its leader", || {
        last = replication_status(follower, index);
        let details = &last["syncing_details"];
        details["follower_checkpoint"] == max_seq_no && details["leader_checkpoint"] == max_seq_no
    });
    assert_eq!(last["status"], "SYNCING", "{last}");
}

/// Holds two sets of documents against each other and names the first difference.
///
/// # Panics
/// When they differ.
pub fn assert_same(here: &[(String, Value)], there: &[(String, Value)]) {
    for (one, other) in here.iter().zip(there) {
        assert_eq!(one, other, "the first of the documents that differ");
    }
    assert_eq!(here.len(), there.len(), "the numbers of documents");
}

/// A path inside this crate.
pub fn crate_path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}
