//! From the bytes of a document to the values of its leaves.

mod leaf_value;

use super::definition::METADATA_FIELDS;
use super::dynamic::mapping_for;
use super::field_types::{FieldType, Misfit, is_point_array};
use super::merge::join;
use super::{
    Dynamic, FieldNode, FieldValue, LeafField, Mapping, MappingRules, Nested, NestedDocument, Node, ObjectNode, ParseMode, ParsedDocument,
};
use crate::error::{Error, Result};
use crate::json::{Node as Json, NodeValue, parse_with_breaks};
use crate::settings::Settings;
use leaf_value::{immense_term, is_immense};
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// How deep the objects or arrays of a document may nest (`index.mapping.depth.limit`'s default).
pub const DEPTH_LIMIT: usize = 20;

/// How often new fields may lead to more new fields before the document is refused.
const DYNAMIC_ROUNDS_MAX: usize = DEPTH_LIMIT + 4;

/// What stands in for an object that the mapping does not know.
static UNKNOWN_OBJECT: LazyLock<ObjectNode> = LazyLock::new(ObjectNode::default);

/// How much of a document is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DocumentLimits {
    /// How deep its objects and arrays may nest: `index.mapping.depth.limit`, 20 unless set.
    pub depth: usize,
    /// How many values of nested objects it may have: `index.mapping.nested_objects.limit`, 10,000 unless set.
    pub nested_objects: usize,
}

impl Default for DocumentLimits {
    fn default() -> Self {
        DocumentLimits { depth: DEPTH_LIMIT, nested_objects: 10_000 }
    }
}

impl DocumentLimits {
    /// The limits that the settings of an index give.
    pub fn from_settings(settings: &Settings) -> Self {
        let limit = |key: &str, default: usize| settings.text(key).and_then(|text| text.parse().ok()).unwrap_or(default);
        let standard = DocumentLimits::default();
        DocumentLimits {
            depth: limit("index.mapping.depth.limit", standard.depth),
            nested_objects: limit("index.mapping.nested_objects.limit", standard.nested_objects),
        }
    }
}

impl Mapping {
    /// Reads a document within the usual limits.
    ///
    /// # Errors
    /// Only under [`ParseMode::Strict`]: text that is no JSON object, or a value that does not fit.
    pub fn parse_document(&self, id: &str, source: &[u8], mode: ParseMode) -> Result<ParsedDocument> {
        self.parse_document_within(id, source, mode, DocumentLimits::default())
    }

    /// Reads a document within limits, which count only under [`ParseMode::Strict`].
    ///
    /// # Errors
    /// Only under [`ParseMode::Strict`]: text that is no JSON object, or a value that does not fit.
    pub fn parse_document_within(&self, id: &str, source: &[u8], mode: ParseMode, limits: DocumentLimits) -> Result<ParsedDocument> {
        let strict = mode == ParseMode::Strict;
        let (root, broken) = match read_root(source, strict) {
            Ok(root) => root,
            Err(error) if strict => return Err(error),
            // The record is what it is; without a source that can be read there is nothing to search.
            Err(_) => return Ok(ParsedDocument::default()),
        };
        let mut reader = Reader::new(self, id, source, mode, limits);
        reader.root(&root)?;
        // What does not fit stands before the place where the text breaks, and is found first.
        if let Some(error) = broken {
            return Err(failed_to_parse(error));
        }
        if reader.additions.is_empty() {
            return Ok(reader.out);
        }
        let additions = reader.additions;
        self.parse_with_additions(id, source, &root, (additions, limits))
    }

    /// Reads again under the mapping that has the new fields: two values of one new field may not fit each other.
    fn parse_with_additions(
        &self,
        id: &str,
        source: &[u8],
        root: &[(std::borrow::Cow<'_, str>, Json<'_>)],
        (additions, limits): (Map<String, Value>, DocumentLimits),
    ) -> Result<ParsedDocument> {
        let mut update = additions;
        for _ in 0..DYNAMIC_ROUNDS_MAX {
            let body = serde_json::json!({"properties": update});
            let extended = self.merge(&body, &MappingRules::unlimited())?;
            let mut reader = Reader::new(&extended, id, source, ParseMode::Strict, limits);
            reader.root(root)?;
            if reader.additions.is_empty() {
                reader.out.dynamic_update = Some(body);
                return Ok(reader.out);
            }
            update.append(&mut reader.additions);
        }
        Err(Error::mapper_parsing("failed to parse"))
    }
}

fn failed_to_parse(cause: Error) -> Error {
    Error::MapperParsing { reason: "failed to parse".to_owned(), cause: Some(Box::new(cause)) }
}

