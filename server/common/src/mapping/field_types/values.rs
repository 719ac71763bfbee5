//! How each type reads a value of a document. The errors are the causes; the caller names field and document.

use super::super::FieldValue;
use super::{DateFormat, FieldType, Rounding};
use crate::error::{Error, Result};
use crate::json::{Node, NodeValue, is_whole, java_double, line_column, location};
use std::borrow::Cow;

/// A number ready for its column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::mapping) enum Number {
    Whole(i64),
    Float(f64),
}

/// The nearest 32-bit float, widened again: what a float field really holds.
pub fn round_to_float(value: f64) -> f64 {
    f64::from(value as f32)
}

/// The nearest 16-bit float, widened again (ties to even).
pub fn round_to_half_float(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    // The distance between neighbours is 2^(exponent - 10), and never less than 2^-24.
    let exponent = value.abs().log2().floor().max(-14.0);
    let step = (exponent - 10.0).exp2();
    let scaled = value / step;
    let rounded = scaled.round_ties_even() * step;
    if rounded.abs() > 65_504.0 { f64::INFINITY.copysign(value) } else { rounded }
}

pub(super) fn not_numeric(node: &Node<'_>, source: &[u8]) -> Error {
    let reason = format!(
        "Current token ({}) not numeric, can not use numeric value accessors\n at {}",
        node.token_name(),
        location(source, node.end)
    );
    Error::JsonParse { reason }
}

/// `5.5 cannot be converted to Long without data loss`, `Long value passed as String`.
fn boxed_name(field_type: FieldType) -> &'static str {
    match field_type {
        FieldType::Long => "Long",
        FieldType::Integer | FieldType::TokenCount => "Integer",
        FieldType::Short => "Short",
        FieldType::Byte => "Byte",
        FieldType::Double => "Double",
        FieldType::Float | FieldType::HalfFloat => "Float",
        _ => "Value",
    }
}

/// Reads a number; `None` for an empty text under `coerce`.
pub(in crate::mapping) fn read_number(node: &Node<'_>, field_type: FieldType, coerce: bool, source: &[u8]) -> Result<Option<Number>> {
    match &node.value {
        NodeValue::Number(text) if field_type.is_float() => {
            finite(text.parse().map_err(|_| Error::NumberFormat { input: (*text).to_owned() })?, field_type).map(Some)
        }
        NodeValue::Number(text) => whole_from_token(text, node, field_type, coerce, source).map(|value| Some(Number::Whole(value))),
        NodeValue::Text(text) => {
            if !coerce {
                return Err(Error::illegal_argument(format!("{} value passed as String", boxed_name(field_type))));
            }
            if text.is_empty() {
                return Ok(None);
            }
            number_from_text(text, field_type).map(Some)
        }
        NodeValue::Null | NodeValue::Bool(_) | NodeValue::Array(_) | NodeValue::Object(_) | NodeValue::Broken(_) => {
            Err(not_numeric(node, source))
        }
    }
}

/// Reads a number from text, as coercion and queries do.
///
/// # Errors
/// Text that is no number, or one out of the type's range.
pub(in crate::mapping) fn number_from_text(text: &str, field_type: FieldType) -> Result<Number> {
    if field_type.is_float() {
        let value = java_parse_double(text).ok_or_else(|| Error::NumberFormat { input: text.to_owned() })?;
        return finite(value, field_type);
    }
    let not_a_number = || match field_type {
        FieldType::Long => Error::illegal_argument(format!("For input string: \"{text}\"")),
        _ => Error::NumberFormat { input: text.to_owned() },
    };
    let out_of_range = || {
        let article = if field_type == FieldType::Integer { "an" } else { "a" };
        Error::illegal_argument(format!("Value [{text}] is out of range for {article} {}", field_type.name()))
    };
    let (low, high) = field_type.whole_range().unwrap_or((i64::MIN, i64::MAX));
    if let Ok(value) = text.strip_prefix('+').unwrap_or(text).parse::<i128>() {
        let value = i64::try_from(value).map_err(|_| out_of_range())?;
        return if (low..=high).contains(&value) { Ok(Number::Whole(value)) } else { Err(out_of_range()) };
    }
    let value = match field_type {
        FieldType::Long => plain_decimal(text),
        _ => java_parse_double(text),
    };
    let value = value.ok_or_else(not_a_number)?;
    // Java's cast makes nothing of NaN.
    if value.is_nan() {
        return Ok(Number::Whole(0));
    }
    let whole = whole_of(value).ok_or_else(out_of_range)?;
    if (low..=high).contains(&whole) { Ok(Number::Whole(whole)) } else { Err(out_of_range()) }
}

/// A number of a query as the field would hold it; `None` for a fraction that no whole number equals.
///
/// # Errors
/// Text that is no number, or one out of the type's range.
pub fn query_number(text: &str, field_type: FieldType) -> Result<Option<FieldValue>> {
    let value = number_of_query(text)?;
    if field_type.is_float() {
        // A value that the type cannot hold equals none that it can.
        return Ok(finite(value, field_type).ok().map(|number| match number {
            Number::Float(value) => FieldValue::Double(value),
            Number::Whole(value) => FieldValue::Long(value),
        }));
    }
    if value.fract() != 0.0 {
        return Ok(None);
    }
    match number_from_text(text, field_type)? {
        Number::Whole(value) => Ok(Some(FieldValue::Long(value))),
        Number::Float(value) => Ok(Some(FieldValue::Double(value))),
    }
}

