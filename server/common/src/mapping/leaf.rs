//! A leaf of a mapping: its type, its parameters as they were given, and what follows from them.

use super::FieldValue;
use super::definition::java_value;
use super::field_types::{
    DateFormat, FieldType, GeoPoint, Kind, Moment, Number, Rounding, number_from_text, parameters, parse_ip, scaled, unsigned_from_text,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::{Arc, OnceLock};

/// A leaf: a field, or a sub-field of one, that documents have values in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LeafField {
    /// The full path, such as `title` or `title.keyword`.
    pub path: Arc<str>,
    /// The mapping version that added it.
    pub since_version: u64,
    /// What its values are.
    pub field_type: FieldType,
    /// The parameters that differ from their defaults.
    pub(super) parameters: Map<String, Value>,
    /// Where its values are copied to.
    pub(super) copy_to: Vec<String>,
    /// Read once from the parameters.
    #[serde(skip)]
    options: OnceLock<LeafOptions>,
}

impl PartialEq for LeafField {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
            && self.since_version == other.since_version
            && self.field_type == other.field_type
            && self.parameters == other.parameters
            && self.copy_to == other.copy_to
    }
}

/// What the parameters of a leaf mean.
#[derive(Clone, Debug)]
pub struct LeafOptions {
    /// Whether it can be searched through its terms.
    pub index: bool,
    /// Whether its values stand in a column, for sorting and aggregations.
    pub doc_values: bool,
    /// Whether lengths count in scores (text).
    pub norms: bool,
    /// Longer keywords, in characters, are left out.
    pub ignore_above: Option<usize>,
    /// Values that do not fit are left out instead of refused.
    pub ignore_malformed: bool,
    /// Numbers are read from text, and cut at the point.
    pub coerce: bool,
    /// What null stands for.
    pub null_value: Option<FieldValue>,
    /// How dates are written.
    pub date_format: Arc<DateFormat>,
    /// How dates are printed, where it differs.
    pub print_format: Option<Arc<DateFormat>>,
    /// The analyzer of its text; `default` unless given.
    pub analyzer: String,
    /// The analyzer of text that is searched for.
    pub search_analyzer: String,
    /// What is made of a keyword before it is compared.
    pub normalizer: Option<String>,
    /// The empty positions between two values of a text.
    pub position_increment_gap: usize,
    /// The one text of a constant keyword.
    pub constant: Option<String>,
    /// The steps of a scaled float that make one.
    pub scaling_factor: f64,
    /// Whether the heights of places are overlooked.
    pub ignore_z: bool,
    /// Whether a count of words counts the places of words that were left out.
    pub counts_places: bool,
}

impl LeafField {
    pub(super) fn new(path: &str, since_version: u64, field_type: FieldType) -> Self {
        LeafField { path: path.into(), since_version, field_type, parameters: Map::new(), copy_to: Vec::new(), options: OnceLock::new() }
    }

    /// Replaces the parameters; what was read from the old ones is forgotten.
    pub(super) fn set_parameters(&mut self, parameters: Map<String, Value>, copy_to: Vec<String>) {
        self.parameters = parameters;
        self.copy_to = copy_to;
        self.options = OnceLock::new();
    }

    /// What its parameters mean.
    pub fn options(&self) -> &LeafOptions {
        self.options.get_or_init(|| self.read_options())
    }

    /// A flag as it was given, or as it is otherwise; `without` for types that do not have it.
    fn flag(&self, name: &str, without: bool) -> bool {
        let default = match parameters(self.field_type).iter().find(|parameter| parameter.name == name).map(|found| found.kind) {
            Some(Kind::Bool(default) | Kind::ExplicitBool(default)) => default,
            _ => without,
        };
        self.parameters.get(name).and_then(Value::as_bool).unwrap_or(default)
    }

