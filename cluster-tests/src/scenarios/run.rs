//! Running scenarios against a server.

use std::{
    collections::BTreeMap,
    fmt,
    io::Write,
    thread,
    time::{Duration, Instant},
};

use flate2::{Compression, write::GzEncoder};
use serde_json::{Map, Value, json};

use super::{
    expect::Expect,
    file::{Body, Scenario, ScenarioFile, Step},
    path,
};
use crate::client::{Client, Request, Response};

/// The pause between two looks at something that is awaited.
const POLL_PAUSE: Duration = Duration::from_millis(50);

/// Who answers; it decides which side of a named difference holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Server {
    Tandem,
    OpenSearch,
}

/// How a scenario ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    Passed,
    Skipped(String),
    Failed(String),
}

/// The servers under test.
#[derive(Clone, Debug)]
pub struct Runner {
    pub leader: Client,
    pub server: Server,
    /// A second cluster, and the transport address of the first as the second must be told it.
    pub follower: Option<(Client, String)>,
}

/// What a scenario has captured so far.
type Variables = BTreeMap<String, Value>;

/// How many scenarios ended in which way.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
    /// The steps of those that were not skipped.
    pub requests: usize,
}

impl Runner {
    /// Runs them all and tells of each as soon as it has ended.
    pub fn run_all(&self, files: &[ScenarioFile], mut tell: impl FnMut(&str, &Outcome)) -> Tally {
        let mut tally = Tally::default();
        for file in files {
            for scenario in &file.scenarios {
                let outcome = self.run(file, scenario);
                match outcome {
                    Outcome::Passed => tally.passed += 1,
                    Outcome::Failed(_) => tally.failed += 1,
                    Outcome::Skipped(_) => tally.skipped += 1,
                }
                if !matches!(outcome, Outcome::Skipped(_)) {
                    tally.requests += scenario.steps.len();
                }
                tell(&format!("{}: {}", file.name, scenario.name), &outcome);
            }
        }
        tally
    }

    pub fn run(&self, file: &ScenarioFile, scenario: &Scenario) -> Outcome {
        let mut variables = Variables::new();
        match (&self.follower, file.needs_follower) {
            (None, true) => return Outcome::Skipped("needs --follower and --leader-seed".to_owned()),
            (Some((_, seed)), true) => {
                variables.insert("leader_seed".to_owned(), json!(seed));
            }
            (_, false) => {}
        }
        let result =
            self.clean(file).and_then(|()| file.before.iter().chain(&scenario.steps).try_for_each(|step| self.take(step, &mut variables)));
        // What a scenario left behind must not trip the next one, whether it passed or not.
        match result.and(self.clean(file)) {
            Ok(()) => Outcome::Passed,
            Err(problem) => Outcome::Failed(problem),
        }
    }

    fn take(&self, step: &Step, variables: &mut Variables) -> Result<(), String> {
        let client = match (&self.follower, step.on_follower) {
            (Some((follower, _)), true) => follower,
            _ => &self.leader,
        };
        let request = build(step, variables)?;
        let deadline = step.within_seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
        loop {
            let response = client.send(&request).map_err(|error| format!("{} {}: {error}", request.method, request.target))?;
            let problems = self.judge(step, &response, variables)?;
            if problems.is_empty() {
                return remember(step, &response, variables);
            }
            if deadline.is_none_or(|deadline| Instant::now() >= deadline) {
                return Err(Failure { request: &request, problems, response: &response }.to_string());
            }
            thread::sleep(POLL_PAUSE);
        }
    }

    fn judge(&self, step: &Step, response: &Response, variables: &Variables) -> Result<Vec<String>, String> {
        let mut problems = fill_expect(&step.expect, variables)?.judge(response);
        if let Some(differs) = &step.differs {
            let side = match self.server {
                Server::Tandem => &differs.tandem,
                Server::OpenSearch => &differs.opensearch,
            };
            problems.extend(fill_expect(side, variables)?.judge(response));
        }
        Ok(problems)
    }

