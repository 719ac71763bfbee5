//! By what hits are ordered: what was asked, and the values that order them.

use super::sort_nested::NestedSort;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::cmp::Ordering;
use std::net::Ipv6Addr;
use tandem_common::json::{Node, NodeValue, Place, java_double};
use tandem_common::mapping::field_types::print_ip;
use tandem_common::settings::nearest;
use tandem_common::{Error, Result};

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SortOrder {
    /// Lowest first.
    Asc,
    /// Highest first.
    Desc,
}

/// Where documents without a value come.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Missing {
    First,
    Last,
    /// As if they had this.
    Value(Value),
}

/// Which of several values counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SortMode {
    Min,
    Max,
    Sum,
    Avg,
    Median,
}

/// One thing that hits are ordered by.
#[derive(Clone, Debug, PartialEq)]
pub struct SortSpec {
    /// A field, or `_score`, or `_doc`.
    pub field: String,
    /// Which way.
    pub order: SortOrder,
    pub(super) missing: Missing,
    pub(super) mode: Option<SortMode>,
    pub(super) unmapped_type: Option<String>,
    pub(super) nested: Option<NestedSort>,
}

const OPTIONS: [&str; 7] = ["order", "missing", "mode", "unmapped_type", "numeric_type", "nested", "nested_path"];

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn parse_order(text: &str) -> Result<SortOrder> {
    match text.to_uppercase().as_str() {
        "ASC" => Ok(SortOrder::Asc),
        "DESC" => Ok(SortOrder::Desc),
        other => Err(Error::illegal_argument(format!("No enum constant org.opensearch.search.sort.SortOrder.{other}"))),
    }
}

fn malformed() -> Error {
    Error::illegal_argument("malformed sort format, within the sort array, an object, or an actual string are allowed")
}

impl SortSpec {
    /// Orders by a field, `_score` (best first) or `_doc`.
    pub fn by(field: &str) -> Self {
        let order = if field == "_score" { SortOrder::Desc } else { SortOrder::Asc };
        SortSpec { field: field.to_owned(), order, missing: Missing::Last, mode: None, unmapped_type: None, nested: None }
    }

    /// Reads `sort` of a body: a name, an object, or a list of both.
    pub(super) fn read(node: &Node<'_>) -> Result<Vec<SortSpec>> {
        let mut specs = Vec::new();
        if node.is_array() {
            for item in node.items() {
                let item = item?;
                if item.is_object() || item.as_str().is_some() {
                    Self::read_one(item, &mut specs)?;
                } else {
                    return Err(malformed());
                }
            }
        } else {
            Self::read_one(node, &mut specs)?;
        }
        Ok(specs)
    }

    /// Reads one entry of the URL's `sort`: `field` or `field:desc`.
    ///
    /// # Errors
    /// An order that is none.
    pub fn parse_url(text: &str) -> Result<SortSpec> {
        match text.rsplit_once(':') {
            // What is no direction leaves the usual one.
            Some((field, order)) => {
                let mut spec = Self::by(field);
                spec.order = parse_order(order).unwrap_or(spec.order);
                Ok(spec)
            }
            None => Ok(Self::by(text)),
        }
    }

    fn read_one(node: &Node<'_>, specs: &mut Vec<SortSpec>) -> Result<()> {
        match &node.value {
            NodeValue::Object(_) => {
                for field in node.fields() {
                    let (field, options) = field?;
                    specs.push(Self::read_field(field, options)?);
                }
            }
            NodeValue::Array(_) => {
                return Err(malformed());
            }
            NodeValue::Text(field) => specs.push(Self::by(field)),
            _ => specs.push(Self::by(&text_of(&node.to_value()?))),
        }
        Ok(())
    }

