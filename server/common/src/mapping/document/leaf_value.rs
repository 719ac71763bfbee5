//! One value of one leaf, by the leaf's type.

use super::Reader;
use crate::error::{Error, Result};
use crate::json::{Node as Json, NodeValue};
use crate::mapping::field_types::{
    FieldType, Misfit, Number, RangeReader, Rounding, parse_ip, read_base64, read_bool, read_completion, read_date, read_flat_object,
    read_geo_point, read_number, read_range, read_scaled, read_text, read_unsigned, round_to_float,
};
use crate::mapping::{FieldValue, LeafField};

/// The longest term of an index, in bytes.
const TERM_BYTES_MAX: usize = 32_766;

impl Reader<'_> {
    /// A float beyond its type is shown as what it was read as.
    pub(super) fn as_read<'v>(&self, leaf: &LeafField, value: &Json<'v>) -> Json<'v> {
        let infinite = |text: &str| match leaf.field_type {
            FieldType::Float => text.parse().is_ok_and(|number: f64| round_to_float(number).is_infinite()),
            FieldType::Double | FieldType::ScaledFloat => text.parse().is_ok_and(f64::is_infinite),
            _ => false,
        };
        match &value.value {
            NodeValue::Number(text) if infinite(text) => {
                let shown = if text.starts_with('-') { "-Infinity" } else { "Infinity" };
                Json { value: NodeValue::Text(shown.into()), ..value.clone() }
            }
            _ => value.clone(),
        }
    }

    /// Reads a value; several of them go to the document at once.
    pub(super) fn read(
        &mut self,
        number: u32,
        leaf: &LeafField,
        value: &Json<'_>,
        array_depth: usize,
    ) -> Result<Option<FieldValue>, Misfit> {
        let options = leaf.options();
        let source = self.source;
        if value.is_absent() && !matches!(leaf.field_type, FieldType::Alias | FieldType::ConstantKeyword) {
            if leaf.field_type == FieldType::GeoPoint && array_depth > 0 {
                return Err(Error::parse("geo_point expected").into());
            }
            return Ok(options.null_value.clone());
        }
        Ok(match leaf.field_type {
            FieldType::Text | FieldType::MatchOnlyText | FieldType::SearchAsYouType | FieldType::TokenCount => {
                Some(FieldValue::Text(read_text(value, source)?.into_owned()))
            }
            FieldType::Keyword | FieldType::Wildcard => {
                let text = read_text(value, source)?;
                // Java counts UTF-16 units; the bytes are never fewer.
                if options.ignore_above.is_some_and(|limit| text.len() > limit && text.encode_utf16().count() > limit) {
                    return Ok(None);
                }
                Some(FieldValue::Text(text.into_owned()))
            }
            FieldType::Boolean => Some(FieldValue::Bool(read_bool(value, source)?)),
            FieldType::Date => Some(FieldValue::Long(read_date(value, &options.date_format, source)?)),
            FieldType::DateNanos => {
                let text = read_text(value, source)?;
                Some(FieldValue::Long(options.date_format.parse_moment(&text, Rounding::Down, None)?.to_nanos()?))
            }
            FieldType::Long
            | FieldType::Integer
            | FieldType::Short
            | FieldType::Byte
            | FieldType::Double
            | FieldType::Float
            | FieldType::HalfFloat => read_number(value, leaf.field_type, options.coerce, source)?.map(number_value),
            FieldType::UnsignedLong => read_unsigned(value, options.coerce, source)?.map(FieldValue::Unsigned),
            FieldType::ScaledFloat => read_scaled(value, options.scaling_factor, options.coerce, source)?.map(FieldValue::Long),
            FieldType::Ip => Some(FieldValue::Ip(parse_ip(&read_text(value, source)?)?)),
            FieldType::Binary => Some(FieldValue::Text(read_base64(value, source)?)),
            FieldType::GeoPoint => {
                let point = read_geo_point(value, options.ignore_z, source)?;
                if options.ignore_malformed {
                    Some(FieldValue::Unsigned(point.normalized().encode()))
                } else {
                    point.check(&format!(" for {}", leaf.path))?;
                    Some(FieldValue::Unsigned(point.encode()))
                }
            }
            FieldType::IntegerRange
            | FieldType::LongRange
            | FieldType::FloatRange
            | FieldType::DoubleRange
            | FieldType::DateRange
            | FieldType::IpRange => {
                let bound = leaf.field_type.bound_type().unwrap_or(leaf.field_type);
                let field = leaf.path.rsplit('.').next().unwrap_or_default();
                let reader = RangeReader { bound, field, coerce: options.coerce, format: &options.date_format, source };
                Some(FieldValue::Range(read_range(value, reader)?))
            }
            FieldType::FlatObject => {
                let entries = read_flat_object(value, &leaf.path)?;
                self.out.values.extend(entries.into_iter().map(|entry| (number, FieldValue::Flat(entry))));
                None
            }
            FieldType::Completion => {
                let inputs = read_completion(value, (array_depth == 0).then_some(&*leaf.path)).map_err(Misfit::grave)?;
                self.out.values.extend(inputs.into_iter().map(|input| (number, FieldValue::Text(input))));
                None
            }
            FieldType::ConstantKeyword => {
                let constant = options.constant.as_deref().unwrap_or_default();
                let refused =
                    |what: String| Misfit::grave(Error::illegal_argument(format!("constant keyword field [{}] {what}", leaf.path)));
                if value.is_absent() {
                    return Err(refused("must have a value".to_owned()));
                }
                if read_text(value, source)? != constant {
                    return Err(refused(format!("must have a value of [{constant}]")));
                }
                None
            }
            FieldType::Alias => {
                return Err(Misfit::grave(Error::illegal_argument(format!("Cannot write to a field alias [{}].", leaf.path))));
            }
        })
    }
}

pub(super) fn is_immense(leaf: &LeafField, text: &str) -> bool {
    text.len() > TERM_BYTES_MAX && (leaf.options().index || leaf.options().doc_values)
}

pub(super) fn immense_term(path: &str, text: &str) -> Error {
    let prefix: Vec<String> = text.bytes().take(30).map(|byte| byte.cast_signed().to_string()).collect();
    let original = format!("bytes can be at most {TERM_BYTES_MAX} in length; got {}", text.len());
    let reason = format!(
        "Document contains at least one immense term in field=\"{path}\" (whose UTF8 encoding is longer than the max length {TERM_BYTES_MAX}), all of which were skipped.  \
         Please correct the analyzer to not produce such terms.  The prefix of the first immense term is: '[{}]...', original message: {original}",
        prefix.join(", ")
    );
    Error::illegal_argument(reason)
}

fn number_value(number: Number) -> FieldValue {
    match number {
        Number::Whole(value) => FieldValue::Long(value),
        Number::Float(value) => FieldValue::Double(value),
    }
}
