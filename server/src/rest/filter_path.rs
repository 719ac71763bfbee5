//! `filter_path`: which parts of an answer are sent. `*` matches within one name, `**` any depth, `-` excludes.

use serde_json::{Map, Value};
use tandem_common::pattern::matches;

/// One pattern, split at its dots.
type Pattern = Vec<String>;

/// The patterns of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct FilterPath {
    includes: Vec<Pattern>,
    excludes: Vec<Pattern>,
}

impl FilterPath {
    /// Reads the comma-separated list; nothing in it means no filter.
    pub(crate) fn parse(list: &str) -> Option<Self> {
        let mut filter = Self::default();
        for pattern in list.split(',').map(str::trim).filter(|pattern| !pattern.is_empty()) {
            let (patterns, text) = match pattern.strip_prefix('-') {
                Some(rest) => (&mut filter.excludes, rest),
                None => (&mut filter.includes, pattern),
            };
            patterns.push(text.split('.').map(str::to_owned).collect());
        }
        (!filter.includes.is_empty() || !filter.excludes.is_empty()).then_some(filter)
    }

    /// The parts of `value` that are wanted; an object without any is `{}`.
    pub(crate) fn apply(&self, mut value: Value) -> Value {
        if !self.includes.is_empty() {
            let wanted: Vec<&[String]> = self.includes.iter().map(Vec::as_slice).collect();
            value = include(value, &wanted).unwrap_or_else(|| Value::Object(Map::new()));
        }
        if !self.excludes.is_empty() {
            let unwanted: Vec<&[String]> = self.excludes.iter().map(Vec::as_slice).collect();
            value = exclude(value, &unwanted).unwrap_or_else(|| Value::Object(Map::new()));
        }
        value
    }
}

/// What remains of the patterns below the field `name`; `true` when one of them ends here.
fn step<'a>(patterns: &[&'a [String]], name: &str) -> (Vec<&'a [String]>, bool) {
    let mut rest: Vec<&[String]> = Vec::new();
    let mut ends = false;
    for pattern in patterns {
        let Some((head, tail)) = pattern.split_first() else { continue };
        if head == "**" {
            rest.push(pattern);
            // `**` also stands for no level at all.
            let (deeper, ended) = step(&[tail], name);
            rest.extend(deeper);
            ends |= ended || tail.is_empty();
        } else if matches(head, name) {
            if tail.is_empty() { ends = true } else { rest.push(tail) }
        }
    }
    (rest, ends)
}

fn include(value: Value, patterns: &[&[String]]) -> Option<Value> {
    match value {
        Value::Object(fields) => {
            let mut kept = Map::new();
            for (name, inner) in fields {
                let (rest, ends) = step(patterns, &name);
                if ends {
                    kept.insert(name, inner);
                } else if let Some(part) = (!rest.is_empty()).then(|| include(inner, &rest)).flatten() {
                    kept.insert(name, part);
                }
            }
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        Value::Array(items) => {
            let kept: Vec<Value> = items.into_iter().filter_map(|item| include(item, patterns)).collect();
            (!kept.is_empty()).then_some(Value::Array(kept))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// As OpenSearch has it, an object or list that loses everything goes too, while one that was empty before stays.
fn exclude(value: Value, patterns: &[&[String]]) -> Option<Value> {
    match value {
        Value::Object(fields) => {
            let was_empty = fields.is_empty();
            let mut kept = Map::new();
            for (name, inner) in fields {
                let (rest, ends) = step(patterns, &name);
                if !ends && let Some(part) = exclude(inner, &rest) {
                    kept.insert(name, part);
                }
            }
            (was_empty || !kept.is_empty()).then_some(Value::Object(kept))
        }
        Value::Array(items) => {
            let was_empty = items.is_empty();
            let kept: Vec<Value> = items.into_iter().filter_map(|item| exclude(item, patterns)).collect();
            (was_empty || !kept.is_empty()).then_some(Value::Array(kept))
        }
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn filtered(list: &str, value: Value) -> Value {
        FilterPath::parse(list).unwrap().apply(value)
    }

    #[test]
    fn only_the_named_parts_are_kept() {
        let root = json!({"name": "n", "version": {"number": "3", "build_type": "t", "lucene_version": "l"}, "cluster_name": "c"});
        for (list, expected) in [
            ("version.number", json!({"version": {"number": "3"}})),
            ("version.n*,cluster_n*", json!({"version": {"number": "3"}, "cluster_name": "c"})),
            ("-version", json!({"name": "n", "cluster_name": "c"})),
            ("nosuch", json!({})),
            ("**.number", json!({"version": {"number": "3"}})),
            ("version,-version.build*,-version.*version", json!({"version": {"number": "3"}})),
            ("*.number", json!({"version": {"number": "3"}})),
        ] {
            assert_eq!(filtered(list, root.clone()), expected, "{list}");
        }
        assert!(FilterPath::parse("").is_none());
    }

    #[test]
    fn lists_are_looked_through() {
        let hits = json!({"hits": {"total": {"value": 1}, "hits": [{"_id": "1", "_source": {"a": 1}}, {"_source": {"a": 2}}]}});
        assert_eq!(
            filtered("hits.hits._id,hits.total.value", hits.clone()),
            json!({"hits": {"total": {"value": 1}, "hits": [{"_id": "1"}]}})
        );
        assert_eq!(filtered("hits.hits._source,-hits.hits._source.a", hits), json!({}));
    }
}
