//! The values of the parameters of fields: each of the shape that its kind asks for, and kept in the form in which it is printed.

use super::MappingRules;
use super::definition::{java_class, java_value, named_bool, plain_bool, sorted};
use super::field_types::{DateFormat, FieldType, GeoPoint, Kind, Parameter, number_from_text, unsigned_from_text};
use crate::error::{Error, Result};
use serde_json::Value;

/// A parameter's value in its printed form; `None` where it is the default.
pub(super) fn read_parameter(
    parameter: &Parameter,
    value: &Value,
    field: &str,
    field_type: FieldType,
    rules: &MappingRules,
) -> Result<Option<Value>> {
    let text = || java_value(value);
    Ok(match parameter.kind {
        Kind::Bool(default) => Some(plain_bool(value)?).filter(|value| *value != default).map(Value::from),
        Kind::ExplicitBool(_) if field_type == FieldType::GeoPoint => {
            Some(named_bool(value, &format!("{field}.{}", parameter.name))?.into())
        }
        Kind::ExplicitBool(_) => Some(plain_bool(value)?.into()),
        Kind::Int(default) | Kind::ExplicitInt(default) => {
            let number = match value {
                Value::Number(number) => match number.as_i64() {
                    Some(number) => number,
                    None => return Err(Error::illegal_argument(format!("{number} is not an integer value"))),
                },
                other => {
                    let text = java_value(other);
                    text.parse().map_err(|_| Error::NumberFormat { input: text })?
                }
            };
            if i32::try_from(number).is_err() {
                return Err(Error::illegal_argument(format!("{number} is not an integer value")));
            }
            (number != default || matches!(parameter.kind, Kind::ExplicitInt(_))).then(|| number.into())
        }
        Kind::Positive => {
            let number = match value.as_f64() {
                Some(number) => number,
                None => text().parse().map_err(|_| Error::NumberFormat { input: text() })?,
            };
            if number.is_nan() || number <= 0.0 {
                let shown = crate::json::java_double(number);
                return Err(Error::illegal_argument(format!("[{}] must be a positive number, got [{shown}]", parameter.name)));
            }
            Some(number.into())
        }
        Kind::Float(default) => {
            let number = match value.as_f64() {
                Some(number) => number,
                None => text().parse().map_err(|_| Error::NumberFormat { input: text() })?,
            };
            (number != default).then(|| number.into())
        }
        Kind::Word(words) => {
            let word = text();
            if !words.contains(&word.as_str()) {
                let list = words.join(", ");
                let reason = format!("Unknown value [{word}] for field [{}] - accepted values are [{list}]", parameter.name);
                return Err(Error::mapper_parsing(reason));
            }
            (words.first() != Some(&word.as_str())).then(|| word.into())
        }
        Kind::Text(_) if field_type == FieldType::ConstantKeyword && !value.is_string() => {
            return Err(Error::parse(format!("Field [{field}] is expected to be a string value")));
        }
        Kind::Path => Some(text().into()),
        Kind::Similarity => {
            let name = text();
            if !rules.knows_similarity(&name) {
                return Err(Error::mapper_parsing(format!("Unknown Similarity type [{name}] for field [{field}]")));
            }
            Some(name.into())
        }
        Kind::Frequencies => Some(read_frequencies(value, field)?),
        Kind::Prefixes => Some(read_prefixes(value, field)?),
        Kind::Text(default) => Some(text()).filter(|text| Some(text.as_str()) != default).map(Value::from),
        Kind::Format => {
            let format = text();
            DateFormat::new(&format).map_err(|cause| Error::IllegalArgument {
                reason: format!("Error parsing [{}] on field [{field}]: {cause}", parameter.name),
                cause: Some(Box::new(cause)),
            })?;
            (format != super::field_types::DATE_FORMAT_DEFAULT).then(|| format.into())
        }
        Kind::Analyzer => {
            let name = text();
            if !rules.knows_analyzer(&name) {
                return Err(Error::illegal_argument(format!("analyzer [{name}] has not been configured in mappings")));
            }
            (name != "default" || parameter.name != "analyzer").then(|| name.into())
        }
        Kind::Normalizer => {
            let name = text();
            if !rules.knows_normalizer(&name) {
                return Err(Error::mapper_parsing(format!("normalizer [{name}] not found for field [{field}]")));
            }
            (name != "default").then(|| name.into())
        }
        Kind::NullValue if value.is_null() => None,
        Kind::NullValue => Some(null_value(value, field_type)?),
        Kind::Meta => read_meta(value, field)?,
        Kind::Fields => None,
    })
}

