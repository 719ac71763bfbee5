//! JSON as clients send it: read with OpenSearch's limits and refusals.

use crate::error::{Error, Result};
use serde_json::Value;

/// How deep a document or a body may nest (OpenSearch's limit is 1,000; deeper is refused before anything recurses).
pub const DEPTH_MAX: usize = 1_000;

/// Parses `bytes` into a value. Deep nesting and broken text are errors with OpenSearch's types.
pub fn parse(bytes: &[u8]) -> Result<Value> {
    check_depth(bytes)?;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    // The depth was checked above; serde_json's own limit of 128 is lower than OpenSearch's.
    reader.disable_recursion_limit();
    let value = serde::Deserialize::deserialize(&mut reader).map_err(|error| syntax_error(&error, bytes))?;
    reader.end().map_err(|error| syntax_error(&error, bytes))?;
    Ok(value)
}

/// Refuses text that nests deeper than [`DEPTH_MAX`], in one pass without recursion.
pub fn check_depth(bytes: &[u8]) -> Result<()> {
    let mut depth = 0usize;
    let mut in_string = false;
    let mut escaped = false;
    for &byte in bytes {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => {
                depth += 1;
                if depth > DEPTH_MAX {
                    return Err(Error::StreamConstraints {
                        reason: format!(
                            "Document nesting depth ({depth}) exceeds the maximum allowed ({DEPTH_MAX}, from `StreamReadConstraints.getMaxNestingDepth()`)"
                        ),
                    });
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

fn syntax_error(error: &serde_json::Error, _bytes: &[u8]) -> Error {
    let reason = format!("{error}");
    if error.is_eof() { Error::JsonEof { reason } } else { Error::JsonParse { reason } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_levels_are_refused_without_recursion() {
        let text = "[".repeat(10_000) + &"]".repeat(10_000);
        assert!(matches!(parse(text.as_bytes()), Err(Error::StreamConstraints { .. })));
        let text = "[".repeat(900) + &"]".repeat(900);
        assert!(parse(text.as_bytes()).is_ok());
    }
}
