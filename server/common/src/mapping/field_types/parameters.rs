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
    /// An object, kept as it is.
    Object,
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
const SIMILARITY: Parameter = parameter("similarity", Kind::Text(None), Update::Never);
const EAGER: Parameter = parameter("eager_global_ordinals", Kind::Bool(false), Update::Free);

const TEXT: &[Parameter] = &[
    BOOST,
    INDEX,
    STORE,
    FIELDS,
    META,
    parameter("index_options", Kind::Word(&["positions", "docs", "freqs", "offsets"]), Update::Never),
    parameter(
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
    ),
    parameter("norms", Kind::Bool(true), Update::ToFalse),
    parameter("analyzer", Kind::Analyzer, Update::Never),
    parameter("search_analyzer", Kind::Analyzer, Update::Free),
    parameter("search_quote_analyzer", Kind::Analyzer, Update::Free),
    SIMILARITY,
    EAGER,
    parameter("position_increment_gap", Kind::Int(100), Update::Never),
    parameter("fielddata", Kind::Bool(false), Update::Free),
    parameter("fielddata_frequency_filter", Kind::Object, Update::Free),
    parameter("index_prefixes", Kind::Object, Update::Never),
    parameter("index_phrases", Kind::Bool(false), Update::Never),
];

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
    parameter("normalizer", Kind::Normalizer, Update::Never),
    parameter("split_queries_on_whitespace", Kind::Bool(false), Update::Free),
    BOOST,
    META,
    FIELDS,
];

/// What `ignore_above` is when it is not given: no limit.
pub(in crate::mapping) const IGNORE_ABOVE_DEFAULT: i64 = 2_147_483_647;

const NUMBER: &[Parameter] = &[
    INDEX,
    DOC_VALUES,
    STORE,
    parameter("ignore_malformed", Kind::ExplicitBool(false), Update::Free),
    parameter("coerce", Kind::ExplicitBool(true), Update::Free),
    NULL_VALUE,
    META,
    FIELDS,
];

const BOOLEAN: &[Parameter] = &[META, BOOST, DOC_VALUES, INDEX, NULL_VALUE, STORE, FIELDS];

const DATE: &[Parameter] = &[
    INDEX,
    DOC_VALUES,
    STORE,
    parameter("format", Kind::Format, Update::Never),
    parameter("print_format", Kind::Text(None), Update::Never),
    parameter("locale", Kind::Text(Some("")), Update::Never),
    NULL_VALUE,
    parameter("ignore_malformed", Kind::Bool(false), Update::Free),
    BOOST,
    META,
    FIELDS,
];

/// The parameters of a type.
pub(in crate::mapping) fn parameters(field_type: FieldType) -> &'static [Parameter] {
    match field_type {
        FieldType::Text => TEXT,
        FieldType::Keyword => KEYWORD,
        FieldType::Boolean => BOOLEAN,
        FieldType::Date => DATE,
        FieldType::Long
        | FieldType::Integer
        | FieldType::Short
        | FieldType::Byte
        | FieldType::Double
        | FieldType::Float
        | FieldType::HalfFloat => NUMBER,
    }
}

/// Parameters that OpenSearch takes for historical reasons and forgets.
pub(in crate::mapping) fn accepted_and_dropped(field_type: FieldType, name: &str) -> bool {
    match field_type {
        FieldType::Text => name == "doc_values",
        FieldType::Keyword | FieldType::Boolean | FieldType::Date => false,
        FieldType::Long
        | FieldType::Integer
        | FieldType::Short
        | FieldType::Byte
        | FieldType::Double
        | FieldType::Float
        | FieldType::HalfFloat => name == "boost",
    }
}
