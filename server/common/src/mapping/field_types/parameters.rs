//! The parameters of each field type, in the order in which a mapping prints them.

use super::FieldType;

/// One parameter of a type.
#[derive(Clone, Copy, Debug)]
pub(in crate::mapping) struct Parameter {
    /// Its name in a mapping.
    pub(in crate::mapping) name: &'static str,
    /// What its value looks like.
    pub(in crate::mapping) kind: Kind,
    /// What a later mapping may make of it.
    pub(in crate::mapping) update: Update,
}

/// What a parameter's value looks like. The default is left out when a mapping is printed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::mapping) enum Kind {
    /// A boolean with its default.
    Bool(bool),
    /// A boolean that is printed whenever it was given, with the value it has otherwise.
    ExplicitBool(bool),
    /// A whole number with its default.
    Int(i64),
    /// A number with its default.
    Float(f64),
    /// A number above zero that must be given.
    Positive,
    /// A whole number that is printed whenever it was given, with the value it has otherwise.
    ExplicitInt(i64),
    /// One of some words; the first is the default.
    Word(&'static [&'static str]),
    /// Any text; `None` is the default.
    Text(Option<&'static str>),
    /// A date format.
    Format,
    /// The name of an analyzer.
    Analyzer,
    /// The name of a normalizer.
    Normalizer,
    /// A value of the field's own type.
    NullValue,
    /// Text by text.
    Meta,
    /// Which words `fielddata` leaves out.
    Frequencies,
    /// How long the prefixes are that are kept.
    Prefixes,
    /// The name of a similarity.
    Similarity,
    /// The path that an alias stands for.
    Path,
    /// Where `fields` and `copy_to` are printed.
    Fields,
}

/// What a later mapping may make of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mapping) enum Update {
    /// It may change.
    Free,
    /// It may not.
    Never,
    /// It may become false, and not true again.
    ToFalse,
}

const fn parameter(name: &'static str, kind: Kind, update: Update) -> Parameter {
    Parameter { name, kind, update }
}

const FIELDS: Parameter = parameter("fields", Kind::Fields, Update::Free);
const META: Parameter = parameter("meta", Kind::Meta, Update::Free);
const INDEX: Parameter = parameter("index", Kind::Bool(true), Update::Never);
const DOC_VALUES: Parameter = parameter("doc_values", Kind::Bool(true), Update::Never);
const STORE: Parameter = parameter("store", Kind::Bool(false), Update::Never);
const BOOST: Parameter = parameter("boost", Kind::Float(1.0), Update::Free);
const NULL_VALUE: Parameter = parameter("null_value", Kind::NullValue, Update::Never);
const SIMILARITY: Parameter = parameter("similarity", Kind::Similarity, Update::Never);
const IGNORE_MALFORMED: Parameter = parameter("ignore_malformed", Kind::Bool(false), Update::Free);
const COERCE: Parameter = parameter("coerce", Kind::ExplicitBool(true), Update::Free);
const FORMAT: Parameter = parameter("format", Kind::Format, Update::Never);
const LOCALE: Parameter = parameter("locale", Kind::Text(Some("")), Update::Never);
const INDEX_OPTIONS: Parameter = parameter("index_options", Kind::Word(&["positions", "docs", "freqs", "offsets"]), Update::Never);
const NORMS: Parameter = parameter("norms", Kind::Bool(true), Update::ToFalse);
const TERM_VECTOR: Parameter = parameter(
    "term_vector",
    Kind::Word(&[
        "no",
        "yes",
        "with_positions",
        "with_offsets",
        "with_positions_offsets",
        "with_positions_payloads",
        "with_positions_offsets_payloads",
    ]),
    Update::Never,
);
const ANALYZER: Parameter = parameter("analyzer", Kind::Analyzer, Update::Never);
const SEARCH_ANALYZER: Parameter = parameter("search_analyzer", Kind::Analyzer, Update::Free);
const SEARCH_QUOTE_ANALYZER: Parameter = parameter("search_quote_analyzer", Kind::Analyzer, Update::Free);
const POSITION_GAP: Parameter = parameter("position_increment_gap", Kind::Int(-1), Update::Never);
const FIELDDATA: Parameter = parameter("fielddata", Kind::Bool(false), Update::Free);
const FREQUENCIES: Parameter = parameter("fielddata_frequency_filter", Kind::Frequencies, Update::Free);
const EAGER: Parameter = parameter("eager_global_ordinals", Kind::Bool(false), Update::Free);

