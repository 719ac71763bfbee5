//! What a step expects of an answer, and the judgement whether it got it.

use std::collections::BTreeMap;

use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

use super::path;
use crate::client::Response;

/// How far apart two numbers under `close` may be, relative to the larger one.
const CLOSENESS: f64 = 1e-5;

/// Expectations. All those that are given must hold.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// The HTTP status.
    pub status: Option<u16>,
    /// Exact values by path; numbers are compared by value, objects and lists as a whole.
    #[serde(rename = "match")]
    pub matches: BTreeMap<String, Value>,
    /// Paths where nothing may be.
    pub absent: Vec<String>,
    /// Regular expressions, by path, for strings (or numbers and booleans as text).
    pub regex: BTreeMap<String, String>,
    /// `string`, `integer`, `number`, `boolean`, `object`, `array` or `null`, by path.
    pub types: BTreeMap<String, String>,
    /// The exact set of keys of an object, by path.
    pub keys: BTreeMap<String, Vec<String>>,
    /// The number of entries of a list or an object, by path.
    pub length: BTreeMap<String, usize>,
    /// Numbers that need not be exact to the last bit, such as scores.
    pub close: BTreeMap<String, f64>,
    /// Regular expressions for headers.
    pub header: BTreeMap<String, String>,
    /// Headers that must not be there.
    pub header_absent: Vec<String>,
    /// Regular expressions for the whole body as text.
    pub raw: Vec<String>,
    /// The whole body as text, exactly.
    pub text: Option<String>,
    /// An error in the usual envelope.
    pub error: Option<ExpectedError>,
}

/// An error: besides what is given, the envelope must be complete and its `status` that of the answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedError {
    #[serde(rename = "type")]
    pub kind: String,
    /// The exact reason.
    pub reason: Option<String>,
    /// A regular expression for the reason, where its wording depends on the server's innards.
    pub like: Option<String>,
    /// The type of `caused_by`.
    pub cause: Option<String>,
    /// The type of the first `root_cause`, when it is not that of the error.
    pub root: Option<String>,
}

impl Expect {
    /// Every expectation that does not hold, in words.
    pub fn judge(&self, response: &Response) -> Vec<String> {
        let mut problems = Vec::new();
        if let Some(status) = self.status
            && status != response.status
        {
            problems.push(format!("expected status {status}, found {}", response.status));
        }
        for (name, pattern) in &self.header {
            match response.header(name) {
                Some(value) if is_match(pattern, value) => {}
                Some(value) => problems.push(format!("expected header {name} to match /{pattern}/, found [{value}]")),
                None => problems.push(format!("expected header {name}, which is missing")),
            }
        }
        for name in &self.header_absent {
            if let Some(value) = response.header(name) {
                problems.push(format!("expected no header {name}, found [{value}]"));
            }
        }
        let body = response.text();
        for pattern in &self.raw {
            if !is_match(pattern, &body) {
                problems.push(format!("expected the body to match /{pattern}/"));
            }
        }
        if let Some(text) = &self.text
            && *text != body
        {
            problems.push(format!("expected the body to be {text:?}"));
        }
        if self.looks_into_json() {
            match serde_json::from_str(&body) {
                Ok(document) => {
                    self.judge_json(&document, &mut problems);
                    if let Some(error) = &self.error {
                        error.judge(&document, response.status, &mut problems);
                    }
                }
                Err(error) => problems.push(format!("the body is not JSON: {error}")),
            }
        }
        problems
    }

    fn looks_into_json(&self) -> bool {
        !(self.matches.is_empty()
            && self.absent.is_empty()
            && self.regex.is_empty()
            && self.types.is_empty()
            && self.keys.is_empty()
            && self.length.is_empty()
            && self.close.is_empty()
            && self.error.is_none())
    }

