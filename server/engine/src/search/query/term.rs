//! `term`: one exact value of one field.

use super::field::{FieldTarget, term_query};
use super::flat_object::takes_patterns;
use super::pattern::{PatternKind, PatternQuery};
use super::{Built, Common, Kind, Query, QueryContext, flag, parsing_at, single_field, text_of, unsupported};
use serde_json::Value;
use tandem_common::json::{Node, NodeValue};
use tandem_common::{Error, Result};

#[derive(Clone, Debug)]
pub(super) struct TermQuery {
    pub(super) field: String,
    pub(super) value: Value,
    pub(super) case_insensitive: bool,
}

pub(super) fn parse(body: &Node<'_>) -> Result<Query> {
    let mut common = Common::new();
    let Some((field, value)) = single_field("term", body, &mut common)? else {
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
                    "value" | "term" if value.is_object() || value.is_array() => {
                        return Err(parsing_at(value.place, "[term] query does not support array of values"));
                    }
                    "value" | "term" => found = value.to_value()?,
                    "case_insensitive" => case_insensitive = flag(value)?,
                    _ if common.take(key, value)? => {}
                    _ => return Err(unsupported("term", key, value)),
                }
            }
            found
        }
        NodeValue::Array(_) => return Err(parsing_at(value.place, "[term] query does not support array of values")),
        NodeValue::Null => return Err(Error::illegal_argument("field name is null or empty")),
        _ => value.to_value()?,
    };
    match value {
        Value::Null => Err(Error::illegal_argument("value cannot be null")),
        value => common.query(Kind::Term(TermQuery { field: field.to_owned(), value, case_insensitive })),
    }
}

impl TermQuery {
    pub(super) fn build(&self, context: &QueryContext<'_>) -> Result<Built> {
        let target = FieldTarget::find(context, &self.field);
        if self.case_insensitive && takes_patterns(&target) {
            let pattern =
                PatternQuery { field: self.field.clone(), value: text_of(&self.value), kind: PatternKind::Exact, case_insensitive: true };
            return pattern.build(context);
        }
        term_query(context, &self.field, &self.value)
    }
}
