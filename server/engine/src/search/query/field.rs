//! What a field name in a query leads to, and the query for one exact value of it.

use super::text::scored;
use super::{Built, QueryContext, constant, everything, flag_of, nothing, text_of};
use serde_json::Value;
use std::ops::Bound;
use tandem_common::mapping::field_types::{Rounding, parse_date_math, query_number};
use tandem_common::mapping::{FieldType, FieldValue, LeafField};
use tandem_common::{Error, Result};
use tantivy::Term;
use tantivy::query::{RangeQuery, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};

/// What a name leads to.
#[derive(Clone, Copy)]
pub(super) enum FieldTarget<'m> {
    /// A mapped field.
    Leaf(u32, &'m LeafField),
    /// A metadata field of untouched terms.
    Raw(Field),
    /// A metadata field that is a column of numbers.
    Column(Field),
    /// `_index`
    IndexName,
    /// Nothing that has values.
    Unmapped,
}

impl<'m> FieldTarget<'m> {
    pub(super) fn find(context: &QueryContext<'m>, name: &str) -> FieldTarget<'m> {
        let schema = &context.shard.schema;
        match name {
            "_id" => FieldTarget::Raw(schema.id()),
            "_routing" => FieldTarget::Raw(schema.routing()),
            "_ignored" => FieldTarget::Raw(schema.ignored()),
            "_field_names" => FieldTarget::Raw(schema.field_names()),
            "_seq_no" => FieldTarget::Column(schema.seq_no()),
            "_version" => FieldTarget::Column(schema.version()),
            "_index" => FieldTarget::IndexName,
            _ => match schema.mapping().field(name) {
                Some((number, leaf)) => FieldTarget::Leaf(number, leaf),
                None => FieldTarget::Unmapped,
            },
        }
    }
}

/// The term of an untouched metadata field.
pub(super) fn raw_text_term(field: Field, value: &Value) -> Term {
    Term::from_field_text(field, &text_of(value))
}

/// What a keyword field makes of a value before it is compared.
pub(super) fn normalized(context: &QueryContext<'_>, leaf: &LeafField, text: &str) -> String {
    let Some(normalizer) = &leaf.options().normalizer else { return text.to_owned() };
    let name = crate::analysis::AnalyzerRegistry::normalizer_tokenizer_name(normalizer);
    let Some(mut tokenizer) = context.shard.searcher.index().tokenizers().get(&name) else { return text.to_owned() };
    let mut stream = tokenizer.token_stream(text);
    if stream.advance() { stream.token().text.clone() } else { text.to_owned() }
}

/// `Can't parse boolean value [x], expected [true] or [false]`
pub(super) fn bool_of(value: &Value) -> Result<bool> {
    if value.as_str() == Some("") {
        return Ok(false);
    }
    flag_of(value)
        .map_err(|_| Error::illegal_argument(format!("Can't parse boolean value [{}], expected [true] or [false]", text_of(value))))
}

/// The term of the inverted index that stands for a value; `None` where there is no such index or no such term.
pub(super) fn exact_term(context: &QueryContext<'_>, number: u32, leaf: &LeafField, value: &Value) -> Result<Option<Term>> {
    let Some(field) = context.shard.schema.leaf_field(number) else { return Ok(None) };
    if !context.shard.schema.tantivy().get_field_entry(field).is_indexed() {
        return Ok(None);
    }
    Ok(match leaf.field_type {
        FieldType::Text => Some(Term::from_field_text(field, &text_of(value))),
        FieldType::Keyword => Some(Term::from_field_text(field, &normalized(context, leaf, &text_of(value)))),
        FieldType::Long | FieldType::Integer | FieldType::Short | FieldType::Byte => {
            match query_number(&text_of(value), leaf.field_type)? {
                Some(FieldValue::Long(value)) => Some(Term::from_field_i64(field, value)),
                _ => None,
            }
        }
        FieldType::Boolean => Some(Term::from_field_bool(field, bool_of(value)?)),
        FieldType::Date | FieldType::Double | FieldType::Float | FieldType::HalfFloat => None,
    })
}

/// One exact value of one field.
pub(super) fn term_query(context: &QueryContext<'_>, name: &str, value: &Value) -> Result<Built> {
    Ok(match FieldTarget::find(context, name) {
        FieldTarget::Unmapped => nothing(),
        FieldTarget::IndexName => {
            if text_of(value) == context.shard.shard.index {
                everything()
            } else {
                nothing()
            }
        }
        FieldTarget::Raw(field) => constant(Box::new(TermQuery::new(raw_text_term(field, value), IndexRecordOption::Basic))),
        FieldTarget::Column(field) => match query_number(&text_of(value), FieldType::Long)? {
            Some(FieldValue::Long(value)) => one_of_column(Term::from_field_i64(field, value)),
            _ => nothing(),
        },
        FieldTarget::Leaf(number, leaf) => leaf_query(context, number, leaf, value)?,
    })
}

fn one_of_column(term: Term) -> Built {
    constant(Box::new(RangeQuery::new(Bound::Included(term.clone()), Bound::Included(term))))
}

fn leaf_query(context: &QueryContext<'_>, number: u32, leaf: &LeafField, value: &Value) -> Result<Built> {
    let Some(field) = context.shard.schema.leaf_field(number) else {
        return Err(not_searchable(&leaf.path));
    };
    if let Some(term) = exact_term(context, number, leaf, value)? {
        return Ok(match leaf.field_type {
            FieldType::Text | FieldType::Boolean => scored(context, leaf, std::slice::from_ref(&term), text_term(term.clone())),
            _ => constant(Box::new(TermQuery::new(term, IndexRecordOption::Basic))),
        });
    }
    Ok(match leaf.field_type {
        FieldType::Date => return date_query(context, field, leaf, value),
        FieldType::Keyword => one_of_column(Term::from_field_text(field, &normalized(context, leaf, &text_of(value)))),
        FieldType::Boolean => one_of_column(Term::from_field_bool(field, bool_of(value)?)),
        FieldType::Text => return Err(not_searchable(&leaf.path)),
        _ => match query_number(&text_of(value), leaf.field_type)? {
            Some(FieldValue::Long(value)) => one_of_column(Term::from_field_i64(field, value)),
            Some(FieldValue::Double(value)) => one_of_column(Term::from_field_f64(field, value)),
            _ => nothing(),
        },
    })
}

/// A term with its frequencies, for scores.
pub(super) fn text_term(term: Term) -> Built {
    Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs))
}

