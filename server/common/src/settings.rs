//! Settings as OpenSearch knows them: flat keys, values as text or lists of text, and the catalogue that says which exist.

use crate::error::{Error, Result};
use crate::units;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;

/// The value of one setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SettingValue {
    /// One text; numbers and booleans are kept as they print.
    One(String),
    /// A list.
    List(Vec<String>),
    /// Explicitly null: in a request it removes the setting.
    Null,
}

impl SettingValue {
    /// The value as JSON, numbers and booleans as text, as OpenSearch answers them.
    pub fn to_json(&self) -> Value {
        match self {
            SettingValue::One(text) => text.as_str().into(),
            SettingValue::List(items) => items.iter().map(|item| Value::from(item.as_str())).collect(),
            SettingValue::Null => Value::Null,
        }
    }
}

/// A set of settings with flat keys, in the order of their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Settings {
    values: BTreeMap<String, SettingValue>,
}

impl Settings {
    /// No settings.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads nested or flat JSON: `{"index": {"number_of_shards": 2}}` and `{"index.number_of_shards": "2"}` are the same.
    ///
    /// # Errors
    /// A body that is no object.
    pub fn from_json(body: &Value) -> Result<Self> {
        let mut settings = Self::new();
        match body {
            Value::Object(fields) => {
                for (key, value) in fields {
                    settings.flatten(key.clone(), value);
                }
                Ok(settings)
            }
            Value::Null => Ok(settings),
            other => Err(Error::illegal_argument(format!("malformed settings, expected an object but found [{other}]"))),
        }
    }

    fn flatten(&mut self, key: String, value: &Value) {
        match value {
            Value::Object(fields) => {
                for (name, inner) in fields {
                    self.flatten(format!("{key}.{name}"), inner);
                }
            }
            Value::Array(items) => {
                if items.iter().any(Value::is_object) {
                    for (position, item) in items.iter().enumerate() {
                        self.flatten(format!("{key}.{position}"), item);
                    }
                } else {
                    self.values.insert(key, SettingValue::List(items.iter().map(text_of).collect()));
                }
            }
            Value::Null => {
                self.values.insert(key, SettingValue::Null);
            }
            other => {
                self.values.insert(key, SettingValue::One(text_of(other)));
            }
        }
    }

    /// Sets one text.
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<String>) -> &mut Self {
        self.values.insert(key.into(), SettingValue::One(value.into()));
        self
    }

    /// Sets one value.
    pub fn insert(&mut self, key: impl Into<String>, value: SettingValue) {
        self.values.insert(key.into(), value);
    }

    /// Removes a setting.
    pub fn remove(&mut self, key: &str) -> Option<SettingValue> {
        self.values.remove(key)
    }

    /// The raw value, if set (and not null).
    pub fn get(&self, key: &str) -> Option<&SettingValue> {
        self.values.get(key).filter(|value| !matches!(value, SettingValue::Null))
    }

    /// The value as one text; a list has none.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            SettingValue::One(text) => Some(text),
            SettingValue::List(_) | SettingValue::Null => None,
        }
    }

    /// The value as a list: a single text is split at commas, as OpenSearch does.
    pub fn list(&self, key: &str) -> Option<Vec<String>> {
        match self.get(key)? {
            SettingValue::List(items) => Some(items.clone()),
            SettingValue::One(text) => Some(text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()),
            SettingValue::Null => None,
        }
    }

    /// Every key with its value, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &SettingValue)> {
        self.values.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// How many are set.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Takes over every value of `changes`; null removes.
    pub fn apply(&mut self, changes: &Settings) {
        for (key, value) in &changes.values {
            if *value == SettingValue::Null {
                match key.strip_suffix(".*").or_else(|| key.strip_suffix('*')) {
                    Some(prefix) => self.values.retain(|known, _| !known.starts_with(prefix)),
                    None => {
                        self.values.remove(key);
                    }
                }
            } else {
                self.values.insert(key.clone(), value.clone());
            }
        }
    }

    /// The same settings with `index.` before every key that lacks it.
    #[must_use]
    pub fn with_index_prefix(&self) -> Settings {
        let prefixed = |key: &String| if key.starts_with("index.") { key.clone() } else { format!("index.{key}") };
        Settings { values: self.values.iter().map(|(key, value)| (prefixed(key), value.clone())).collect() }
    }

    /// The settings whose key starts with `prefix`, the prefix kept.
    #[must_use]
    pub fn under(&self, prefix: &str) -> Settings {
        Settings { values: self.values.iter().filter(|(key, _)| key.starts_with(prefix)).map(|(k, v)| (k.clone(), v.clone())).collect() }
    }

    /// As nested JSON, in the order of the keys.
    pub fn to_nested_json(&self) -> Value {
        let mut root = Map::new();
        for (key, value) in &self.values {
            let mut at = &mut root;
            let mut parts: Vec<&str> = key.split('.').collect();
            let last = parts.pop().unwrap_or_default();
            let mut taken = false;
            for (depth, part) in parts.iter().enumerate() {
                // A key that is both a value and a prefix (`a` and `a.b`) stays flat below the value.
                if at.get(*part).is_some_and(|inner| !inner.is_object()) {
                    let rest = key.split('.').skip(depth).collect::<Vec<_>>().join(".");
                    at.insert(rest, value.to_json());
                    taken = true;
                    break;
                }
                let entry = at.entry((*part).to_owned()).or_insert_with(|| Value::Object(Map::new()));
                at = match entry {
                    Value::Object(inner) => inner,
                    _ => unreachable!("checked just above"),
                };
            }
            if !taken {
                at.insert(last.to_owned(), value.to_json());
            }
        }
        Value::Object(root)
    }

    /// As flat JSON.
    pub fn to_flat_json(&self) -> Value {
        Value::Object(self.values.iter().map(|(key, value)| (key.clone(), value.to_json())).collect())
    }
}

