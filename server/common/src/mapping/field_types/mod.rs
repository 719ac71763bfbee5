//! The catalogue of field types: their names, their parameters, and how each reads a value.
//!
//! *What it is*: one entry per type. · *Types to know*: [`FieldType`], [`Parameter`], [`DateFormat`]. · **Invariants**: a
//! parameter is listed once per type, in the order in which OpenSearch prints it; what a parameter may become later is said
//! here and nowhere else. · *How it fails*: the value readers return the cause; who calls them adds the field and the
//! document. · *How it is tested*: beside the code.

mod civil;
mod date;
mod date_pattern;
mod parameters;
mod values;

pub use date::{DATE_FORMAT_DEFAULT, DateFormat, Rounding, parse_date_math, parse_zone};
pub(super) use parameters::{Kind, Parameter, Update, accepted_and_dropped, parameters};
pub(super) use values::{Number, number_from_text, read_bool, read_date, read_number, read_text};
pub use values::{number_of_query, query_number, round_to_float, round_to_half_float};

use serde::{Deserialize, Serialize};

/// What the values of a field are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// Analyzed text.
    Text,
    /// Text taken whole.
    Keyword,
    /// 64 bits.
    Long,
    /// 32 bits.
    Integer,
    /// 16 bits.
    Short,
    /// 8 bits.
    Byte,
    /// A 64-bit float.
    Double,
    /// A 32-bit float.
    Float,
    /// A 16-bit float.
    HalfFloat,
    /// True or false.
    Boolean,
    /// A moment, kept in milliseconds since 1970.
    Date,
}

impl FieldType {
    const ALL: [(&'static str, FieldType); 11] = [
        ("text", FieldType::Text),
        ("keyword", FieldType::Keyword),
        ("long", FieldType::Long),
        ("integer", FieldType::Integer),
        ("short", FieldType::Short),
        ("byte", FieldType::Byte),
        ("double", FieldType::Double),
        ("float", FieldType::Float),
        ("half_float", FieldType::HalfFloat),
        ("boolean", FieldType::Boolean),
        ("date", FieldType::Date),
    ];

    /// The type with this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, found)| *found)
    }

    /// OpenSearch's name.
    pub fn name(self) -> &'static str {
        match self {
            FieldType::Text => "text",
            FieldType::Keyword => "keyword",
            FieldType::Long => "long",
            FieldType::Integer => "integer",
            FieldType::Short => "short",
            FieldType::Byte => "byte",
            FieldType::Double => "double",
            FieldType::Float => "float",
            FieldType::HalfFloat => "half_float",
            FieldType::Boolean => "boolean",
            FieldType::Date => "date",
        }
    }

    /// long, integer, short, byte.
    pub fn is_whole_number(self) -> bool {
        matches!(self, FieldType::Long | FieldType::Integer | FieldType::Short | FieldType::Byte)
    }

    /// double, float, half_float.
    pub fn is_float(self) -> bool {
        matches!(self, FieldType::Double | FieldType::Float | FieldType::HalfFloat)
    }

    /// Any number; dates and booleans are none.
    pub fn is_number(self) -> bool {
        self.is_whole_number() || self.is_float()
    }

    /// The lowest and highest value of a whole-number type.
    pub fn whole_range(self) -> Option<(i64, i64)> {
        match self {
            FieldType::Long => Some((i64::MIN, i64::MAX)),
            FieldType::Integer => Some((i64::from(i32::MIN), i64::from(i32::MAX))),
            FieldType::Short => Some((i64::from(i16::MIN), i64::from(i16::MAX))),
            FieldType::Byte => Some((i64::from(i8::MIN), i64::from(i8::MAX))),
            FieldType::Text
            | FieldType::Keyword
            | FieldType::Double
            | FieldType::Float
            | FieldType::HalfFloat
            | FieldType::Boolean
            | FieldType::Date => None,
        }
    }
}

/// Whether `Double.parseDouble` takes a text.
pub(super) fn is_double(text: &str) -> bool {
    values::java_parse_double(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_one_name() {
        for (name, field_type) in FieldType::ALL {
            assert_eq!(field_type.name(), name);
            assert_eq!(FieldType::from_name(name), Some(field_type));
        }
        assert_eq!(FieldType::from_name("object"), None);
    }
}
