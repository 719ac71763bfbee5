//! The shape of a scenario file, and its strict loading.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::expect::{Expect, TYPES};

/// One file: what it is about, what its scenarios leave behind, and the scenarios.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioFile {
    /// Where it was read, relative to the folder of all scenarios.
    #[serde(skip)]
    pub name: String,
    /// One sentence for the reader.
    pub about: String,
    /// Whether it needs a second cluster that follows the first.
    #[serde(default)]
    pub needs_follower: bool,
    /// Indices removed before and after each scenario.
    #[serde(default)]
    pub indices: Vec<String>,
    /// The same, on the follower; replication into them is stopped first.
    #[serde(default)]
    pub follower_indices: Vec<String>,
    /// Cluster settings put back to their defaults before and after each scenario.
    #[serde(default)]
    pub settings: Vec<String>,
    /// The same, on the follower.
    #[serde(default)]
    pub follower_settings: Vec<String>,
    /// Where the servers answer differently on purpose, and why.
    #[serde(default)]
    pub differences: Vec<Difference>,
    /// Steps sent before each scenario.
    #[serde(default)]
    pub before: Vec<Step>,
    pub scenarios: Vec<Scenario>,
}

/// A deviation with a name, which steps refer to, and its reason.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    pub name: String,
    pub why: String,
}

/// A named sequence of steps.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub name: String,
    pub steps: Vec<Step>,
}

/// One request and what must come back.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct Step {
    pub method: String,
    pub target: String,
    pub on_follower: bool,
    pub headers: BTreeMap<String, String>,
    pub body: Body,
    pub gzip: bool,
    pub chunked: bool,
    pub within_seconds: Option<u64>,
    pub expect: Expect,
    pub differs: Option<Differs>,
    /// Variables to set, each with the path of its value (or `header:NAME`).
    pub capture: BTreeMap<String, String>,
}

/// The body of a request.
#[derive(Clone, Debug, Default)]
pub enum Body {
    #[default]
    None,
    Json(Value),
    Lines(Vec<Value>),
    Text(String),
    Repeat(Repeat),
}

/// Something too long to write down: `before` and `after` many times, around `middle`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    pub times: usize,
    pub before: String,
    #[serde(default)]
    pub middle: String,
    #[serde(default)]
    pub after: String,
}

/// Expectations that depend on who answers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Differs {
    pub name: String,
    pub tandem: Expect,
    pub opensearch: Expect,
}

/// The part of a step that is not an expectation.
#[derive(Deserialize)]
struct Sending {
    #[serde(rename = "do")]
    request: String,
    #[serde(default)]
    on: On,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
    lines: Option<Vec<Value>>,
    send_text: Option<String>,
    repeat: Option<Repeat>,
    #[serde(default)]
    gzip: bool,
    #[serde(default)]
    chunked: bool,
    within_seconds: Option<u64>,
    differs: Option<Differs>,
    #[serde(default)]
    capture: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum On {
    #[default]
    Leader,
    Follower,
}

const SENDING_KEYS: [&str; 12] =
    ["do", "on", "headers", "body", "lines", "send_text", "repeat", "gzip", "chunked", "within_seconds", "differs", "capture"];

impl TryFrom<Map<String, Value>> for Step {
    type Error = String;

    fn try_from(map: Map<String, Value>) -> Result<Self, String> {
        let (sending, expect): (Map<_, _>, Map<_, _>) = map.into_iter().partition(|(key, _)| SENDING_KEYS.contains(&key.as_str()));
        let sending: Sending = serde_json::from_value(Value::Object(sending)).map_err(|error| error.to_string())?;
        let at = sending.request.clone();
        let expect: Expect = serde_json::from_value(Value::Object(expect)).map_err(|error| format!("[{at}]: {error}"))?;
        let (method, target) = at.split_once(' ').ok_or_else(|| format!("[{at}] is not a method and a path"))?;
        if !target.starts_with('/') || target.contains(' ') || !target.is_ascii() {
            return Err(format!("[{at}]: the path must start with a slash and be percent-encoded"));
        }
        let bodies = [sending.body.is_some(), sending.lines.is_some(), sending.send_text.is_some(), sending.repeat.is_some()];
        if bodies.iter().filter(|given| **given).count() > 1 {
            return Err(format!("[{at}] has more than one body"));
        }
        let body = if let Some(value) = sending.body {
            Body::Json(value)
        } else if let Some(lines) = sending.lines {
            Body::Lines(lines)
        } else if let Some(text) = sending.send_text {
            Body::Text(text)
        } else if let Some(repeat) = sending.repeat {
            Body::Repeat(repeat)
        } else {
            Body::None
        };
        Ok(Self {
            method: method.to_owned(),
            target: target.to_owned(),
            on_follower: matches!(sending.on, On::Follower),
            headers: sending.headers,
            body,
            gzip: sending.gzip,
            chunked: sending.chunked,
            within_seconds: sending.within_seconds,
            expect,
            differs: sending.differs,
            capture: sending.capture,
        })
    }
}

/// Every scenario file under a folder, or the one file, in the order of their names.
pub fn load_all(root: &Path, chosen: &Path) -> Result<Vec<ScenarioFile>, String> {
    let mut found = Vec::new();
    collect(chosen, &mut found)?;
    found.sort();
    found.iter().map(|path| load(root, path)).collect()
}

fn collect(path: &Path, found: &mut Vec<PathBuf>) -> Result<(), String> {
    if path.is_dir() {
        for entry in fs::read_dir(path).map_err(|error| format!("{}: {error}", path.display()))? {
            let entry = entry.map_err(|error| format!("{}: {error}", path.display()))?.path();
            if entry.is_dir() || entry.extension().is_some_and(|extension| extension == "yaml") {
                collect(&entry, found)?;
            }
        }
    } else {
        found.push(path.to_owned());
    }
    Ok(())
}

/// One file, with its faults found now and not while it runs.
pub fn load(root: &Path, path: &Path) -> Result<ScenarioFile, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut file: ScenarioFile = serde_norway::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    file.name = path.strip_prefix(root).unwrap_or(path).display().to_string();
    check(&file).map_err(|problem| format!("{}: {problem}", path.display()))?;
    Ok(file)
}

