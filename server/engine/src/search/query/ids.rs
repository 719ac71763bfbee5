//! `ids`: documents by their ids.

use super::{Built, Common, Kind, Query, QueryContext, constant, nothing, text_of, unknown_parameter};
use serde_json::{Map, Value};
use tandem_common::Result;
use tantivy::Term;
use tantivy::query::TermSetQuery;

#[derive(Clone, Debug)]
pub(super) struct IdsQuery {
    values: Vec<String>,
}

pub(super) fn parse(body: &Map<String, Value>) -> Result<Query> {
    let mut common = Common::new();
    let mut values = Vec::new();
    for (key, value) in body {
        match (key.as_str(), value) {
            ("values", Value::Array(items)) => values.extend(items.iter().map(text_of)),
            ("values", value) => values.push(text_of(value)),
            _ if common.take(key, value)? => {}
            _ => return Err(unknown_parameter("ids", key, &["values", "boost", "_name"])),
        }
    }
    Ok(common.query(Kind::Ids(IdsQuery { values })))
}

impl IdsQuery {
    pub(super) fn build(&self, context: &QueryContext<'_>) -> Built {
        if self.values.is_empty() {
            return nothing();
        }
        let field = context.shard.schema.id();
        constant(Box::new(TermSetQuery::new(self.values.iter().map(|id| Term::from_field_text(field, id)))))
    }
}
