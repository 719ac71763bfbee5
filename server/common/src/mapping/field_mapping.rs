//! A mapping field by field, as `GET _mapping/field` prints it: what was said, or everything with its default.

use super::definition::METADATA_FIELDS;
use super::field_types::{DATE_FORMAT_DEFAULT, FieldType, Kind, Parameter, parameters};
use super::{FieldNode, LeafField, Mapping, Node, ObjectNode};
use crate::pattern;
use serde_json::{Map, Value, json};

/// Metadata fields that are told of and that no document may name.
const HIDDEN_FIELDS: [&str; 2] = ["_doc_count", "_feature"];

impl Mapping {
    /// The fields whose paths are named or fit a pattern with `*`, each with its full name and its mapping; metadata fields too.
    pub fn field_mappings(&self, patterns: &[String], with_defaults: bool) -> Map<String, Value> {
        let wanted = |name: &str| patterns.iter().any(|wanted| wanted == name || pattern::matches(wanted, name));
        let mut found = Map::new();
        for name in METADATA_FIELDS.into_iter().chain(HIDDEN_FIELDS).filter(|name| wanted(name)) {
            found.insert(name.to_owned(), json!({"full_name": name, "mapping": self.metadata_mapping(name, with_defaults)}));
        }
        self.collect_fields(&self.root, &wanted, with_defaults, &mut found);
        found
    }

    fn metadata_mapping(&self, name: &str, with_defaults: bool) -> Value {
        match name {
            "_routing" if self.options.routing_required => json!({"_routing": {"required": true}}),
            "_source" if with_defaults => {
                let options = &self.options;
                json!({"_source": {
                    "enabled": self.source_enabled(),
                    "includes": options.source_includes,
                    "excludes": options.source_excludes,
                    "recovery_source_enabled": true,
                    "recovery_source_includes": [],
                    "recovery_source_excludes": [],
                }})
            }
            "_source" => match self.source_json() {
                said if said.is_empty() => json!({}),
                said => json!({"_source": said}),
            },
            _ => json!({}),
        }
    }

    fn collect_fields(&self, object: &ObjectNode, wanted: &dyn Fn(&str) -> bool, with_defaults: bool, found: &mut Map<String, Value>) {
        for child in object.children.values() {
            match child {
                Node::Object(inner) => self.collect_fields(inner, wanted, with_defaults, found),
                Node::Field(field) => self.collect_field(field, wanted, with_defaults, found),
            }
        }
    }

    fn collect_field(&self, field: &FieldNode, wanted: &dyn Fn(&str) -> bool, with_defaults: bool, found: &mut Map<String, Value>) {
        let Some(leaf) = self.leaf(field.leaf) else { return };
        if wanted(&leaf.path) {
            let mapping = if with_defaults { self.whole_field_json(field) } else { self.field_json(field) };
            let name = leaf.path.rsplit('.').next().unwrap_or_default();
            found.insert(leaf.path.to_string(), json!({"full_name": &*leaf.path, "mapping": {name: mapping}}));
        }
        for sub in field.fields.values() {
            self.collect_field(sub, wanted, with_defaults, found);
        }
    }

    /// A field with every parameter that its type has.
    fn whole_field_json(&self, field: &FieldNode) -> Value {
        let mut out = Map::new();
        let Some(leaf) = self.leaf(field.leaf) else { return out.into() };
        out.insert("type".to_owned(), leaf.field_type.name().into());
        // These two have parameters that cannot be said.
        if matches!(leaf.field_type, FieldType::GeoPoint | FieldType::FlatObject) {
            out.insert("boost".to_owned(), 1.0.into());
            out.insert("index".to_owned(), true.into());
        }
        if leaf.field_type == FieldType::FlatObject {
            out.extend(
                [("doc_values", json!(true)), ("store", json!(false)), ("meta", json!({}))].map(|(key, value)| (key.to_owned(), value)),
            );
        }
        for parameter in parameters(leaf.field_type) {
            if parameter.kind == Kind::Fields {
                if !field.fields.is_empty() {
                    let subs = field.fields.iter().map(|(name, sub)| (name.clone(), self.whole_field_json(sub)));
                    out.insert("fields".to_owned(), Value::Object(subs.collect()));
                }
                if !leaf.copy_to.is_empty() {
                    out.insert("copy_to".to_owned(), json!(leaf.copy_to));
                }
            } else {
                out.insert(parameter.name.to_owned(), value_or_default(leaf, parameter));
            }
        }
        out.into()
    }
}

fn value_or_default(leaf: &LeafField, parameter: &Parameter) -> Value {
    if let Some(value) = leaf.parameters.get(parameter.name) {
        return value.clone();
    }
    match parameter.kind {
        Kind::Bool(default) | Kind::ExplicitBool(default) => default.into(),
        Kind::Int(default) | Kind::ExplicitInt(default) => default.into(),
        Kind::Float(default) => default.into(),
        Kind::Word(words) => words.first().copied().into(),
        Kind::Text(default) => default.into(),
        Kind::Format => DATE_FORMAT_DEFAULT.into(),
        // Texts are searched for as they were indexed.
        Kind::Analyzer => leaf.parameters.get("analyzer").cloned().unwrap_or_else(|| "default".into()),
        Kind::Normalizer => "default".into(),
        Kind::Meta => json!({}),
        Kind::Frequencies => json!({"min": 0.0, "max": 2_147_483_647.0, "min_segment_size": 0}),
        Kind::NullValue | Kind::Positive | Kind::Prefixes | Kind::Similarity | Kind::Path | Kind::Fields => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::MappingRules;

    fn mapping() -> Mapping {
        let body = json!({"_source": {"excludes": ["z"]}, "properties": {
            "t": {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}},
            "o": {"properties": {"t": {"type": "text"}, "n": {"type": "long", "coerce": false}}},
            "al": {"type": "alias", "path": "t"}
        }});
        Mapping::parse(&body, &MappingRules::default()).unwrap()
    }

    fn names(patterns: &[&str]) -> Vec<String> {
        let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        mapping().field_mappings(&patterns, false).keys().cloned().collect()
    }

    #[test]
    fn fields_are_found_by_name_and_by_pattern() {
        assert_eq!(names(&["t"]), ["t"]);
        assert_eq!(names(&["t*"]), ["t", "t.keyword"]);
        assert_eq!(names(&["o.*", "al"]), ["al", "o.n", "o.t"]);
        assert_eq!(names(&["o"]), [""; 0]);
        assert_eq!(names(&["*"]).len(), 12 + 5);
        let found = mapping().field_mappings(&["o.n".to_owned(), "_source".to_owned()], false);
        assert_eq!(found["o.n"], json!({"full_name": "o.n", "mapping": {"n": {"type": "long", "coerce": false}}}));
        assert_eq!(found["_source"], json!({"full_name": "_source", "mapping": {"_source": {"excludes": ["z"]}}}));
    }

    #[test]
    fn defaults_are_told_in_the_order_of_the_type() {
        let found = mapping().field_mappings(&["o.n".to_owned()], true);
        assert_eq!(
            found["o.n"]["mapping"]["n"].to_string(),
            r#"{"type":"long","index":true,"doc_values":true,"store":false,"ignore_malformed":false,"coerce":false,"null_value":null,"meta":{}}"#
        );
    }
}
