//! What a field name in a query leads to, and the query for one exact value of it.

use super::flat_object::FlatPath;
use super::range::RangeQuery as BetweenQuery;
use super::text::scored;
use super::{Built, QueryContext, constant, everything, flag_of, nothing, text_of};
use serde_json::Value;
use std::ops::Bound;
use tandem_common::mapping::field_types::{
    Moment, Rounding, number_of_query, parse_cidr, parse_date_math, parse_ip, query_number, query_unsigned, scaled,
};
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
    /// A path below a flat object.
    Flat(FlatPath<'m>),
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
    pub(super) fn find(context: &QueryContext<'m>, name: &'m str) -> FieldTarget<'m> {
        let schema = &context.shard.schema;
        match name {
            "_id" => FieldTarget::Raw(id_field(context)),
            "_routing" => FieldTarget::Raw(schema.routing()),
            "_ignored" => FieldTarget::Raw(schema.ignored()),
            "_field_names" => FieldTarget::Raw(schema.field_names()),
            "_seq_no" => FieldTarget::Column(schema.seq_no()),
            "_version" => FieldTarget::Column(schema.version()),
            "_index" => FieldTarget::IndexName,
            _ => match schema.mapping().field(name) {
                Some((number, leaf)) => FieldTarget::Leaf(number, leaf),
                None => FlatPath::find(context, name).map_or(FieldTarget::Unmapped, FieldTarget::Flat),
            },
        }
    }
}

/// The field that ids are found in; those of nested objects are the ids of the documents around them.
pub(super) fn id_field(context: &QueryContext<'_>) -> Field {
    let schema = &context.shard.schema;
    match schema.nested() {
        Some(nested) if context.scope.is_some() => nested.root,
        _ => schema.id(),
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
        FieldType::Keyword | FieldType::Wildcard => Some(Term::from_field_text(field, &normalized(context, leaf, &text_of(value)))),
        FieldType::Long | FieldType::Integer | FieldType::Short | FieldType::Byte | FieldType::TokenCount => {
            match query_number(&text_of(value), leaf.field_type)? {
                Some(FieldValue::Long(value)) => Some(Term::from_field_i64(field, value)),
                _ => None,
            }
        }
        FieldType::UnsignedLong => match query_unsigned(&text_of(value))? {
            Some(FieldValue::Unsigned(value)) => Some(Term::from_field_u64(field, value)),
            _ => None,
        },
        FieldType::Boolean => Some(Term::from_field_bool(field, bool_of(value)?)),
        FieldType::Ip => match text_of(value) {
            // A block is more than a term.
            block if block.contains('/') => None,
            address => Some(Term::from_field_ip_addr(field, parse_ip(&address)?)),
        },
        FieldType::Text | FieldType::MatchOnlyText | FieldType::SearchAsYouType | FieldType::FlatObject | FieldType::Completion => {
            Some(Term::from_field_text(field, &text_of(value)))
        }
        _ => None,
    })
}