    /// The path that an alias stands for.
    pub(super) fn alias_target(&self) -> Option<&str> {
        if self.field_type == FieldType::Alias { self.text("path") } else { None }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).and_then(Value::as_str)
    }

    fn read_options(&self) -> LeafOptions {
        let field_type = self.field_type;
        // A format was checked when the mapping was made.
        let format = |name: &str| self.text(name).and_then(|text| DateFormat::new(text).ok()).map(Arc::new);
        let analyzer = self.text("analyzer").unwrap_or("default");
        let date_format = format("format").unwrap_or_default();
        let scaling_factor = self.parameters.get("scaling_factor").and_then(Value::as_f64).unwrap_or(1.0);
        let ignore_z = self.flag("ignore_z_value", true);
        LeafOptions {
            index: self.flag("index", field_type != FieldType::Binary),
            doc_values: self.flag("doc_values", field_type == FieldType::FlatObject),
            norms: self.flag("norms", field_type == FieldType::Text),
            ignore_above: self.parameters.get("ignore_above").and_then(Value::as_i64).map(|limit| usize::try_from(limit).unwrap_or(0)),
            ignore_malformed: self.flag("ignore_malformed", false),
            coerce: self.flag("coerce", true),
            null_value: self.parameters.get("null_value").and_then(|value| match field_type {
                FieldType::ScaledFloat => value.as_f64().map(|value| FieldValue::Long(scaled(value, scaling_factor))),
                FieldType::GeoPoint => GeoPoint::read(value, ignore_z).ok().map(|point| FieldValue::Unsigned(point.encode())),
                _ => null_value(field_type, value, &date_format),
            }),
            date_format,
            print_format: format("print_format"),
            search_analyzer: self.text("search_analyzer").unwrap_or(analyzer).to_owned(),
            analyzer: analyzer.to_owned(),
            position_increment_gap: self
                .parameters
                .get("position_increment_gap")
                .and_then(Value::as_i64)
                .map_or(100, |gap| usize::try_from(gap).unwrap_or(0)),
            normalizer: self.text("normalizer").filter(|name| *name != "default").map(str::to_owned),
            constant: self.text("value").map(str::to_owned),
            scaling_factor,
            ignore_z,
            counts_places: self.flag("enable_position_increments", true),
        }
    }

    /// The parameter's value, or its default, for a conflict's text.
    pub(super) fn shown(&self, name: &str, kind: Kind) -> String {
        shown(&self.parameters, name, kind)
    }
}

/// What null stands for, if that is a value of the type.
fn null_value(field_type: FieldType, value: &Value, format: &DateFormat) -> Option<FieldValue> {
    let text = java_value(value);
    let moment = || format.parse_moment(&text, Rounding::Down, None).ok();
    match field_type {
        FieldType::Text | FieldType::Keyword | FieldType::Wildcard => Some(FieldValue::Text(text)),
        FieldType::Boolean => value.as_bool().map(FieldValue::Bool),
        FieldType::Date => moment().map(|moment| FieldValue::Long(moment.millis)),
        FieldType::DateNanos => moment().and_then(|moment: Moment| moment.to_nanos().ok()).map(FieldValue::Long),
        FieldType::Ip => parse_ip(&text).ok().map(FieldValue::Ip),
        FieldType::UnsignedLong => unsigned_from_text(&text).ok().map(FieldValue::Unsigned),
        field_type if field_type.is_number() => number_from_text(&text, field_type).ok().map(|number| match number {
            Number::Whole(value) => FieldValue::Long(value),
            Number::Float(value) => FieldValue::Double(value),
        }),
        _ => None,
    }
}

/// A parameter's value or default as Java prints it.
pub(super) fn shown(parameters: &Map<String, Value>, name: &str, kind: Kind) -> String {
    match (parameters.get(name), kind) {
        (Some(Value::String(text)), _) => text.clone(),
        (Some(value), Kind::Prefixes) => {
            let length = |name: &str| value.get(name).and_then(Value::as_i64).unwrap_or_default();
            format!("{{ min_chars={}, max_chars={} }}", length("min_chars"), length("max_chars"))
        }
        (Some(value), _) => value.to_string(),
        (None, Kind::Bool(default) | Kind::ExplicitBool(default)) => default.to_string(),
        (None, Kind::Int(default) | Kind::ExplicitInt(default)) => default.to_string(),
        (None, Kind::Float(default)) => super::java_double(default),
        (None, Kind::Word(words)) => words.first().copied().unwrap_or_default().to_owned(),
        (None, Kind::Text(default)) => default.unwrap_or("null").to_owned(),
        (None, Kind::Format) => super::field_types::DATE_FORMAT_DEFAULT.to_owned(),
        (None, Kind::Analyzer) if name == "search_analyzer" || name == "search_quote_analyzer" => match parameters.get("analyzer") {
            Some(Value::String(text)) => text.clone(),
            _ => "default".to_owned(),
        },
        (None, Kind::Analyzer | Kind::Normalizer) => "default".to_owned(),
        (None, Kind::NullValue | Kind::Frequencies | Kind::Prefixes | Kind::Similarity | Kind::Path | Kind::Positive) => "null".to_owned(),
        (None, Kind::Meta | Kind::Fields) => "{}".to_owned(),
    }
}