/// Any number of a query, before its field's type is looked at.
///
/// # Errors
/// Text that is no number.
pub fn number_of_query(text: &str) -> Result<f64> {
    java_parse_double(text).ok_or_else(|| Error::NumberFormat { input: text.to_owned() })
}

/// The part before the point, if it fits 64 bits (2^63 itself is taken for the highest, as Java does).
fn whole_of(value: f64) -> Option<i64> {
    let limit = 9_223_372_036_854_775_808.0;
    (value.abs() <= limit).then_some(value as i64)
}

/// A decimal as `BigDecimal` reads it: no hexadecimal, no `5d`, no names.
fn plain_decimal(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
    if plain { text.parse().ok() } else { None }
}

/// A text as `Double.parseDouble` reads it: blanks around, `5f`, `1d`, `0x1p3`, `NaN`, `Infinity`.
pub(in crate::mapping) fn java_parse_double(text: &str) -> Option<f64> {
    let text = text.trim_matches(|letter: char| letter <= ' ');
    let (sign, digits) = match text.as_bytes().first() {
        Some(b'-') => (-1.0, text.get(1..)?),
        Some(b'+') => (1.0, text.get(1..)?),
        _ => (1.0, text),
    };
    match digits {
        "NaN" => return Some(f64::NAN),
        "Infinity" => return Some(sign * f64::INFINITY),
        _ => {}
    }
    if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        let (mantissa, exponent) = hex.split_once(['p', 'P'])?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut value = 0.0;
        for digit in whole.chars().chain(fraction.chars()) {
            value = value * 16.0 + f64::from(digit.to_digit(16)?);
        }
        let shift = exponent.parse::<i32>().ok()?.checked_sub(4 * i32::try_from(fraction.len()).ok()?)?;
        return (!mantissa.is_empty()).then_some(sign * value * f64::from(shift).exp2());
    }
    let digits = digits.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(digits);
    // Rust reads names that Java does not.
    if !digits.bytes().next().is_some_and(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    digits.parse::<f64>().ok().map(|value| sign * value)
}

fn finite(value: f64, field_type: FieldType) -> Result<Number> {
    let rounded = match field_type {
        FieldType::Float => round_to_float(value),
        FieldType::HalfFloat => round_to_half_float(value),
        _ => value,
    };
    if rounded.is_finite() {
        return Ok(Number::Float(rounded));
    }
    let shown = if field_type == FieldType::HalfFloat { value } else { rounded };
    Err(Error::illegal_argument(format!("[{}] supports only finite values, but got [{}]", field_type.name(), java_double(shown))))
}

fn whole_from_token(text: &str, node: &Node<'_>, field_type: FieldType, coerce: bool, source: &[u8]) -> Result<i64> {
    let (low, high) = field_type.whole_range().unwrap_or((i64::MIN, i64::MAX));
    let out_of_range = || {
        let range = match field_type {
            FieldType::Long => "long (-9223372036854775808 - 9223372036854775807)",
            FieldType::Short => "Java short",
            // A byte is read as an int first.
            _ => "int (-2147483648 - 2147483647)",
        };
        let reason = format!("Numeric value ({text}) out of range of {range}\n at {}", location(source, node.end));
        Error::InputCoercion { reason }
    };
    let value = if is_whole(text) {
        text.parse::<i64>().map_err(|_| out_of_range())?
    } else {
        let value: f64 = text.parse().map_err(|_| Error::NumberFormat { input: text.to_owned() })?;
        if !coerce && value.fract() != 0.0 {
            let reason = format!("{} cannot be converted to {} without data loss", java_double(value), boxed_name(field_type));
            return Err(Error::illegal_argument(reason));
        }
        whole_of(value).ok_or_else(out_of_range)?
    };
    if (low..=high).contains(&value) {
        return Ok(value);
    }
    let fits_int = i32::try_from(value).is_ok();
    if field_type == FieldType::Byte && fits_int {
        return Err(Error::illegal_argument(format!("Value [{value}] is out of range for a byte")));
    }
    Err(out_of_range())
}

/// Reads a boolean; an empty text is false.
pub(in crate::mapping) fn read_bool(node: &Node<'_>, source: &[u8]) -> Result<bool> {
    match &node.value {
        NodeValue::Bool(value) => Ok(*value),
        NodeValue::Text(text) => match text.as_ref() {
            "true" => Ok(true),
            "false" | "" => Ok(false),
            other => Err(Error::illegal_argument(format!("Failed to parse value [{other}] as only [true] or [false] are allowed."))),
        },
        NodeValue::Null | NodeValue::Number(_) | NodeValue::Array(_) | NodeValue::Object(_) | NodeValue::Broken(_) => {
            Err(Error::JsonParse {
                reason: format!("Current token ({}) not of boolean type\n at {}", node.token_name(), location(source, node.end)),
            })
        }
    }
}

