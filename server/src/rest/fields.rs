//! The fields of a JSON object with the places where they stand, for bodies whose parsers name line and column.

use serde_json::Value;
use serde_json::value::RawValue;
use tandem_common::json::token_name;
use tandem_common::{Error, Result, json};

/// One field of the outermost object.
#[derive(Debug)]
pub(crate) struct Field {
    /// Its name.
    pub(crate) name: String,
    /// Its value.
    pub(crate) value: Value,
    /// Line and column of the name, from 1.
    pub(crate) name_at: (u32, u32),
    /// Line and column of the value, from 1.
    pub(crate) value_at: (u32, u32),
}

/// The fields of the object in `body`, in its order, for the parser called `parser`.
///
/// # Errors
/// Text that is no JSON, a value that is no object.
pub(crate) fn of_object(body: &[u8], parser: &str) -> Result<Vec<Field>> {
    let whole = json::parse(body)?;
    let start = body.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(0);
    if !whole.is_object() {
        let (line, column) = place(body, start);
        let reason = format!("[{line}:{column}] [{parser}] Expected START_OBJECT but was: {}", token_name(&whole));
        return Err(Error::XContentParse { reason, cause: None });
    }
    let mut fields = Vec::new();
    let mut at = start + 1;
    // The text is known to be a JSON object, so every step below finds what it looks for.
    loop {
        at = skip(body, at, |byte| byte.is_ascii_whitespace() || byte == b',');
        let Some((name, after)) = one::<String>(body, at) else { return Ok(fields) };
        let value_start = skip(body, after, |byte| byte.is_ascii_whitespace() || byte == b':');
        let Some((raw, end)) = one::<&RawValue>(body, value_start) else { return Ok(fields) };
        let value = json::parse(raw.get().as_bytes())?;
        fields.push(Field { name, value, name_at: place(body, at), value_at: place(body, value_start) });
        at = end;
    }
}

fn skip(body: &[u8], from: usize, unwanted: impl Fn(u8) -> bool) -> usize {
    from + body.get(from..).unwrap_or_default().iter().take_while(|byte| unwanted(**byte)).count()
}

/// Reads one JSON value and tells where it ends.
fn one<'a, T: serde::Deserialize<'a>>(body: &'a [u8], from: usize) -> Option<(T, usize)> {
    let mut values = serde_json::Deserializer::from_slice(body.get(from..)?).into_iter::<T>();
    let value = values.next()?.ok()?;
    Some((value, from + values.byte_offset()))
}

/// Line and column of a byte, from 1.
fn place(body: &[u8], at: usize) -> (u32, u32) {
    let before = body.get(..at).unwrap_or(body);
    let line = before.iter().filter(|byte| **byte == b'\n').count();
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count();
    (u32::try_from(line + 1).unwrap_or(u32::MAX), u32::try_from(column + 1).unwrap_or(u32::MAX))
}

impl Field {
    /// The refusal of a field that the parser does not know.
    pub(crate) fn unknown(&self, parser: &str) -> Error {
        let (line, column) = self.name_at;
        Error::XContentParse { reason: format!("[{line}:{column}] [{parser}] unknown field [{}]", self.name), cause: None }
    }

    /// The refusal of a value of the wrong kind.
    pub(crate) fn wrong_kind(&self, parser: &str) -> Error {
        let ((line, column), name, token) = (self.value_at, &self.name, token_name(&self.value));
        let reason = format!("[{line}:{column}] [{parser}] {name} doesn't support values of type: {token}");
        Error::XContentParse { reason, cause: None }
    }

    /// The value as a text.
    ///
    /// # Errors
    /// Another kind of value.
    pub(crate) fn text(&self, parser: &str) -> Result<String> {
        self.value.as_str().map(str::to_owned).ok_or_else(|| self.wrong_kind(parser))
    }

    /// The value as a boolean, which may also be written as text.
    ///
    /// # Errors
    /// Another kind of value.
    pub(crate) fn bool(&self, parser: &str) -> Result<bool> {
        match &self.value {
            Value::Bool(value) => Ok(*value),
            Value::String(text) => tandem_common::settings::parse_bool(text),
            _ => Err(self.wrong_kind(parser)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_know_where_they_stand() {
        let fields = of_object(b" {\"a\": 5,\n  \"b\":{\"c\":[1]}, \"d\" : \"x\"}", "P").unwrap();
        let places: Vec<_> = fields.iter().map(|f| (f.name.as_str(), f.name_at, f.value_at)).collect();
        assert_eq!(places, [("a", (1, 3), (1, 8)), ("b", (2, 3), (2, 7)), ("d", (2, 18), (2, 24))]);
        assert_eq!(fields[0].unknown("P").to_string(), "[1:3] [P] unknown field [a]");
        assert_eq!(fields[0].wrong_kind("P").to_string(), "[1:8] [P] a doesn't support values of type: VALUE_NUMBER");
    }

    #[test]
    fn what_is_no_object_is_refused() {
        assert_eq!(of_object(b"[]", "P").unwrap_err().to_string(), "[1:1] [P] Expected START_OBJECT but was: START_ARRAY");
        assert!(matches!(of_object(b"{\"a\":", "P"), Err(Error::JsonEof { .. })));
        assert!(of_object(b"{}", "P").unwrap().is_empty());
    }
}