/// One exact value of one field.
pub(super) fn term_query(context: &QueryContext<'_>, name: &str, value: &Value) -> Result<Built> {
    Ok(match FieldTarget::find(context, name) {
        FieldTarget::Flat(flat) => flat.value(&text_of(value)),
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
    let refuse = |reason: String| Err(context.query_shard(reason, None));
    match leaf.field_type {
        FieldType::ConstantKeyword => {
            let fits = leaf.options().constant.as_deref() == Some(text_of(value).as_str());
            return Ok(if fits { everything() } else { nothing() });
        }
        FieldType::Binary => return refuse("Binary fields do not support searching".to_owned()),
        FieldType::GeoPoint => {
            let path = &leaf.path;
            return refuse(format!("Geometry fields do not support exact searching, use dedicated geometry queries instead: [{path}]"));
        }
        field_type if field_type.is_range() => {
            let both = (Some(value.clone()), true);
            return BetweenQuery::between(&leaf.path, both.clone(), both).build(context);
        }
        _ => {}
    }
    let Some(field) = context.shard.schema.leaf_field(number) else {
        return Err(not_searchable(leaf));
    };
    if let Some(term) = exact_term(context, number, leaf, value)? {
        return Ok(match leaf.field_type {
            FieldType::Text | FieldType::SearchAsYouType | FieldType::Boolean => {
                scored(context, leaf, std::slice::from_ref(&term), text_term(term.clone()))
            }
            _ => constant(Box::new(TermQuery::new(term, IndexRecordOption::Basic))),
        });
    }
    Ok(match leaf.field_type {
        FieldType::Date | FieldType::DateNanos => return date_query(context, field, leaf, value),
        FieldType::Keyword | FieldType::Wildcard => {
            one_of_column(Term::from_field_text(field, &normalized(context, leaf, &text_of(value))))
        }
        FieldType::Boolean => one_of_column(Term::from_field_bool(field, bool_of(value)?)),
        FieldType::ScaledFloat => {
            one_of_column(Term::from_field_i64(field, scaled(number_of_query(&text_of(value))?, leaf.options().scaling_factor)))
        }
        FieldType::UnsignedLong => match query_unsigned(&text_of(value))? {
            Some(FieldValue::Unsigned(value)) => one_of_column(Term::from_field_u64(field, value)),
            _ => nothing(),
        },
        FieldType::Ip => {
            let text = text_of(value);
            let (low, high) = if text.contains('/') { parse_cidr(&text)? } else { parse_ip(&text).map(|address| (address, address))? };
            let bound = |address| Bound::Included(Term::from_field_ip_addr(field, address));
            constant(Box::new(RangeQuery::new(bound(low), bound(high))))
        }
        field_type if field_type.is_number() => match query_number(&text_of(value), field_type)? {
            Some(FieldValue::Long(value)) => one_of_column(Term::from_field_i64(field, value)),
            Some(FieldValue::Double(value)) => one_of_column(Term::from_field_f64(field, value)),
            _ => nothing(),
        },
        _ => return Err(not_searchable(leaf)),
    })
}

/// A term with its frequencies, for scores.
pub(super) fn text_term(term: Term) -> Built {
    Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs))
}

pub(super) fn not_searchable(leaf: &LeafField) -> Error {
    let path = &leaf.path;
    if leaf.field_type.is_text() || leaf.field_type.is_range() {
        return Error::illegal_argument(format!("Cannot search on field [{path}] since it is not indexed."));
    }
    Error::illegal_argument(format!("Cannot search on field [{path}] since it is both not indexed, and does not have doc_values enabled."))
}

/// A date stands for all the moments that it leaves open.
fn date_query(context: &QueryContext<'_>, field: Field, leaf: &LeafField, value: &Value) -> Result<Built> {
    let format = &leaf.options().date_format;
    let text = text_of(value);
    let read = |rounding| match leaf.field_type {
        FieldType::DateNanos => Moment::parse_math(&text, format, context.now_millis, rounding, None)?.to_nanos(),
        _ => parse_date_math(&text, format, context.now_millis, rounding, None),
    };
    let bound = |rounding| -> Result<Bound<Term>> {
        // Here, unlike in a range, a date that cannot be read is an error of the query's making.
        let moment = read(rounding).map_err(|cause| context.failed_to_create(cause))?;
        Ok(Bound::Included(Term::from_field_i64(field, moment)))
    };
    Ok(constant(Box::new(RangeQuery::new(bound(Rounding::Down)?, bound(Rounding::Up)?))))
}

/// How sorting reads a leaf's column.
pub(in crate::search) fn column_type(leaf: &LeafField) -> ColumnType {
    match leaf.field_type {
        FieldType::Double | FieldType::Float | FieldType::HalfFloat => ColumnType::Double,
        FieldType::ScaledFloat => ColumnType::Scaled,
        FieldType::Boolean => ColumnType::Bool,
        FieldType::UnsignedLong => ColumnType::Unsigned,
        FieldType::Ip => ColumnType::Ip,
        FieldType::Long
        | FieldType::Integer
        | FieldType::Short
        | FieldType::Byte
        | FieldType::TokenCount
        | FieldType::Date
        | FieldType::DateNanos => ColumnType::Long,
        _ => ColumnType::Text,
    }
}

/// The kinds of column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::search) enum ColumnType {
    Text,
    Long,
    Unsigned,
    Double,
    /// Whole numbers that are divided by a factor.
    Scaled,
    Bool,
    Ip,
}
