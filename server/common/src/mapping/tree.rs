//! A document as a tree that remembers where each value stood and how each number was written.
//!
//! serde's values forget both, and both are part of the answers: errors name line and column, a keyword keeps `1.0` as it
//! was sent, and a key that occurs twice is refused.

use crate::error::{Error, Result};
use crate::json::DEPTH_MAX;
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Write as _;

/// How many keys of one object are compared one by one before a set is built.
const LINEAR_KEYS_MAX: usize = 24;

/// One JSON value with its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node<'a> {
    /// What it is.
    pub(super) value: NodeValue<'a>,
    /// The byte at which it starts.
    pub(super) start: usize,
    /// The byte after its last; for objects and arrays, after their first.
    pub(super) end: usize,
}

/// The kinds of JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum NodeValue<'a> {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number as it was written.
    Number(&'a str),
    /// Text without its quotes and escapes.
    Text(Cow<'a, str>),
    /// `[…]`
    Array(Vec<Node<'a>>),
    /// `{…}` in the order of the text.
    Object(Vec<(Cow<'a, str>, Node<'a>)>),
}

impl Node<'_> {
    /// Jackson's name of the token.
    pub(super) fn token_name(&self) -> &'static str {
        match &self.value {
            NodeValue::Null => "VALUE_NULL",
            NodeValue::Bool(true) => "VALUE_TRUE",
            NodeValue::Bool(false) => "VALUE_FALSE",
            NodeValue::Number(text) if is_whole(text) => "VALUE_NUMBER_INT",
            NodeValue::Number(_) => "VALUE_NUMBER_FLOAT",
            NodeValue::Text(_) => "VALUE_STRING",
            NodeValue::Array(_) => "START_ARRAY",
            NodeValue::Object(_) => "START_OBJECT",
        }
    }

    /// The value as Java prints it (`{a=[1, b]}`), for the preview in errors.
    pub(super) fn preview(&self) -> String {
        let mut text = String::new();
        self.write_preview(&mut text);
        text
    }

    fn write_preview(&self, out: &mut String) {
        match &self.value {
            NodeValue::Null => out.push_str("null"),
            NodeValue::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            NodeValue::Number(text) => out.push_str(&java_number(text)),
            NodeValue::Text(text) => out.push_str(text),
            NodeValue::Array(items) => {
                out.push('[');
                for (position, item) in items.iter().enumerate() {
                    if position > 0 {
                        out.push_str(", ");
                    }
                    item.write_preview(out);
                }
                out.push(']');
            }
            NodeValue::Object(fields) => {
                out.push('{');
                for (position, (key, value)) in fields.iter().enumerate() {
                    if position > 0 {
                        out.push_str(", ");
                    }
                    let _ = write!(out, "{key}=");
                    value.write_preview(out);
                }
                out.push('}');
            }
        }
    }
}

/// Whether a JSON number has neither fraction nor exponent.
pub(super) fn is_whole(text: &str) -> bool {
    !text.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E'))
}

/// A JSON number as `Double.toString` or `BigInteger.toString` prints it.
fn java_number(text: &str) -> String {
    if is_whole(text) { text.to_owned() } else { text.parse().map_or_else(|_| text.to_owned(), java_double) }
}

/// A double as Java prints it: `5.5`, `1.0E30`, `Infinity`.
pub fn java_double(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let size = value.abs();
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        let text = format!("{value}");
        return if text.contains('.') { text } else { format!("{text}.0") };
    }
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if digits.contains('.') => format!("{digits}E{exponent}"),
        Some((digits, exponent)) => format!("{digits}.0E{exponent}"),
        None => text,
    }
}

/// Where a byte is, as Jackson says it.
pub(super) fn location(source: &[u8], at: usize) -> String {
    let (line, column) = line_column(source, at);
    format!("[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: {line}, column: {column}]")
}

