//! `range`: values between two bounds; dates with math.

use super::field::{FieldTarget, bool_of, normalized, not_searchable};
use super::text::scored;
use super::{Built, Common, Kind, Query, QueryContext, constant, flag, nothing, single_field, text, text_of, unsupported};
use serde_json::Value;
use std::ops::Bound;
use tandem_common::json::Node;
use tandem_common::mapping::field_types::{DateFormat, Rounding, number_of_query, parse_date_math, parse_zone, query_number};
use tandem_common::mapping::{FieldType, FieldValue, LeafField};
use tandem_common::{Error, Result};
use tantivy::Term;
use tantivy::query::{BooleanQuery, RangeQuery as IndexRangeQuery};
use tantivy::schema::Field;

#[derive(Clone, Debug)]
pub(super) struct RangeQuery {
    pub(super) field: String,
    pub(super) lower: Option<Value>,
    pub(super) include_lower: bool,
    pub(super) upper: Option<Value>,
    pub(super) include_upper: bool,
    pub(super) format: Option<String>,
    pub(super) time_zone: Option<String>,
}

pub(super) fn parse(body: &Node<'_>) -> Result<Query> {
    let mut common = Common::new();
    let Some((field, value)) = single_field("range", body, &mut common)? else {
        return Err(Error::illegal_argument("field name is null or empty"));
    };
    if !value.is_object() {
        return Err(unsupported("range", field, value));
    }
    let options = value;
    let mut query = RangeQuery {
        field: field.to_owned(),
        lower: None,
        include_lower: true,
        upper: None,
        include_upper: true,
        format: None,
        time_zone: None,
    };
    for field in options.fields() {
        let (key, value) = field?;
        let bound = Some(value.to_value()?).filter(|value| !value.is_null());
        match key {
            "gte" | "ge" => (query.lower, query.include_lower) = (bound, true),
            "gt" => (query.lower, query.include_lower) = (bound, false),
            "lte" | "le" => (query.upper, query.include_upper) = (bound, true),
            "lt" => (query.upper, query.include_upper) = (bound, false),
            "from" => query.lower = bound,
            "to" => query.upper = bound,
            "include_lower" => query.include_lower = flag(value)?,
            "include_upper" => query.include_upper = flag(value)?,
            "format" => query.format = Some(text(value)?),
            "time_zone" => {
                parse_zone(&text(value)?)
                    .map_err(|cause| Error::illegal_argument(format!("java.time.zone.ZoneRulesException: {cause}")))?;
                query.time_zone = Some(text(value)?);
            }
            "relation" => {
                if !["intersects", "contains", "within"].contains(&text(value)?.to_lowercase().as_str()) {
                    return Err(Error::illegal_argument(format!("{} is not a valid relation", text(value)?)));
                }
            }
            _ if common.take(key, value)? => {}
            _ => return Err(unsupported("range", key, value)),
        }
    }
    if let Some(format) = &query.format {
        DateFormat::new(format)?;
    }
    common.query(Kind::Range(query))
}

impl RangeQuery {
    /// Between two bounds, each with whether it is inside.
    pub(super) fn between(
        field: &str,
        (lower, include_lower): (Option<Value>, bool),
        (upper, include_upper): (Option<Value>, bool),
    ) -> Self {
        RangeQuery { field: field.to_owned(), lower, include_lower, upper, include_upper, format: None, time_zone: None }
    }

    pub(super) fn build(&self, context: &QueryContext<'_>) -> Result<Built> {
        let (number, leaf) = match FieldTarget::find(context, &self.field) {
            FieldTarget::Unmapped => return Ok(nothing()),
            FieldTarget::Column(field) => return Ok(column_range(field, self.whole_bounds(FieldType::Long)?)),
            FieldTarget::Raw(_) | FieldTarget::IndexName => {
                let field = &self.field;
                return Err(Error::illegal_argument(format!("Field [{field}] of type [{field}] does not support range queries")));
            }
            FieldTarget::Leaf(number, leaf) => (number, leaf),
        };
        if self.lower.is_none() && self.upper.is_none() {
            // Without bounds it asks for any value.
            let (present, _) = context.shard.schema.field_name_terms(&leaf.path);
            return Ok(constant(Box::new(tantivy::query::TermSetQuery::new([present]))));
        }
        let field = context.shard.schema.leaf_field(number).ok_or_else(|| not_searchable(&leaf.path))?;
        match leaf.field_type {
            FieldType::Text | FieldType::Keyword => Ok(self.text_range(context, field, leaf)),
            FieldType::Long | FieldType::Integer | FieldType::Short | FieldType::Byte => {
                Ok(column_range(field, self.whole_bounds(leaf.field_type)?))
            }
            FieldType::Double | FieldType::Float | FieldType::HalfFloat => self.float_range(field, leaf.field_type),
            FieldType::Boolean => self.bool_range(context, field, leaf),
            FieldType::Date => Ok(column_range(field, self.date_bounds(context, leaf)?)),
        }
    }

    fn text_range(&self, context: &QueryContext<'_>, field: Field, leaf: &LeafField) -> Built {
        let term = |value: &Value| Term::from_field_text(field, &normalized(context, leaf, &text_of(value)));
        let bound = |value: &Option<Value>, included: bool| match value {
            None => Bound::Unbounded,
            Some(value) if included => Bound::Included(term(value)),
            Some(value) => Bound::Excluded(term(value)),
        };
        let (lower, upper) = (bound(&self.lower, self.include_lower), bound(&self.upper, self.include_upper));
        constant(Box::new(IndexRangeQuery::new(lower, upper)))
    }

