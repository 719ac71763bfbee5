//! An object whose leaves are keywords under their paths: every leaf becomes one entry, the path and the value in one text.

use super::Misfit;
use crate::error::Error;
use crate::json::{Node, NodeValue};

/// What stands between the path of an entry and its value.
const SEPARATOR: char = '\u{0}';

/// The entry of a value under a path (below the field: `a.b`).
pub fn flat_entry(path: &str, value: &str) -> String {
    format!("{path}{SEPARATOR}{value}")
}

/// The path and the value of an entry.
pub fn split_flat_entry(entry: &str) -> (&str, &str) {
    entry.split_once(SEPARATOR).unwrap_or(("", entry))
}

/// Between these two, the first of them included, lie all entries under a path.
pub fn flat_path_bounds(path: &str) -> (String, String) {
    (flat_entry(path, ""), format!("{path}\u{1}"))
}

/// Something of an object that is still to be read.
struct Pending<'n, 'a> {
    path: String,
    node: &'n Node<'a>,
}

/// The entries of an object, in no particular order.
pub(in crate::mapping) fn read_flat_object(node: &Node<'_>, field: &str) -> Result<Vec<String>, Misfit> {
    if !node.is_object() {
        let reason = format!("[{field}] unexpected token [{}] in flat_object field value", node.kind_name());
        return Err(Misfit::grave(Error::Parsing { reason, position: Some(node.place), cause: None }));
    }
    let mut entries = Vec::new();
    // A stack of its own: objects may nest deeper than calls should.
    let mut pending = vec![Pending { path: String::new(), node }];
    while let Some(Pending { path, node }) = pending.pop() {
        match &node.value {
            NodeValue::Null | NodeValue::Broken(_) => {}
            NodeValue::Text(text) => entries.push(flat_entry(&path, text)),
            NodeValue::Number(text) => entries.push(flat_entry(&path, text)),
            NodeValue::Bool(flag) => entries.push(flat_entry(&path, if *flag { "true" } else { "false" })),
            NodeValue::Array(items) => pending.extend(items.iter().rev().map(|node| Pending { path: path.clone(), node })),
            NodeValue::Object(fields) => {
                let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
                pending.extend(fields.iter().rev().map(|(key, node)| Pending { path: below(key), node }));
            }
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse_tree as parse;

    #[test]
    fn leaves_become_entries() {
        let source = br#"{"a":{"b":1,"c":[true,null,"x"]},"d.e":2.50,"f":[{"g":1},{"g":"y"}]}"#;
        let entries = read_flat_object(&parse(source).unwrap(), "o").unwrap();
        let split: Vec<(&str, &str)> = entries.iter().map(|entry| split_flat_entry(entry)).collect();
        assert_eq!(split, [("a.b", "1"), ("a.c", "true"), ("a.c", "x"), ("d.e", "2.50"), ("f.g", "1"), ("f.g", "y")]);
        let (low, high) = flat_path_bounds("a.b");
        assert!(low <= entries[0] && entries[0] < high && entries[1] > high);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        let misfit = read_flat_object(&parse(b"5").unwrap(), "o").unwrap_err();
        assert_eq!(misfit.cause.to_string(), "[o] unexpected token [VALUE_NUMBER] in flat_object field value");
    }
}
