//! From the JSON of a mapping to a definition: every word is known, every value is of the right shape.

use super::field_types::{DateFormat, FieldType, Kind, accepted_and_dropped, is_strict_about_parameters, parameters};
use super::parameter_values::read_parameter;
use super::rules::MappingRules;
use super::{Dynamic, Nested, RootOptions, dynamic};
use crate::error::{Error, Result};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A mapping as one request gives it.
#[derive(Debug, Default)]
pub(super) struct Definition {
    pub(super) root: ObjectDefinition,
    pub(super) options: RootOptions,
    /// Which of the metadata fields the request spoke of.
    pub(super) mentions_source: bool,
    pub(super) mentions_routing: bool,
}

#[derive(Debug)]
pub(super) enum NodeDefinition {
    Object(ObjectDefinition),
    Field(FieldDefinition),
}

#[derive(Debug, Default)]
pub(super) struct ObjectDefinition {
    /// Whether only a dot in a name made it.
    pub(super) is_implied: bool,
    pub(super) nested: Option<Nested>,
    pub(super) dynamic: Option<Dynamic>,
    pub(super) enabled: Option<bool>,
    pub(super) children: BTreeMap<String, NodeDefinition>,
}

#[derive(Debug)]
pub(super) struct FieldDefinition {
    pub(super) field_type: FieldType,
    pub(super) parameters: Map<String, Value>,
    pub(super) copy_to: Vec<String>,
    pub(super) fields: BTreeMap<String, FieldDefinition>,
}

/// How deep objects may nest before the limit of the index is looked at.
const DEPTH_MAX: usize = 100;

/// The fields that an index has beside those of its mapping.
pub(super) const METADATA_FIELDS: [&str; 10] =
    ["_id", "_index", "_source", "_routing", "_seq_no", "_version", "_field_names", "_ignored", "_nested_path", "_data_stream_timestamp"];

/// How Java prints a JSON value.
pub(super) fn java_value(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(java_value).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let parts: Vec<String> = fields.iter().map(|(key, value)| format!("{key}={}", java_value(value))).collect();
            format!("{{{}}}", parts.join(", "))
        }
        other => other.to_string(),
    }
}

pub(super) fn java_class(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "Boolean",
        Value::Number(number) if number.is_f64() => "Double",
        Value::Number(number) if number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()) => "Integer",
        Value::Number(_) => "Long",
        Value::String(_) => "String",
        Value::Array(_) => "ArrayList",
        Value::Object(_) => "HashMap",
    }
}

fn not_a_boolean(text: &str) -> Error {
    Error::illegal_argument(format!("Failed to parse value [{text}] as only [true] or [false] are allowed."))
}

pub(super) fn plain_bool(value: &Value) -> Result<bool> {
    match value {
        Value::Bool(value) => Ok(*value),
        Value::String(text) if text == "true" => Ok(true),
        Value::String(text) if text == "false" => Ok(false),
        other => Err(not_a_boolean(&java_value(other))),
    }
}

pub(super) fn named_bool(value: &Value, name: &str) -> Result<bool> {
    plain_bool(value)
        .map_err(|cause| Error::IllegalArgument { reason: format!("Could not convert [{name}] to boolean"), cause: Some(Box::new(cause)) })
}

fn parse_dynamic(value: &Value) -> Result<Dynamic> {
    match value.as_str() {
        Some("strict") => Ok(Dynamic::Strict),
        Some("strict_allow_templates") => Ok(Dynamic::StrictAllowTemplates),
        Some("false_allow_templates") => Ok(Dynamic::FalseAllowTemplates),
        _ => Ok(if named_bool(value, "dynamic.dynamic")? { Dynamic::True } else { Dynamic::False }),
    }
}