const TEXT: &[Parameter] = &[
    BOOST,
    INDEX,
    STORE,
    FIELDS,
    META,
    INDEX_OPTIONS,
    TERM_VECTOR,
    NORMS,
    ANALYZER,
    SEARCH_ANALYZER,
    SEARCH_QUOTE_ANALYZER,
    SIMILARITY,
    EAGER,
    POSITION_GAP,
    FIELDDATA,
    FREQUENCIES,
    parameter("index_prefixes", Kind::Prefixes, Update::Never),
    parameter("index_phrases", Kind::Bool(false), Update::Never),
];

const MATCH_ONLY_TEXT: &[Parameter] = &[
    BOOST,
    INDEX,
    STORE,
    FIELDS,
    META,
    parameter("index_options", Kind::Word(&["docs"]), Update::Free),
    TERM_VECTOR,
    ANALYZER,
    SEARCH_ANALYZER,
    SEARCH_QUOTE_ANALYZER,
    SIMILARITY,
    EAGER,
    POSITION_GAP,
    FIELDDATA,
    FREQUENCIES,
];

const SEARCH_AS_YOU_TYPE: &[Parameter] = &[
    INDEX,
    STORE,
    parameter("doc_values", Kind::ExplicitBool(false), Update::Free),
    parameter("max_shingle_size", Kind::ExplicitInt(3), Update::Never),
    ANALYZER,
    SEARCH_ANALYZER,
    SEARCH_QUOTE_ANALYZER,
    SIMILARITY,
    INDEX_OPTIONS,
    NORMS,
    TERM_VECTOR,
    META,
    FIELDS,
];

const COMPLETION: &[Parameter] = &[
    parameter("analyzer", Kind::Analyzer, Update::Free),
    SEARCH_ANALYZER,
    parameter("preserve_separators", Kind::ExplicitBool(true), Update::Never),
    parameter("preserve_position_increments", Kind::ExplicitBool(true), Update::Never),
    parameter("max_input_length", Kind::ExplicitInt(50), Update::Free),
    META,
    FIELDS,
];

const TOKEN_COUNT: &[Parameter] = &[
    INDEX,
    DOC_VALUES,
    STORE,
    parameter("analyzer", Kind::Analyzer, Update::Free),
    NULL_VALUE,
    parameter("enable_position_increments", Kind::Bool(true), Update::Never),
    META,
    FIELDS,
];

const WILDCARD: &[Parameter] = &[
    NULL_VALUE,
    parameter("ignore_above", Kind::Int(IGNORE_ABOVE_DEFAULT), Update::Free),
    parameter("normalizer", Kind::Normalizer, Update::Never),
    parameter("doc_values", Kind::ExplicitBool(false), Update::Never),
    META,
    FIELDS,
];

const IP: &[Parameter] = &[INDEX, DOC_VALUES, STORE, IGNORE_MALFORMED, NULL_VALUE, META, FIELDS];

const BINARY: &[Parameter] = &[META, STORE, parameter("doc_values", Kind::Bool(false), Update::Never), FIELDS];

const GEO_POINT: &[Parameter] = &[
    DOC_VALUES,
    STORE,
    FIELDS,
    META,
    parameter("ignore_malformed", Kind::ExplicitBool(false), Update::Free),
    parameter("ignore_z_value", Kind::ExplicitBool(true), Update::Free),
    parameter("null_value", Kind::NullValue, Update::Free),
];

const RANGE: &[Parameter] = &[INDEX, DOC_VALUES, STORE, COERCE, BOOST, META, IGNORE_MALFORMED, FIELDS];

const DATE_RANGE: &[Parameter] = &[INDEX, DOC_VALUES, STORE, COERCE, FORMAT, LOCALE, BOOST, META, IGNORE_MALFORMED, FIELDS];

const SCALED_FLOAT: &[Parameter] = &[
    INDEX,
    DOC_VALUES,
    STORE,
    parameter("ignore_malformed", Kind::ExplicitBool(false), Update::Free),
    META,
    parameter("scaling_factor", Kind::Positive, Update::Never),
    COERCE,
    NULL_VALUE,
    FIELDS,
];

