//! A mapping as `GET _mapping` prints it: names in order, defaults left out.

use super::field_types::{Kind, parameters};
use super::{FieldNode, Mapping, Node, ObjectNode};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

impl Mapping {
    /// The mapping as OpenSearch prints it; `{}` when nothing was said.
    pub fn to_json(&self) -> Value {
        let options = &self.options;
        let mut out = Map::new();
        if let Some(dynamic) = self.root.dynamic {
            out.insert("dynamic".to_owned(), dynamic.name().into());
        }
        if !self.root.enabled {
            out.insert("enabled".to_owned(), false.into());
        }
        if let Some(meta) = &options.meta {
            out.insert("_meta".to_owned(), meta.clone());
        }
        if options.routing_required {
            out.insert("_routing".to_owned(), json!({"required": true}));
        }
        if let Some(enabled) = options.field_names_enabled {
            out.insert("_field_names".to_owned(), json!({"enabled": enabled}));
        }
        let source = self.source_json();
        if !source.is_empty() {
            out.insert("_source".to_owned(), source.into());
        }
        if let Some(formats) = &options.dynamic_date_formats {
            out.insert("dynamic_date_formats".to_owned(), json!(formats));
        }
        if let Some(templates) = &options.dynamic_templates {
            out.insert("dynamic_templates".to_owned(), templates.clone().into());
        }
        if let Some(detection) = options.date_detection {
            out.insert("date_detection".to_owned(), detection.into());
        }
        if let Some(detection) = options.numeric_detection {
            out.insert("numeric_detection".to_owned(), detection.into());
        }
        if !self.root.children.is_empty() {
            out.insert("properties".to_owned(), self.children_json(&self.root));
        }
        out.into()
    }

    pub(super) fn source_json(&self) -> Map<String, Value> {
        let options = &self.options;
        let mut source = Map::new();
        if !self.source_enabled() {
            source.insert("enabled".to_owned(), false.into());
        }
        if !options.source_includes.is_empty() {
            source.insert("includes".to_owned(), json!(options.source_includes));
        }
        if !options.source_excludes.is_empty() {
            source.insert("excludes".to_owned(), json!(options.source_excludes));
        }
        source
    }

    fn children_json(&self, object: &ObjectNode) -> Value {
        let print = |(name, node): (&String, &Node)| {
            let value = match node {
                Node::Object(object) => self.object_json(object),
                Node::Field(field) => self.field_json(field),
            };
            (name.clone(), value)
        };
        Value::Object(object.children.iter().map(print).collect())
    }

    fn object_json(&self, object: &ObjectNode) -> Value {
        let mut out = Map::new();
        if let Some(nested) = object.nested {
            out.insert("type".to_owned(), "nested".into());
            for (name, included) in [("include_in_parent", nested.include_in_parent), ("include_in_root", nested.include_in_root)] {
                if included {
                    out.insert(name.to_owned(), true.into());
                }
            }
        } else if object.children.is_empty() {
            out.insert("type".to_owned(), "object".into());
        }
        if let Some(dynamic) = object.dynamic {
            out.insert("dynamic".to_owned(), dynamic.name().into());
        }
        if !object.enabled {
            out.insert("enabled".to_owned(), false.into());
        }
        if !object.children.is_empty() {
            out.insert("properties".to_owned(), self.children_json(object));
        }
        out.into()
    }

    pub(super) fn field_json(&self, field: &FieldNode) -> Value {
        let mut out = Map::new();
        let Some(leaf) = self.leaf(field.leaf) else { return out.into() };
        out.insert("type".to_owned(), leaf.field_type.name().into());
        for parameter in parameters(leaf.field_type) {
            if parameter.kind == Kind::Fields {
                if !field.fields.is_empty() {
                    out.insert("fields".to_owned(), self.sub_fields_json(&field.fields));
                }
                if !leaf.copy_to.is_empty() {
                    out.insert("copy_to".to_owned(), json!(leaf.copy_to));
                }
            } else if let Some(value) = leaf.parameters.get(parameter.name) {
                out.insert(parameter.name.to_owned(), value.clone());
            }
        }
        out.into()
    }

