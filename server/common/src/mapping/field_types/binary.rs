//! Bytes in base64, which are checked and never decoded: hits show the text again.

use crate::error::{Error, Result};
use crate::json::{Node, NodeValue, location};

/// What the parser says of a base64 text that ends before its padding.
const NO_PADDING: &str = "Unexpected end of base64-encoded String: base64 variant 'MIME-NO-LINEFEEDS' expects padding (one or more '=' \
                          characters) at the end. This Base64Variant might have been incorrectly configured";

/// Reads bytes, in base64 without padding.
pub(in crate::mapping) fn read_base64(node: &Node<'_>, source: &[u8]) -> Result<String> {
    let failed = |what: String, at: usize| Error::JsonParse { reason: format!("{what}\n at {}", location(source, at)) };
    let NodeValue::Text(text) = &node.value else {
        let token = node.token_name();
        let what = format!("Current token ({token}) not VALUE_STRING or VALUE_EMBEDDED_OBJECT, can not access as binary");
        return Err(failed(what, node.end));
    };
    // Blanks between groups of four do not count.
    let compact: String = text.chars().filter(|letter| *letter > ' ').collect();
    let digits = compact.trim_end_matches('=');
    let is_digit = |letter: char| letter.is_ascii_alphanumeric() || letter == '+' || letter == '/';
    if let Some(wrong) = digits.chars().find(|letter| !is_digit(*letter)) {
        let code = u32::from(wrong);
        let what = format!(
            "Failed to decode VALUE_STRING as base64 (MIME-NO-LINEFEEDS): Illegal character '{wrong}' (code 0x{code:x}) in base64 content"
        );
        return Err(failed(what, node.start + 3));
    }
    if digits.len() % 4 == 1 || !compact.len().is_multiple_of(4) {
        return Err(failed(NO_PADDING.to_owned(), node.end));
    }
    Ok(digits.replace('+', "-").replace('/', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse_tree as parse;

    fn read(source: &str) -> Result<String> {
        read_base64(&parse(source.as_bytes()).unwrap(), source.as_bytes())
    }

    #[test]
    fn base64_is_checked() {
        assert_eq!(read(r#""U29tZQ==""#).unwrap(), "U29tZQ");
        assert_eq!(read(r#""+/+/""#).unwrap(), "-_-_");
        assert_eq!(read(r#""""#).unwrap(), "");
        for (source, start) in [
            (
                r#""!!!""#,
                "Failed to decode VALUE_STRING as base64 (MIME-NO-LINEFEEDS): Illegal character '!' (code 0x21) in base64 content\n at ",
            ),
            (r#""abc""#, "Unexpected end of base64-encoded String: "),
            ("5", "Current token (VALUE_NUMBER_INT) not VALUE_STRING or VALUE_EMBEDDED_OBJECT, can not access as binary\n at "),
        ] {
            let reason = read(source).unwrap_err().to_string();
            assert!(reason.starts_with(start), "{reason}");
        }
    }
}