pub(super) fn not_searchable(path: &str) -> Error {
    Error::illegal_argument(format!("Cannot search on field [{path}] since it is not indexed."))
}

/// A date stands for all the moments that it leaves open.
fn date_query(context: &QueryContext<'_>, field: Field, leaf: &LeafField, value: &Value) -> Result<Built> {
    let format = &leaf.options().date_format;
    let text = text_of(value);
    let read = |rounding| parse_date_math(&text, format, context.now_millis, rounding, None);
    let bound = |rounding| -> Result<Bound<Term>> {
        // Here, unlike in a range, a date that cannot be read is an error of the query's making.
        let millis = read(rounding).map_err(|cause| context.failed_to_create(cause))?;
        Ok(Bound::Included(Term::from_field_i64(field, millis)))
    };
    Ok(constant(Box::new(RangeQuery::new(bound(Rounding::Down)?, bound(Rounding::Up)?))))
}

/// Whether sorting reads a leaf's column as text, and which.
pub(in crate::search) fn column_type(leaf: &LeafField) -> ColumnType {
    match leaf.field_type {
        FieldType::Text | FieldType::Keyword => ColumnType::Text,
        FieldType::Double | FieldType::Float | FieldType::HalfFloat => ColumnType::Double,
        FieldType::Boolean => ColumnType::Bool,
        FieldType::Long | FieldType::Integer | FieldType::Short | FieldType::Byte | FieldType::Date => ColumnType::Long,
    }
}

/// The kinds of column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::search) enum ColumnType {
    Text,
    Long,
    Double,
    Bool,
}
