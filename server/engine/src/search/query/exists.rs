//! `exists`: documents with any value in a field, or in any field of an object.

use super::flat_object::FlatPath;
use super::text::fields_matching;
use super::{Built, Common, Kind, Query, QueryContext, constant, everything, nothing, parsing_at, text, unsupported};
use std::ops::Bound;
use tandem_common::json::Node;
use tandem_common::mapping::{FieldType, Resolved};
use tandem_common::{Error, Result};
use tantivy::query::{ExistsQuery as ColumnExists, TermSetQuery};

#[derive(Clone, Debug)]
pub(super) struct ExistsQuery {
    pub(super) field: String,
}

pub(super) fn parse(body: &Node<'_>) -> Result<Query> {
    let mut common = Common::new();
    let mut field = None;
    for entry in body.fields() {
        let (key, value) = entry?;
        match key {
            "field" if value.is_object() || value.is_array() => {
                let reason = format!("[exists] unknown token [{}] after [field]", value.kind_name());
                return Err(parsing_at(value.place, reason));
            }
            "field" => field = Some(text(value)?),
            _ if common.take(key, value)? => {}
            _ => return Err(unsupported("exists", key, value)),
        }
    }
    match field {
        Some(field) if !field.is_empty() => common.query(Kind::Exists(ExistsQuery { field })),
        Some(_) => Err(Error::illegal_argument("field name is null or empty")),
        None => Err(parsing_at(body.close, "[exists] must be provided with a [field]")),
    }
}

impl ExistsQuery {
    pub(super) fn of(field: &str) -> Self {
        ExistsQuery { field: field.to_owned() }
    }

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
        if let Some((_, leaf)) = mapping.field(&self.field)
            && leaf.field_type == FieldType::ConstantKeyword
        {
            return everything();
        }
        if mapping.resolve(&self.field).is_none()
            && let Some(flat) = FlatPath::find(context, &self.field)
        {
            return flat.between(Bound::Unbounded, Bound::Unbounded);
        }
        if self.field.contains('*') {
            paths.extend(fields_matching(mapping, &self.field).map(|leaf| &*leaf.path));
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
