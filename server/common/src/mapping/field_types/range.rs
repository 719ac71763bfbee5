//! From one value to another: both ends are kept with what they include, so that searches compare plain numbers.

use super::values::{Number, not_numeric, read_number, round_to_float};
use super::{DateFormat, FieldType, Misfit, Rounding, parse_cidr, parse_date_math, parse_ip};
use crate::error::{Error, Result};
use crate::json::{Node, NodeValue, java_double};
use std::net::Ipv6Addr;

/// The ends of a range, both inside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RangeBounds {
    /// Whole numbers, milliseconds, and floats as [`sortable_double`] makes them.
    Number(i64, i64),
    /// Addresses.
    Ip(Ipv6Addr, Ipv6Addr),
}

/// A float as a whole number that keeps its order.
pub fn sortable_double(value: f64) -> i64 {
    let bits = value.to_bits().cast_signed();
    bits ^ ((bits >> 63) & i64::MAX)
}

/// The float that [`sortable_double`] made this of.
pub fn unsortable_double(bits: i64) -> f64 {
    f64::from_bits((bits ^ ((bits >> 63) & i64::MAX)).cast_unsigned())
}

/// What one end of a range is before it is known which.
#[derive(Clone, Copy)]
enum End {
    Number(i64),
    Ip(Ipv6Addr),
}

impl FieldType {
    /// The ends of a range of this type that names none.
    fn open_ends(self) -> (End, End) {
        match self {
            FieldType::Integer => (End::Number(i64::from(i32::MIN)), End::Number(i64::from(i32::MAX))),
            FieldType::Float | FieldType::Double => {
                (End::Number(sortable_double(f64::NEG_INFINITY)), End::Number(sortable_double(f64::INFINITY)))
            }
            FieldType::Ip => (End::Ip(Ipv6Addr::UNSPECIFIED), End::Ip(Ipv6Addr::from_bits(u128::MAX))),
            _ => (End::Number(i64::MIN), End::Number(i64::MAX)),
        }
    }

    /// The next value of this type, up or down; beyond the last comes the first, as in Java.
    pub fn next_bound(self, value: i64, up: bool) -> i64 {
        match self {
            FieldType::Float => {
                let single = unsortable_double(value) as f32;
                sortable_double(f64::from(if up { single.next_up() } else { single.next_down() }))
            }
            FieldType::Double => {
                let double = unsortable_double(value);
                sortable_double(if up { double.next_up() } else { double.next_down() })
            }
            FieldType::Integer => {
                let narrow = value as i32;
                i64::from(if up { narrow.wrapping_add(1) } else { narrow.wrapping_sub(1) })
            }
            _ => {
                if up {
                    value.wrapping_add(1)
                } else {
                    value.wrapping_sub(1)
                }
            }
        }
    }
}

/// The next address, up or down; beyond the last comes the first.
pub(super) fn next_address(address: Ipv6Addr, up: bool) -> Ipv6Addr {
    let bits = address.to_bits();
    Ipv6Addr::from_bits(if up { bits.wrapping_add(1) } else { bits.wrapping_sub(1) })
}

/// How the values of a range field are read.
#[derive(Clone, Copy)]
pub(in crate::mapping) struct RangeReader<'r> {
    /// The type of the ends.
    pub(in crate::mapping) bound: FieldType,
    /// The last part of the field's name, for errors.
    pub(in crate::mapping) field: &'r str,
    pub(in crate::mapping) coerce: bool,
    pub(in crate::mapping) format: &'r DateFormat,
    pub(in crate::mapping) source: &'r [u8],
}

/// Reads a range.
pub(in crate::mapping) fn read_range(node: &Node<'_>, reader: RangeReader<'_>) -> Result<RangeBounds, Misfit> {
    let field = reader.field;
    let fields = match &node.value {
        NodeValue::Object(fields) => fields,
        NodeValue::Text(text) if reader.bound == FieldType::Ip => {
            let (low, high) = parse_cidr(text)?;
            return Ok(RangeBounds::Ip(low, high));
        }
        _ => {
            let reason = format!("error parsing field [{field}], expected an object but got {field}");
            return Err(Misfit::grave(Error::mapper_parsing(reason)));
        }
    };
    let (mut low, mut high) = reader.bound.open_ends();
    for (key, value) in fields {
        let (is_low, includes) = match key.as_ref() {
            "gte" => (true, true),
            "gt" => (true, false),
            "lte" => (false, true),
            "lt" => (false, false),
            other => {
                let reason = format!("error parsing field [{field}], with unknown parameter [{other}]");
                return Err(Misfit::grave(Error::mapper_parsing(reason)).showing(value.preview()));
            }
        };
        if value.is_absent() {
            continue;
        }
        let end = reader.end(value, includes, is_low)?;
        if is_low { low = end } else { high = end }
    }
    match (low, high) {
        (End::Number(low), End::Number(high)) if low <= high => Ok(RangeBounds::Number(low, high)),
        (End::Ip(low), End::Ip(high)) if low <= high => Ok(RangeBounds::Ip(low, high)),
        (End::Number(low), End::Number(high)) => {
            let (low, high) = (reader.shown(low), reader.shown(high));
            let reason = format!("min value ({low}) is greater than max value ({high})");
            Err(Misfit::grave(Error::illegal_argument(reason)).showing("null"))
        }
        _ => {
            let reason = "min value cannot be greater than max value for InetAddressRange field";
            Err(Misfit::grave(Error::illegal_argument(reason)).showing("null"))
        }
    }
}

