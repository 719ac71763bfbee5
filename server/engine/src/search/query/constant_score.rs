//! `constant_score`: a filter whose every hit scores the boost.

use super::{Built, Common, Kind, Query, QueryContext, constant};
use serde_json::{Map, Value};
use tandem_common::{Error, Result};

#[derive(Clone, Debug)]
pub(super) struct ConstantScoreQuery {
    filter: Box<Query>,
}

pub(super) fn parse(body: &Map<String, Value>, depth: usize) -> Result<Query> {
    let mut common = Common::new();
    let mut filter = None;
    for (key, value) in body {
        match (key.as_str(), value) {
            ("filter", Value::Object(_)) if filter.is_some() => {
                return Err(Error::parsing("[constant_score] accepts only one 'filter' element."));
            }
            ("filter", Value::Object(_)) => filter = Some(Box::new(Query::parse_at(value, depth + 1)?)),
            (_, Value::Object(_)) => return Err(Error::parsing(format!("[constant_score] query does not support [{key}]"))),
            (_, Value::Array(_)) => return Err(Error::parsing("unexpected token [START_ARRAY]")),
            _ if common.take(key, value)? => {}
            _ => return Err(Error::parsing(format!("[constant_score] query does not support [{key}]"))),
        }
    }
    match filter {
        Some(filter) => Ok(common.query(Kind::ConstantScore(ConstantScoreQuery { filter }))),
        None => Err(Error::parsing("[constant_score] requires a 'filter' element")),
    }
}

impl ConstantScoreQuery {
    pub(super) fn build(&self, context: &QueryContext<'_>) -> Result<Built> {
        Ok(constant(self.filter.build(context)?))
    }
}
