//! Whole numbers of 64 bits without a sign.

use super::super::FieldValue;
use super::values::{java_parse_double, not_numeric};
use crate::error::{Error, Result};
use crate::json::{Node, NodeValue, is_whole, java_double};

/// 2^64 as a float: the first number that does not fit.
const BEYOND: f64 = 18_446_744_073_709_551_616.0;

fn out_of_range(shown: &str) -> Error {
    Error::illegal_argument(format!("Value [{shown}] is out of range for an unsigned long"))
}

fn looks_whole(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The whole number before the point of a plain decimal: a float would not hold all its digits.
fn before_point(text: &str) -> Option<&str> {
    let (whole, fraction) = text.split_once('.')?;
    (looks_whole(whole) && fraction.bytes().all(|byte| byte.is_ascii_digit())).then_some(whole)
}

/// The part before the point.
fn whole_of(value: f64) -> Result<u64> {
    // Everything between -1 and 0 is cut to 0.
    if value > -1.0 && value < BEYOND { Ok(value as u64) } else { Err(out_of_range(&format!("{:.0}", value.trunc()))) }
}

/// Reads a number; `None` for an empty text under `coerce`.
pub(in crate::mapping) fn read_unsigned(node: &Node<'_>, coerce: bool, source: &[u8]) -> Result<Option<u64>> {
    match &node.value {
        NodeValue::Number(text) if is_whole(text) => text.parse().map(Some).map_err(|_| out_of_range(text)),
        NodeValue::Number(text) => {
            let value: f64 = text.parse().map_err(|_| Error::NumberFormat { input: (*text).to_owned() })?;
            if !coerce && value.fract() != 0.0 {
                let shown = java_double(value);
                return Err(Error::illegal_argument(format!("{shown} cannot be converted to BigInteger without data loss")));
            }
            match before_point(text) {
                // Between -1 and 0 there is a sign and nothing to sign.
                Some(whole) if value > -1.0 => whole.trim_start_matches('-').parse().map(Some).map_err(|_| out_of_range(whole)),
                _ => whole_of(value).map(Some),
            }
        }
        NodeValue::Text(_) if !coerce => Err(Error::illegal_argument("BigInteger value passed as String")),
        NodeValue::Text(text) if text.is_empty() => Ok(None),
        NodeValue::Text(text) => match unsigned_from_text(text) {
            Err(Error::NumberFormat { input }) => Err(Error::illegal_argument(format!("For input string: \"{input}\""))),
            read => read.map(Some),
        },
        NodeValue::Null | NodeValue::Bool(_) | NodeValue::Array(_) | NodeValue::Object(_) | NodeValue::Broken(_) => {
            Err(not_numeric(node, source))
        }
    }
}

/// Reads a number from text and cuts it at the point.
///
/// # Errors
/// Text that is no number, or one out of range.
pub(in crate::mapping) fn unsigned_from_text(text: &str) -> Result<u64> {
    if let Some(whole) = before_point(text).or_else(|| looks_whole(text).then_some(text)).filter(|whole| *whole != "-0") {
        return whole.strip_prefix('+').unwrap_or(whole).parse().map_err(|_| out_of_range(whole));
    }
    match java_parse_double(text) {
        Some(value) if !value.is_nan() => whole_of(value),
        _ => Err(Error::NumberFormat { input: text.to_owned() }),
    }
}

/// A number of a query as the field would hold it; `None` for a fraction that no whole number equals.
///
/// # Errors
/// Text that is no number, or one out of range.
pub fn query_unsigned(text: &str) -> Result<Option<FieldValue>> {
    if looks_whole(text) {
        return unsigned_from_text(text).map(FieldValue::Unsigned).map(Some);
    }
    let value = java_parse_double(text).ok_or_else(|| Error::NumberFormat { input: text.to_owned() })?;
    if !(0.0..BEYOND).contains(&value) {
        return Err(out_of_range(text));
    }
    Ok((value.fract() == 0.0).then_some(FieldValue::Unsigned(value as u64)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse_tree as parse;

    fn read(source: &str, coerce: bool) -> Result<Option<u64>> {
        read_unsigned(&parse(source.as_bytes()).unwrap(), coerce, source.as_bytes())
    }

    #[test]
    fn all_sixty_four_bits_are_read() {
        for (source, expected) in [
            ("18446744073709551615", Some(u64::MAX)),
            (r#""18446744073709551615""#, Some(u64::MAX)),
            ("1.5", Some(1)),
            ("-0.5", Some(0)),
            ("10223372036854775807.23", Some(10_223_372_036_854_775_807)),
            (r#""10223372036854775807.23""#, Some(10_223_372_036_854_775_807)),
            (r#""1.5""#, Some(1)),
            ("1e19", Some(10_000_000_000_000_000_000)),
            (r#""""#, None),
        ] {
            assert_eq!(read(source, true).unwrap(), expected, "{source}");
        }
        for (source, coerce, reason) in [
            ("18446744073709551616", true, "Value [18446744073709551616] is out of range for an unsigned long"),
            ("-1", true, "Value [-1] is out of range for an unsigned long"),
            (r#""-1""#, true, "Value [-1] is out of range for an unsigned long"),
            ("1e20", true, "Value [100000000000000000000] is out of range for an unsigned long"),
            (r#""abc""#, true, "For input string: \"abc\""),
            (r#""5""#, false, "BigInteger value passed as String"),
            ("1.5", false, "1.5 cannot be converted to BigInteger without data loss"),
        ] {
            assert_eq!(read(source, coerce).unwrap_err().to_string(), reason, "{source}");
        }
    }

    #[test]
    fn queries_are_not_cut() {
        assert_eq!(query_unsigned("5.5").unwrap(), None);
        assert_eq!(query_unsigned("5.0").unwrap(), Some(FieldValue::Unsigned(5)));
        assert_eq!(query_unsigned("-5").unwrap_err().to_string(), "Value [-5] is out of range for an unsigned long");
        assert_eq!(query_unsigned("1.0E20").unwrap_err().to_string(), "Value [1.0E20] is out of range for an unsigned long");
    }
}