    fn clean(&self, file: &ScenarioFile) -> Result<(), String> {
        if let Some((follower, _)) = &self.follower {
            for index in &file.follower_indices {
                // Answers 400 when nothing replicates into the index, which is as good.
                ask(follower, "POST", &format!("/_plugins/_replication/{index}/_stop"), Some(&json!({})), &[200, 400])?;
                ask(follower, "DELETE", &format!("/{index}"), None, &[200, 404])?;
            }
            reset(follower, &file.follower_settings)?;
        }
        for index in &file.indices {
            let index = fill_text(index, &Variables::new())?;
            ask(&self.leader, "DELETE", &format!("/{index}"), None, &[200, 404])?;
        }
        reset(&self.leader, &file.settings)
    }
}

fn reset(client: &Client, settings: &[String]) -> Result<(), String> {
    if settings.is_empty() {
        return Ok(());
    }
    let nulls: Map<String, Value> = settings.iter().map(|name| (name.clone(), Value::Null)).collect();
    let body = json!({"persistent": nulls, "transient": nulls});
    ask(client, "PUT", "/_cluster/settings", Some(&body), &[200])
}

fn ask(client: &Client, method: &str, target: &str, body: Option<&Value>, fine: &[u16]) -> Result<(), String> {
    match client.json(method, target, body) {
        Ok((status, _)) if fine.contains(&status) => Ok(()),
        Ok((status, answer)) => Err(format!("cleaning up: {method} {target} answered {status} {answer}")),
        Err(error) => Err(format!("cleaning up: {method} {target}: {error}")),
    }
}

struct Failure<'a> {
    request: &'a Request,
    problems: Vec<String>,
    response: &'a Response,
}

impl fmt::Display for Failure<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN_CHARACTERS: usize = 300;
        let body = self.request.body.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
        let sent: String =
            format!("{} {} {}", self.request.method, self.request.target, body.replace('\n', "⏎")).chars().take(SHOWN_CHARACTERS).collect();
        writeln!(f, "{sent}")?;
        for problem in &self.problems {
            writeln!(f, "  {problem}")?;
        }
        write!(f, "  the answer was {}", self.response)
    }
}

fn build(step: &Step, variables: &Variables) -> Result<Request, String> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in &step.headers {
        headers.push((name.clone(), fill_text(value, variables)?));
    }
    let named = |name: &str| step.headers.keys().any(|given| given.eq_ignore_ascii_case(name));
    let (body, usual_type) = match &step.body {
        Body::None => (None, None),
        Body::Json(value) => (Some(fill(value, variables)?.to_string()), Some("application/json")),
        Body::Lines(lines) => {
            let mut text = String::new();
            for line in lines {
                text.push_str(&fill(line, variables)?.to_string());
                text.push('\n');
            }
            (Some(text), Some("application/x-ndjson"))
        }
        Body::Text(text) => (Some(fill_text(text, variables)?), Some("application/json")),
        Body::Repeat(repeat) => {
            let text = [repeat.before.repeat(repeat.times), repeat.middle.clone(), repeat.after.repeat(repeat.times)].concat();
            (Some(text), Some("application/json"))
        }
    };
    if let Some(usual_type) = usual_type
        && !named("content-type")
    {
        headers.push(("Content-Type".to_owned(), usual_type.to_owned()));
    }
    // `Content-Type: none` stands for a body without that header.
    headers.retain(|(name, value)| !(name.eq_ignore_ascii_case("content-type") && value == "none"));
    let mut body = body.map(String::into_bytes);
    if step.gzip {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body.as_deref().unwrap_or_default()).map_err(|error| error.to_string())?;
        body = Some(encoder.finish().map_err(|error| error.to_string())?);
        headers.push(("Content-Encoding".to_owned(), "gzip".to_owned()));
    }
    Ok(Request { method: step.method.clone(), target: fill_text(&step.target, variables)?, headers, body, chunked: step.chunked })
}