impl FromIterator<(String, SettingValue)> for Settings {
    fn from_iter<T: IntoIterator<Item = (String, SettingValue)>>(values: T) -> Self {
        Self { values: values.into_iter().collect() }
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Where a setting applies and when it may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingScope {
    /// Read once at start, from file, environment or command line.
    Node,
    /// In the cluster state; changed by `_cluster/settings`.
    ClusterDynamic,
    /// Of one index, changed at any time.
    IndexDynamic,
    /// Of one index, set at creation or while it is closed.
    IndexStatic,
    /// Of one index, set at creation only.
    IndexFinal,
    /// Of one index, set by the system only.
    IndexPrivate,
}

/// What texts a setting takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SettingKind {
    /// Any text.
    Text,
    /// A list of texts.
    List,
    /// `true` or `false`.
    Bool,
    /// A whole number with its bounds.
    Int {
        /// The lowest allowed.
        min: i64,
        /// The highest allowed.
        max: i64,
    },
    /// A number.
    Float,
    /// A time with a unit.
    Time,
    /// A size with a unit.
    Bytes,
    /// One of these.
    OneOf(&'static [&'static str]),
}

/// One known setting. A `*` in the key stands for any one part or, at the end, for any rest.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The key.
    pub key: &'static str,
    /// The default as it is shown; empty when there is none.
    pub default: &'static str,
    /// Where it applies.
    pub scope: SettingScope,
    /// What it takes.
    pub kind: SettingKind,
    /// One sentence.
    pub doc: &'static str,
}

impl Setting {
    /// Whether `key` is this setting.
    pub fn matches(&self, key: &str) -> bool {
        if !self.key.contains('*') {
            return self.key == key;
        }
        let mut parts = key.split('.');
        let mut pattern = self.key.split('.').peekable();
        while let Some(expected) = pattern.next() {
            match (expected, parts.next()) {
                ("*", Some(_)) if pattern.peek().is_none() => return true,
                ("*", Some(_)) => {}
                (word, Some(part)) if word == part => {}
                _ => return false,
            }
        }
        parts.next().is_none()
    }

    /// Refuses a value that this setting does not take, in OpenSearch's words.
    pub fn check(&self, key: &str, value: &SettingValue) -> Result<()> {
        let text = match (value, self.kind) {
            (SettingValue::Null, _) | (SettingValue::List(_), SettingKind::List | SettingKind::Text) => return Ok(()),
            (SettingValue::List(items), _) => {
                return Err(Error::illegal_argument(format!("Failed to parse value {items:?} for setting [{key}]")));
            }
            (SettingValue::One(text), _) => text,
        };
        match self.kind {
            SettingKind::Text | SettingKind::List => Ok(()),
            SettingKind::Bool => parse_bool(text)
                .map(|_| ())
                .map_err(|_| Error::illegal_argument(format!("Failed to parse value [{text}] as only [true] or [false] are allowed."))),
            SettingKind::Int { min, max } => {
                let number: i64 = text.trim().parse().map_err(|_| Error::IllegalArgument {
                    reason: format!("Failed to parse value [{text}] for setting [{key}]"),
                    cause: Some(Box::new(Error::NumberFormat { input: text.clone() })),
                })?;
                if number < min {
                    return Err(Error::illegal_argument(format!("Failed to parse value [{text}] for setting [{key}] must be >= {min}")));
                }
                if number > max {
                    return Err(Error::illegal_argument(format!("Failed to parse value [{text}] for setting [{key}] must be <= {max}")));
                }
                Ok(())
            }
            SettingKind::Float => text
                .trim()
                .parse::<f64>()
                .map(|_| ())
                .map_err(|_| Error::illegal_argument(format!("Failed to parse value [{text}] for setting [{key}]"))),
            SettingKind::Time => units::parse_time(text, key).map(|_| ()),
            SettingKind::Bytes => units::parse_bytes(text, key).map(|_| ()),
            SettingKind::OneOf(allowed) => {
                if allowed.contains(&text.to_lowercase().as_str()) {
                    Ok(())
                } else {
                    Err(Error::illegal_argument(format!("unknown value for [{key}] must be one of {allowed:?} but was: {text}")))
                }
            }
        }
    }