impl Definition {
    /// Reads the body of a mapping.
    pub(super) fn parse(body: &Value, rules: &MappingRules) -> Result<Definition> {
        let mut definition = Definition::default();
        let fields = match body {
            Value::Object(fields) => fields,
            Value::Null => return Ok(definition),
            other => return Err(Error::mapper_parsing(format!("Expected a mapping but got [{}]", java_value(other)))),
        };
        let mut unsupported = Vec::new();
        for (key, value) in fields {
            match key.as_str() {
                "properties" => parse_properties(value, rules, "", &mut definition.root.children)?,
                "dynamic" => definition.root.dynamic = Some(parse_dynamic(value)?),
                "enabled" => definition.root.enabled = Some(named_bool(value, "enabled.enabled")?),
                "date_detection" => definition.options.date_detection = Some(named_bool(value, "date_detection")?),
                "numeric_detection" => definition.options.numeric_detection = Some(named_bool(value, "numeric_detection")?),
                "_meta" => definition.options.meta = Some(sorted(value)),
                "dynamic_date_formats" | "date_formats" => {
                    let formats = word_list(value);
                    for format in &formats {
                        DateFormat::new(format)?;
                    }
                    definition.options.dynamic_date_formats = Some(formats);
                }
                "dynamic_templates" => definition.options.dynamic_templates = Some(dynamic::check_templates(value)?),
                "_source" | "_routing" | "_field_names" => definition.parse_metadata(key, value)?,
                _ => unsupported.push(format!("[{key} : {}]", java_value(value))),
            }
        }
        if !unsupported.is_empty() {
            let list = unsupported.join(" ");
            return Err(Error::mapper_parsing(format!("Root mapping definition has unsupported parameters:  {list}")));
        }
        Ok(definition)
    }

    fn parse_metadata(&mut self, key: &str, value: &Value) -> Result<()> {
        let Value::Object(fields) = value else {
            return Err(Error::mapper_parsing(format!("[{key}] must be an object, got {}[{}]", java_class(value), java_value(value))));
        };
        for (name, value) in fields {
            match (key, name.as_str()) {
                ("_source", "enabled") => self.options.source_enabled = Some(plain_bool(value)?),
                ("_source", "includes") => self.options.source_includes = word_list(value),
                ("_source", "excludes") => self.options.source_excludes = word_list(value),
                ("_routing", "required") => self.options.routing_required = plain_bool(value)?,
                ("_field_names", "enabled") => self.options.field_names_enabled = Some(plain_bool(value)?),
                _ => return Err(Error::mapper_parsing(format!("unknown parameter [{name}] on mapper [{key}] of type [null]"))),
            }
        }
        self.mentions_source |= key == "_source";
        self.mentions_routing |= key == "_routing";
        Ok(())
    }
}

fn word_list(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().map(java_value).collect(),
        other => vec![java_value(other)],
    }
}