    fn judge_json(&self, document: &Value, problems: &mut Vec<String>) {
        for (at, expected) in &self.matches {
            match path::get(document, at) {
                Some(found) if equal(expected, found) => {}
                Some(found) => problems.push(format!("expected [{at}] to be {expected}, found {found}")),
                None => problems.push(format!("expected [{at}] to be {expected}, found nothing")),
            }
        }
        for at in &self.absent {
            if let Some(found) = path::get(document, at) {
                problems.push(format!("expected nothing at [{at}], found {found}"));
            }
        }
        for (at, pattern) in &self.regex {
            match path::get(document, at).and_then(as_text) {
                Some(found) if is_match(pattern, &found) => {}
                Some(found) => problems.push(format!("expected [{at}] to match /{pattern}/, found [{found}]")),
                None => problems.push(format!("expected [{at}] to match /{pattern}/, found no text")),
            }
        }
        for (at, kind) in &self.types {
            match path::get(document, at) {
                Some(found) if has_type(found, kind) => {}
                Some(found) => problems.push(format!("expected [{at}] to be of type {kind}, found {found}")),
                None => problems.push(format!("expected [{at}] to be of type {kind}, found nothing")),
            }
        }
        for (at, keys) in &self.keys {
            let Some(map) = path::get(document, at).and_then(Value::as_object) else {
                problems.push(format!("expected an object at [{at}]"));
                continue;
            };
            let missing: Vec<&String> = keys.iter().filter(|key| !map.contains_key(*key)).collect();
            let extra: Vec<&String> = map.keys().filter(|key| !keys.contains(key)).collect();
            if !missing.is_empty() || !extra.is_empty() {
                problems.push(format!("keys of [{at}]: missing {missing:?}, not expected {extra:?}"));
            }
        }
        for (at, expected) in &self.length {
            let found = match path::get(document, at) {
                Some(Value::Array(list)) => list.len(),
                Some(Value::Object(map)) => map.len(),
                Some(_) | None => {
                    problems.push(format!("expected a list or an object at [{at}]"));
                    continue;
                }
            };
            if found != *expected {
                problems.push(format!("expected [{at}] to have {expected} entries, found {found}"));
            }
        }
        for (at, expected) in &self.close {
            match path::get(document, at).and_then(Value::as_f64) {
                Some(found) if (found - expected).abs() <= CLOSENESS * found.abs().max(expected.abs()) => {}
                Some(found) => problems.push(format!("expected [{at}] to be close to {expected}, found {found}")),
                None => problems.push(format!("expected a number at [{at}]")),
            }
        }
    }
}

impl ExpectedError {
    fn judge(&self, document: &Value, status: u16, problems: &mut Vec<String>) {
        let mut text_at = |at: &str, expected: &str| match path::get(document, at).and_then(Value::as_str) {
            Some(found) if found == expected => {}
            Some(found) => problems.push(format!("expected [{at}] to be [{expected}], found [{found}]")),
            None => problems.push(format!("expected [{at}] to be [{expected}], found no text")),
        };
        text_at("error.type", &self.kind);
        text_at("error.root_cause.0.type", self.root.as_ref().unwrap_or(&self.kind));
        if let Some(reason) = &self.reason {
            text_at("error.reason", reason);
        }
        if let Some(cause) = &self.cause {
            text_at("error.caused_by.type", cause);
        }
        if let Some(pattern) = &self.like {
            match path::get(document, "error.reason").and_then(Value::as_str) {
                Some(found) if is_match(pattern, found) => {}
                found => problems.push(format!("expected [error.reason] to match /{pattern}/, found {found:?}")),
            }
        }
        if !path::get(document, "error.root_cause.0.reason").is_some_and(Value::is_string) {
            problems.push("expected a text at [error.root_cause.0.reason]".to_owned());
        }
        if path::get(document, "status").and_then(Value::as_u64) != Some(u64::from(status)) {
            problems.push(format!("expected [status] to be {status} as in the status line"));
        }
    }
}

pub(super) const TYPES: [&str; 7] = ["string", "integer", "number", "boolean", "object", "array", "null"];

fn has_type(value: &Value, kind: &str) -> bool {
    match kind {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "null" => value.is_null(),
        _ => false,
    }
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Equality with numbers by value: `1` is `1.0`. Keys of objects may come in any order.
fn equal(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64() && a.is_f64() != b.is_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b))),
        _ => expected == found,
    }
}

