//! `ids`: documents by their ids.

use super::{Built, Common, Kind, Query, QueryContext, constant, nothing, parsing_of, text, unknown_field, wrong_kind};
use tandem_common::Result;
use tandem_common::json::{Node, NodeValue};
use tantivy::Term;
use tantivy::query::TermSetQuery;

#[derive(Clone, Debug)]
pub(super) struct IdsQuery {
    pub(super) values: Vec<String>,
}

pub(super) fn parse(body: &Node<'_>) -> Result<Query> {
    let mut common = Common::new();
    let mut values = Vec::new();
    for field in body.fields() {
        let (key, value) = field?;
        match (key, &value.value) {
            ("values", NodeValue::Array(_)) => {
                for item in value.items() {
                    values.push(text(item?)?);
                }
            }
            ("values", NodeValue::Text(id)) => values.push(id.to_string()),
            ("values", _) => return Err(parsing_of(value, wrong_kind("ids", key, value))),
            _ if common.take_strictly("ids", key, value).map_err(|cause| parsing_of(value, cause))? => {}
            _ => return Err(parsing_of(value, unknown_field("ids", key, value, &["values", "boost", "_name"]))),
        }
    }
    common.query(Kind::Ids(IdsQuery { values }))
}

impl IdsQuery {
    pub(super) fn build(&self, context: &QueryContext<'_>) -> Built {
        if self.values.is_empty() {
            return nothing();
        }
        let field = super::field::id_field(context);
        constant(Box::new(TermSetQuery::new(self.values.iter().map(|id| Term::from_field_text(field, id)))))
    }
}
