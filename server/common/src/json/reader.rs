//! The one reader of JSON texts. Nothing here calls itself for each level of the text, so that no text can exhaust the stack.

use super::DEPTH_MAX;
use super::tree::{Node, NodeValue, Place, line_column, location};
use crate::error::{Error, Result};
use std::borrow::Cow;
use std::collections::HashSet;

/// How many keys of one object are compared one by one before a set is built.
const LINEAR_KEYS_MAX: usize = 24;

/// Reads a whole text; what stands behind its first value does not count, as OpenSearch never looks at it.
///
/// # Errors
/// What Jackson finds wrong with it.
pub fn parse(source: &[u8]) -> Result<Node<'_>> {
    let mut reader = Reader::new(utf8(source)?);
    reader.skip_blanks();
    reader.value(&mut Vec::new())
}

/// Reads a text as far as it makes sense: the first value, and the value after it if there is one. What is wrong stands
/// in the tree as [`NodeValue::Broken`] at the place where a reader that goes through it comes upon it, so that what was
/// wrong before that place is found first.
pub fn parse_open(source: &[u8]) -> (Node<'_>, Option<Node<'_>>) {
    let mut reader = match utf8(source) {
        Ok(text) => Reader::new(text),
        Err(error) => return (Node::broken(error, (1, 1)), None),
    };
    reader.skip_blanks();
    let root = reader.open_value();
    // Behind a broken place there is nothing to look for.
    let extra = if reader.broken.is_some() { None } else { reader.after(&root) };
    (root, extra)
}

/// Reads a document as far as it makes sense, and what is wrong with it; that may also be that something follows it.
pub(crate) fn parse_with_breaks(source: &[u8]) -> (Node<'_>, Option<Error>) {
    let mut reader = match utf8(source) {
        Ok(text) => Reader::new(text),
        Err(error) => return (Node::broken(error.clone(), (1, 1)), Some(error)),
    };
    reader.skip_blanks();
    let root = reader.open_value();
    if reader.broken.is_some() {
        return (root, reader.broken);
    }
    let error = reader.after(&root).map(|extra| match extra.unbroken() {
        // One more good token is "extra data"; a broken one is an error of its own.
        Ok(extra) => Error::illegal_argument(format!("Malformed content, found extra data after parsing: {}", extra.token_name())),
        Err(error) => error,
    });
    (root, error)
}

fn utf8(source: &[u8]) -> Result<&str> {
    std::str::from_utf8(source)
        .map_err(|error| Error::JsonParse { reason: format!("Invalid UTF-8 byte\n at {}", location(source, error.valid_up_to() + 1)) })
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    line: u32,
    /// The byte at which the line starts.
    line_start: usize,
    /// What was wrong at the place where reading ended.
    broken: Option<Error>,
}

/// A value whose end has not been read.
enum Open<'a> {
    Array(OpenArray<'a>),
    Object(OpenObject<'a>),
}

struct OpenArray<'a> {
    start: usize,
    place: Place,
    items: Vec<Node<'a>>,
}

struct OpenObject<'a> {
    start: usize,
    place: Place,
    fields: Vec<(Cow<'a, str>, Node<'a>)>,
    /// The key of the value being read.
    key: Cow<'a, str>,
    key_place: Place,
    /// Every key, once there are many.
    seen: HashSet<String>,
}

impl<'a> Node<'a> {
    fn broken(error: Error, place: Place) -> Self {
        Node { value: NodeValue::Broken(error), start: 0, end: 0, place, close: place, key_place: place }
    }
}

impl<'a> Open<'a> {
    fn add(&mut self, node: Node<'a>) {
        match self {
            Open::Array(array) => array.items.push(node),
            Open::Object(object) => object.add(node),
        }
    }

    fn done(self, close: Place) -> Node<'a> {
        let (value, start, place) = match self {
            Open::Array(array) => (NodeValue::Array(array.items), array.start, array.place),
            Open::Object(object) => (NodeValue::Object(object.fields), object.start, object.place),
        };
        Node { value, start, end: start + 1, place, close, key_place: place }
    }
}

