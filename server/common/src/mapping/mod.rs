//! What a document means, as plain data: field types, parsing, dynamic mapping, merging.
//!
//! *What it is*: the mapping of one index. · *Types to know*: [`Mapping`], [`LeafField`], [`ParsedDocument`], [`MappingRules`]. ·
//! **Invariants**: plain data, no index library, no I/O; a field never changes its type, and every field keeps the mapping
//! version that added it; leaves are numbered in the order in which they were added and a number is never used again. ·
//! *How it fails*: [`crate::Error::MapperParsing`] for a bad mapping or document, [`crate::Error::IllegalArgument`] for a
//! mapping that contradicts the one before. · *How it is tested*: tables beside the code.

mod definition;
mod document;
mod dynamic;
mod field_mapping;
pub mod field_types;
mod leaf;
mod merge;
mod parameter_values;
mod render;
mod rules;

pub use crate::json::java_double;
pub use document::{DEPTH_LIMIT, DocumentLimits};
pub use field_types::{FieldType, RangeBounds};
pub use leaf::{LeafField, LeafOptions};
pub use rules::MappingRules;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::sync::Arc;

/// The mapping of an index at one version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mapping {
    /// Rises by one with each change; 0 for none.
    pub version: u64,
    /// Every leaf, by its number.
    leaves: Vec<LeafField>,
    /// The objects and fields, by name.
    root: ObjectNode,
    /// What stands beside `properties`.
    options: RootOptions,
}

/// What a mapping says at its top, beside the fields. `None` where nothing was said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct RootOptions {
    meta: Option<Value>,
    routing_required: bool,
    field_names_enabled: Option<bool>,
    source_enabled: Option<bool>,
    source_includes: Vec<String>,
    source_excludes: Vec<String>,
    dynamic_date_formats: Option<Vec<String>>,
    dynamic_templates: Option<Vec<Value>>,
    date_detection: Option<bool>,
    numeric_detection: Option<bool>,
}

/// What becomes of fields that the mapping does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Dynamic {
    /// They are added.
    True,
    /// They stay in the source and are not searched.
    False,
    /// They are refused.
    Strict,
    /// They are refused unless a template fits.
    StrictAllowTemplates,
    /// They stay in the source unless a template fits.
    FalseAllowTemplates,
}

impl Dynamic {
    fn name(self) -> &'static str {
        match self {
            Dynamic::True => "true",
            Dynamic::False => "false",
            Dynamic::Strict => "strict",
            Dynamic::StrictAllowTemplates => "strict_allow_templates",
            Dynamic::FalseAllowTemplates => "false_allow_templates",
        }
    }
}

/// An object: fields under a common name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct ObjectNode {
    /// `None`: as its parent.
    dynamic: Option<Dynamic>,
    /// Whether its fields are read at all.
    enabled: bool,
    /// Whether its values are documents of their own.
    nested: Option<Nested>,
    /// The mapping version that added it.
    since_version: u64,
    children: BTreeMap<String, Node>,
}

/// An object whose values are searched as documents of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Nested {
    /// Whether the document around them has their values too.
    include_in_parent: bool,
    /// Whether the outermost document has their values too.
    include_in_root: bool,
}

impl Default for ObjectNode {
    fn default() -> Self {
        ObjectNode { dynamic: None, enabled: true, nested: None, since_version: 0, children: BTreeMap::new() }
    }
}

/// Something with a name in a mapping.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Node {
    /// Fields under a common name.
    Object(ObjectNode),
    /// A field.
    Field(FieldNode),
}

/// A field and its sub-fields; the rest is in the leaf.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct FieldNode {
    leaf: u32,
    fields: BTreeMap<String, FieldNode>,
}

/// How strictly a document is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseMode {
    /// On the primary, before the operation is sequenced: whatever does not fit is an error, new fields are reported.
    Strict,
    /// While a logged operation is applied, under the mapping version that it names: never fails; a value that does not
    /// fit is left out and listed as ignored, fields that are newer than the version count as unmapped.
    Total(u64),
}

/// A value ready for the index.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldValue {
    /// Text to analyze, or a keyword to take whole.
    Text(String),
    /// A whole number, also a date in milliseconds since 1970.
    Long(i64),
    /// A number.
    Double(f64),
    /// True or false.
    Bool(bool),
    /// A number without a sign; also a place, in 64 bits.
    Unsigned(u64),
    /// An address.
    Ip(Ipv6Addr),
    /// A leaf of a flat object, with its path.
    Flat(String),
    /// Both ends of a range.
    Range(RangeBounds),
}

/// A parsed document: the values of its leaves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParsedDocument {
    /// (number of the leaf, value), in the order of the document; a leaf may occur several times.
    pub values: Vec<(u32, FieldValue)>,
    /// The values of nested objects, each before the document that it stands in.
    pub nested: Vec<NestedDocument>,
    /// Paths whose values were left out (`_ignored`).
    pub ignored: Vec<String>,
    /// The mapping (`{"properties": …}`) that must be added before this document can be indexed. The values then belong
    /// to the mapping that has it, not to this one: read the document again once it is there.
    pub dynamic_update: Option<Value>,
}

/// One value of a nested object.
#[derive(Clone, Debug, PartialEq)]
pub struct NestedDocument {
    /// The path of the object.
    pub path: Arc<str>,
    /// As in [`ParsedDocument`].
    pub values: Vec<(u32, FieldValue)>,
}