fn remember(step: &Step, response: &Response, variables: &mut Variables) -> Result<(), String> {
    for (name, source) in &step.capture {
        let value = match source.strip_prefix("header:") {
            Some(header) => response.header(header).map(|value| json!(value)),
            None => serde_json::from_slice(&response.body).ok().and_then(|body: Value| path::get(&body, source).cloned()),
        };
        let value = value.ok_or_else(|| format!("nothing to capture at [{source}] in {response}"))?;
        variables.insert(name.clone(), value);
    }
    Ok(())
}

fn fill_expect(expect: &Expect, variables: &Variables) -> Result<Expect, String> {
    let mut filled = expect.clone();
    for value in filled.matches.values_mut() {
        *value = fill(value, variables)?;
    }
    let in_error = filled.error.iter_mut().flat_map(|error| error.reason.iter_mut().chain(&mut error.like));
    let others = filled.regex.values_mut().chain(filled.header.values_mut()).chain(&mut filled.raw).chain(&mut filled.text);
    for text in others.chain(in_error) {
        *text = fill_text(text, variables)?;
    }
    Ok(filled)
}

/// Puts values in the place of `${name}`; a string that is nothing else takes the value with its type.
fn fill(value: &Value, variables: &Variables) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => match text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).and_then(|name| variables.get(name)) {
            Some(whole) => whole.clone(),
            None => Value::String(fill_text(text, variables)?),
        },
        Value::Array(list) => Value::Array(list.iter().map(|entry| fill(entry, variables)).collect::<Result<_, _>>()?),
        Value::Object(map) => {
            let filled = map.iter().map(|(key, entry)| Ok((fill_text(key, variables)?, fill(entry, variables)?)));
            Value::Object(filled.collect::<Result<_, String>>()?)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    })
}

/// The same inside a text. `${x*513}` stands for 513 times `x`.
fn fill_text(text: &str, variables: &Variables) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after.split_once('}').ok_or_else(|| format!("[{text}] does not close a variable"))?;
        filled.push_str(before);
        match (variables.get(name), name.rsplit_once('*').and_then(|(what, times)| Some((what, times.parse().ok()?)))) {
            (Some(Value::String(value)), _) => filled.push_str(value),
            (Some(value), _) => filled.push_str(&value.to_string()),
            (None, Some((what, times))) => filled.push_str(&what.repeat(times)),
            (None, None) => return Err(format!("nothing was captured as [{name}]")),
        }
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_filled_in_with_their_type() {
        let variables = Variables::from([("n".to_owned(), json!(7)), ("s".to_owned(), json!("x"))]);
        assert_eq!(fill(&json!({"${s}": ["${n}", "a${n}${s}"]}), &variables).unwrap(), json!({"x": [7, "a7x"]}));
        assert_eq!(fill_text("/${ab*3}/${s}", &variables).unwrap(), "/ababab/x");
        assert!(fill_text("${unknown}", &variables).is_err());
    }

    #[test]
    fn a_body_gets_its_usual_content_type_unless_another_is_given() {
        let build_with = |yaml: &str| build(&serde_norway::from_str(yaml).unwrap(), &Variables::new()).unwrap().headers;
        let content_type = |value: &str| vec![("Content-Type".to_owned(), value.to_owned())];
        assert_eq!(build_with("{do: PUT /, body: {}, status: 200}"), content_type("application/json"));
        assert_eq!(build_with("{do: PUT /, lines: [{}], status: 200}"), content_type("application/x-ndjson"));
        assert_eq!(build_with("{do: PUT /, body: {}, headers: {Content-Type: text/plain}, status: 200}"), content_type("text/plain"));
        assert_eq!(build_with("{do: PUT /, body: {}, headers: {Content-Type: none}, status: 200}"), vec![]);
        assert_eq!(build_with("{do: GET /, status: 200}"), vec![]);
    }
}