fn too_deep(limit: usize) -> Error {
    failed_to_parse(Error::parse(format!(
        "The depth of the field has exceeded the allowed limit of [{limit}]. \
         This limit can be set by changing the [index.mapping.depth.limit] index level setting."
    )))
}

type Fields<'a> = Vec<(std::borrow::Cow<'a, str>, Json<'a>)>;

/// The fields of a document; those before the place where its text breaks, and what is wrong there.
fn read_root(source: &[u8], strict: bool) -> Result<(Fields<'_>, Option<Error>)> {
    if source.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(failed_to_parse(Error::NotXContent {
            reason: "Compressor detection can only be called on some xcontent bytes or compressed xcontent bytes".to_owned(),
        }));
    }
    let (root, broken) = parse_with_breaks(source);
    match (root.value, broken) {
        (_, Some(error)) if !strict => Err(failed_to_parse(error)),
        (NodeValue::Object(fields), broken) => Ok((fields, broken)),
        (_, broken) => Ok((Vec::new(), broken)),
    }
}

struct Reader<'m> {
    mapping: &'m Mapping,
    id: &'m str,
    source: &'m [u8],
    mode: ParseMode,
    limits: DocumentLimits,
    out: ParsedDocument,
    /// The values of the documents around the one that is read, outermost first.
    around: Vec<Vec<(u32, FieldValue)>>,
    /// New fields by their full path.
    additions: Map<String, Value>,
}

/// An object being read.
#[derive(Clone, Copy)]
struct Place<'p> {
    object: &'p ObjectNode,
    path: &'p str,
    dynamic: Dynamic,
    depth: usize,
}

impl<'m> Reader<'m> {
    fn new(mapping: &'m Mapping, id: &'m str, source: &'m [u8], mode: ParseMode, limits: DocumentLimits) -> Self {
        // What was logged was within the limits of its time.
        let limits = if mode == ParseMode::Strict { limits } else { DocumentLimits { nested_objects: usize::MAX, ..limits } };
        Reader { mapping, id, source, mode, limits, out: ParsedDocument::default(), around: Vec::new(), additions: Map::new() }
    }

    fn is_strict(&self) -> bool {
        self.mode == ParseMode::Strict
    }

    /// Whether a field or object existed when the operation was sequenced.
    fn is_known(&self, since_version: u64) -> bool {
        match self.mode {
            ParseMode::Strict => true,
            ParseMode::Total(version) => since_version <= version,
        }
    }

    fn root(&mut self, fields: &[(std::borrow::Cow<'_, str>, Json<'_>)]) -> Result<()> {
        let mapping = self.mapping;
        if !mapping.root.enabled {
            return Ok(());
        }
        let place = Place { object: &mapping.root, path: "", dynamic: mapping.root.dynamic.unwrap_or(Dynamic::True), depth: 0 };
        self.fields(fields, place)
    }

    fn fields(&mut self, fields: &[(std::borrow::Cow<'_, str>, Json<'_>)], place: Place<'_>) -> Result<()> {
        if place.depth > 0 && place.depth >= self.limits.depth {
            return self.refuse(|| too_deep(self.limits.depth));
        }
        for (key, value) in fields {
            if let NodeValue::Broken(_) = value.value {
                // Its key may be half a key. The text ends here.
                return Ok(());
            }
            if place.path.is_empty() && METADATA_FIELDS.contains(&key.as_ref()) {
                self.refuse(|| self.metadata_field(key, value))?;
                continue;
            }
            if key.contains('.') {
                self.dotted(key, value, place)?;
            } else if key.is_empty() {
                self.refuse(|| failed_to_parse(Error::illegal_argument("field name cannot be an empty string")))?;
            } else {
                self.entry(key, key, value, place)?;
            }
        }
        Ok(())
    }

    /// An error under strict reading; nothing otherwise.
    fn refuse(&self, error: impl FnOnce() -> Error) -> Result<()> {
        if self.is_strict() { Err(error()) } else { Ok(()) }
    }

    fn metadata_field(&self, key: &str, value: &Json<'_>) -> Error {
        let reason =
            format!("Field [{key}] is a metadata field and cannot be added inside a document. Use the index API request parameters.");
        self.does_not_fit(key, key, value, Error::mapper_parsing(reason))
    }

