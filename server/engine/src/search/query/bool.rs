//! `bool`: clauses that must, may or must not match.

use super::excluded::excluded;
use super::minimum_should_match::MinimumShouldMatch;
use super::{Built, CLAUSES_MAX, Common, Kind, Query, QueryContext, everything, flag, unknown_field};
use serde_json::{Map, Value};
use tandem_common::{Error, Result};
use tantivy::query::{BooleanQuery, ConstScoreQuery, Occur};

#[derive(Clone, Debug, Default)]
pub(super) struct BoolQuery {
    must: Vec<Query>,
    filter: Vec<Query>,
    should: Vec<Query>,
    must_not: Vec<Query>,
    minimum_should_match: Option<MinimumShouldMatch>,
}

const FIELDS: [&str; 8] = ["must", "filter", "should", "must_not", "minimum_should_match", "adjust_pure_negative", "boost", "_name"];

pub(super) fn parse(body: &Map<String, Value>, depth: usize) -> Result<Query> {
    let mut query = BoolQuery::default();
    let mut common = Common::new();
    for (key, value) in body {
        match key.as_str() {
            "must" => clauses(key, value, depth, &mut query.must)?,
            "filter" => clauses(key, value, depth, &mut query.filter)?,
            "should" => clauses(key, value, depth, &mut query.should)?,
            "must_not" => clauses(key, value, depth, &mut query.must_not)?,
            "minimum_should_match" => query.minimum_should_match = Some(MinimumShouldMatch::new(value)),
            "adjust_pure_negative" => {
                flag(value)?;
            }
            _ if common.take(key, value)? => {}
            _ => return Err(unknown_field("bool", key, &FIELDS)),
        }
    }
    Ok(common.query(Kind::Bool(query)))
}

fn clauses(key: &str, value: &Value, depth: usize, into: &mut Vec<Query>) -> Result<()> {
    let wrap = |cause: Error| match cause {
        Error::IllegalArgument { .. } => cause,
        cause => Error::XContentParse { reason: format!("[bool] failed to parse field [{key}]"), cause: Some(Box::new(cause)) },
    };
    match value {
        Value::Object(_) => into.push(Query::parse_at(value, depth + 1).map_err(wrap)?),
        Value::Array(items) => {
            for item in items {
                into.push(Query::parse_at(item, depth + 1).map_err(wrap)?);
            }
        }
        other => {
            let kind = match other {
                Value::Null => "VALUE_NULL",
                Value::Bool(_) => "VALUE_BOOLEAN",
                Value::Number(_) => "VALUE_NUMBER",
                _ => "VALUE_STRING",
            };
            return Err(Error::XContentParse { reason: format!("[bool] {key} doesn't support values of type: {kind}"), cause: None });
        }
    }
    if into.len() > CLAUSES_MAX {
        return Err(Error::illegal_argument(format!("maxClauseCount is set to {CLAUSES_MAX}")));
    }
    Ok(())
}

impl BoolQuery {
    pub(super) fn build(&self, context: &QueryContext<'_>) -> Result<Built> {
        let mut clauses = Vec::new();
        for (occur, queries) in [(Occur::Must, &self.must), (Occur::Should, &self.should), (Occur::MustNot, &self.must_not)] {
            for query in queries {
                let built = query.build(context)?;
                clauses.push((occur, if occur == Occur::MustNot { excluded(built) } else { built }));
            }
        }
        for query in &self.filter {
            clauses.push((Occur::Must, Box::new(ConstScoreQuery::new(query.build(context)?, 0.0)) as Built));
        }
        if clauses.is_empty() {
            return Ok(everything());
        }
        let has_required = !self.must.is_empty() || !self.filter.is_empty();
        if !has_required && self.should.is_empty() {
            // What is not excluded matches, and scores nothing.
            clauses.push((Occur::Must, Box::new(ConstScoreQuery::new(everything(), 0.0))));
        }
        let wanted = match &self.minimum_should_match {
            Some(minimum) => minimum.of(self.should.len())?,
            None => 0,
        };
        // Without anything required, one of the optional clauses must match.
        let wanted = if !has_required && !self.should.is_empty() { wanted.max(1) } else { wanted };
        if wanted > self.should.len() {
            return Ok(super::nothing());
        }
        Ok(Box::new(BooleanQuery::with_minimum_required_clauses(clauses, wanted)))
    }
}