/// Line and column of a byte, from 1.
pub(super) fn line_column(source: &[u8], at: usize) -> (usize, usize) {
    let before = source.get(..at).unwrap_or(source);
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|&&byte| byte != b'\n').count() + 1;
    (line, column)
}

/// Reads a whole text.
pub(super) fn parse(source: &[u8]) -> Result<Node<'_>> {
    let text = std::str::from_utf8(source)
        .map_err(|error| Error::JsonParse { reason: format!("Invalid UTF-8 byte\n at {}", location(source, error.valid_up_to() + 1)) })?;
    let mut reader = Reader { text, bytes: source, at: 0 };
    reader.skip_blanks();
    let root = reader.value()?;
    reader.skip_blanks();
    if reader.at < source.len() {
        if let Some(&byte @ (b'}' | b']')) = source.get(reader.at) {
            let (line, _) = line_column(source, 0);
            let root = format!("[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: {line}]");
            let other = if byte == b'}' { ']' } else { '}' };
            let what = format!("Unexpected close marker '{}': expected '{other}' (for root starting at {root})", byte as char);
            return reader.fail(&what, reader.at);
        }
        // One more good token is "extra data"; a broken one is an error of its own.
        let extra = reader.value()?;
        let reason = format!("Malformed content, found extra data after parsing: {}", extra.token_name());
        return Err(Error::illegal_argument(reason));
    }
    Ok(root)
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

/// A value whose end has not been read.
enum Open<'a> {
    Array(usize, Vec<Node<'a>>),
    Object(OpenObject<'a>),
}

struct OpenObject<'a> {
    start: usize,
    fields: Vec<(Cow<'a, str>, Node<'a>)>,
    /// The key of the value being read.
    key: Cow<'a, str>,
    /// Every key, once there are many.
    seen: HashSet<String>,
}

impl<'a> OpenObject<'a> {
    fn done(self) -> Node<'a> {
        Node { value: NodeValue::Object(self.fields), start: self.start, end: self.start + 1 }
    }

    fn key_was_seen(&mut self) -> bool {
        if self.fields.len() < LINEAR_KEYS_MAX {
            return self.fields.iter().any(|(known, _)| *known == self.key);
        }
        if self.seen.is_empty() {
            self.seen.extend(self.fields.iter().map(|(known, _)| known.to_string()));
        }
        !self.seen.insert(self.key.to_string())
    }
}

impl<'a> Reader<'a> {
    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    fn fail<T>(&self, what: &str, at: usize) -> Result<T> {
        Err(Error::JsonParse { reason: format!("{what}\n at {}", location(self.bytes, at)) })
    }

