//! `dis_max`: the best of several scores, and a share of the others.

use super::{Built, Common, Kind, Query, QueryContext, number, parsing_at, unsupported};
use tandem_common::Result;
use tandem_common::json::{Node, NodeValue};
use tantivy::query::DisjunctionMaxQuery;

#[derive(Clone, Debug)]
pub(super) struct DisMaxQuery {
    pub(super) queries: Vec<Query>,
    pub(super) tie_breaker: f32,
}

pub(super) fn parse(body: &Node<'_>, depth: usize) -> Result<Query> {
    let mut common = Common::new();
    let mut query = DisMaxQuery { queries: Vec::new(), tie_breaker: 0.0 };
    for field in body.fields() {
        let (key, value) = field?;
        match (key, &value.value) {
            ("queries", NodeValue::Array(items)) if items.is_empty() => {
                return Err(parsing_at(value.close, "[_na] query malformed, must start with start_object"));
            }
            ("queries", NodeValue::Array(_)) => {
                for item in value.items() {
                    query.queries.push(Query::parse_at(item?, depth + 1)?);
                }
            }
            ("queries", NodeValue::Object(_)) => query.queries.push(Query::parse_at(value, depth + 1)?),
            ("tie_breaker", _) => query.tie_breaker = number(value)? as f32,
            _ if common.take(key, value)? => {}
            _ => return Err(unsupported("dis_max", key, value)),
        }
    }
    if query.queries.is_empty() {
        return Err(parsing_at(body.close, "[dis_max] requires 'queries' field with at least one clause"));
    }
    common.query(Kind::DisMax(query))
}

impl DisMaxQuery {
    pub(super) fn build(&self, context: &QueryContext<'_>) -> Result<Built> {
        let built = self.queries.iter().map(|query| query.build(context)).collect::<Result<Vec<_>>>()?;
        Ok(Box::new(DisjunctionMaxQuery::with_tie_breaker(built, self.tie_breaker)))
    }
}