    fn does_not_fit(&self, path: &str, type_name: &str, value: &Json<'_>, cause: Error) -> Error {
        let id = self.id;
        // A value in which the text breaks cannot be shown.
        let shown = match value.to_value() {
            Ok(_) => format!("Preview of field's value: '{}'", value.preview()),
            Err(_) => "Could not parse field value preview,".to_owned(),
        };
        Error::MapperParsing {
            reason: format!("failed to parse field [{path}] of type [{type_name}] in document with id '{id}'. {shown}"),
            cause: Some(Box::new(cause)),
        }
    }

    /// `a.b.c` names objects and a field in them.
    fn dotted(&mut self, key: &str, value: &Json<'_>, place: Place<'_>) -> Result<()> {
        let mut parts: Vec<&str> = key.split('.').collect();
        // Java's split forgets empty parts at the end.
        while parts.last().is_some_and(|part| part.is_empty()) {
            parts.pop();
        }
        if parts.is_empty() || parts.iter().any(|part| part.trim().is_empty()) {
            let reason = format!("object field starting or ending with a [.] makes object resolution ambiguous: [{key}]");
            return self.refuse(|| failed_to_parse(Error::illegal_argument(reason)));
        }
        if parts.len() + place.depth > self.limits.depth + 1 {
            return self.refuse(|| too_deep(self.limits.depth));
        }
        self.descend(&parts, key, value, place)
    }

    fn descend(&mut self, parts: &[&str], key: &str, value: &Json<'_>, place: Place<'_>) -> Result<()> {
        let (first, rest) = match parts {
            [] => return Ok(()),
            [last] => return self.entry(last, key, value, place),
            [first, rest @ ..] => (*first, rest),
        };
        let path = join(place.path, first);
        let known = place.object.children.get(first).filter(|node| self.node_is_known(node));
        match known {
            Some(Node::Object(object)) => {
                if !object.enabled {
                    return Ok(());
                }
                if object.nested.is_some() {
                    let last = parts.last().copied().unwrap_or_default();
                    return self.refuse(|| {
                        Error::mapper_parsing(format!(
                            "Cannot add a value for field [{last}] since one of the intermediate objects is mapped as a nested object: [{path}]"
                        ))
                    });
                }
                let dynamic = object.dynamic.unwrap_or(place.dynamic);
                self.descend(rest, key, value, Place { object, path: &path, dynamic, depth: place.depth + 1 })
            }
            Some(Node::Field(field)) => {
                let kind = self.mapping.leaf(field.leaf).map_or("unknown", |leaf| leaf.field_type.name());
                let whole = format!("{path}.{}", rest.join("."));
                self.refuse(|| {
                    Error::mapper_parsing(format!(
                        "Could not dynamically add mapping for field [{whole}]. \
                         Existing mapping for [{path}] must be of type object but found [{kind}]."
                    ))
                })
            }
            None => {
                if value.is_absent() || !self.may_add(first, &path, place)? {
                    return Ok(());
                }
                self.descend(
                    rest,
                    key,
                    value,
                    Place { object: &UNKNOWN_OBJECT, path: &path, dynamic: place.dynamic, depth: place.depth + 1 },
                )
            }
        }
    }

    fn node_is_known(&self, node: &Node) -> bool {
        match node {
            Node::Object(object) => self.is_known(object.since_version),
            Node::Field(field) => self.mapping.leaf(field.leaf).is_some_and(|leaf| self.is_known(leaf.since_version)),
        }
    }

    /// Whether an unknown field is to be added: not while a log is applied, not where `dynamic` says no.
    fn may_add(&self, name: &str, _path: &str, place: Place<'_>) -> Result<bool> {
        if !self.is_strict() {
            return Ok(false);
        }
        match place.dynamic {
            Dynamic::True | Dynamic::FalseAllowTemplates | Dynamic::StrictAllowTemplates => Ok(true),
            Dynamic::False => Ok(false),
            Dynamic::Strict => Err(self.strict_error(name, place)),
        }
    }

    fn strict_error(&self, name: &str, place: Place<'_>) -> Error {
        let object = if place.path.is_empty() { "_doc" } else { place.path };
        Error::StrictDynamicMapping { dynamic: place.dynamic.name().to_owned(), field: name.to_owned(), object: object.to_owned() }
    }

    fn entry(&mut self, name: &str, key: &str, value: &Json<'_>, place: Place<'_>) -> Result<()> {
        if name.trim().is_empty() {
            return Ok(());
        }
        match place.object.children.get(name).filter(|node| self.node_is_known(node)) {
            Some(Node::Object(object)) => self.object(object, (name, Some(key)), value, place, 0),
            Some(Node::Field(field)) => self.field(field, value, 0),
            None => self.unknown(name, value, place, 0),
        }
    }

