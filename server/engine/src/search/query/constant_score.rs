//! `constant_score`: a filter whose every hit scores the boost.

use super::{Built, Common, Kind, Query, QueryContext, constant, parsing_at, unsupported};
use tandem_common::Result;
use tandem_common::json::{Node, NodeValue};

#[derive(Clone, Debug)]
pub(super) struct ConstantScoreQuery {
    pub(super) filter: Box<Query>,
}

pub(super) fn parse(body: &Node<'_>, depth: usize) -> Result<Query> {
    let mut common = Common::new();
    let mut filter = None;
    for field in body.fields() {
        let (key, value) = field?;
        match (key, &value.value) {
            ("filter", NodeValue::Object(_)) => filter = Some(Box::new(Query::parse_at(value, depth + 1)?)),
            (_, NodeValue::Object(_)) => return Err(unsupported("constant_score", key, value)),
            (_, NodeValue::Array(_)) => return Err(parsing_at(value.place, "unexpected token [START_ARRAY]")),
            _ if common.take(key, value)? => {}
            _ => return Err(unsupported("constant_score", key, value)),
        }
    }
    match filter {
        Some(filter) => common.query(Kind::ConstantScore(ConstantScoreQuery { filter })),
        None => Err(parsing_at(body.close, "[constant_score] requires a 'filter' element")),
    }
}

impl ConstantScoreQuery {
    pub(super) fn build(&self, context: &QueryContext<'_>) -> Result<Built> {
        Ok(constant(self.filter.build(context)?))
    }
}
