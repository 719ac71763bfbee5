//! What decays silently: who may use whom, the headers of the rooms, leftovers, and the purity of what decides.

use std::path::{Path, PathBuf};
use tandem_common::env::fs;

/// Each floor with its rooms, from left to right. A room uses only what is left of it.
const FLOORS: [(&str, &[&str]); 5] = [
    ("common", &["mapping"]),
    ("engine", &["script", "analysis", "shard", "search"]),
    ("cluster", &["transport"]),
    ("node", &["ingest", "snapshots", "indices", "action", "ccr"]),
    ("", &["cli", "console", "rest", "grpc"]),
];

/// Where the rule is broken, and why. An entry that is no longer needed has to go.
const EXCEPTIONS: [(&str, &str, &str); 2] = [
    ("indices/history", "action", "the history of shards is served from `Services`, which the actions work with too"),
    ("shard/tests/nested.rs", "search", "whether a document is whole shows in what a search finds of it"),
];

/// What decides: state in, decision out.
const PURE: [&str; 11] = [
    "common/src/mapping",
    "common/src/config/yaml.rs",
    "cluster/src/command",
    "cluster/src/allocation",
    "cluster/src/state",
    "cluster/src/index_names.rs",
    "src/rest/condition.rs",
    "src/rest/fields.rs",
    "src/rest/filter_path.rs",
    "src/rest/params.rs",
    "src/rest/render.rs",
];

fn server() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file at or below `path`, with its text.
fn sources(path: &Path) -> Vec<(PathBuf, String)> {
    if path.extension().is_some_and(|extension| extension == "rs") {
        return vec![(path.to_owned(), String::from_utf8(fs::read(path).unwrap()).unwrap())];
    }
    if !path.is_dir() {
        return Vec::new();
    }
    fs::list(path).unwrap().iter().flat_map(|name| sources(&path.join(name))).collect()
}

/// The files of a room: a folder, or one file.
fn room(floor: &str, name: &str) -> Vec<(PathBuf, String)> {
    let folder = server().join(floor).join("src");
    [sources(&folder.join(name)), sources_if_exists(&folder.join(format!("{name}.rs")))].concat()
}

fn sources_if_exists(path: &Path) -> Vec<(PathBuf, String)> {
    if path.exists() { sources(path) } else { Vec::new() }
}

#[test]
fn a_room_uses_only_what_is_left_of_it() {
    let (mut wrong, mut excused) = (Vec::new(), Vec::new());
    for (floor, rooms) in FLOORS {
        for (at, name) in rooms.iter().enumerate() {
            for (path, text) in room(floor, name) {
                for right in &rooms[at + 1..] {
                    if text.contains(&format!("crate::{right}::")) || text.contains(&format!("use crate::{right};")) {
                        let place = path.to_string_lossy();
                        match EXCEPTIONS.iter().find(|(part, used, _)| place.contains(part) && used == right) {
                            Some(exception) => excused.push(exception),
                            None => wrong.push(format!("{place} uses {right}")),
                        }
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(EXCEPTIONS.iter().all(|exception| excused.contains(&exception)), "an exception is no longer needed");
}

#[test]
fn a_room_opens_with_what_a_reader_needs_to_know() {
    const PARTS: [&str; 5] = ["*What it is*", "*Types to know*", "**Invariants**", "*How it fails*", "*How it is tested*"];
    let mut wrong = Vec::new();
    for (floor, rooms) in FLOORS {
        for name in rooms {
            let path = server().join(floor).join("src").join(name).join("mod.rs");
            for (path, text) in sources_if_exists(&path) {
                let header = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect::<Vec<_>>().join(" ");
                wrong.extend(PARTS.iter().filter(|part| !header.contains(**part)).map(|part| format!("{} lacks {part}", path.display())));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn nothing_is_left_over() {
    // Put together here, so that this file does not find itself.
    let leftovers = [concat!("to", "do!("), concat!("unimple", "mented!("), concat!("db", "g!("), concat!("FIX", "ME")];
    let workspace = server().join("..");
    let mut wrong = Vec::new();
    for (path, text) in ["server", "proto", "cluster-tests"].iter().flat_map(|part| sources(&workspace.join(part))) {
        wrong.extend(
            leftovers.iter().filter(|leftover| text.contains(**leftover)).map(|leftover| format!("{} has {leftover}", path.display())),
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_decides_neither_waits_nor_looks_at_the_clock() {
    let mut wrong = Vec::new();
    for part in PURE {
        let files = sources(&server().join(part));
        assert!(!files.is_empty(), "{part} is not there any more");
        for (path, text) in files {
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for word in [".await", "async fn", "clock::", "rng::", "now()"] {
                if !path.ends_with("tests.rs") && code.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(word)) {
                    wrong.push(format!("{} has {word}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
