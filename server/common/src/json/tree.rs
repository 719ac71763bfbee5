//! JSON as a tree that remembers where each value stood and how each number was written.
//!
//! serde's values forget both, and both are part of the answers: errors name line and column, a keyword keeps `1.0` as it
//! was sent, and a key that occurs twice is refused. Nothing here calls itself for each level of the text, so that no text
//! can exhaust the stack.

use super::DEPTH_MAX;
use crate::error::{Error, Result};
use serde_json::{Map, Number, Value};
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Write as _;

/// How many keys of one object are compared one by one before a set is built.
const LINEAR_KEYS_MAX: usize = 24;

/// Line and column, from 1; columns count bytes.
pub type Place = (u32, u32);

/// One JSON value with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node<'a> {
    /// What it is.
    pub value: NodeValue<'a>,
    /// The byte at which it starts.
    pub start: usize,
    /// The byte after its last; for objects and arrays, after their first.
    pub end: usize,
    /// Where it starts.
    pub place: Place,
    /// Where an object or array closes; for others, where they start.
    pub close: Place,
    /// Where its key starts, if it is the value of a field.
    pub key_place: Place,
}

/// The kinds of JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeValue<'a> {
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
    /// Where the text stopped making sense: the last of what [`parse_open`] read.
    Broken(Error),
}

