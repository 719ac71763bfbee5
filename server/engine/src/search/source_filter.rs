//! Which parts of a document's source are shown.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tandem_common::json::{Node, NodeValue, parse_tree};
use tandem_common::mapping::Mapping;
use tandem_common::pattern::matches;
use tandem_common::{Error, Result};

/// Below this many levels a part is shown whole or not at all, which bounds recursion.
const DEPTH_MAX: usize = 100;

/// What is shown of a source. The default shows all of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceFilter {
    off: bool,
    includes: Vec<String>,
    excludes: Vec<String>,
}

fn list(node: &Node<'_>) -> Result<Vec<String>> {
    let text = |node: &Node<'_>| -> Result<String> {
        let value = node.to_value()?;
        Ok(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    if node.is_array() { node.items().map(|item| text(item?)).collect() } else { Ok(vec![text(node)?]) }
}

/// As [`list`], of nothing but texts.
fn texts(key: &str, node: &Node<'_>) -> Result<Vec<String>> {
    for item in node.items() {
        let item = item?;
        if item.as_str().is_none() {
            let reason = format!("Unknown key for a {} in [{key}].", item.kind_name());
            return Err(Error::Parsing { reason, position: Some(item.place), cause: None });
        }
    }
    list(node)
}

fn split(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

impl SourceFilter {
    /// Shows nothing.
    pub fn none() -> Self {
        SourceFilter { off: true, ..SourceFilter::default() }
    }

    /// Shows what fits `includes` (everything if empty) and does not fit `excludes`.
    pub fn new(includes: Vec<String>, excludes: Vec<String>) -> Self {
        SourceFilter { off: false, includes, excludes }
    }

    /// What an index keeps of its sources (`_source` of the mapping).
    pub fn of_mapping(mapping: &Mapping) -> Self {
        if !mapping.source_enabled() {
            return Self::none();
        }
        let (includes, excludes) = mapping.source_patterns();
        Self::new(includes.to_vec(), excludes.to_vec())
    }

    /// Reads `_source` of a body: true, false, a pattern, patterns, or `{"includes": …, "excludes": …}`.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(value: &Value) -> Result<SourceFilter> {
        Self::read(&parse_tree(value.to_string().as_bytes())?)
    }

    /// As [`SourceFilter::parse`], of a text.
    pub(super) fn read(node: &Node<'_>) -> Result<SourceFilter> {
        let refused = |node: &Node<'_>, reason: String| Error::Parsing { reason, position: Some(node.place), cause: None };
        match &node.value {
            NodeValue::Bool(true) => Ok(Self::default()),
            NodeValue::Bool(false) => Ok(Self::none()),
            NodeValue::Text(_) | NodeValue::Array(_) => Ok(Self::new(list(node)?, Vec::new())),
            NodeValue::Object(_) => {
                let mut filter = Self::default();
                for field in node.fields() {
                    let (key, node) = field?;
                    match (key, &node.value) {
                        ("includes" | "include", NodeValue::Array(_) | NodeValue::Text(_)) => filter.includes = texts(key, node)?,
                        ("excludes" | "exclude", NodeValue::Array(_) | NodeValue::Text(_)) => filter.excludes = texts(key, node)?,
                        _ => return Err(refused(node, format!("Unknown key for a {} in [{key}].", node.kind_name()))),
                    }
                }
                Ok(filter)
            }
            _ => {
                let found = node.kind_name();
                Err(refused(node, format!("Expected one of [VALUE_BOOLEAN, START_OBJECT] but found [{found}]")))
            }
        }
    }

    /// Reads `_source`, `_source_includes` and `_source_excludes` of a URL; `None` when none of them is there.
    pub fn from_url(source: Option<&str>, includes: Option<&str>, excludes: Option<&str>) -> Option<SourceFilter> {
        if source.is_none() && includes.is_none() && excludes.is_none() {
            return None;
        }
        let mut filter = Self::default();
        match source {
            Some("false") => filter.off = true,
            Some("true" | "") | None => {}
            Some(patterns) => filter.includes = split(patterns),
        }
        if let Some(patterns) = includes {
            filter.includes = split(patterns);
        }
        if let Some(patterns) = excludes {
            filter.excludes = split(patterns);
        }
        Some(filter)
    }

    /// What [`SourceFilter::parse`] reads as this.
    pub fn to_json(&self) -> Value {
        if self.off {
            return false.into();
        }
        if self.shows_all() {
            return true.into();
        }
        json!({"includes": self.includes, "excludes": self.excludes})
    }

    /// Whether the source is not shown at all.
    pub fn is_off(&self) -> bool {
        self.off
    }

    /// Whether all of the source is shown.
    pub fn shows_all(&self) -> bool {
        !self.off && self.includes.is_empty() && self.excludes.is_empty()
    }

    /// The source with what is not shown taken out; the same bytes when all of it is shown. Whether it is shown at all is
    /// [`SourceFilter::is_off`]'s to say.
    ///
    /// # Errors
    /// A source that is no JSON.
    pub fn apply(&self, source: &[u8]) -> Result<Bytes> {
        if self.shows_all() || self.off {
            return Ok(Bytes::copy_from_slice(source));
        }
        match tandem_common::json::parse(source)? {
            Value::Object(fields) => {
                let filtered = self.object(fields, "", self.includes.is_empty(), 0);
                let text = serde_json::to_vec(&filtered).map_err(|error| Error::internal(error.to_string()))?;
                Ok(Bytes::from(text))
            }
            _ => Ok(Bytes::copy_from_slice(source)),
        }
    }

    fn object(&self, fields: Map<String, Value>, path: &str, is_included: bool, depth: usize) -> Map<String, Value> {
        let mut shown = Map::new();
        for (key, value) in fields {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            if self.excludes.iter().any(|pattern| matches(pattern, &path)) {
                continue;
            }
            let is_included = is_included || self.includes.iter().any(|pattern| matches(pattern, &path));
            if let Some(value) = self.value(value, &path, is_included, depth + 1) {
                shown.insert(key, value);
            }
        }
        shown
    }

    /// What is left of a value. Something inside may be shown although it is not shown itself, and then it must be there.
    fn value(&self, value: Value, path: &str, is_included: bool, depth: usize) -> Option<Value> {
        match value {
            whole if depth > DEPTH_MAX => is_included.then_some(whole),
            Value::Object(fields) => {
                let inner = self.object(fields, path, is_included, depth);
                (is_included || !inner.is_empty()).then_some(Value::Object(inner))
            }
            Value::Array(items) => {
                let inner: Vec<Value> = items.into_iter().filter_map(|item| self.value(item, path, is_included, depth + 1)).collect();
                (is_included || !inner.is_empty()).then_some(Value::Array(inner))
            }
            scalar => is_included.then_some(scalar),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filtered(filter: Value, source: &str) -> String {
        let filter = SourceFilter::parse(&filter).unwrap();
        String::from_utf8(filter.apply(source.as_bytes()).unwrap().to_vec()).unwrap()
    }

    #[test]
    fn parts_are_shown_as_opensearch_shows_them() {
        let source = r#"{"a":1,"o":{"x":"u","y":{"z":2}},"list":[{"p":1,"q":2},{"q":3},5],"a.b":7}"#;
        for (filter, expected) in [
            (json!(["o.*", "a"]), r#"{"a":1,"o":{"x":"u","y":{"z":2}}}"#),
            (json!("o"), r#"{"o":{"x":"u","y":{"z":2}}}"#),
            (json!({"includes": ["o"], "excludes": ["o.x"]}), r#"{"o":{"y":{"z":2}}}"#),
            (json!({"includes": ["o.y"], "excludes": ["o.y.z"]}), r#"{"o":{"y":{}}}"#),
            (json!({"excludes": ["o", "list", "a*"]}), "{}"),
            (json!("*.z"), r#"{"o":{"y":{"z":2}}}"#),
            (json!("list.p"), r#"{"list":[{"p":1}]}"#),
            (json!({"excludes": ["list.q"]}), r#"{"a":1,"o":{"x":"u","y":{"z":2}},"list":[{"p":1},{},5],"a.b":7}"#),
            (json!("nope"), "{}"),
            (json!([]), source),
            (json!(true), source),
        ] {
            assert_eq!(filtered(filter.clone(), source), expected, "{filter}");
        }
    }

    #[test]
    fn deep_sources_are_filtered_all_the_same() {
        let source = format!("{}1{}", r#"{"a":"#.repeat(300), "}".repeat(300));
        assert_eq!(filtered(json!("b"), &source), "{}");
        assert_eq!(filtered(json!("a"), &source), source);
    }

    #[test]
    fn bytes_stay_untouched_where_nothing_is_taken_out() {
        let source = b"{ \"a\" : 1.50e2 }";
        assert_eq!(SourceFilter::default().apply(source).unwrap(), &source[..]);
    }

    #[test]
    fn urls_and_bodies_say_the_same() {
        assert_eq!(SourceFilter::from_url(None, None, None), None);
        assert!(SourceFilter::from_url(Some("false"), None, None).unwrap().is_off());
        assert_eq!(
            SourceFilter::from_url(Some("a, b*"), None, Some("c")),
            Some(SourceFilter::new(vec!["a".into(), "b*".into()], vec!["c".into()]))
        );
        for (body, expected) in [
            (json!({"foo": []}), "Unknown key for a START_ARRAY in [foo]."),
            (json!(5), "Expected one of [VALUE_BOOLEAN, START_OBJECT] but found [VALUE_NUMBER]"),
        ] {
            assert_eq!(SourceFilter::parse(&body).unwrap_err().to_string(), expected);
        }
    }
}