    fn unexpected<T>(&self, expected: &str) -> Result<T> {
        match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(found) => self.fail(&format!("Unexpected character ('{found}' (code {})): {expected}", found as u32), self.at),
            None => self.end_of_input(expected),
        }
    }

    fn end_of_input<T>(&self, expected: &str) -> Result<T> {
        let reason = format!("Unexpected end-of-input: {expected}\n at {}", location(self.bytes, self.bytes.len()));
        Err(Error::JsonEof { reason })
    }

    /// A number that goes wrong in the middle.
    fn bad_number<T>(&self, why: &str) -> Result<T> {
        match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(found) => self.fail(&format!("Unexpected character ('{found}' (code {})) in numeric value: {why}", found as u32), self.at),
            None => self.end_of_input(why),
        }
    }

    /// The text ends between two entries. Jackson calls it a syntax error after a comma, and an early end elsewhere.
    fn ends_within<T>(&self, what: &str, after_comma: bool) -> Result<T> {
        let reason = format!("Unexpected end-of-input within/between {what} entries\n at {}", location(self.bytes, self.bytes.len()));
        Err(if after_comma { Error::JsonParse { reason } } else { Error::JsonEof { reason } })
    }

    fn unclosed<T>(&self, what: &str, start: usize) -> Result<T> {
        self.end_of_input(&format!("expected close marker for {what} (start marker at {})", location(self.bytes, start)))
    }

    /// One whole value. Open objects and arrays stand on a stack of their own, so that depth costs no call frames.
    fn value(&mut self) -> Result<Node<'a>> {
        let mut open: Vec<Open<'a>> = Vec::new();
        'value: loop {
            let start = self.at;
            let mut node = match self.bytes.get(self.at) {
                Some(b'{') => {
                    self.enter(open.len())?;
                    let mut object = OpenObject { start, fields: Vec::new(), key: Cow::Borrowed(""), seen: HashSet::new() };
                    if self.closes(b'}') {
                        object.done()
                    } else {
                        self.key(&mut object)?;
                        open.push(Open::Object(object));
                        continue 'value;
                    }
                }
                Some(b'[') => {
                    self.enter(open.len())?;
                    if self.closes(b']') {
                        Node { value: NodeValue::Array(Vec::new()), start, end: start + 1 }
                    } else {
                        open.push(Open::Array(start, Vec::new()));
                        self.skip_blanks();
                        if self.at >= self.bytes.len() {
                            return self.unclosed("Array", start);
                        }
                        continue 'value;
                    }
                }
                _ => self.scalar()?,
            };
            // A finished value may finish the ones around it.
            loop {
                match open.pop() {
                    None => return Ok(node),
                    Some(Open::Array(start, mut items)) => {
                        items.push(node);
                        self.skip_blanks();
                        match self.bytes.get(self.at) {
                            Some(b',') => {
                                self.at += 1;
                                self.skip_blanks();
                                if self.at >= self.bytes.len() {
                                    return self.ends_within("Array", true);
                                }
                                open.push(Open::Array(start, items));
                                continue 'value;
                            }
                            Some(b']') => {
                                self.at += 1;
                                node = Node { value: NodeValue::Array(items), start, end: start + 1 };
                            }
                            None => return self.unclosed("Array", start),
                            Some(_) => return self.unexpected("was expecting comma to separate Array entries"),
                        }
                    }
                    Some(Open::Object(mut object)) => {
                        object.fields.push((std::mem::take(&mut object.key), node));
                        self.skip_blanks();
                        match self.bytes.get(self.at) {
                            Some(b',') => {
                                self.at += 1;
                                self.key(&mut object)?;
                                open.push(Open::Object(object));
                                continue 'value;
                            }
                            Some(b'}') => {
                                self.at += 1;
                                node = object.done();
                            }
                            None => return self.unclosed("Object", object.start),
                            Some(_) => return self.unexpected("was expecting comma to separate Object entries"),
                        }
                    }
                }
            }
        }
    }

    fn closes(&mut self, byte: u8) -> bool {
        self.skip_blanks();
        let closes = self.bytes.get(self.at) == Some(&byte);
        self.at += usize::from(closes);
        closes
    }

    fn enter(&mut self, depth: usize) -> Result<()> {
        self.at += 1;
        if depth < DEPTH_MAX {
            return Ok(());
        }
        let depth = depth + 1;
        Err(Error::StreamConstraints {
            reason: format!(
                "Document nesting depth ({depth}) exceeds the maximum allowed ({DEPTH_MAX}, from `StreamReadConstraints.getMaxNestingDepth()`)"
            ),
        })
    }

    fn scalar(&mut self) -> Result<Node<'a>> {
        let start = self.at;
        let value = match self.bytes.get(self.at) {
            Some(b'"') => NodeValue::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => NodeValue::Number(self.number()?),
            Some(b'a'..=b'z' | b'A'..=b'Z') => self.word()?,
            Some(b'}' | b']' | b',') => return self.unexpected("expected a value"),
            Some(b'+') => {
                let why = "JSON spec does not allow numbers to have plus signs: enable `JsonReadFeature.ALLOW_LEADING_PLUS_SIGN_FOR_NUMBERS` to allow";
                return self.fail(&format!("Unexpected character ('+' (code 43)) in numeric value: {why}"), start + 1);
            }
            _ => return self.unexpected("expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"),
        };
        Ok(Node { value, start, end: self.at })
    }

    /// The key of the next entry, up to its value.
    fn key(&mut self, object: &mut OpenObject<'a>) -> Result<()> {
        self.skip_blanks();
        match self.bytes.get(self.at) {
            Some(b'"') => {}
            None if object.fields.is_empty() => return self.unclosed("Object", object.start),
            None => return self.ends_within("Object", true),
            Some(_) => return self.unexpected("was expecting double-quote to start field name"),
        }
        object.key = self.string()?;
        if object.key_was_seen() {
            return self.fail(&format!("Duplicate field '{}'", object.key), self.at);
        }
        self.skip_blanks();
        match self.bytes.get(self.at) {
            Some(b':') => self.at += 1,
            None => return self.ends_within("Object", false),
            Some(_) => return self.unexpected("was expecting a colon to separate field name and value"),
        }
        self.skip_blanks();
        if self.at >= self.bytes.len() {
            return self.ends_within("Object", false);
        }
        Ok(())
    }

    fn string(&mut self) -> Result<Cow<'a, str>> {
        let start = self.at + 1;
        self.at = start;
        loop {
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    let text = self.text.get(start..self.at).unwrap_or_default();
                    self.at += 1;
                    return Ok(Cow::Borrowed(text));
                }
                Some(b'\\') => break,
                Some(byte) if *byte < 0x20 => return self.control_character(*byte),
                Some(_) => self.at += 1,
                None => return self.unclosed_string(),
            }
        }
        let mut text = self.text.get(start..self.at).unwrap_or_default().to_owned();
        loop {
            let run = self.at;
            while self.bytes.get(self.at).is_some_and(|byte| !matches!(byte, b'"' | b'\\') && *byte >= 0x20) {
                self.at += 1;
            }
            text.push_str(self.text.get(run..self.at).unwrap_or_default());
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Cow::Owned(text));
                }
                Some(b'\\') => {
                    self.at += 1;
                    let character = self.escape()?;
                    text.push(character);
                }
                Some(byte) => return self.control_character(*byte),
                None => return self.unclosed_string(),
            }
        }
    }

    fn unclosed_string<T>(&self) -> Result<T> {
        let reason = format!("Unexpected end-of-input in VALUE_STRING\n at {}", location(self.bytes, self.bytes.len()));
        Err(Error::JsonEof { reason })
    }

    fn control_character<T>(&self, byte: u8) -> Result<T> {
        self.fail(
            &format!(
                "Illegal unquoted character ((CTRL-CHAR, code {byte})): has to be escaped using backslash to be included in string value"
            ),
            self.at,
        )
    }

    fn escape(&mut self) -> Result<char> {
        let byte = self.bytes.get(self.at).copied();
        self.at += 1;
        Ok(match byte {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let high = self.hex()?;
                if (0xD800..0xDC00).contains(&high) && self.bytes.get(self.at..self.at + 2) == Some(b"\\u") {
                    let back = self.at;
                    self.at += 2;
                    let low = self.hex()?;
                    if (0xDC00..0xE000).contains(&low) {
                        let code = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                        return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                    self.at = back;
                }
                // Half a surrogate pair is no character.
                char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            Some(found) => {
                return self.fail(&format!("Unrecognized character escape '{}' (code {found})", found as char), self.at - 1);
            }
            None => return self.end_of_input("in character escape sequence"),
        })
    }

    fn hex(&mut self) -> Result<u32> {
        let digits = self.text.get(self.at..self.at + 4).filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match digits.and_then(|text| u32::from_str_radix(text, 16).ok()) {
            Some(code) => {
                self.at += 4;
                Ok(code)
            }
            None => {
                self.at += self.bytes.get(self.at..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
                self.unexpected("expected a hex-digit for character escape sequence")
            }
        }
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        self.at - start
    }

    fn number(&mut self) -> Result<&'a str> {
        let start = self.at;
        if self.bytes.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        let first = self.bytes.get(self.at).copied();
        let count = self.digits();
        if count == 0 {
            return self.bad_number("expected digit (0-9) to follow minus sign, for valid numeric value");
        }
        if first == Some(b'0') && count > 1 {
            return self.fail("Invalid numeric value: Leading zeroes not allowed", self.at - count + 1);
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return self.bad_number("Decimal point not followed by a digit");
            }
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.bytes.get(self.at) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return self.bad_number("Exponent indicator not followed by a digit");
            }
        }
        if let Some(byte) = self.bytes.get(self.at)
            && !matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | b',' | b'}' | b']')
        {
            return self.unexpected("was expecting comma to separate Object entries");
        }
        Ok(self.text.get(start..self.at).unwrap_or_default())
    }

    fn word(&mut self) -> Result<NodeValue<'a>> {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
            self.at += 1;
        }
        match self.text.get(start..self.at).unwrap_or_default() {
            "null" => Ok(NodeValue::Null),
            "true" => Ok(NodeValue::Bool(true)),
            "false" => Ok(NodeValue::Bool(false)),
            word @ ("NaN" | "Infinity") => {
                self.fail(&format!("Non-standard token '{word}': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow"), self.at)
            }
            word => self.fail(
                &format!(
                    "Unrecognized token '{word}': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
                ),
                (self.at + 1).min(self.bytes.len()),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(source: &str) -> String {
        parse(source.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_tree_holds_what_serde_reads() {
        let source = r#" {"a": [1, -2.50, "x\u00e9\n\ud83d\ude00", null, true], "b": {}, "c": "plain"} "#;
        let node = parse(source.as_bytes()).unwrap();
        assert_eq!(node.preview(), "{a=[1, -2.5, xé\n😀, null, true], b={}, c=plain}");
    }

    #[test]
    fn errors_name_the_place() {
        assert!(reason(r#"{"a":1,"a":2}"#).starts_with("Duplicate field 'a'\n at "));
        assert!(reason(r#"{"a":1,"a":2}"#).ends_with("line: 1, column: 11]"));
        assert!(reason(r#"{"a":}"#).starts_with("Unexpected character ('}' (code 125)): expected a value"));
        assert!(reason(r#"{"a":}"#).ends_with("line: 1, column: 6]"));
        assert!(reason(r#"{"a":1"#).starts_with("Unexpected end-of-input: expected close marker for Object (start marker at "));
        assert_eq!(reason(r#"{"a":1}{"b":2}"#), "Malformed content, found extra data after parsing: START_OBJECT");
        assert!(reason(r#"{"f":NaN}"#).ends_with("line: 1, column: 9]"));
    }

    #[test]
    fn many_keys_are_still_compared() {
        let fields: String = (0..40).map(|number| format!("\"k{number}\":1,")).collect();
        assert!(parse(format!("{{{fields}\"z\":1}}").as_bytes()).is_ok());
        assert!(reason(&format!("{{{fields}\"k39\":1}}")).starts_with("Duplicate field 'k39'"));
    }

    #[test]
    fn doubles_print_as_java_prints_them() {
        for (value, text) in
            [(5.0, "5.0"), (5.5, "5.5"), (1e30, "1.0E30"), (9.3e18, "9.3E18"), (2147483648.5, "2.1474836485E9"), (1e-4, "1.0E-4")]
        {
            assert_eq!(java_double(value), text);
        }
    }

    #[test]
    fn depth_is_bounded_without_overflow() {
        assert!(matches!(parse("[".repeat(5_000).as_bytes()), Err(Error::StreamConstraints { .. })));
    }
}