    fn object(
        &mut self,
        object: &ObjectNode,
        (name, key): (&str, Option<&str>),
        value: &Json<'_>,
        parent: Place<'_>,
        array_depth: usize,
    ) -> Result<()> {
        let path = join(parent.path, name);
        match &value.value {
            // Lists are counted even where nothing in them is read.
            NodeValue::Array(_) if array_depth >= self.limits.depth => self.array_too_deep(),
            NodeValue::Array(items) => items.iter().try_for_each(|item| self.object(object, (name, None), item, parent, array_depth + 1)),
            _ if !object.enabled => Ok(()),
            NodeValue::Null | NodeValue::Broken(_) => Ok(()),
            NodeValue::Object(fields) => {
                let dynamic = object.dynamic.unwrap_or(parent.dynamic);
                let place = Place { object, path: &path, dynamic, depth: parent.depth + 1 };
                match object.nested {
                    None => self.fields(fields, place),
                    Some(nested) => self.nested(fields, place, nested),
                }
            }
            NodeValue::Bool(_) | NodeValue::Number(_) | NodeValue::Text(_) => self.refuse(|| {
                // Inside an array the parser has no name for it.
                let key = key.unwrap_or("null");
                Error::mapper_parsing(format!(
                    "object mapping for [{path}] tried to parse field [{key}] as object, but found a concrete value"
                ))
            }),
        }
    }

    fn swap_with_around(&mut self, depth: usize) {
        if let Some(around) = self.around.get_mut(depth) {
            std::mem::swap(around, &mut self.out.values);
        }
    }

    /// One value of a nested object: a document of its own, which stands before the one around it.
    fn nested(&mut self, fields: &[(std::borrow::Cow<'_, str>, Json<'_>)], place: Place<'_>, nested: Nested) -> Result<()> {
        if self.out.nested.len() + self.around.len() >= self.limits.nested_objects {
            let limit = self.limits.nested_objects;
            return self.refuse(|| {
                Error::mapper_parsing(format!(
                    "The number of nested documents has exceeded the allowed limit of [{limit}]. \
                     This limit can be set by changing the [index.mapping.nested_objects.limit] index level setting."
                ))
            });
        }
        self.around.push(std::mem::take(&mut self.out.values));
        let read = self.fields(fields, place);
        let own = std::mem::replace(&mut self.out.values, self.around.pop().unwrap_or_default());
        read?;
        if nested.include_in_parent {
            self.out.values.extend(own.iter().cloned());
        }
        // Where the parent is the outermost document, its values are not doubled.
        let is_root_parent = self.around.is_empty();
        if nested.include_in_root && !(is_root_parent && nested.include_in_parent) {
            self.around.first_mut().unwrap_or(&mut self.out.values).extend(own.iter().cloned());
        }
        self.out.nested.push(NestedDocument { path: place.path.into(), values: own });
        Ok(())
    }

    fn unknown(&mut self, name: &str, value: &Json<'_>, place: Place<'_>, array_depth: usize) -> Result<()> {
        let is_nothing = value.is_absent() || matches!(&value.value, NodeValue::Array(items) if items.is_empty());
        if is_nothing {
            return match place.dynamic {
                Dynamic::StrictAllowTemplates => self.refuse(|| self.strict_error(name, place)),
                _ => Ok(()),
            };
        }
        let path = join(place.path, name);
        if !self.may_add(name, &path, place)? {
            return Ok(());
        }
        if let NodeValue::Array(items) = &value.value {
            if array_depth >= self.limits.depth {
                return self.array_too_deep();
            }
            for item in items {
                self.unknown(name, item, place, array_depth + 1)?;
            }
            return Ok(());
        }
        let templates_only = matches!(place.dynamic, Dynamic::StrictAllowTemplates | Dynamic::FalseAllowTemplates);
        if !self.additions.contains_key(&path) {
            match mapping_for(&self.mapping.options, name, &path, value, templates_only) {
                Some(mapping) => drop(self.additions.insert(path.clone(), mapping)),
                None if place.dynamic == Dynamic::StrictAllowTemplates => return Err(self.strict_error(name, place)),
                None => return Ok(()),
            }
        }
        // Fields inside a new object are new as well, unless a template made something else of it.
        let is_plain_object = self.additions.get(&path).is_some_and(|mapping| *mapping == serde_json::json!({"type": "object"}));
        if let NodeValue::Object(fields) = &value.value
            && is_plain_object
        {
            return self.fields(fields, Place { object: &UNKNOWN_OBJECT, path: &path, dynamic: place.dynamic, depth: place.depth + 1 });
        }
        Ok(())
    }