/// At most this many texts in a `meta`, with keys and values of at most so many characters.
const META_ENTRIES_MAX: usize = 5;
const META_KEY_LENGTH_MAX: usize = 20;
const META_VALUE_LENGTH_MAX: usize = 50;

fn read_meta(value: &Value, field: &str) -> Result<Option<Value>> {
    let Value::Object(fields) = value else {
        let reason = format!("[meta] must be an object, got {}[{}] for field [{field}]", java_class(value), java_value(value));
        return Err(Error::mapper_parsing(reason));
    };
    let refuse = |reason: String| Err(Error::mapper_parsing(reason));
    if fields.len() > META_ENTRIES_MAX {
        let count = fields.len();
        return refuse(format!("[meta] can't have more than {META_ENTRIES_MAX} entries, but got {count} on field [{field}]"));
    }
    for (key, value) in fields {
        if key.chars().count() > META_KEY_LENGTH_MAX {
            return refuse(format!("[meta] keys can't be longer than {META_KEY_LENGTH_MAX} chars, but got [{key}] for field [{field}]"));
        }
        match value {
            Value::String(text) if text.chars().count() > META_VALUE_LENGTH_MAX => {
                return refuse(format!(
                    "[meta] values can't be longer than {META_VALUE_LENGTH_MAX} chars, but got [{text}] for field [{field}]"
                ));
            }
            Value::String(_) => {}
            Value::Null => return refuse(format!("[meta] values can't be null (field [{field}])")),
            other => {
                let (class, shown) = (java_class(other), java_value(other));
                return refuse(format!("[meta] values can only be strings, but got {class}[{shown}] for field [{field}]"));
            }
        }
    }
    Ok(Some(sorted(value)).filter(|_| !fields.is_empty()))
}

/// The numbers of an object that has no others than these, with what they are when they are not given.
fn read_numbers<const N: usize>(value: &Value, field: &str, known: [(&str, f64); N]) -> Result<[f64; N]> {
    let Value::Object(fields) = value else {
        let class = java_class(value);
        let reason = format!("Expected map for a parameter of field [{field}] but got a class java.lang.{class}");
        return Err(Error::mapper_parsing(reason));
    };
    if let Some((key, value)) = fields.iter().find(|(key, _)| known.iter().all(|(name, _)| name != key)) {
        let list = format!("[{key} : {}]", java_value(value));
        return Err(Error::mapper_parsing(format!("Mapping definition for [{field}] has unsupported parameters:  {list}")));
    }
    let mut found = known.map(|(_, default)| default);
    for (number, (name, _)) in found.iter_mut().zip(known) {
        if let Some(value) = fields.get(name) {
            let text = java_value(value);
            *number = text.parse().map_err(|_| Error::NumberFormat { input: text })?;
        }
    }
    Ok(found)
}

fn read_frequencies(value: &Value, field: &str) -> Result<Value> {
    let [min, max, size] = read_numbers(value, field, [("min", 0.0), ("max", 2_147_483_647.0), ("min_segment_size", 0.0)])?;
    Ok(serde_json::json!({"min": min, "max": max, "min_segment_size": size as i64}))
}

fn read_prefixes(value: &Value, field: &str) -> Result<Value> {
    let [min, max] = read_numbers(value, field, [("min_chars", 2.0), ("max_chars", 5.0)])?.map(|number| number as i64);
    let reason = if min > max {
        format!("min_chars [{min}] must be less than max_chars [{max}]")
    } else if min < 1 {
        format!("min_chars [{min}] must be greater than zero")
    } else if max >= 20 {
        format!("max_chars [{max}] must be less than 20")
    } else {
        return Ok(serde_json::json!({"min_chars": min, "max_chars": max}));
    };
    Err(Error::illegal_argument(reason))
}

fn null_value(value: &Value, field_type: FieldType) -> Result<Value> {
    let text = java_value(value);
    Ok(match field_type {
        FieldType::Boolean => plain_bool(value)?.into(),
        FieldType::UnsignedLong => unsigned_from_text(&text)?.into(),
        FieldType::GeoPoint => {
            let point = GeoPoint::read(value, true)?;
            point.check("")?;
            serde_json::json!({"lat": point.latitude, "lon": point.longitude})
        }
        _ if field_type.is_whole_number() => {
            let number: f64 = text.parse().map_err(|_| Error::NumberFormat { input: text.clone() })?;
            // What is no number at all was refused above, in other words.
            number_from_text(&text, field_type)?;
            text.parse::<i64>().unwrap_or(number as i64).into()
        }
        _ if field_type.is_float() || field_type == FieldType::ScaledFloat => {
            let number: f64 = text.parse().map_err(|_| Error::NumberFormat { input: text.clone() })?;
            number.into()
        }
        _ => text.into(),
    })
}