    fn read_field(field: &str, options: &Node<'_>) -> Result<SortSpec> {
        let mut spec = Self::by(field);
        let parser = if field == "_score" { "_score" } else { "field_sort" };
        if field == "_geo_distance" || field == "_script" {
            return Err(Error::illegal_argument(format!("sorting by [{field}] is not supported")));
        }
        let refused = |(line, column): Place, what: String, cause: Option<Error>| Error::XContentParse {
            reason: format!("[{line}:{column}] [{parser}] {what}"),
            cause: cause.map(Box::new),
        };
        if let Some(order) = options.as_str() {
            spec.order = parse_order(order)?;
            return Ok(spec);
        }
        if !options.is_object() {
            // The parser has gone on to what closes the sort.
            return Err(refused(options.after(), "Expected START_OBJECT but was: END_OBJECT".to_owned(), None));
        }
        for field in options.fields() {
            let (key, node) = field?;
            let value = node.to_value()?;
            let failed = |cause: Error| refused(node.place, format!("failed to parse field [{key}]"), Some(cause));
            match key {
                "order" => spec.order = parse_order(&text_of(&value)).map_err(failed)?,
                "missing" => {
                    spec.missing = match value.as_str() {
                        Some("_first") => Missing::First,
                        Some("_last") => Missing::Last,
                        _ => Missing::Value(value.clone()),
                    }
                }
                "mode" => spec.mode = Some(parse_mode(&text_of(&value)).map_err(failed)?),
                "unmapped_type" => spec.unmapped_type = Some(text_of(&value)),
                "numeric_type" if ["long", "double", "date", "date_nanos"].contains(&text_of(&value).as_str()) => {}
                "numeric_type" => {
                    let reason =
                        format!("invalid value for [numeric_type], must be [long, double, date, date_nanos], got {}", text_of(&value));
                    return Err(Error::illegal_argument(reason));
                }
                "nested" if !node.is_object() => {
                    return Err(refused(node.place, format!("nested doesn't support values of type: {}", node.kind_name()), None));
                }
                "nested" => spec.nested = NestedSort::read(node).map_err(failed)?,
                "nested_path" => spec.nested = Some(NestedSort::of_path(&text_of(&value))),
                _ => {
                    let hint = nearest(OPTIONS, key).map(|near| format!(" did you mean [{near}]?")).unwrap_or_default();
                    return Err(refused(node.key_place, format!("unknown field [{key}]{hint}"), None));
                }
            }
        }
        Ok(spec)
    }

    /// What [`SortSpec::read`] reads as this.
    pub fn to_json(&self) -> Value {
        let mut options = Map::new();
        options.insert("order".to_owned(), if self.order == SortOrder::Asc { "asc" } else { "desc" }.into());
        match &self.missing {
            Missing::Last => {}
            Missing::First => drop(options.insert("missing".to_owned(), "_first".into())),
            Missing::Value(value) => drop(options.insert("missing".to_owned(), value.clone())),
        }
        if let Some(mode) = self.mode {
            options.insert("mode".to_owned(), format!("{mode:?}").to_lowercase().into());
        }
        if let Some(unmapped_type) = &self.unmapped_type {
            options.insert("unmapped_type".to_owned(), unmapped_type.clone().into());
        }
        if let Some(nested) = &self.nested {
            options.insert("nested".to_owned(), nested.to_json());
        }
        json!({self.field.as_str(): options})
    }

    pub(super) fn is_best_score_first(&self) -> bool {
        self.field == "_score" && self.order == SortOrder::Desc
    }