    fn array_too_deep(&self) -> Result<()> {
        let limit = self.limits.depth;
        self.refuse(|| {
            failed_to_parse(Error::parse(format!(
                "The depth of the nested array field has exceeded the allowed limit of [{limit}]. \
                 This limit can be set by changing the [index.mapping.depth.limit] index level setting."
            )))
        })
    }

    fn field(&mut self, field: &FieldNode, value: &Json<'_>, array_depth: usize) -> Result<()> {
        let mapping = self.mapping;
        let Some(leaf) = mapping.leaf(field.leaf) else { return Ok(()) };
        if let NodeValue::Array(items) = &value.value
            // A pair of numbers is one place.
            && !(leaf.field_type == FieldType::GeoPoint && is_point_array(items))
        {
            if array_depth >= self.limits.depth {
                return self.array_too_deep();
            }
            for item in items {
                self.field(field, item, array_depth + 1)?;
            }
            return Ok(());
        }
        if !self.is_known(leaf.since_version) {
            return Ok(());
        }
        self.leaf(field.leaf, leaf, value, array_depth)?;
        for sub in field.fields.values() {
            self.field(sub, value, array_depth)?;
        }
        if !value.is_absent() {
            for target in &leaf.copy_to {
                self.copy_to(target, value)?;
            }
        }
        Ok(())
    }

    fn copy_to(&mut self, target: &str, value: &Json<'_>) -> Result<()> {
        let mapping = self.mapping;
        match mapping.field(target) {
            Some((number, leaf)) if self.is_known(leaf.since_version) => {
                // The copy goes to the document that its target belongs to.
                let depth = if self.around.is_empty() { 0 } else { mapping.nested_depth(target) };
                if depth < self.around.len() {
                    self.swap_with_around(depth);
                }
                let copied = self.leaf(number, leaf, value, 0);
                if depth < self.around.len() {
                    self.swap_with_around(depth);
                }
                copied
            }
            Some(_) => Ok(()),
            None => {
                let dynamic = mapping.root.dynamic.unwrap_or(Dynamic::True);
                let place = Place { object: &UNKNOWN_OBJECT, path: "", dynamic, depth: 0 };
                if self.may_add(target, target, place)? {
                    self.unknown(target, value, place, 0)?;
                }
                Ok(())
            }
        }
    }

    fn leaf(&mut self, number: u32, leaf: &LeafField, value: &Json<'_>, array_depth: usize) -> Result<()> {
        match self.read(number, leaf, value, array_depth) {
            // A term that is too long is an error of the index, not of the field.
            Ok(Some(FieldValue::Text(text))) if leaf.field_type == FieldType::Keyword && is_immense(leaf, &text) => {
                self.refuse(|| immense_term(&leaf.path, &text))?;
                self.ignore(leaf);
            }
            Ok(Some(found)) => self.out.values.push((number, found)),
            Ok(None) => {}
            Err(misfit) => {
                let is_object = matches!(value.value, NodeValue::Object(_)) && leaf.field_type != FieldType::GeoPoint;
                let lenient = leaf.options().ignore_malformed && misfit.ignorable && (!is_object || leaf.field_type.is_range());
                if self.is_strict() && !lenient {
                    return Err(self.misfit(leaf, value, misfit));
                }
                self.ignore(leaf);
            }
        }
        Ok(())
    }

    fn misfit(&self, leaf: &LeafField, value: &Json<'_>, misfit: Misfit) -> Error {
        match leaf.field_type {
            FieldType::GeoPoint => Error::MapperParsing {
                reason: format!("failed to parse field [{}] of type [geo_point]", leaf.path),
                cause: Some(Box::new(*misfit.cause)),
            },
            FieldType::Completion | FieldType::Alias => failed_to_parse(*misfit.cause),
            field_type => {
                let type_name = if field_type == FieldType::TokenCount { "integer" } else { field_type.name() };
                let error = self.does_not_fit(&leaf.path, type_name, &self.as_read(leaf, value), *misfit.cause);
                match (error, misfit.shown) {
                    (Error::MapperParsing { reason, cause }, Some(shown)) => {
                        let start = reason.split(" Preview of field's value: ").next().unwrap_or_default();
                        Error::MapperParsing { reason: format!("{start} Preview of field's value: '{shown}'"), cause }
                    }
                    (error, _) => error,
                }
            }
        }
    }

    fn ignore(&mut self, leaf: &LeafField) {
        if !self.out.ignored.iter().any(|known| **known == *leaf.path) {
            self.out.ignored.push(leaf.path.to_string());
        }
    }
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