fn check(file: &ScenarioFile) -> Result<(), String> {
    let declared: BTreeSet<&str> = file.differences.iter().map(|difference| difference.name.as_str()).collect();
    let mut used = BTreeSet::new();
    let mut names = BTreeSet::new();
    for scenario in &file.scenarios {
        if !names.insert(&scenario.name) {
            return Err(format!("two scenarios are named [{}]", scenario.name));
        }
        if scenario.steps.is_empty() {
            return Err(format!("[{}] has no steps", scenario.name));
        }
    }
    for step in file.before.iter().chain(file.scenarios.iter().flat_map(|scenario| &scenario.steps)) {
        let at = format!("{} {}", step.method, step.target);
        if step.on_follower && !file.needs_follower {
            return Err(format!("[{at}] goes to a follower, which the file does not ask for"));
        }
        let mut variants = vec![&step.expect];
        if let Some(differs) = &step.differs {
            if !declared.contains(differs.name.as_str()) {
                return Err(format!("[{at}] differs by [{}], which `differences` does not explain", differs.name));
            }
            used.insert(differs.name.as_str());
            variants.extend([&differs.tandem, &differs.opensearch]);
        }
        let states_status = |expect: &&Expect| expect.status.is_some();
        if !(states_status(&variants[0]) || variants.len() > 1 && variants[1..].iter().all(states_status)) {
            return Err(format!("[{at}] does not say which status it expects"));
        }
        for expect in variants {
            check_patterns(expect).map_err(|problem| format!("[{at}]: {problem}"))?;
        }
    }
    match declared.difference(&used).next() {
        Some(unused) => Err(format!("no step differs by [{unused}]")),
        None => Ok(()),
    }
}

fn check_patterns(expect: &Expect) -> Result<(), String> {
    let in_error = expect.error.iter().flat_map(|error| &error.like);
    for pattern in expect.regex.values().chain(expect.header.values()).chain(&expect.raw).chain(in_error) {
        Regex::new(pattern).map_err(|error| error.to_string())?;
    }
    match expect.types.values().find(|kind| !TYPES.contains(&kind.as_str())) {
        Some(unknown) => Err(format!("no type is called [{unknown}]")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ScenarioFile, String> {
        let file: ScenarioFile = serde_norway::from_str(text).map_err(|error| error.to_string())?;
        check(&file).map(|()| file)
    }

    #[test]
    fn a_file_with_a_fault_is_refused() {
        let with = |step: &str| parse(&format!("about: x\nscenarios:\n- name: y\n  steps:\n  - {step}\n"));
        assert!(with("{do: GET /, status: 200}").is_ok());
        assert!(with("{do: GET /}").unwrap_err().contains("which status"));
        assert!(with("{do: GET /, status: 200, mach: {}}").unwrap_err().contains("mach"));
        assert!(with("{do: GET, status: 200}").unwrap_err().contains("method and a path"));
        assert!(with("{do: GET /a b, status: 200}").unwrap_err().contains("percent-encoded"));
        assert!(with("{do: POST /, status: 200, body: {}, send_text: x}").unwrap_err().contains("more than one body"));
        assert!(with("{do: GET /, status: 200, regex: {a: '('}}").is_err());
        assert!(with("{do: GET /, status: 200, types: {a: text}}").unwrap_err().contains("text"));
        assert!(with("{do: GET /, status: 200, on: follower}").unwrap_err().contains("follower"));
        assert!(with("{do: GET /, differs: {name: n, tandem: {status: 1}, opensearch: {status: 2}}}").unwrap_err().contains("explain"));
    }

    #[test]
    fn every_scenario_of_the_project_loads() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let files = load_all(&root, &root).unwrap();
        let requests: usize = files.iter().flat_map(|file| &file.scenarios).map(|scenario| scenario.steps.len()).sum();
        assert!(requests >= 170, "only {requests} requests were found");
    }
}