fn is_match(pattern: &str, text: &str) -> bool {
    // Patterns were compiled once when the file was loaded; one that variables have spoilt simply matches nothing.
    Regex::new(pattern).is_ok_and(|regex| regex.is_match(text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn judge(expect: &Value, body: &Value) -> Vec<String> {
        let expect: Expect = serde_json::from_value(expect.clone()).unwrap();
        expect.judge(&Response { status: 200, headers: vec![("X-A".into(), "b".into())], body: body.to_string().into_bytes() })
    }

    #[test]
    fn every_expectation_can_hold_and_can_fail() {
        let body = json!({"a": {"b": 1, "c": "text"}, "list": [1, 2.5], "none": null});
        let table = [
            (json!({"status": 200}), json!({"status": 201})),
            (json!({"match": {"a.b": 1.0}}), json!({"match": {"a.b": "1"}})),
            (json!({"match": {"list": [1, 2.5]}}), json!({"match": {"list": [1]}})),
            (json!({"match": {"none": null}}), json!({"match": {"nothing": null}})),
            (json!({"absent": ["a.d"]}), json!({"absent": ["none"]})),
            (json!({"regex": {"a.c": "^te"}}), json!({"regex": {"a.c": "^x"}})),
            (json!({"regex": {"a.b": "^1$"}}), json!({"regex": {"a": "."}})),
            (json!({"types": {"a.b": "integer"}}), json!({"types": {"list.1": "integer"}})),
            (json!({"keys": {"a": ["c", "b"]}}), json!({"keys": {"a": ["b"]}})),
            (json!({"keys": {"a": ["c", "b"]}}), json!({"keys": {"a": ["b", "c", "d"]}})),
            (json!({"length": {"list": 2}}), json!({"length": {"list": 3}})),
            (json!({"close": {"list.1": 2.500001}}), json!({"close": {"list.1": 2.501}})),
            (json!({"header": {"x-a": "^b$"}}), json!({"header": {"x-b": "."}})),
            (json!({"header_absent": ["x-b"]}), json!({"header_absent": ["x-a"]})),
            (json!({"raw": ["\"b\":1"]}), json!({"raw": ["nowhere"]})),
            (json!({"text": body.to_string()}), json!({"text": ""})),
        ];
        for (holds, fails) in table {
            assert_eq!(judge(&holds, &body), Vec::<String>::new(), "{holds}");
            assert_eq!(judge(&fails, &body).len(), 1, "{fails}");
        }
    }

    #[test]
    fn an_error_must_be_complete_and_fit() {
        let body = json!({"error": {"type": "t", "reason": "r 1", "root_cause": [{"type": "u", "reason": "r"}], "caused_by": {"type": "c"}}, "status": 200});
        assert_eq!(
            judge(&json!({"error": {"type": "t", "root": "u", "reason": "r 1", "like": "^r", "cause": "c"}}), &body),
            Vec::<String>::new()
        );
        for wrong in [
            json!({"type": "x", "root": "u"}),
            json!({"type": "t"}),
            json!({"type": "t", "root": "u", "reason": "r"}),
            json!({"type": "t", "root": "u", "like": "^1"}),
            json!({"type": "t", "root": "u", "cause": "d"}),
        ] {
            assert_eq!(judge(&json!({"error": wrong}), &body).len(), 1, "{wrong}");
        }
        assert!(!judge(&json!({"error": {"type": "t"}}), &json!({"error": "no handler found"})).is_empty());
    }

    #[test]
    fn a_misspelt_expectation_is_refused() {
        assert!(serde_json::from_value::<Expect>(json!({"matches": {}})).is_err());
    }

    #[test]
    fn large_numbers_are_not_mixed_up() {
        assert!(!equal(&json!(9_007_199_254_740_993_i64), &json!(9_007_199_254_740_992_i64)));
        assert!(equal(&json!(1), &json!(1.0)));
    }
}