    /// The value in `settings`, or the default, as text.
    pub fn text<'a>(&self, settings: &'a Settings) -> &'a str
    where
        'static: 'a,
    {
        settings.text(self.key).unwrap_or(self.default)
    }

    /// The value as a whole number; the default's when it cannot be read.
    pub fn int(&self, settings: &Settings) -> i64 {
        let of = |text: &str| text.trim().parse::<i64>().ok();
        settings.text(self.key).and_then(of).or_else(|| of(self.default)).unwrap_or_default()
    }

    /// The value as a boolean.
    pub fn bool(&self, settings: &Settings) -> bool {
        parse_bool(self.text(settings)).unwrap_or(false)
    }

    /// The value as a time; `None` for no limit.
    pub fn time(&self, settings: &Settings) -> Option<Duration> {
        units::parse_time(self.text(settings), self.key).unwrap_or_else(|_| units::parse_time(self.default, self.key).unwrap_or_default())
    }

    /// The value as a size in bytes.
    pub fn bytes(&self, settings: &Settings) -> i64 {
        units::parse_bytes(self.text(settings), self.key).unwrap_or_else(|_| units::parse_bytes(self.default, self.key).unwrap_or(-1))
    }
}

/// `true` or `false` and nothing else.
pub fn parse_bool(text: &str) -> Result<bool> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(Error::illegal_argument(format!("Failed to parse value [{other}] as only [true] or [false] are allowed."))),
    }
}

/// Finds the setting `key` in a catalogue.
pub fn find<'a>(catalogue: &'a [Setting], key: &str) -> Option<&'a Setting> {
    catalogue.iter().find(|setting| setting.matches(key))
}

/// The known keys that `key` was probably meant to be, the nearest first: those that share more than 0.7 of their letters
/// by Levenshtein's measure, as OpenSearch's `AbstractScopedSettings` has it.
pub fn near<'a>(known: impl IntoIterator<Item = &'a str>, key: &str) -> Vec<&'a str> {
    let mut close: Vec<(usize, &str)> = known
        .into_iter()
        .map(|candidate| (edit_distance(candidate, key), candidate))
        .filter(|(distance, candidate)| *distance * 10 < candidate.len().max(key.len()) * 3)
        .collect();
    close.sort_unstable();
    close.into_iter().map(|(_, candidate)| candidate).collect()
}

/// The nearest of [`near`].
pub fn nearest<'a>(known: impl IntoIterator<Item = &'a str>, key: &str) -> Option<&'a str> {
    near(known, key).first().copied()
}

/// Levenshtein's distance between two texts, in characters.
pub fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (diagonal + usize::from(from != *to)).min(above + 1).min(row[j] + 1);
            diagonal = above;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nested_and_flat_are_the_same_settings() {
        let nested = Settings::from_json(&json!({"index": {"number_of_shards": 2, "analysis": {"filter": ["a", "b"]}}})).unwrap();
        let flat = Settings::from_json(&json!({"index.number_of_shards": "2", "index.analysis.filter": ["a", "b"]})).unwrap();
        assert_eq!(nested, flat);
        assert_eq!(nested.to_nested_json(), json!({"index": {"analysis": {"filter": ["a", "b"]}, "number_of_shards": "2"}}));
    }

    #[test]
    fn null_removes() {
        let mut settings = Settings::from_json(&json!({"a.b": 1, "a.c": 2})).unwrap();
        settings.apply(&Settings::from_json(&json!({"a.b": null})).unwrap());
        assert_eq!(settings.to_flat_json(), json!({"a.c": "2"}));
    }

    #[test]
    fn a_pattern_names_a_family_of_settings() {
        let seeds =
            Setting { key: "cluster.remote.*.seeds", default: "", scope: SettingScope::ClusterDynamic, kind: SettingKind::List, doc: "" };
        assert!(seeds.matches("cluster.remote.leader.seeds"));
        assert!(!seeds.matches("cluster.remote.seeds"));
        let analysis = Setting { key: "index.analysis.*", default: "", scope: SettingScope::IndexStatic, kind: SettingKind::Text, doc: "" };
        assert!(analysis.matches("index.analysis.analyzer.a.type"));
    }

    #[test]
    fn the_nearest_key_is_offered() {
        assert_eq!(nearest(["cluster.name", "node.name"], "cluster.nam"), Some("cluster.name"));
        assert_eq!(nearest(["cluster.name", "node.name"], "path.repo.whatever"), None);
    }
}
