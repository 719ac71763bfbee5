//! The catalogue of field types: their names, their parameters, and how each reads a value.
//!
//! *What it is*: one entry per type. · *Types to know*: [`FieldType`], [`Parameter`], [`DateFormat`]. · **Invariants**: a
//! parameter is listed once per type, in the order in which OpenSearch prints it; what a parameter may become later is said
//! here and nowhere else. · *How it fails*: the value readers return the cause; who calls them adds the field and the
//! document. · *How it is tested*: beside the code.

mod binary;
mod civil;
mod completion;
mod date;
mod date_pattern;
mod flat_object;
mod geo_point;
mod ip;
mod misfit;
mod moment;
mod parameters;
mod range;
mod unsigned;
mod values;

pub(super) use binary::read_base64;
pub(super) use completion::read_completion;
pub use date::{DATE_FORMAT_DEFAULT, DateFormat, Rounding, parse_zone};
pub(super) use flat_object::read_flat_object;
pub use flat_object::{flat_entry, flat_path_bounds, split_flat_entry};
pub use geo_point::GeoPoint;
pub(super) use geo_point::{is_point_array, read_geo_point};
pub use ip::{parse_cidr, parse_ip, print_ip};
pub(super) use misfit::Misfit;
pub use moment::{Moment, parse_date_math};
pub(super) use parameters::{Kind, Parameter, Update, accepted_and_dropped, is_strict_about_parameters, parameters};
pub use range::{RangeBounds, sortable_double, unsortable_double};
pub(super) use range::{RangeReader, read_range};
pub use unsigned::query_unsigned;
pub(super) use unsigned::{read_unsigned, unsigned_from_text};
pub(super) use values::{Number, number_from_text, read_bool, read_date, read_number, read_scaled, read_text};
pub use values::{number_of_query, query_number, round_to_float, round_to_half_float, scaled};

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
    /// 64 bits without a sign.
    UnsignedLong,
    /// A 64-bit float.
    Double,
    /// A 32-bit float.
    Float,
    /// A 16-bit float.
    HalfFloat,
    /// A decimal, kept as a whole number of its smallest steps.
    ScaledFloat,
    /// True or false.
    Boolean,
    /// A moment, kept in milliseconds since 1970.
    Date,
    /// A moment, kept in nanoseconds since 1970.
    DateNanos,
    /// An address, of version 4 or 6.
    Ip,
    /// A place on earth.
    GeoPoint,
    /// An object whose leaves are keywords under their paths.
    FlatObject,
    /// Bytes, written in base64.
    Binary,
    /// One text that every document has.
    ConstantKeyword,
    /// Analyzed text without lengths and frequencies.
    MatchOnlyText,
    /// Text taken whole, searched with patterns.
    Wildcard,
    /// From one 32-bit number to another.
    IntegerRange,
    /// From one 64-bit number to another.
    LongRange,
    /// From one 32-bit float to another.
    FloatRange,
    /// From one 64-bit float to another.
    DoubleRange,
    /// From one moment to another.
    DateRange,
    /// From one address to another.
    IpRange,
    /// How many words a text has.
    TokenCount,
    /// What suggestions are made from.
    Completion,
    /// Analyzed text that is searched while it is typed.
    SearchAsYouType,
    /// Another name of a field; it has no values of its own.
    Alias,
}

impl FieldType {
    const ALL: [(&'static str, FieldType); 31] = [
        ("text", FieldType::Text),
        ("keyword", FieldType::Keyword),
        ("long", FieldType::Long),
        ("integer", FieldType::Integer),
        ("short", FieldType::Short),
        ("byte", FieldType::Byte),
        ("unsigned_long", FieldType::UnsignedLong),
        ("double", FieldType::Double),
        ("float", FieldType::Float),
        ("half_float", FieldType::HalfFloat),
        ("scaled_float", FieldType::ScaledFloat),
        ("boolean", FieldType::Boolean),
        ("date", FieldType::Date),
        ("date_nanos", FieldType::DateNanos),
        ("ip", FieldType::Ip),
        ("geo_point", FieldType::GeoPoint),
        ("flat_object", FieldType::FlatObject),
        ("binary", FieldType::Binary),
        ("constant_keyword", FieldType::ConstantKeyword),
        ("match_only_text", FieldType::MatchOnlyText),
        ("wildcard", FieldType::Wildcard),
        ("integer_range", FieldType::IntegerRange),
        ("long_range", FieldType::LongRange),
        ("float_range", FieldType::FloatRange),
        ("double_range", FieldType::DoubleRange),
        ("date_range", FieldType::DateRange),
        ("ip_range", FieldType::IpRange),
        ("token_count", FieldType::TokenCount),
        ("completion", FieldType::Completion),
        ("search_as_you_type", FieldType::SearchAsYouType),
        ("alias", FieldType::Alias),
    ];

    /// The type with this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, found)| *found)
    }

    /// OpenSearch's name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name)
    }

    /// long, integer, short, byte, and counts of words.
    pub fn is_whole_number(self) -> bool {
        matches!(self, FieldType::Long | FieldType::Integer | FieldType::Short | FieldType::Byte | FieldType::TokenCount)
    }

    /// double, float, half_float.
    pub fn is_float(self) -> bool {
        matches!(self, FieldType::Double | FieldType::Float | FieldType::HalfFloat)
    }

    /// Any number; dates and booleans are none.
    pub fn is_number(self) -> bool {
        self.is_whole_number() || self.is_float() || matches!(self, FieldType::UnsignedLong | FieldType::ScaledFloat)
    }

    /// date, date_nanos.
    pub fn is_date(self) -> bool {
        matches!(self, FieldType::Date | FieldType::DateNanos)
    }

    /// Text that is cut into words.
    pub fn is_text(self) -> bool {
        matches!(self, FieldType::Text | FieldType::MatchOnlyText | FieldType::SearchAsYouType)
    }

    /// Text that is searched as a whole, through its terms.
    pub fn is_keyword(self) -> bool {
        matches!(self, FieldType::Keyword | FieldType::Wildcard | FieldType::Completion)
    }

    /// From one value to another.
    pub fn is_range(self) -> bool {
        self.bound_type().is_some()
    }

    /// The type of the two ends of a range.
    pub fn bound_type(self) -> Option<FieldType> {
        match self {
            FieldType::IntegerRange => Some(FieldType::Integer),
            FieldType::LongRange => Some(FieldType::Long),
            FieldType::FloatRange => Some(FieldType::Float),
            FieldType::DoubleRange => Some(FieldType::Double),
            FieldType::DateRange => Some(FieldType::Date),
            FieldType::IpRange => Some(FieldType::Ip),
            _ => None,
        }
    }

    /// The lowest and highest value of a whole-number type.
    pub fn whole_range(self) -> Option<(i64, i64)> {
        match self {
            FieldType::Long => Some((i64::MIN, i64::MAX)),
            FieldType::Integer | FieldType::TokenCount => Some((i64::from(i32::MIN), i64::from(i32::MAX))),
            FieldType::Short => Some((i64::from(i16::MIN), i64::from(i16::MAX))),
            FieldType::Byte => Some((i64::from(i8::MIN), i64::from(i8::MAX))),
            _ => None,
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