impl RangeReader<'_> {
    fn end(&self, node: &Node<'_>, includes: bool, is_low: bool) -> Result<End, Misfit> {
        let read = match self.bound {
            FieldType::Ip => self.text(node).and_then(|text| parse_ip(&text)).map(End::Ip),
            FieldType::Date => self.text(node).and_then(|text| self.date(&text)).map(End::Number),
            bound => match read_number(node, bound, self.coerce, self.source) {
                Ok(Some(Number::Whole(value))) => Ok(End::Number(value)),
                Ok(Some(Number::Float(value))) => Ok(End::Number(sortable_double(value))),
                Ok(None) => Err(not_numeric(node, self.source)),
                Err(cause) => Err(cause),
            },
        };
        let end = read.map_err(|cause| Misfit::from(cause).showing(self.preview(node)))?;
        Ok(match end {
            end if includes => end,
            End::Number(value) => End::Number(self.bound.next_bound(value, is_low)),
            End::Ip(address) => End::Ip(next_address(address, is_low)),
        })
    }

    fn text(&self, node: &Node<'_>) -> Result<String> {
        super::read_text(node, self.source).map(|text| text.into_owned())
    }

    fn date(&self, text: &str) -> Result<i64> {
        if text.starts_with("now") {
            let cause = Error::illegal_argument("now is not used at indexing time");
            return Err(Error::Parse { reason: "could not read the current timestamp".to_owned(), cause: Some(Box::new(cause)) });
        }
        parse_date_math(text, self.format, 0, Rounding::Down, None)
    }

    /// A float beyond its type is shown as what it was read as.
    fn preview(&self, node: &Node<'_>) -> String {
        match (&node.value, self.bound) {
            (NodeValue::Number(text), FieldType::Float) if text.parse().is_ok_and(|value: f64| round_to_float(value).is_infinite()) => {
                if text.starts_with('-') { "-Infinity" } else { "Infinity" }.to_owned()
            }
            _ => node.preview(),
        }
    }

    fn shown(&self, value: i64) -> String {
        if self.bound.is_float() { java_double(unsortable_double(value)) } else { value.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse_tree as parse;

    fn read(source: &str, bound: FieldType) -> Result<RangeBounds, Misfit> {
        let reader = RangeReader { bound, field: "r", coerce: true, format: &DateFormat::default(), source: source.as_bytes() };
        read_range(&parse(source.as_bytes()).unwrap(), reader)
    }

    #[test]
    fn floats_keep_their_order() {
        let values = [f64::NEG_INFINITY, -1e300, -1.5, -0.0, 0.0, 1e-300, 2.5, f64::INFINITY];
        assert!(values.windows(2).all(|pair| sortable_double(pair[0]) < sortable_double(pair[1])));
        assert!(values.iter().all(|value| unsortable_double(sortable_double(*value)).to_bits() == value.to_bits()));
    }

    #[test]
    fn both_ends_are_inside() {
        let int = FieldType::Integer;
        for (source, bound, low, high) in [
            (r#"{"gte":1,"lt":5}"#, int, 1, 4),
            (r#"{"gt":"1"}"#, int, 2, i64::from(i32::MAX)),
            ("{}", FieldType::Long, i64::MIN, i64::MAX),
            (r#"{"gte":null,"lte":7.9}"#, FieldType::Long, i64::MIN, 7),
            (r#"{"gte":"1970","lt":"1971"}"#, FieldType::Date, 0, 31_535_999_999),
        ] {
            assert_eq!(read(source, bound).unwrap(), RangeBounds::Number(low, high), "{source}");
        }
        let double = read(r#"{"gt":1.5,"lte":2.5}"#, FieldType::Double).unwrap();
        assert_eq!(double, RangeBounds::Number(sortable_double(1.5_f64.next_up()), sortable_double(2.5)));
        let ip = |text: &str| parse_ip(text).unwrap();
        assert_eq!(read(r#""10.0.0.0/31""#, FieldType::Ip).unwrap(), RangeBounds::Ip(ip("10.0.0.0"), ip("10.0.0.1")));
        assert_eq!(read(r#"{"gt":"::1","lt":"::5"}"#, FieldType::Ip).unwrap(), RangeBounds::Ip(ip("::2"), ip("::4")));
    }

    #[test]
    fn what_is_no_range_says_why() {
        for (source, bound, reason, shown, ignorable) in [
            (r#"{"gte":5,"lte":1}"#, FieldType::Integer, "min value (5) is greater than max value (1)", "null", false),
            (r#"{"gte":2,"lt":1}"#, FieldType::Double, "min value (2.0) is greater than max value (0.9999999999999999)", "null", false),
            (r#"{"foo":1}"#, FieldType::Integer, "error parsing field [r], with unknown parameter [foo]", "1", false),
            (r#"{"gte":"x"}"#, FieldType::Integer, "For input string: \"x\"", "x", true),
            (r#"{"gte":1e50}"#, FieldType::Float, "[float] supports only finite values, but got [Infinity]", "Infinity", true),
            (r#"{"gte":"now"}"#, FieldType::Date, "could not read the current timestamp", "now", true),
            (r#"{"gte":"x"}"#, FieldType::Ip, "'x' is not an IP string literal.", "x", true),
        ] {
            let misfit = read(source, bound).unwrap_err();
            assert_eq!(misfit.cause.to_string(), reason);
            assert_eq!((misfit.shown.as_deref(), misfit.ignorable), (Some(shown), ignorable), "{source}");
        }
        assert_eq!(read("5", FieldType::Long).unwrap_err().cause.to_string(), "error parsing field [r], expected an object but got r");
    }
}
