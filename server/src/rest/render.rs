//! How JSON is written: compact, pretty as OpenSearch indents, as YAML, with figures that people can read.

use serde::Serialize as _;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};
use serde_json::{Map, Value};
use std::io::{self, Write};
use std::time::Duration;
use tandem_common::units::{format_bytes, format_time};

/// Two blanks per level, a blank before each colon, `{ }` and `[ ]` for nothing.
struct OpenSearchFormatter {
    inner: PrettyFormatter<'static>,
    empty: bool,
}

impl Formatter for OpenSearchFormatter {
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.empty = true;
        self.inner.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        if std::mem::take(&mut self.empty) {
            writer.write_all(b" ")?;
        }
        self.inner.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.empty = false;
        self.inner.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.inner.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.empty = true;
        self.inner.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        if std::mem::take(&mut self.empty) {
            writer.write_all(b" ")?;
        }
        self.inner.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.empty = false;
        self.inner.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b" : ")
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.inner.end_object_value(writer)
    }
}

fn write_with<F: Formatter>(value: &Value, formatter: F) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    value.serialize(&mut serializer).expect("a JSON value serializes into memory");
    bytes
}

/// Compact JSON.
pub(crate) fn compact(value: &Value) -> Vec<u8> {
    write_with(value, CompactFormatter)
}

/// JSON for people, with a newline at its end.
pub(crate) fn pretty(value: &Value) -> Vec<u8> {
    let mut bytes = write_with(value, OpenSearchFormatter { inner: PrettyFormatter::with_indent(b"  "), empty: false });
    bytes.push(b'\n');
    bytes
}

/// The same as YAML, every text quoted.
pub(crate) fn yaml(value: &Value) -> Vec<u8> {
    let mut text = String::from("---");
    match value {
        Value::Object(fields) if !fields.is_empty() => yaml_fields(fields, 0, false, &mut text),
        Value::Array(items) if !items.is_empty() => yaml_items(items, 0, &mut text),
        other => text.push_str(&format!(" {other}")),
    }
    text.push('\n');
    text.into_bytes()
}

/// A field or item below its name; a list stands as deep as its name, an object one level deeper.
fn yaml_inner(value: &Value, depth: usize, text: &mut String) {
    match value {
        Value::Object(fields) if !fields.is_empty() => yaml_fields(fields, depth + 1, false, text),
        Value::Array(items) if !items.is_empty() => yaml_items(items, depth, text),
        other => text.push_str(&format!(" {other}")),
    }
}

fn yaml_fields(fields: &Map<String, Value>, depth: usize, mut on_item: bool, text: &mut String) {
    for (name, value) in fields {
        if !std::mem::take(&mut on_item) {
            text.push('\n');
            text.push_str(&"  ".repeat(depth));
        }
        let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '/'));
        match plain && !name.starts_with('-') {
            true => text.push_str(name),
            false => text.push_str(&Value::from(name.as_str()).to_string()),
        }
        text.push(':');
        yaml_inner(value, depth, text);
    }
}

fn yaml_items(items: &[Value], depth: usize, text: &mut String) {
    for item in items {
        text.push('\n');
        text.push_str(&"  ".repeat(depth));
        text.push('-');
        match item {
            Value::Object(fields) if !fields.is_empty() => {
                text.push(' ');
                yaml_fields(fields, depth + 1, true, text);
            }
            other => yaml_inner(other, depth + 1, text),
        }
    }
}

/// `human`: beside every `…_in_bytes`, `…_in_millis` and date a twin that people can read.
pub(crate) fn with_human_twins(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut all = Map::new();
            for (name, inner) in fields {
                if let Some((twin, text)) = human_twin(&name, &inner) {
                    all.insert(twin, text.into());
                }
                all.insert(name, with_human_twins(inner));
            }
            Value::Object(all)
        }
        Value::Array(items) => items.into_iter().map(with_human_twins).collect(),
        other => other,
    }
}

fn human_twin(name: &str, value: &Value) -> Option<(String, String)> {
    if let Some(base) = name.strip_suffix("_in_bytes") {
        return Some((base.to_owned(), format_bytes(value.as_u64()?)));
    }
    if let Some(base) =
        name.strip_suffix("_in_millis").or_else(|| (name == "task_max_waiting_in_queue_millis").then(|| &name[..name.len() - 7]))
    {
        let millis = value.as_u64()?;
        let text = if millis == 0 { "0s".to_owned() } else { format_time(Duration::from_millis(millis)) };
        return Some((base.to_owned(), text));
    }
    match name {
        "active_shards_percent_as_number" => Some(("active_shards_percent".to_owned(), format!("{:.1}%", value.as_f64()?))),
        "creation_date" => Some(("creation_date_string".to_owned(), iso_time(value.as_str()?.parse().ok()?))),
        "created" if value.is_string() => Some(("created_string".to_owned(), super::root::VERSION.to_owned())),
        _ => None,
    }
}

/// Milliseconds since 1970 as `2026-11-24T06:08:43.400Z`.
pub(crate) fn iso_time(millis: i64) -> String {
    let (days, rest) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
    let (year, month, day) = civil_from_days(days);
    let (hour, minute, second, milli) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60, rest % 1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

/// The date of a day since 1970, by counting eras of 400 years from the first of March of the year 0.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pretty_is_indented_as_opensearch_does_it() {
        let value = json!({"a": {}, "b": [], "c": {"d": [1, "x"]}});
        assert_eq!(
            String::from_utf8(pretty(&value)).unwrap(),
            "{\n  \"a\" : { },\n  \"b\" : [ ],\n  \"c\" : {\n    \"d\" : [\n      1,\n      \"x\"\n    ]\n  }\n}\n"
        );
        assert_eq!(pretty(&json!({})), b"{ }\n");
    }

    #[test]
    fn yaml_quotes_texts_and_indents_objects() {
        let value = json!({"took": 2, "hits": {"total": {"value": 1}, "hits": [{"_id": "1", "_source": {"t": "a b"}}, "x"], "none": []}});
        assert_eq!(
            String::from_utf8(yaml(&value)).unwrap(),
            "---\ntook: 2\nhits:\n  total:\n    value: 1\n  hits:\n  - _id: \"1\"\n    _source:\n      t: \"a b\"\n  - \"x\"\n  none: []\n"
        );
        assert_eq!(String::from_utf8(yaml(&json!([{"index": "a"}]))).unwrap(), "---\n- index: \"a\"\n");
        assert_eq!(yaml(&json!([])), b"--- []\n");
    }

    #[test]
    fn figures_get_a_twin_for_people() {
        let value = with_human_twins(json!({"size_in_bytes": 2048, "took_in_millis": 1500, "index": {"creation_date": "1795500523400"}}));
        assert_eq!(
            value.to_string(),
            r#"{"size":"2kb","size_in_bytes":2048,"took":"1.5s","took_in_millis":1500,"index":{"creation_date_string":"2026-11-24T06:08:43.400Z","creation_date":"1795500523400"}}"#
        );
    }
}
