//! `exists`: documents with any value in a field, or in any field of an object.

use super::{Built, Common, Kind, Query, QueryContext, constant, everything, nothing, text_of, unsupported};
use serde_json::{Map, Value};
use tandem_common::mapping::Resolved;
use tandem_common::{Error, Result};
use tantivy::query::{ExistsQuery as ColumnExists, TermSetQuery};

#[derive(Clone, Debug)]
pub(super) struct ExistsQuery {
    field: String,
}

pub(super) fn parse(body: &Map<String, Value>) -> Result<Query> {
    let mut common = Common::new();
    let mut field = None;
    for (key, value) in body {
        match key.as_str() {
            "field" => field = Some(text_of(value)),
            _ if common.take(key, value)? => {}
            _ => return Err(unsupported("exists", key)),
        }
    }
    match field {
        Some(field) if !field.is_empty() => Ok(common.query(Kind::Exists(ExistsQuery { field }))),
        Some(_) => Err(Error::illegal_argument("field name is null or empty")),
        None => Err(Error::parsing("[exists] must be provided with a [field]")),
    }
}

impl ExistsQuery {
    pub(super) fn build(&self, context: &QueryContext<'_>) -> Built {
        let schema = &context.shard.schema;
        match self.field.as_str() {
            "_id" | "_index" | "_source" | "_seq_no" | "_version" | "_field_names" => return everything(),
            // Stored terms without a column: whoever has one has a term.
            "_routing" | "_ignored" => {
                let field = if self.field == "_routing" { schema.routing() } else { schema.ignored() };
                return match tantivy::query::RegexQuery::from_pattern("(.|\n)*", field) {
                    Ok(query) => constant(Box::new(query)),
                    Err(_) => constant(Box::new(ColumnExists::new(self.field.clone(), false))),
                };
            }
            _ => {}
        }
        let mapping = schema.mapping();
        let mut paths: Vec<&str> = Vec::new();
        if self.field.contains('*') {
            paths.extend(super::text::fields_matching(mapping, &self.field).map(|leaf| &*leaf.path));
        } else {
            match mapping.resolve(&self.field) {
                Some(Resolved::Leaf(_, leaf)) => paths.push(&leaf.path),
                Some(Resolved::Object) => paths.extend(mapping.fields_under(&self.field).map(|leaf| &*leaf.path)),
                None => {}
            }
        }
        if paths.is_empty() {
            return nothing();
        }
        constant(Box::new(TermSetQuery::new(paths.into_iter().map(|path| schema.field_name_terms(path).0))))
    }
}