    /// Which of two values of this comes first.
    pub(super) fn compare(&self, a: &SortValue, b: &SortValue) -> Ordering {
        match (a, b) {
            (SortValue::Null, SortValue::Null) => Ordering::Equal,
            // Only texts are null; numbers stand at an end of their range instead.
            (SortValue::Null, _) => {
                if self.missing == Missing::First {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (_, SortValue::Null) => {
                if self.missing == Missing::First {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            _ => {
                let ordering = a.compare(b);
                if self.order == SortOrder::Asc { ordering } else { ordering.reverse() }
            }
        }
    }
}

fn parse_mode(text: &str) -> Result<SortMode> {
    Ok(match text.to_lowercase().as_str() {
        "min" => SortMode::Min,
        "max" => SortMode::Max,
        "sum" => SortMode::Sum,
        "avg" => SortMode::Avg,
        "median" => SortMode::Median,
        _ => return Err(Error::illegal_argument(format!("Unknown SortMode [{text}]"))),
    })
}

/// A value that a hit is ordered by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum SortValue {
    /// No text.
    Null,
    /// A whole number, a date in milliseconds, a boolean as 0 or 1.
    Long(i64),
    /// A number, as its bits: infinities stand for missing ones and JSON has no word for them.
    Double(#[serde(with = "bits64")] f64),
    /// A number of 32 bits, or a score.
    Float(#[serde(with = "bits32")] f32),
    /// A text.
    Text(String),
    /// A whole number beyond those with a sign.
    Unsigned(u64),
    /// An address.
    Ip(Ipv6Addr),
}

mod bits64 {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(value.to_bits())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        u64::deserialize(deserializer).map(f64::from_bits)
    }
}

mod bits32 {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &f32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(value.to_bits())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f32, D::Error> {
        u32::deserialize(deserializer).map(f32::from_bits)
    }
}

impl SortValue {
    fn number(&self) -> Option<f64> {
        match self {
            SortValue::Long(value) => Some(*value as f64),
            SortValue::Double(value) => Some(*value),
            SortValue::Float(value) => Some(f64::from(*value)),
            SortValue::Unsigned(value) => Some(*value as f64),
            SortValue::Null | SortValue::Text(_) | SortValue::Ip(_) => None,
        }
    }

    fn compare(&self, other: &SortValue) -> Ordering {
        match (self, other) {
            (SortValue::Long(a), SortValue::Long(b)) => a.cmp(b),
            (SortValue::Text(a), SortValue::Text(b)) => a.cmp(b),
            (SortValue::Unsigned(a), SortValue::Unsigned(b)) => a.cmp(b),
            (SortValue::Ip(a), SortValue::Ip(b)) => a.cmp(b),
            // Indices may map a field differently; numbers still compare, and come before texts.
            _ => match (self.number(), other.number()) {
                (Some(a), Some(b)) => a.total_cmp(&b),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => Ordering::Equal,
            },
        }
    }

    /// The value as hits show it.
    pub fn to_json(&self) -> Value {
        let number = |value: f64, text: String| {
            if value.is_finite() { text.parse::<f64>().map_or(Value::Null, Value::from) } else { java_double(value).into() }
        };
        match self {
            SortValue::Null => Value::Null,
            SortValue::Long(value) => (*value).into(),
            SortValue::Double(value) => number(*value, value.to_string()),
            // The shortest text of 32 bits, not that of the same number in 64.
            SortValue::Float(value) => number(f64::from(*value), value.to_string()),
            SortValue::Text(text) => text.as_str().into(),
            SortValue::Unsigned(value) => (*value).into(),
            SortValue::Ip(address) => print_ip(*address).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_the_wire_and_print_as_opensearch_prints_them() {
        for (value, printed) in [
            (SortValue::Null, json!(null)),
            (SortValue::Long(i64::MAX), json!(i64::MAX)),
            (SortValue::Double(f64::INFINITY), json!("Infinity")),
            (SortValue::Float(f32::NEG_INFINITY), json!("-Infinity")),
            (SortValue::Float(0.1), json!(0.1)),
            (SortValue::Text("a".to_owned()), json!("a")),
            (SortValue::Unsigned(u64::MAX), json!(u64::MAX)),
            (SortValue::Ip("::ffff:10.0.0.1".parse().unwrap()), json!("10.0.0.1")),
        ] {
            let text = serde_json::to_string(&value).unwrap();
            assert_eq!(serde_json::from_str::<SortValue>(&text).unwrap(), value);
            assert_eq!(value.to_json(), printed);
        }
    }

    #[test]
    fn missing_texts_come_where_they_were_asked_to() {
        let mut spec = SortSpec::by("tag");
        let text = SortValue::Text("a".to_owned());
        for order in [SortOrder::Asc, SortOrder::Desc] {
            spec.order = order;
            spec.missing = Missing::Last;
            assert_eq!(spec.compare(&SortValue::Null, &text), Ordering::Greater);
            spec.missing = Missing::First;
            assert_eq!(spec.compare(&SortValue::Null, &text), Ordering::Less);
        }
    }
}