const CONSTANT_KEYWORD: &[Parameter] = &[parameter("value", Kind::Text(None), Update::Never)];

const ALIAS: &[Parameter] = &[parameter("path", Kind::Path, Update::Free)];

const KEYWORD: &[Parameter] = &[
    INDEX,
    DOC_VALUES,
    STORE,
    NULL_VALUE,
    EAGER,
    parameter("ignore_above", Kind::Int(IGNORE_ABOVE_DEFAULT), Update::Free),
    parameter("index_options", Kind::Word(&["docs", "freqs"]), Update::Never),
    parameter("norms", Kind::Bool(false), Update::ToFalse),
    SIMILARITY,
    parameter("use_similarity", Kind::Bool(false), Update::Free),
    parameter("normalizer", Kind::Normalizer, Update::Never),
    parameter("split_queries_on_whitespace", Kind::Bool(false), Update::Free),
    BOOST,
    META,
    FIELDS,
];

/// What `ignore_above` is when it is not given: no limit.
pub(in crate::mapping) const IGNORE_ABOVE_DEFAULT: i64 = 2_147_483_647;

const NUMBER: &[Parameter] =
    &[INDEX, DOC_VALUES, STORE, parameter("ignore_malformed", Kind::ExplicitBool(false), Update::Free), COERCE, NULL_VALUE, META, FIELDS];

const BOOLEAN: &[Parameter] = &[META, BOOST, DOC_VALUES, INDEX, NULL_VALUE, STORE, FIELDS];

const DATE: &[Parameter] = &[
    INDEX,
    DOC_VALUES,
    STORE,
    FORMAT,
    parameter("print_format", Kind::Text(Some("strict_date_optional_time")), Update::Never),
    LOCALE,
    NULL_VALUE,
    IGNORE_MALFORMED,
    BOOST,
    META,
    FIELDS,
];

/// The parameters of a type.
pub(in crate::mapping) fn parameters(field_type: FieldType) -> &'static [Parameter] {
    match field_type {
        FieldType::Text => TEXT,
        FieldType::MatchOnlyText => MATCH_ONLY_TEXT,
        FieldType::SearchAsYouType => SEARCH_AS_YOU_TYPE,
        FieldType::Keyword => KEYWORD,
        FieldType::Wildcard => WILDCARD,
        FieldType::ConstantKeyword => CONSTANT_KEYWORD,
        FieldType::Completion => COMPLETION,
        FieldType::TokenCount => TOKEN_COUNT,
        FieldType::Boolean => BOOLEAN,
        FieldType::Date | FieldType::DateNanos => DATE,
        FieldType::Ip => IP,
        FieldType::GeoPoint => GEO_POINT,
        FieldType::FlatObject => &[],
        FieldType::Binary => BINARY,
        FieldType::Alias => ALIAS,
        FieldType::ScaledFloat => SCALED_FLOAT,
        FieldType::DateRange => DATE_RANGE,
        FieldType::IntegerRange | FieldType::LongRange | FieldType::FloatRange | FieldType::DoubleRange | FieldType::IpRange => RANGE,
        FieldType::Long
        | FieldType::Integer
        | FieldType::Short
        | FieldType::Byte
        | FieldType::UnsignedLong
        | FieldType::Double
        | FieldType::Float
        | FieldType::HalfFloat => NUMBER,
    }
}

/// Whether all the parameters of a type that it does not have are listed in one error.
pub(in crate::mapping) fn is_strict_about_parameters(field_type: FieldType) -> bool {
    matches!(field_type, FieldType::GeoPoint | FieldType::FlatObject | FieldType::ConstantKeyword | FieldType::Alias)
}

/// Parameters that OpenSearch takes for historical reasons and forgets.
pub(in crate::mapping) fn accepted_and_dropped(field_type: FieldType, name: &str) -> bool {
    match (field_type, name) {
        (FieldType::FlatObject | FieldType::ConstantKeyword | FieldType::Alias, _) => false,
        (FieldType::GeoPoint, _) => matches!(name, "boost" | "index" | "index_options" | "similarity"),
        (FieldType::MatchOnlyText, "norms") => true,
        (_, "locale") => field_type.is_range(),
        _ => matches!(name, "boost" | "index" | "store" | "doc_values" | "index_options" | "similarity"),
    }
}
