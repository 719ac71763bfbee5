//! `terms`: any of several exact values of one field.

use super::field::{FieldTarget, exact_term, raw_text_term, term_query};
use super::{Built, Common, Kind, Query, QueryContext, constant, nothing, parsing_at, text_of, unsupported};
use serde_json::Value;
use tandem_common::json::{Node, NodeValue};
use tandem_common::{Error, Result};
use tantivy::query::{BooleanQuery, TermSetQuery};

/// `index.max_terms_count`
const TERMS_MAX: usize = 65_536;

#[derive(Clone, Debug)]
pub(super) struct TermsQuery {
    pub(super) field: String,
    pub(super) values: Vec<Value>,
}

pub(super) fn parse(body: &Node<'_>) -> Result<Query> {
    let mut common = Common::new();
    let mut found: Option<TermsQuery> = None;
    for field in body.fields() {
        let (key, value) = field?;
        match &value.value {
            NodeValue::Array(_) => {
                if found.is_some() {
                    return Err(parsing_at(value.place, "[terms] query does not support multiple fields"));
                }
                let mut values = Vec::new();
                for item in value.items() {
                    let item = item?;
                    if item.is_null() {
                        return Err(parsing_at(item.place, "No value specified for terms query"));
                    }
                    values.push(item.to_value()?);
                }
                found = Some(TermsQuery { field: key.to_owned(), values });
            }
            NodeValue::Object(_) => {
                return Err(Error::illegal_argument("[terms] query does not support a lookup of its values"));
            }
            _ if common.take(key, value)? => {}
            _ => return Err(unsupported("terms", key, value)),
        }
    }
    match found {
        Some(query) => common.query(Kind::Terms(query)),
        None => Err(parsing_at(
            body.close,
            "[terms] query requires a field name, followed by array of terms or a document lookup specification",
        )),
    }
}

impl TermsQuery {
    pub(super) fn build(&self, context: &QueryContext<'_>) -> Result<Built> {
        if self.values.len() > TERMS_MAX {
            let count = self.values.len();
            let reason = format!(
                "The number of terms [{count}] used in the Terms Query request has exceeded the allowed maximum of [{TERMS_MAX}]. \
                 This maximum can be set by changing the [index.max_terms_count] index level setting."
            );
            return Err(Error::illegal_argument(reason));
        }
        let target = FieldTarget::find(context, &self.field);
        // One boolean is searched as a term, and scored as one.
        if let ([value], FieldTarget::Leaf(_, leaf)) = (self.values.as_slice(), target)
            && leaf.field_type == tandem_common::mapping::FieldType::Boolean
        {
            return term_query(context, &self.field, value);
        }
        let mut terms = Vec::with_capacity(self.values.len());
        let mut others: Vec<Built> = Vec::new();
        for value in &self.values {
            match target {
                FieldTarget::Leaf(number, leaf) => match exact_term(context, number, leaf, value)? {
                    Some(term) => terms.push(term),
                    None => others.push(term_query(context, &self.field, value)?),
                },
                FieldTarget::Flat(flat) => terms.push(flat.term(&text_of(value))),
                FieldTarget::Raw(field) => terms.push(raw_text_term(field, value)),
                _ => others.push(term_query(context, &self.field, value)?),
            }
        }
        if others.is_empty() {
            return Ok(if terms.is_empty() { nothing() } else { constant(Box::new(TermSetQuery::new(terms))) });
        }
        if !terms.is_empty() {
            others.push(Box::new(TermSetQuery::new(terms)));
        }
        Ok(constant(Box::new(BooleanQuery::union(others))))
    }
}
