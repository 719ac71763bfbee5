//! JSON as a tree that remembers where each value stood and how each number was written.
//!
//! serde's values forget both, and both are part of the answers: errors name line and column, a keyword keeps `1.0` as it
//! was sent, and a key that occurs twice is refused.

use crate::error::{Error, Result};
use serde_json::{Map, Number, Value};
use std::borrow::Cow;
use std::fmt::Write as _;

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
    /// Where the text stopped making sense: the last of what [`super::parse_open`] read.
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
    pub(super) fn unbroken(&self) -> Result<&Self> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_print_as_java_prints_them() {
        for (value, text) in
            [(5.0, "5.0"), (5.5, "5.5"), (1e30, "1.0E30"), (9.3e18, "9.3E18"), (2147483648.5, "2.1474836485E9"), (1e-4, "1.0E-4")]
        {
            assert_eq!(java_double(value), text);
        }
    }
}
