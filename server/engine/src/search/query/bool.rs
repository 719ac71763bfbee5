//! `bool`: clauses that must, may or must not match.

use super::excluded::excluded;
use super::minimum_should_match::MinimumShouldMatch;
use super::{
    Built, CLAUSES_MAX, Common, Kind, Query, QueryContext, everything, failed_clause, failed_field, flag, unknown_field, wrong_kind,
};
use tandem_common::json::{Node, NodeValue};
use tandem_common::{Error, Result};
use tantivy::query::{AllQuery, BooleanQuery, ConstScoreQuery, Occur};

#[derive(Clone, Debug, Default)]
pub(super) struct BoolQuery {
    pub(super) must: Vec<Query>,
    pub(super) filter: Vec<Query>,
    pub(super) should: Vec<Query>,
    pub(super) must_not: Vec<Query>,
    pub(super) minimum_should_match: Option<MinimumShouldMatch>,
}

const FIELDS: [&str; 8] = ["must", "filter", "should", "must_not", "minimum_should_match", "adjust_pure_negative", "boost", "_name"];

pub(super) fn parse(body: &Node<'_>, depth: usize) -> Result<Query> {
    let mut query = BoolQuery::default();
    let mut common = Common::new();
    for field in body.fields() {
        let (key, value) = field?;
        match key {
            "must" => clauses(key, value, depth, &mut query.must)?,
            "filter" => clauses(key, value, depth, &mut query.filter)?,
            "should" => clauses(key, value, depth, &mut query.should)?,
            "must_not" => clauses(key, value, depth, &mut query.must_not)?,
            "minimum_should_match" => query.minimum_should_match = Some(MinimumShouldMatch::read("bool", value)?),
            "adjust_pure_negative" => {
                if !matches!(value.value, NodeValue::Bool(_) | NodeValue::Text(_)) {
                    return Err(wrong_kind("bool", key, value));
                }
                flag(value).map_err(|cause| failed_field("bool", key, value, cause))?;
            }
            _ if common.take_strictly("bool", key, value)? => {}
            _ => return Err(unknown_field("bool", key, value, &FIELDS)),
        }
    }
    common.query(Kind::Bool(query))
}

fn clauses(key: &str, value: &Node<'_>, depth: usize, into: &mut Vec<Query>) -> Result<()> {
    match &value.value {
        NodeValue::Object(_) => into.push(Query::parse_at(value, depth + 1).map_err(|cause| failed_clause("bool", key, value, cause))?),
        NodeValue::Array(_) => {
            for item in value.items() {
                let item = item?;
                into.push(Query::parse_at(item, depth + 1).map_err(|cause| failed_clause("bool", key, item, cause))?);
            }
        }
        NodeValue::Null => {}
        _ => return Err(wrong_kind("bool", key, value)),
    }
    if into.len() > CLAUSES_MAX {
        return Err(Error::illegal_argument(format!("maxClauseCount is set to {CLAUSES_MAX}")));
    }
    Ok(())
}

/// The index library leaves what matches everything out of the score.
fn counted_in(query: Built) -> Built {
    if query.is::<AllQuery>() { super::constant(query) } else { query }
}

impl BoolQuery {
    /// All that is asked for or excluded.
    pub(super) fn clauses(&self) -> impl Iterator<Item = &Query> {
        self.must.iter().chain(&self.must_not).chain(&self.should).chain(&self.filter)
    }

    pub(super) fn build(&self, context: &QueryContext<'_>) -> Result<Built> {
        let mut clauses = Vec::new();
        for (occur, queries) in [(Occur::Must, &self.must), (Occur::Should, &self.should), (Occur::MustNot, &self.must_not)] {
            for query in queries {
                let built = counted_in(query.build(context)?);
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