    fn sub_fields_json(&self, fields: &BTreeMap<String, FieldNode>) -> Value {
        Value::Object(fields.iter().map(|(name, field)| (name.clone(), self.field_json(field))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::MappingRules;

    /// What is sent, and what OpenSearch 3.1 answers.
    fn assert_printed(name: &str, sent: Value, printed: &str) {
        let mapping = Mapping::parse(&json!({"properties": {name: sent}}), &MappingRules::default()).unwrap();
        let text = serde_json::to_string(&mapping.to_json()["properties"][name]).unwrap();
        assert_eq!(text, printed.replace(": ", ":").replace(", ", ","));
    }

    #[test]
    fn fields_are_printed_as_opensearch_prints_them() {
        assert_printed(
            "t",
            json!({"type": "text", "analyzer": "standard", "search_analyzer": "simple", "search_quote_analyzer": "whitespace",
                "boost": 2.0, "store": true, "norms": false, "meta": {"b": "x", "a": "y"}, "copy_to": ["k"],
                "fields": {"z": {"type": "keyword"}, "a": {"type": "long"}}, "index_options": "offsets",
                "position_increment_gap": 5, "term_vector": "yes", "similarity": "boolean", "fielddata": true,
                "eager_global_ordinals": true, "index_phrases": true, "index_prefixes": {"min_chars": 2, "max_chars": 5}}),
            r#"{"type": "text", "boost": 2.0, "store": true, "fields": {"a": {"type": "long"}, "z": {"type": "keyword"}}, "copy_to": ["k"], "meta": {"a": "y", "b": "x"}, "index_options": "offsets", "term_vector": "yes", "norms": false, "analyzer": "standard", "search_analyzer": "simple", "search_quote_analyzer": "whitespace", "similarity": "boolean", "eager_global_ordinals": true, "position_increment_gap": 5, "fielddata": true, "index_prefixes": {"min_chars": 2, "max_chars": 5}, "index_phrases": true}"#,
        );
        assert_printed(
            "t2",
            json!({"type": "text", "index": true, "store": false, "norms": true, "index_options": "positions", "analyzer": "default"}),
            r#"{"type": "text"}"#,
        );
        assert_printed(
            "l",
            json!({"type": "long", "coerce": true, "ignore_malformed": false, "null_value": "5", "boost": 2, "index": false,
                "doc_values": false, "store": true, "meta": {"u": "x"}}),
            r#"{"type": "long", "index": false, "doc_values": false, "store": true, "ignore_malformed": false, "coerce": true, "null_value": 5, "meta": {"u": "x"}}"#,
        );
        assert_printed(
            "b",
            json!({"type": "boolean", "null_value": "true", "boost": 2, "index": false, "doc_values": false, "store": true}),
            r#"{"type": "boolean", "boost": 2.0, "doc_values": false, "index": false, "null_value": true, "store": true}"#,
        );
        assert_printed(
            "d",
            json!({"type": "date", "format": "yyyy", "ignore_malformed": true, "null_value": "2020", "store": true, "copy_to": "a"}),
            r#"{"type": "date", "store": true, "format": "yyyy", "null_value": "2020", "ignore_malformed": true, "copy_to": ["a"]}"#,
        );
        assert_printed("f", json!({"type": "float", "null_value": 5}), r#"{"type": "float", "null_value": 5.0}"#);
        assert_printed(
            "k",
            json!({"type": "keyword", "index": "true", "doc_values": "false", "ignore_above": 10}),
            r#"{"type": "keyword", "doc_values": false, "ignore_above": 10}"#,
        );
    }

    #[test]
    fn objects_are_printed_as_opensearch_prints_them() {
        assert_printed(
            "o",
            json!({"type": "object", "enabled": true, "dynamic": "strict", "properties": {"z": {"type": "long"}, "a": {"type": "long"}}}),
            r#"{"dynamic": "strict", "properties": {"a": {"type": "long"}, "z": {"type": "long"}}}"#,
        );
        assert_printed("o", json!({"enabled": false, "type": "object"}), r#"{"type": "object", "enabled": false}"#);
        assert_printed("o", json!({"dynamic": true, "properties": {}}), r#"{"type": "object", "dynamic": "true"}"#);
    }

    #[test]
    fn the_top_is_printed_in_order() {
        let sent = json!({"_meta": {"z": 1, "a": 2}, "dynamic": "strict", "date_detection": true, "numeric_detection": false,
            "dynamic_date_formats": ["yyyy"], "dynamic_templates": [{"a": {"match": "x*", "match_mapping_type": "string", "mapping": {"type": "keyword"}}}],
            "_source": {"enabled": false, "includes": ["a"], "excludes": ["b"]}, "_routing": {"required": true},
            "properties": {"z": {"type": "long"}, "a.b": {"type": "long"}}});
        let printed = r#"{"dynamic":"strict","_meta":{"a":2,"z":1},"_routing":{"required":true},"_source":{"enabled":false,"includes":["a"],"excludes":["b"]},"dynamic_date_formats":["yyyy"],"dynamic_templates":[{"a":{"match":"x*","match_mapping_type":"string","mapping":{"type":"keyword"}}}],"date_detection":true,"numeric_detection":false,"properties":{"a":{"properties":{"b":{"type":"long"}}},"z":{"type":"long"}}}"#;
        let mapping = Mapping::parse(&sent, &MappingRules::default()).unwrap();
        assert_eq!(serde_json::to_string(&mapping.to_json()).unwrap(), printed);
        for nothing in
            [json!({}), json!({"properties": {}}), json!({"_source": {"enabled": true}}), json!({"_routing": {"required": false}})]
        {
            assert_eq!(Mapping::parse(&nothing, &MappingRules::default()).unwrap().to_json(), json!({}));
        }
    }
}