/// What a path leads to.
#[derive(Clone, Copy, Debug)]
pub enum Resolved<'a> {
    /// A field or sub-field, with its number.
    Leaf(u32, &'a LeafField),
    /// An object with fields below it.
    Object,
}

impl Mapping {
    /// Every leaf, by its number.
    pub fn leaves(&self) -> &[LeafField] {
        &self.leaves
    }

    /// The leaf with this number.
    pub fn leaf(&self, number: u32) -> Option<&LeafField> {
        self.leaves.get(usize::try_from(number).ok()?)
    }

    /// What `path` leads to; sub-fields are found as `title.keyword`.
    pub fn resolve(&self, path: &str) -> Option<Resolved<'_>> {
        let mut parts = path.split('.');
        let mut node = self.root.children.get(parts.next()?)?;
        loop {
            match node {
                Node::Object(object) => match parts.next() {
                    Some(name) => node = object.children.get(name)?,
                    None => return Some(Resolved::Object),
                },
                Node::Field(field) => {
                    let mut field = field;
                    for name in parts {
                        field = field.fields.get(name)?;
                    }
                    let leaf = self.leaf(field.leaf)?;
                    return match leaf.alias_target() {
                        None => Some(Resolved::Leaf(field.leaf, leaf)),
                        // An alias never leads to another one.
                        Some(target) => self.resolve_field(target),
                    };
                }
            }
        }
    }

    /// The field at a path that is no alias.
    fn resolve_field(&self, path: &str) -> Option<Resolved<'_>> {
        let number = u32::try_from(self.leaves.iter().position(|leaf| *leaf.path == *path && leaf.field_type != FieldType::Alias)?).ok()?;
        self.leaf(number).map(|leaf| Resolved::Leaf(number, leaf))
    }

    /// The field or sub-field at `path`; an alias leads to the field that it stands for.
    pub fn field(&self, path: &str) -> Option<(u32, &LeafField)> {
        match self.resolve(path)? {
            Resolved::Leaf(number, leaf) => Some((number, leaf)),
            Resolved::Object => None,
        }
    }

    /// The flat object that `path` leads into, and the path below it: `labels` and `app.name` for `labels.app.name`.
    pub fn flat_field<'p>(&self, path: &'p str) -> Option<(u32, &LeafField, &'p str)> {
        path.match_indices('.').find_map(|(at, _)| {
            let (number, leaf) = self.field(path.get(..at)?)?;
            (leaf.field_type == FieldType::FlatObject).then_some((number, leaf, path.get(at + 1..)?))
        })
    }

    /// The field that a leaf stands for: itself, unless it is an alias.
    pub fn behind<'m>(&'m self, leaf: &'m LeafField) -> Option<&'m LeafField> {
        match leaf.alias_target() {
            None => Some(leaf),
            Some(target) => self.field(target).map(|(_, leaf)| leaf),
        }
    }

    /// The leaves below an object, sub-fields included.
    pub fn fields_under<'a>(&'a self, object: &str) -> impl Iterator<Item = &'a LeafField> {
        let prefix = format!("{object}.");
        self.leaves.iter().filter(move |leaf| leaf.path.starts_with(&prefix))
    }

    /// The paths of the nested objects, outer ones before inner ones.
    pub fn nested_paths(&self) -> Vec<String> {
        fn collect(object: &ObjectNode, path: &str, found: &mut Vec<String>) {
            for (name, child) in &object.children {
                if let Node::Object(inner) = child {
                    let path = merge::join(path, name);
                    if inner.nested.is_some() {
                        found.push(path.clone());
                    }
                    collect(inner, &path, found);
                }
            }
        }
        let mut found = Vec::new();
        collect(&self.root, "", &mut found);
        found
    }

    /// Whether `path` is a nested object.
    pub fn is_nested(&self, path: &str) -> bool {
        let mut object = &self.root;
        for name in path.split('.') {
            match object.children.get(name) {
                Some(Node::Object(inner)) => object = inner,
                _ => return false,
            }
        }
        object.nested.is_some()
    }

    /// How many nested objects are around a path.
    fn nested_depth(&self, path: &str) -> usize {
        let mut depth = 0;
        let mut object = &self.root;
        for name in path.split('.') {
            match object.children.get(name) {
                Some(Node::Object(inner)) => object = inner,
                _ => break,
            }
            depth += usize::from(object.nested.is_some());
        }
        depth
    }

    /// The innermost nested object around a path.
    fn nested_scope(&self, path: &str) -> Option<String> {
        let mut object = &self.root;
        let mut scope = None;
        for (at, name) in path.match_indices('.').map(|(at, _)| at).chain([path.len()]).zip(path.split('.')) {
            match object.children.get(name) {
                Some(Node::Object(inner)) => object = inner,
                _ => break,
            }
            if object.nested.is_some() {
                scope = path.get(..at).map(str::to_owned);
            }
        }
        scope
    }

    /// Whether documents must come with a routing.
    pub fn routing_required(&self) -> bool {
        self.options.routing_required
    }

    /// Whether hits and gets show the source (`_source.enabled`).
    pub fn source_enabled(&self) -> bool {
        self.options.source_enabled.unwrap_or(true)
    }

    /// What of the source is kept by `_source.includes` and `_source.excludes`; both empty when all of it is.
    pub fn source_patterns(&self) -> (&[String], &[String]) {
        (&self.options.source_includes, &self.options.source_excludes)
    }
}