/// Reads the text of any value that is no object.
pub(in crate::mapping) fn read_text<'a>(node: &'a Node<'_>, source: &[u8]) -> Result<Cow<'a, str>> {
    match &node.value {
        NodeValue::Text(text) => Ok(Cow::Borrowed(text)),
        NodeValue::Number(text) => Ok(Cow::Borrowed(text)),
        NodeValue::Bool(value) => Ok(Cow::Borrowed(if *value { "true" } else { "false" })),
        NodeValue::Null | NodeValue::Array(_) | NodeValue::Object(_) | NodeValue::Broken(_) => {
            let (line, column) = line_column(source, node.start);
            Err(Error::IllegalState { reason: format!("Can't get text on a {} at {line}:{column}", node.token_name()) })
        }
    }
}

/// A decimal as the whole number of steps that a scaled float keeps.
pub fn scaled(value: f64, factor: f64) -> i64 {
    // Java rounds halves up.
    (value * factor + 0.5).floor() as i64
}

/// Reads a decimal as its number of steps; `None` for an empty text under `coerce`.
pub(in crate::mapping) fn read_scaled(node: &Node<'_>, factor: f64, coerce: bool, source: &[u8]) -> Result<Option<i64>> {
    let value = match &node.value {
        NodeValue::Number(text) => text.parse().map_err(|_| Error::NumberFormat { input: (*text).to_owned() })?,
        NodeValue::Text(_) if !coerce => return Err(Error::illegal_argument("Double value passed as String")),
        NodeValue::Text(text) if text.is_empty() => return Ok(None),
        NodeValue::Text(text) => java_parse_double(text).ok_or_else(|| Error::NumberFormat { input: text.to_string() })?,
        NodeValue::Null | NodeValue::Bool(_) | NodeValue::Array(_) | NodeValue::Object(_) | NodeValue::Broken(_) => {
            return Err(not_numeric(node, source));
        }
    };
    if !value.is_finite() {
        return Err(Error::illegal_argument(format!("[scaled_float] only supports finite values, but got [{}]", java_double(value))));
    }
    Ok(Some(scaled(value, factor)))
}

/// Reads a date as milliseconds.
pub(in crate::mapping) fn read_date(node: &Node<'_>, format: &DateFormat, source: &[u8]) -> Result<i64> {
    let text = read_text(node, source)?;
    format.parse(&text, Rounding::Down, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse_tree as parse;

    fn number(source: &str, field_type: FieldType) -> Result<Option<Number>> {
        read_number(&parse(source.as_bytes()).unwrap(), field_type, true, source.as_bytes())
    }

    #[test]
    fn numbers_are_coerced() {
        use FieldType::{Byte, Double, Float, HalfFloat, Integer, Long};
        let whole = |value| Some(Number::Whole(value));
        let float = |value| Some(Number::Float(value));
        for (source, field_type, expected) in [
            ("5.7", Long, whole(5)),
            (r#""5.7""#, Long, whole(5)),
            (r#""+5""#, Long, whole(5)),
            (r#""1e3""#, Integer, whole(1000)),
            (r#""5.9""#, Byte, whole(5)),
            (r#""NaN""#, Integer, whole(0)),
            (r#""""#, Float, None),
            (r#""5f""#, Float, float(5.0)),
            (r#""0x1p3""#, Double, float(8.0)),
            ("9223372036854775807.0", Long, whole(i64::MAX)),
            ("0.1", Float, float(f64::from(0.1_f32))),
            ("65504", HalfFloat, float(65504.0)),
            ("0.1", HalfFloat, float(0.0999755859375)),
        ] {
            assert_eq!(number(source, field_type).unwrap(), expected, "{source}");
        }
    }

    #[test]
    fn numbers_that_do_not_fit_say_why() {
        use FieldType::{Byte, Double, Float, HalfFloat, Integer, Long, Short};
        for (source, field_type, expected) in [
            (r#""abc""#, Long, "For input string: \"abc\""),
            (r#"" 5 ""#, Long, "For input string: \" 5 \""),
            (r#""40000""#, Short, "Value [40000] is out of range for a short"),
            (r#""2147483648""#, Integer, "Value [2147483648] is out of range for an integer"),
            (r#""9223372036854775808""#, Long, "Value [9223372036854775808] is out of range for a long"),
            ("200", Byte, "Value [200] is out of range for a byte"),
            ("1e39", Float, "[float] supports only finite values, but got [Infinity]"),
            ("1e400", Double, "[double] supports only finite values, but got [Infinity]"),
            ("70000", HalfFloat, "[half_float] supports only finite values, but got [70000.0]"),
        ] {
            assert_eq!(number(source, field_type).unwrap_err().to_string(), expected, "{source}");
        }
        let reason = number("40000", Short).unwrap_err().to_string();
        assert!(reason.starts_with("Numeric value (40000) out of range of Java short\n at "), "{reason}");
        assert!(matches!(number("true", Long), Err(Error::JsonParse { .. })));
    }
}