    /// The lowest and highest whole number inside; `None` when there is none.
    fn whole_bounds(&self, field_type: FieldType) -> Result<Option<(i64, i64)>> {
        let mut low = i64::MIN;
        let mut high = i64::MAX;
        if let Some(value) = &self.lower {
            let (whole, has_fraction) = whole_and_fraction(value, field_type)?;
            // The next one up where the bound itself is not inside.
            let step = if has_fraction { number_of_query(&text_of(value))? > 0.0 } else { !self.include_lower };
            match whole.checked_add(i64::from(step)) {
                Some(bound) => low = bound,
                None => return Ok(None),
            }
        }
        if let Some(value) = &self.upper {
            let (whole, has_fraction) = whole_and_fraction(value, field_type)?;
            let step = if has_fraction { number_of_query(&text_of(value))? < 0.0 } else { !self.include_upper };
            match whole.checked_sub(i64::from(step)) {
                Some(bound) => high = bound,
                None => return Ok(None),
            }
        }
        Ok((low <= high).then_some((low, high)))
    }

    fn float_range(&self, field: Field, field_type: FieldType) -> Result<Built> {
        let read = |value: &Option<Value>, included: bool| -> Result<Bound<Term>> {
            let Some(value) = value else { return Ok(Bound::Unbounded) };
            let text = text_of(value);
            let found = match query_number(&text, field_type)? {
                Some(FieldValue::Double(value)) => value,
                _ => number_of_query(&text)?,
            };
            let term = Term::from_field_f64(field, found);
            Ok(if included { Bound::Included(term) } else { Bound::Excluded(term) })
        };
        let (lower, upper) = (read(&self.lower, self.include_lower)?, read(&self.upper, self.include_upper)?);
        Ok(constant(Box::new(IndexRangeQuery::new(lower, upper))))
    }

    /// At most two values: a range over them is a search for the ones inside.
    fn bool_range(&self, context: &QueryContext<'_>, field: Field, leaf: &LeafField) -> Result<Built> {
        let lower = self.lower.as_ref().map(bool_of).transpose()?;
        let upper = self.upper.as_ref().map(bool_of).transpose()?;
        let inside = |value: bool| {
            lower.is_none_or(|lower| if self.include_lower { value >= lower } else { value & !lower })
                && upper.is_none_or(|upper| if self.include_upper { value <= upper } else { !value & upper })
        };
        let values: Vec<bool> = [false, true].into_iter().filter(|value| inside(*value)).collect();
        let terms: Vec<Term> = values.iter().map(|value| Term::from_field_bool(field, *value)).collect();
        if !context.shard.schema.tantivy().get_field_entry(field).is_indexed() {
            let single = |term: Term| Box::new(IndexRangeQuery::new(Bound::Included(term.clone()), Bound::Included(term))) as Built;
            return Ok(constant(Box::new(BooleanQuery::union(terms.into_iter().map(single).collect()))));
        }
        Ok(match terms.as_slice() {
            [] => nothing(),
            [term] => scored(context, leaf, std::slice::from_ref(term), super::field::text_term(term.clone())),
            _ => constant(Box::new(tantivy::query::TermSetQuery::new(terms))),
        })
    }

    fn date_bounds(&self, context: &QueryContext<'_>, leaf: &LeafField) -> Result<Option<(i64, i64)>> {
        let own = self.format.as_deref().map(DateFormat::new).transpose()?;
        let format = own.as_ref().unwrap_or(&leaf.options().date_format);
        let zone = self.time_zone.as_deref().map(parse_zone).transpose()?;
        let read = |value: &Value, rounding| parse_date_math(&text_of(value), format, context.now_millis, rounding, zone.as_ref());
        // What lies beyond `2024-01` begins after its last moment; what lies before it ends before its first.
        let mut low = i64::MIN;
        let mut high = i64::MAX;
        if let Some(value) = &self.lower {
            let rounding = if self.include_lower { Rounding::Down } else { Rounding::Up };
            match read(value, rounding)?.checked_add(i64::from(!self.include_lower)) {
                Some(bound) => low = bound,
                None => return Ok(None),
            }
        }
        if let Some(value) = &self.upper {
            let rounding = if self.include_upper { Rounding::Up } else { Rounding::Down };
            match read(value, rounding)?.checked_sub(i64::from(!self.include_upper)) {
                Some(bound) => high = bound,
                None => return Ok(None),
            }
        }
        Ok((low <= high).then_some((low, high)))
    }
}

/// The whole part of a bound, cut towards zero, and whether anything was cut.
fn whole_and_fraction(value: &Value, field_type: FieldType) -> Result<(i64, bool)> {
    let text = text_of(value);
    match query_number(&text, field_type)? {
        Some(FieldValue::Long(whole)) => Ok((whole, false)),
        _ => Ok((number_of_query(&text)?.trunc() as i64, true)),
    }
}

fn column_range(field: Field, bounds: Option<(i64, i64)>) -> Built {
    let Some((low, high)) = bounds else { return nothing() };
    let (low, high) = (Term::from_field_i64(field, low), Term::from_field_i64(field, high));
    constant(Box::new(IndexRangeQuery::new(Bound::Included(low), Bound::Included(high))))
}