impl Node<'_> {
    /// Jackson's name of the token.
    pub fn token_name(&self) -> &'static str {
        match &self.value {
            NodeValue::Null => "VALUE_NULL",
            NodeValue::Bool(true) => "VALUE_TRUE",
            NodeValue::Bool(false) => "VALUE_FALSE",
            NodeValue::Number(text) if is_whole(text) => "VALUE_NUMBER_INT",
            NodeValue::Number(_) => "VALUE_NUMBER_FLOAT",
            NodeValue::Text(_) => "VALUE_STRING",
            NodeValue::Array(_) => "START_ARRAY",
            NodeValue::Object(_) => "START_OBJECT",
            NodeValue::Broken(_) => "null",
        }
    }

    /// The name of the token as parsers of requests call it, which know only one kind of boolean and of number.
    pub fn kind_name(&self) -> &'static str {
        match &self.value {
            NodeValue::Bool(_) => "VALUE_BOOLEAN",
            NodeValue::Number(_) => "VALUE_NUMBER",
            _ => self.token_name(),
        }
    }

    /// Whether it is `{…}`.
    pub fn is_object(&self) -> bool {
        matches!(self.value, NodeValue::Object(_))
    }

    /// Whether it is `[…]`.
    pub fn is_array(&self) -> bool {
        matches!(self.value, NodeValue::Array(_))
    }

    /// Whether there is no value to read: `null`, or the place where the text breaks.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self.value, NodeValue::Null | NodeValue::Broken(_))
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        self.value == NodeValue::Null
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            NodeValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The fields of an object, up to the place where the text breaks; none for other values.
    pub fn fields(&self) -> impl Iterator<Item = Result<(&str, &Node<'_>)>> {
        let fields: &[_] = if let NodeValue::Object(fields) = &self.value { fields } else { &[] };
        fields.iter().map(|(key, node)| node.unbroken().map(|node| (&**key, node)))
    }

    /// The items of an array, up to the place where the text breaks; none for other values.
    pub fn items(&self) -> impl Iterator<Item = Result<&Node<'_>>> {
        let items: &[_] = if let NodeValue::Array(items) = &self.value { items } else { &[] };
        items.iter().map(Node::unbroken)
    }

    /// The node itself, or what is wrong with the text at this place.
    fn unbroken(&self) -> Result<&Self> {
        if let NodeValue::Broken(error) = &self.value { Err(error.clone()) } else { Ok(self) }
    }

    /// A boolean, which may also be written as text.
    ///
    /// # Errors
    /// Any other value, in the words of Jackson where it is no text.
    pub fn flag(&self) -> Result<bool> {
        match &self.value {
            NodeValue::Bool(flag) => Ok(*flag),
            NodeValue::Text(text) => match text.as_ref() {
                "true" => Ok(true),
                "false" => Ok(false),
                text => Err(Error::illegal_argument(format!("Failed to parse value [{text}] as only [true] or [false] are allowed."))),
            },
            _ => {
                let (token, (line, column)) = (self.token_name(), self.after());
                let place = location_text(line, column);
                Err(Error::JsonParse { reason: format!("Current token ({token}) not of boolean type\n at {place}") })
            }
        }
    }

    /// The place behind the value; for objects and arrays, behind what opens them.
    pub fn after(&self) -> Place {
        let length = u32::try_from(self.end.saturating_sub(self.start)).unwrap_or(u32::MAX);
        (self.place.0, self.place.1.saturating_add(length))
    }

    /// The value without its places.
    ///
    /// # Errors
    /// The text breaks somewhere inside.
    pub fn to_value(&self) -> Result<Value> {
        // What is open stands on a stack of its own, as it does while reading.
        let mut open: Vec<Building<'_, '_>> = Vec::new();
        let mut node = self;
        loop {
            let mut value = match &node.unbroken()?.value {
                NodeValue::Null | NodeValue::Broken(_) => Value::Null,
                NodeValue::Bool(flag) => Value::Bool(*flag),
                NodeValue::Number(text) => number_value(text),
                NodeValue::Text(text) => Value::String(text.to_string()),
                NodeValue::Array(items) => match items.split_first() {
                    None => Value::Array(Vec::new()),
                    Some((first, rest)) => {
                        open.push(Building::Array(Vec::with_capacity(items.len()), rest));
                        node = first;
                        continue;
                    }
                },
                NodeValue::Object(fields) => match fields.split_first() {
                    None => Value::Object(Map::new()),
                    Some(((key, first), rest)) => {
                        open.push(Building::Object(Map::with_capacity(fields.len()), key, rest));
                        node = first;
                        continue;
                    }
                },
            };
            loop {
                match open.pop() {
                    None => return Ok(value),
                    Some(Building::Array(mut values, rest)) => {
                        values.push(value);
                        if let Some((next, rest)) = rest.split_first() {
                            open.push(Building::Array(values, rest));
                            node = next;
                            break;
                        }
                        value = Value::Array(values);
                    }
                    Some(Building::Object(mut values, key, rest)) => {
                        values.insert(key.to_owned(), value);
                        if let Some(((key, next), rest)) = rest.split_first() {
                            open.push(Building::Object(values, key, rest));
                            node = next;
                            break;
                        }
                        value = Value::Object(values);
                    }
                }
            }
        }
    }

    /// The value as Java prints it (`{a=[1, b]}`), for the preview in errors.
    pub fn preview(&self) -> String {
        let mut text = String::new();
        self.write_preview(&mut text);
        text
    }

    fn write_preview(&self, out: &mut String) {
        match &self.value {
            NodeValue::Null | NodeValue::Broken(_) => out.push_str("null"),
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

/// A value whose parts are not all there yet, and the parts that are to come.
enum Building<'n, 'a> {
    Array(Vec<Value>, &'n [Node<'a>]),
    Object(Map<String, Value>, &'n str, &'n [(Cow<'a, str>, Node<'a>)]),
}

/// A number; one that no double holds stays a text, which numbers may be written as anyway.
fn number_value(text: &str) -> Value {
    text.parse::<Number>().map_or_else(|_| Value::String(text.to_owned()), Value::Number)
}

/// Whether a JSON number has neither fraction nor exponent.
pub fn is_whole(text: &str) -> bool {
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
pub fn location(source: &[u8], at: usize) -> String {
    let (line, column) = line_column(source, at);
    location_text(line, column)
}

/// As [`location`], of a line and a column.
pub fn location_text(line: impl std::fmt::Display, column: impl std::fmt::Display) -> String {
    format!("[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: {line}, column: {column}]")
}

/// Line and column of a byte, from 1.
pub fn line_column(source: &[u8], at: usize) -> (usize, usize) {
    let before = source.get(..at).unwrap_or(source);
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|&&byte| byte != b'\n').count() + 1;
    (line, column)
}

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
        let (_, extra) = parse_with_breaks(br#"{"a":1}{"b":2}"#);
        assert_eq!(extra.unwrap().to_string(), "Malformed content, found extra data after parsing: START_OBJECT");
        assert!(reason(r#"{"f":NaN}"#).ends_with("line: 1, column: 9]"));
    }

    #[test]
    fn a_broken_text_is_read_up_to_its_break() {
        for text in [r#"{"a":1,"b":[2,{"c":"#, r#"{"a":1,"b":[2,{"c":tru"#, r#"{"a":1,"b":[2,{"c":3 5"#] {
            let (root, extra) = parse_open(text.as_bytes());
            assert!(extra.is_none());
            let fields: Vec<_> = root.fields().collect::<Result<_>>().unwrap();
            assert_eq!(fields.iter().map(|(key, _)| *key).collect::<Vec<_>>(), ["a", "b"]);
            let items: Vec<_> = fields[1].1.items().collect::<Result<_>>().unwrap();
            assert!(items[1].fields().any(|field| field.is_err()), "{text}");
            assert_eq!(root.to_value().unwrap_err(), parse(text.as_bytes()).unwrap_err());
        }
        assert!(parse_open(b"{\"a\":1,").0.fields().nth(1).unwrap().is_err());
        assert!(parse_open(b"{} x").1.unwrap().unbroken().is_err());
        assert_eq!(parse_open(b"{} []").1.unwrap().place, (1, 4));
    }

    #[test]
    fn values_and_keys_know_their_places() {
        let root = parse(b" {\"a\": 5,\n  \"b\" : [1,\n2 ]}").unwrap();
        let places: Vec<_> = root.fields().map(|field| field.unwrap().1).map(|node| (node.key_place, node.place, node.close)).collect();
        assert_eq!(places, [((1, 3), (1, 8), (1, 8)), ((2, 3), (2, 9), (3, 3))]);
        assert_eq!((root.place, root.close), ((1, 2), (3, 4)));
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