impl<'a> OpenObject<'a> {
    fn add(&mut self, node: Node<'a>) {
        self.fields.push((std::mem::take(&mut self.key), Node { key_place: self.key_place, ..node }));
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
    fn new(text: &'a str) -> Self {
        Reader { text, bytes: text.as_bytes(), at: 0, line: 1, line_start: 0, broken: None }
    }

    fn skip_blanks(&mut self) {
        while let Some(byte @ (b' ' | b'\n' | b'\r' | b'\t')) = self.bytes.get(self.at) {
            self.at += 1;
            if *byte == b'\n' {
                // Only blanks break lines: texts write theirs as escapes.
                self.line = self.line.saturating_add(1);
                self.line_start = self.at;
            }
        }
    }

    /// Where the next byte is.
    fn place(&self) -> Place {
        (self.line, u32::try_from(self.at - self.line_start + 1).unwrap_or(u32::MAX))
    }

    /// What stands behind the first value.
    fn after(&mut self, root: &Node<'a>) -> Option<Node<'a>> {
        self.skip_blanks();
        let byte = *self.bytes.get(self.at)?;
        if !matches!(byte, b'}' | b']') {
            return Some(self.open_value());
        }
        let (line, _) = line_column(self.bytes, root.start);
        let root = format!("[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: {line}]");
        let other = if byte == b'}' { ']' } else { '}' };
        let what = format!("Unexpected close marker '{}': expected '{other}' (for root starting at {root})", byte as char);
        Some(Node::broken(self.failure(&what, self.at), self.place()))
    }

    /// One value, whole or up to where it breaks.
    fn open_value(&mut self) -> Node<'a> {
        let mut open = Vec::new();
        match self.value(&mut open) {
            Ok(node) => node,
            Err(error) => {
                self.broken = Some(error.clone());
                let place = self.place();
                let mut node = Node::broken(error, place);
                while let Some(mut outer) = open.pop() {
                    outer.add(node);
                    node = outer.done(place);
                }
                node
            }
        }
    }

    fn failure(&self, what: &str, at: usize) -> Error {
        Error::JsonParse { reason: format!("{what}\n at {}", location(self.bytes, at)) }
    }

    fn fail<T>(&self, what: &str, at: usize) -> Result<T> {
        Err(self.failure(what, at))
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

    /// One whole value. Open objects and arrays stand on a stack of their own, so that depth costs no call frames; what is
    /// on it after an error is what had been read.
    fn value(&mut self, open: &mut Vec<Open<'a>>) -> Result<Node<'a>> {
        'value: loop {
            let (start, place) = (self.at, self.place());
            let mut node = match self.bytes.get(self.at) {
                Some(b'{') => {
                    self.enter(open.len())?;
                    let key = Cow::Borrowed("");
                    let mut object = OpenObject { start, place, fields: Vec::new(), key, key_place: place, seen: HashSet::new() };
                    match self.closes(b'}') {
                        Some(close) => Open::Object(object).done(close),
                        None => {
                            let key = self.key(&mut object);
                            open.push(Open::Object(object));
                            key?;
                            continue 'value;
                        }
                    }
                }
                Some(b'[') => {
                    self.enter(open.len())?;
                    let array = Open::Array(OpenArray { start, place, items: Vec::new() });
                    match self.closes(b']') {
                        Some(close) => array.done(close),
                        None => {
                            open.push(array);
                            if self.at >= self.bytes.len() {
                                return self.unclosed("Array", start);
                            }
                            continue 'value;
                        }
                    }
                }
                _ => self.scalar()?,
            };
            // A finished value may finish the ones around it.
            loop {
                let Some(outer) = open.last_mut() else { return Ok(node) };
                outer.add(node);
                self.skip_blanks();
                let close = self.place();
                match (outer, self.bytes.get(self.at)) {
                    (Open::Array(_), Some(b',')) => {
                        self.at += 1;
                        self.skip_blanks();
                        if self.at >= self.bytes.len() {
                            return self.ends_within("Array", true);
                        }
                        continue 'value;
                    }
                    (Open::Object(object), Some(b',')) => {
                        self.at += 1;
                        self.key(object)?;
                        continue 'value;
                    }
                    (Open::Array(_), Some(b']')) | (Open::Object(_), Some(b'}')) => self.at += 1,
                    (Open::Array(array), None) => return self.unclosed("Array", array.start),
                    (Open::Object(object), None) => return self.unclosed("Object", object.start),
                    (Open::Array(_), Some(_)) => return self.unexpected("was expecting comma to separate Array entries"),
                    (Open::Object(_), Some(_)) => return self.unexpected("was expecting comma to separate Object entries"),
                }
                let Some(done) = open.pop() else { return self.unexpected("expected a value") };
                node = done.done(close);
            }
        }
    }

    /// Where the value closes, if that is at once.
    fn closes(&mut self, byte: u8) -> Option<Place> {
        self.skip_blanks();
        let close = self.place();
        (self.bytes.get(self.at) == Some(&byte)).then(|| {
            self.at += 1;
            close
        })
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
        let (start, place) = (self.at, self.place());
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
        Ok(Node { value, start, end: self.at, place, close: place, key_place: place })
    }

    /// The key of the next entry, up to its value.
    fn key(&mut self, object: &mut OpenObject<'a>) -> Result<()> {
        self.skip_blanks();
        object.key_place = self.place();
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
#[path = "reader_tests.rs"]
mod tests;
