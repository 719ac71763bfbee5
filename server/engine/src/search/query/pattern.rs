//! `prefix`, `wildcard`, and terms whatever their case: terms that fit a pattern.

use super::field::{FieldTarget, normalized, not_searchable};
use super::flat_object::takes_patterns;
use super::{Built, Common, Kind, Query, QueryContext, constant, everything, flag, nothing, single_field, text_of, unsupported};
use serde_json::Value;
use std::collections::HashSet;
use tandem_common::json::{Node, NodeValue};
use tandem_common::mapping::field_types::flat_entry;
use tandem_common::mapping::{FieldType, LeafField};
use tandem_common::{Error, Result};
use tantivy::SegmentReader;
use tantivy::query::RegexQuery;
use tantivy::query::doc_predicate_query::{DocPredicateQuery, FunctionPredicate};

#[derive(Clone, Debug)]
pub(super) struct PatternQuery {
    pub(super) field: String,
    pub(super) value: String,
    pub(super) kind: PatternKind,
    pub(super) case_insensitive: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PatternKind {
    Exact,
    Prefix,
    Wildcard,
}

impl PatternKind {
    fn name(self) -> &'static str {
        match self {
            PatternKind::Exact => "term",
            PatternKind::Prefix => "prefix",
            PatternKind::Wildcard => "wildcard",
        }
    }
}

pub(super) fn parse(name: &str, body: &Node<'_>) -> Result<Query> {
    let kind = if name == "prefix" { PatternKind::Prefix } else { PatternKind::Wildcard };
    let mut common = Common::new();
    let Some((field, value)) = single_field(name, body, &mut common)? else {
        return Err(Error::illegal_argument("field name is null or empty"));
    };
    let mut case_insensitive = false;
    let value = match &value.value {
        NodeValue::Object(_) => {
            let options = value;
            let mut found = Value::Null;
            for field in options.fields() {
                let (key, value) = field?;
                match key {
                    "value" => found = value.to_value()?,
                    "prefix" if kind == PatternKind::Prefix => found = value.to_value()?,
                    "wildcard" if kind == PatternKind::Wildcard => found = value.to_value()?,
                    "case_insensitive" => case_insensitive = flag(value)?,
                    // How terms are expanded does not show in the hits.
                    "rewrite" => {}
                    _ if common.take(key, value)? => {}
                    _ => return Err(unsupported(name, key, value)),
                }
            }
            found
        }
        _ => value.to_value()?,
    };
    if value.is_null() || value.is_array() {
        return Err(Error::illegal_argument("value cannot be null"));
    }
    common.query(Kind::Pattern(PatternQuery { field: field.to_owned(), value: text_of(&value), kind, case_insensitive }))
}

impl PatternQuery {
    pub(super) fn build(&self, context: &QueryContext<'_>) -> Result<Built> {
        let target = FieldTarget::find(context, &self.field);
        let matches = |text: &str| {
            let regex = regex::Regex::new(&format!("^(?:{})$", self.regex(&self.value))).ok();
            if regex.is_some_and(|regex| regex.is_match(text)) { everything() } else { nothing() }
        };
        let (field, regex) = match target {
            FieldTarget::Unmapped => return Ok(nothing()),
            FieldTarget::IndexName => return Ok(matches(&context.shard.shard.index)),
            FieldTarget::Raw(field) => (field, self.regex(&self.value)),
            FieldTarget::Flat(flat) => (flat.entries, format!("{}{}", regex::escape(&flat_entry(flat.path, "")), self.regex(&self.value))),
            FieldTarget::Leaf(_, leaf) if leaf.field_type == FieldType::ConstantKeyword => {
                return Ok(matches(leaf.options().constant.as_deref().unwrap_or_default()));
            }
            FieldTarget::Leaf(number, leaf) if takes_patterns(&target) => {
                let field = context.shard.schema.leaf_field(number).ok_or_else(|| not_searchable(leaf))?;
                let regex = self.regex(&normalized(context, leaf, &self.value));
                if !context.shard.schema.tantivy().get_field_entry(field).is_indexed() {
                    return self.column_query(leaf, &regex);
                }
                (field, regex)
            }
            FieldTarget::Leaf(_, leaf) => return Err(self.wrong_type(context, leaf.field_type.name())),
            FieldTarget::Column(_) => return Err(self.wrong_type(context, &self.field)),
        };
        let query = RegexQuery::from_pattern(&regex, field)
            .map_err(|error| Error::illegal_argument(format!("[{}] cannot be searched for: {error}", self.value)))?;
        Ok(constant(Box::new(query)))
    }

    /// Documents with a text in a column that fits; without terms its dictionary is gone through.
    fn column_query(&self, leaf: &LeafField, regex: &str) -> Result<Built> {
        let regex = regex::Regex::new(&format!("^(?:{regex})$"))
            .map_err(|error| Error::illegal_argument(format!("[{}] cannot be searched for: {error}", self.value)))?;
        let path = leaf.path.to_string();
        let predicate = move |segment: &SegmentReader| {
            let column = segment.fast_fields().str(&path)?;
            let mut fitting = HashSet::new();
            if let Some(column) = &column {
                let mut terms = column.dictionary().stream()?;
                while terms.advance() {
                    if std::str::from_utf8(terms.key()).is_ok_and(|text| regex.is_match(text)) {
                        fitting.insert(terms.term_ord());
                    }
                }
            }
            Ok(move |doc: u32| column.as_ref().is_some_and(|column| column.term_ords(doc).any(|ord| fitting.contains(&ord))))
        };
        Ok(constant(Box::new(DocPredicateQuery::from(FunctionPredicate::from(predicate)))))
    }

    fn wrong_type(&self, context: &QueryContext<'_>, type_name: &str) -> Error {
        let (kind, field) = (self.kind.name(), &self.field);
        let reason = format!("Can only use {kind} queries on keyword and text fields - not on [{field}] which is of type [{type_name}]");
        context.query_shard(reason, None)
    }

    /// The pattern as a regular expression, letter by letter.
    fn regex(&self, value: &str) -> String {
        let mut regex = String::new();
        let mut escaped = false;
        for letter in value.chars() {
            match letter {
                '\\' if self.kind == PatternKind::Wildcard && !escaped => {
                    escaped = true;
                    continue;
                }
                // Several stars are one.
                '*' if self.kind == PatternKind::Wildcard && !escaped && regex.ends_with("(.|\n)*") => {}
                '*' if self.kind == PatternKind::Wildcard && !escaped => regex.push_str("(.|\n)*"),
                '?' if self.kind == PatternKind::Wildcard && !escaped => regex.push_str("(.|\n)"),
                letter => self.push_letter(letter, &mut regex),
            }
            escaped = false;
        }
        if self.kind == PatternKind::Prefix {
            regex.push_str("(.|\n)*");
        }
        regex
    }

    fn push_letter(&self, letter: char, regex: &mut String) {
        let mut buffer = [0; 4];
        let plain = |letter: char, regex: &mut String, buffer: &mut [u8; 4]| regex.push_str(&regex::escape(letter.encode_utf8(buffer)));
        let other = if letter.is_lowercase() { letter.to_uppercase().next() } else { letter.to_lowercase().next() };
        match other.filter(|other| self.case_insensitive && *other != letter) {
            Some(other) => {
                regex.push('(');
                plain(letter, regex, &mut buffer);
                regex.push('|');
                plain(other, regex, &mut buffer);
                regex.push(')');
            }
            None => plain(letter, regex, &mut buffer),
        }
    }
}
