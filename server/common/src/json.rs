//! JSON as clients send it: read with OpenSearch's limits and refusals, by one reader that no text can exhaust.

mod reader;
mod tree;

pub(crate) use reader::parse_with_breaks;
pub use reader::{parse as parse_tree, parse_open};
pub use tree::{Node, NodeValue, Place, is_whole, java_double, line_column, location, location_text};

use crate::error::Result;
use serde_json::Value;

/// How deep a document or a body may nest; deeper is refused.
pub const DEPTH_MAX: usize = 1_000;

/// Parses `bytes` into a value.
///
/// # Errors
/// What Jackson finds wrong: broken text, a key twice in one object, more than [`DEPTH_MAX`] levels.
pub fn parse(bytes: &[u8]) -> Result<Value> {
    parse_tree(bytes)?.to_value()
}

/// What OpenSearch's parsers call the first token of a value.
pub fn token_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "VALUE_NULL",
        Value::Bool(_) => "VALUE_BOOLEAN",
        Value::Number(_) => "VALUE_NUMBER",
        Value::String(_) => "VALUE_STRING",
        Value::Array(_) => "START_ARRAY",
        Value::Object(_) => "START_OBJECT",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    fn nested(levels: usize) -> String {
        "{\"a\":".repeat(levels) + "1" + &"}".repeat(levels)
    }

    #[test]
    fn ten_thousand_levels_are_refused() {
        for text in ["[".repeat(10_000) + &"]".repeat(10_000), nested(10_000), nested(1_001)] {
            assert!(matches!(parse(text.as_bytes()), Err(Error::StreamConstraints { .. })));
        }
    }

    #[test]
    fn a_thousand_levels_fit_a_small_stack_to_read_to_write_and_to_drop() {
        let run = || {
            for text in [nested(DEPTH_MAX), "[".repeat(DEPTH_MAX) + &"]".repeat(DEPTH_MAX)] {
                let value = parse(text.as_bytes()).unwrap();
                assert_eq!(value.to_string(), text);
                drop(value.clone());
            }
        };
        std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(run).unwrap().join().unwrap();
    }

    #[test]
    fn values_are_those_that_serde_reads() {
        for text in ["{}", "[]", " 5 ", "-0.5e3", "18446744073709551615", r#"{"a":[1,{"b":[]},"x\n",null,true],"c":{},"d":[[],[2.5]]}"#] {
            assert_eq!(parse(text.as_bytes()).unwrap(), serde_json::from_str::<Value>(text).unwrap(), "{text}");
        }
        assert_eq!(parse(b"1e999").unwrap(), "1e999");
    }
}
