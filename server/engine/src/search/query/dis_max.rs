//! `dis_max`: the best of several scores, and a share of the others.

use super::{Built, Common, Kind, Query, QueryContext, number, unsupported};
use serde_json::{Map, Value};
use tandem_common::{Error, Result};
use tantivy::query::DisjunctionMaxQuery;

#[derive(Clone, Debug)]
pub(super) struct DisMaxQuery {
    queries: Vec<Query>,
    tie_breaker: f32,
}

pub(super) fn parse(body: &Map<String, Value>, depth: usize) -> Result<Query> {
    let mut common = Common::new();
    let mut query = DisMaxQuery { queries: Vec::new(), tie_breaker: 0.0 };
    for (key, value) in body {
        match (key.as_str(), value) {
            ("queries", Value::Array(items)) => {
                for item in items {
                    query.queries.push(Query::parse_at(item, depth + 1)?);
                }
            }
            ("queries", Value::Object(_)) => query.queries.push(Query::parse_at(value, depth + 1)?),
            ("tie_breaker", value) => query.tie_breaker = number(value)? as f32,
            _ if common.take(key, value)? => {}
            _ => return Err(unsupported("dis_max", key)),
        }
    }
    if query.queries.is_empty() {
        return Err(Error::parsing("[dis_max] requires 'queries' field with at least one clause"));
    }
    Ok(common.query(Kind::DisMax(query)))
}

impl DisMaxQuery {
    pub(super) fn build(&self, context: &QueryContext<'_>) -> Result<Built> {
        let built = self.queries.iter().map(|query| query.build(context)).collect::<Result<Vec<_>>>()?;
        Ok(Box::new(DisjunctionMaxQuery::with_tie_breaker(built, self.tie_breaker)))
    }
}
