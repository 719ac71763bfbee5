//! Paths into a JSON document: `hits.hits.0._id`, with `\.` for a dot inside a key and the empty path for the whole.

use serde_json::Value;

/// The value at the path, if there is one.
pub(super) fn get<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    let mut found = document;
    for segment in segments(path) {
        found = match found {
            Value::Object(map) => map.get(&segment)?,
            Value::Array(list) => list.get(segment.parse::<usize>().ok()?)?,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
        };
    }
    Some(found)
}

fn segments(path: &str) -> Vec<String> {
    if path.is_empty() {
        return Vec::new();
    }
    let mut segments = vec![String::new()];
    let mut characters = path.chars();
    while let Some(character) = characters.next() {
        let last = segments.last_mut().expect("there is always a segment under construction");
        match character {
            '\\' => last.extend(characters.next()),
            '.' => segments.push(String::new()),
            other => last.push(other),
        }
    }
    segments
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_walks_objects_and_lists() {
        let document = json!({"a": [{"b.c": 1}], "": 2});
        assert_eq!(get(&document, r"a.0.b\.c"), Some(&json!(1)));
        assert_eq!(get(&document, ""), Some(&document));
        assert_eq!(get(&document, "a.1"), None);
        assert_eq!(get(&document, "a.b"), None);
    }
}