/// Objects with their keys in order, as Java's sorted maps keep `_meta` and `meta`.
pub(super) fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let ordered: BTreeMap<&String, &Value> = fields.iter().collect();
            Value::Object(ordered.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

fn parse_properties(value: &Value, rules: &MappingRules, parent: &str, into: &mut BTreeMap<String, NodeDefinition>) -> Result<()> {
    let fields = match value {
        Value::Object(fields) => fields,
        // An empty list is an empty object to Java's parser.
        Value::Array(items) if items.is_empty() => return Ok(()),
        _ => return Err(Error::parse("properties must be a map type")),
    };
    for (name, value) in fields {
        let path = if parent.is_empty() { name.clone() } else { format!("{parent}.{name}") };
        // Far beyond any limit that an index has; it keeps names from exhausting the stack.
        if path.bytes().filter(|byte| *byte == b'.').count() > DEPTH_MAX {
            return Err(Error::illegal_argument(format!("Limit of mapping depth [{DEPTH_MAX}] has been exceeded")));
        }
        if parent.is_empty() && METADATA_FIELDS.contains(&name.as_str()) {
            return Err(Error::mapper_parsing(format!("Field [{name}] is defined more than once")));
        }
        if name.is_empty() || name.split('.').any(|part| part.trim().is_empty()) {
            return Err(Error::illegal_argument("name cannot be empty string"));
        }
        let Value::Object(body) = value else {
            let class = java_class(value);
            let package = if matches!(value, Value::Array(_) | Value::Object(_)) { "java.util" } else { "java.lang" };
            let reason = format!("Expected map for property [fields] on field [{name}] but got a class {package}.{class}");
            return Err(Error::mapper_parsing(reason));
        };
        let node = parse_node(name, &path, body, rules)?;
        place(into, name, node)?;
    }
    Ok(())
}

/// Puts a node under a name; dots in the name become objects.
fn place(into: &mut BTreeMap<String, NodeDefinition>, name: &str, node: NodeDefinition) -> Result<()> {
    match name.split_once('.') {
        None => {
            match (into.get_mut(name), node) {
                (Some(NodeDefinition::Object(known)), NodeDefinition::Object(new)) => known.absorb(new)?,
                (_, node) => drop(into.insert(name.to_owned(), node)),
            }
            Ok(())
        }
        Some((first, rest)) => {
            let entry = into
                .entry(first.to_owned())
                .or_insert_with(|| NodeDefinition::Object(ObjectDefinition { is_implied: true, ..ObjectDefinition::default() }));
            match entry {
                NodeDefinition::Object(object) => place(&mut object.children, rest, node),
                NodeDefinition::Field(_) => {
                    Err(Error::illegal_argument(format!("can't merge a non object mapping [{first}] with an object mapping")))
                }
            }
        }
    }
}

impl ObjectDefinition {
    /// Takes over another definition of the same object.
    fn absorb(&mut self, other: ObjectDefinition) -> Result<()> {
        self.is_implied &= other.is_implied;
        self.nested = other.nested.or(self.nested);
        self.dynamic = other.dynamic.or(self.dynamic);
        self.enabled = other.enabled.or(self.enabled);
        for (name, node) in other.children {
            place(&mut self.children, &name, node)?;
        }
        Ok(())
    }
}

fn parse_node(name: &str, path: &str, body: &Map<String, Value>, rules: &MappingRules) -> Result<NodeDefinition> {
    let type_name = match body.get("type") {
        Some(value) => java_value(value),
        None if body.contains_key("properties") => "object".to_owned(),
        // `enabled: false` alone is an object too; anything else must say what it is.
        None if body.len() == 1 && body.contains_key("enabled") => "object".to_owned(),
        None => return Err(Error::mapper_parsing(format!("No type specified for field [{name}]"))),
    };
    if type_name == "object" || type_name == "nested" {
        let nested = (type_name == "nested").then(Nested::default);
        return parse_object(name, path, body, rules, nested).map(NodeDefinition::Object);
    }
    match FieldType::from_name(&type_name) {
        Some(field_type) => parse_field(name, path, field_type, body, rules, false).map(NodeDefinition::Field),
        None => Err(Error::mapper_parsing(format!("No handler for type [{type_name}] declared on field [{name}]"))),
    }
}

fn parse_object(
    name: &str,
    path: &str,
    body: &Map<String, Value>,
    rules: &MappingRules,
    nested: Option<Nested>,
) -> Result<ObjectDefinition> {
    let mut object = ObjectDefinition { nested, ..ObjectDefinition::default() };
    let mut unsupported = Vec::new();
    for (key, value) in body {
        match key.as_str() {
            "type" => {}
            "dynamic" => object.dynamic = Some(parse_dynamic(value)?),
            "enabled" => object.enabled = Some(named_bool(value, "enabled.enabled")?),
            "properties" => parse_properties(value, rules, path, &mut object.children)?,
            // Objects that are not nested have nothing to include.
            "include_in_parent" | "include_in_root" => {
                let included = named_bool(value, &format!("{name}.{key}"))?;
                match &mut object.nested {
                    Some(nested) if key == "include_in_parent" => nested.include_in_parent = included,
                    Some(nested) => nested.include_in_root = included,
                    None => {}
                }
            }
            _ => unsupported.push(format!("[{key} : {}]", java_value(value))),
        }
    }
    if unsupported.is_empty() {
        return Ok(object);
    }
    Err(Error::mapper_parsing(format!("Mapping definition for [{name}] has unsupported parameters:  {}", unsupported.join(" "))))
}

fn parse_field(
    name: &str,
    path: &str,
    field_type: FieldType,
    body: &Map<String, Value>,
    rules: &MappingRules,
    is_sub_field: bool,
) -> Result<FieldDefinition> {
    let mut field = FieldDefinition { field_type, parameters: Map::new(), copy_to: Vec::new(), fields: BTreeMap::new() };
    let mut unsupported = Vec::new();
    let takes_fields = !matches!(field_type, FieldType::FlatObject | FieldType::ConstantKeyword | FieldType::Alias);
    for (key, value) in body {
        match key.as_str() {
            "type" => {}
            "fields" if takes_fields => parse_sub_fields(name, path, value, rules, &mut field.fields)?,
            "copy_to" if takes_fields => {
                if is_sub_field {
                    return Err(Error::illegal_argument(format!("[copy_to] may not be used to copy from a multi-field: [{path}]")));
                }
                field.copy_to = word_list(value);
            }
            _ => match parameters(field_type).iter().find(|parameter| parameter.name == key) {
                Some(parameter) => {
                    if value.is_null() && parameter.kind != Kind::NullValue {
                        let reason = format!("[{key}] on mapper [{name}] of type [{}] must not have a [null] value", field_type.name());
                        return Err(Error::mapper_parsing(reason));
                    }
                    if let Some(value) = read_parameter(parameter, value, name, field_type, rules)? {
                        field.parameters.insert(key.clone(), value);
                    }
                }
                None if accepted_and_dropped(field_type, key) => {}
                None if is_strict_about_parameters(field_type) => unsupported.push(format!("[{key} : {}]", java_value(value))),
                None => {
                    check_foreign_parameter(field_type, name, key)?;
                    let reason = format!("unknown parameter [{key}] on mapper [{name}] of type [{}]", field_type.name());
                    return Err(Error::mapper_parsing(reason));
                }
            },
        }
    }
    if !unsupported.is_empty() {
        // The parser of sub-fields has forgotten their names.
        let name = if is_sub_field { "fields" } else { name };
        let list = unsupported.join(" ");
        return Err(Error::mapper_parsing(format!("Mapping definition for [{name}] has unsupported parameters:  {list}")));
    }
    complete(&mut field, name)?;
    Ok(field)
}

/// Parameters that only other types have, where the refusal says more than that.
fn check_foreign_parameter(field_type: FieldType, name: &str, key: &str) -> Result<()> {
    match (field_type, key) {
        (FieldType::MatchOnlyText, "index_prefixes") => {
            Err(Error::mapper_parsing("Index prefixes cannot be enabled on for match_only_text field. Use text field instead"))
        }
        (FieldType::MatchOnlyText, "index_phrases") => {
            Err(Error::mapper_parsing("Index phrases cannot be enabled on for match_only_text field. Use text field instead"))
        }
        (_, "format") if field_type.is_range() => {
            let reason = format!("field [{name}] of type [range] should not define a dateTimeFormatter unless it is a DATE type");
            Err(Error::illegal_argument(reason))
        }
        _ => Ok(()),
    }
}

/// What must be there, what does not go together, and what is printed though nobody said it.
fn complete(field: &mut FieldDefinition, name: &str) -> Result<()> {
    let parameters = &mut field.parameters;
    match field.field_type {
        FieldType::ScaledFloat if !parameters.contains_key("scaling_factor") => {
            return Err(Error::illegal_argument("Field [scaling_factor] is required"));
        }
        FieldType::ConstantKeyword if !parameters.contains_key("value") => {
            return Err(Error::parse(format!("Field [{name}] is missing required parameter [value]")));
        }
        FieldType::TokenCount if !parameters.contains_key("analyzer") => {
            return Err(Error::mapper_parsing(format!("Analyzer must be set for field [{name}] but wasn't.")));
        }
        FieldType::Alias if !parameters.contains_key("path") => {
            return Err(Error::mapper_parsing(format!("The [path] property must be specified for field [{name}].")));
        }
        FieldType::Wildcard => drop(parameters.entry("doc_values").or_insert(false.into())),
        FieldType::SearchAsYouType => {
            parameters.entry("doc_values").or_insert(false.into());
            let size = parameters.entry("max_shingle_size").or_insert(3.into()).as_i64().unwrap_or_default();
            if !(2..=4).contains(&size) {
                let reason = format!("[max_shingle_size] must be at least [2] and at most [4], got [{size}]");
                return Err(Error::mapper_parsing(reason));
            }
        }
        FieldType::Completion => {
            parameters.entry("analyzer").or_insert("simple".into());
            parameters.entry("preserve_separators").or_insert(true.into());
            parameters.entry("preserve_position_increments").or_insert(true.into());
            let length = parameters.entry("max_input_length").or_insert(50.into()).as_i64().unwrap_or_default();
            if length <= 0 {
                return Err(Error::illegal_argument(format!("[max_input_length] must be > 0 but was [{length}]")));
            }
        }
        _ => {}
    }
    // A search analyzer is only printed, and only means something, beside an analyzer.
    if parameters.contains_key("search_analyzer") && !parameters.contains_key("analyzer") {
        parameters.insert("analyzer".to_owned(), "default".into());
    }
    let is_indexed = parameters.get("index").and_then(Value::as_bool).unwrap_or(true);
    let has_positions = parameters.get("index_options").is_none_or(|options| options != "docs" && options != "freqs");
    let wants_phrases = parameters.get("index_phrases").is_some_and(|wanted| wanted == true);
    let refused = if parameters.contains_key("position_increment_gap") && !has_positions {
        Some(format!("Cannot set position_increment_gap on field [{name}] without positions enabled"))
    } else if parameters.contains_key("index_prefixes") && !is_indexed {
        Some(format!("Cannot set index_prefixes on unindexed field [{name}]"))
    } else if wants_phrases && !is_indexed {
        Some(format!("Cannot set index_phrases on unindexed field [{name}]"))
    } else if wants_phrases && !has_positions {
        Some(format!("Cannot set index_phrases on field [{name}] if positions are not enabled"))
    } else {
        None
    };
    refused.map_or(Ok(()), |reason| Err(Error::illegal_argument(reason)))
}

fn parse_sub_fields(
    name: &str,
    path: &str,
    value: &Value,
    rules: &MappingRules,
    into: &mut BTreeMap<String, FieldDefinition>,
) -> Result<()> {
    let fields = match value {
        Value::Object(fields) => fields,
        Value::Array(items) if items.is_empty() => return Ok(()),
        other => {
            let reason =
                format!("expected map for property [fields] on field [{name}] or [{name}] but got a class java.lang.{}", java_class(other));
            return Err(Error::mapper_parsing(reason));
        }
    };
    for (sub, value) in fields {
        if sub.contains('.') {
            let reason = format!("Field name [{sub}] which is a multi field of [{name}] cannot contain '.'");
            return Err(Error::mapper_parsing(reason));
        }
        let Value::Object(body) = value else {
            return Err(Error::mapper_parsing(format!("illegal field [{sub}], only fields can be specified inside fields")));
        };
        let type_name = match body.get("type") {
            Some(value) => java_value(value),
            None => return Err(Error::mapper_parsing(format!("no type specified for property [{sub}]"))),
        };
        if ["object", "nested", "alias"].contains(&type_name.as_str()) {
            return Err(Error::mapper_parsing(format!("Type [{type_name}] cannot be used in multi field")));
        }
        let Some(field_type) = FieldType::from_name(&type_name) else {
            return Err(Error::mapper_parsing(format!("no handler for type [{type_name}] declared on field [{sub}]")));
        };
        into.insert(sub.clone(), parse_field(sub, &format!("{path}.{sub}"), field_type, body, rules, true)?);
    }
    Ok(())
}
