//! `range`: values between two bounds; dates with math.

use super::field::{FieldTarget, bool_of, normalized, not_searchable};
use super::range_field::{Relation, range_field_query};
use super::text::scored;
use super::{Built, Common, Kind, Query, QueryContext, constant, everything, flag, nothing, single_field, text, text_of, unsupported};
use serde_json::Value;
use std::net::Ipv6Addr;
use std::ops::Bound;
use tandem_common::json::Node;
use tandem_common::mapping::field_types::{
    DateFormat, Moment, Rounding, number_of_query, parse_ip, parse_zone, query_number, query_unsigned, sortable_double,
};
use tandem_common::mapping::{FieldType, FieldValue, LeafField, RangeBounds};
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
    pub(super) relation: Option<Relation>,
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
        relation: None,
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
                let name = text(value)?;
                query.relation = Some(Relation::from_name(&name).ok_or_else(|| {
                    Error::illegal_argument(match name.to_lowercase().as_str() {
                        "disjoint" => "[range] query does not support relation [disjoint]".to_owned(),
                        _ => format!("{name} is not a valid relation"),
                    })
                })?);
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
        RangeQuery { field: field.to_owned(), lower, include_lower, upper, include_upper, format: None, time_zone: None, relation: None }
    }

    pub(super) fn build(&self, context: &QueryContext<'_>) -> Result<Built> {
        let (number, leaf) = match FieldTarget::find(context, &self.field) {
            FieldTarget::Unmapped => return Ok(nothing()),
            FieldTarget::Column(field) => return Ok(column_range(field, self.whole_bounds(FieldType::Long)?)),
            FieldTarget::Raw(_) | FieldTarget::IndexName => {
                let field = &self.field;
                return Err(Error::illegal_argument(format!("Field [{field}] of type [{field}] does not support range queries")));
            }
            FieldTarget::Flat(flat) => {
                let (lower, upper) = (self.lower.as_ref().map(text_of), self.upper.as_ref().map(text_of));
                let bound = |text: &'_ Option<String>, included: bool| match text.clone() {
                    None => Bound::Unbounded,
                    Some(text) if included => Bound::Included(text),
                    Some(text) => Bound::Excluded(text),
                };
                let (lower, upper) = (bound(&lower, self.include_lower), bound(&upper, self.include_upper));
                return Ok(flat.between(lower.as_ref().map(String::as_str), upper.as_ref().map(String::as_str)));
            }
            FieldTarget::Leaf(number, leaf) => (number, leaf),
        };
        self.check_type(leaf)?;
        if leaf.field_type == FieldType::ConstantKeyword {
            return Ok(if self.holds_text(leaf.options().constant.as_deref().unwrap_or_default()) { everything() } else { nothing() });
        }
        if self.lower.is_none() && self.upper.is_none() {
            // Without bounds it asks for any value.
            let (present, _) = context.shard.schema.field_name_terms(&leaf.path);
            return Ok(constant(Box::new(tantivy::query::TermSetQuery::new([present]))));
        }
        let field = context.shard.schema.leaf_field(number).ok_or_else(|| not_searchable(leaf))?;
        match leaf.field_type {
            FieldType::Double | FieldType::Float | FieldType::HalfFloat => self.float_range(field, leaf.field_type),
            FieldType::ScaledFloat => Ok(column_range(field, self.scaled_bounds(leaf.options().scaling_factor)?)),
            FieldType::UnsignedLong => self.unsigned_range(field),
            FieldType::Boolean => self.bool_range(context, field, leaf),
            FieldType::Date | FieldType::DateNanos => Ok(column_range(field, self.date_bounds(context, leaf)?)),
            FieldType::Ip => self.ip_range(field),
            field_type if field_type.is_whole_number() => Ok(column_range(field, self.whole_bounds(field_type)?)),
            field_type if field_type.is_range() => self.range_field(context, leaf),
            _ => Ok(self.text_range(context, field, leaf)),
        }
    }

    /// Whether ranges mean anything to a field.
    fn check_type(&self, leaf: &LeafField) -> Result<()> {
        match leaf.field_type {
            FieldType::Binary | FieldType::GeoPoint | FieldType::Completion => {
                let (field, type_name) = (&self.field, leaf.field_type.name());
                Err(Error::illegal_argument(format!("Field [{field}] of type [{type_name}] does not support range queries")))
            }
            FieldType::Wildcard => Err(Error::UnsupportedOperation { reason: "TODO".to_owned() }),
            field_type if field_type.is_range() && !leaf.options().index => Err(not_searchable(leaf)),
            _ => Ok(()),
        }
    }

    /// Whether a text lies between the bounds.
    fn holds_text(&self, text: &str) -> bool {
        let compare = |bound: &Value| text.cmp(&text_of(bound));
        self.lower.as_ref().is_none_or(|bound| if self.include_lower { compare(bound).is_ge() } else { compare(bound).is_gt() })
            && self.upper.as_ref().is_none_or(|bound| if self.include_upper { compare(bound).is_le() } else { compare(bound).is_lt() })
    }

    /// The numbers of steps inside.
    fn scaled_bounds(&self, factor: f64) -> Result<Option<(i64, i64)>> {
        let read = |value: &Value| number_of_query(&text_of(value)).map(|value| value * factor);
        let low = match &self.lower {
            Some(value) if self.include_lower => read(value)?.ceil() as i64,
            Some(value) => read(value)?.next_up().ceil() as i64,
            None => i64::MIN,
        };
        let high = match &self.upper {
            Some(value) if self.include_upper => read(value)?.floor() as i64,
            Some(value) => read(value)?.next_down().floor() as i64,
            None => i64::MAX,
        };
        Ok((low <= high).then_some((low, high)))
    }

    fn unsigned_range(&self, field: Field) -> Result<Built> {
        // The whole number at or next to a bound, and whether the bound is that number.
        let read = |value: &Value, up: bool| -> Result<(u64, bool)> {
            match query_unsigned(&text_of(value))? {
                Some(FieldValue::Unsigned(whole)) => Ok((whole, true)),
                _ => {
                    let value = number_of_query(&text_of(value))?;
                    Ok((if up { value.ceil() } else { value.floor() } as u64, false))
                }
            }
        };
        let mut low = 0;
        let mut high = u64::MAX;
        if let Some(value) = &self.lower {
            let (bound, exact) = read(value, true)?;
            match bound.checked_add(u64::from(exact && !self.include_lower)) {
                Some(bound) => low = bound,
                None => return Ok(nothing()),
            }
        }
        if let Some(value) = &self.upper {
            let (bound, exact) = read(value, false)?;
            match bound.checked_sub(u64::from(exact && !self.include_upper)) {
                Some(bound) => high = bound,
                None => return Ok(nothing()),
            }
        }
        if low > high {
            return Ok(nothing());
        }
        let (low, high) = (Term::from_field_u64(field, low), Term::from_field_u64(field, high));
        Ok(constant(Box::new(IndexRangeQuery::new(Bound::Included(low), Bound::Included(high)))))
    }

    /// The first and last address inside.
    fn address_bounds(&self) -> Result<Option<(Ipv6Addr, Ipv6Addr)>> {
        let mut low = u128::MIN;
        let mut high = u128::MAX;
        if let Some(value) = &self.lower {
            match parse_ip(&text_of(value))?.to_bits().checked_add(u128::from(!self.include_lower)) {
                Some(bound) => low = bound,
                None => return Ok(None),
            }
        }
        if let Some(value) = &self.upper {
            match parse_ip(&text_of(value))?.to_bits().checked_sub(u128::from(!self.include_upper)) {
                Some(bound) => high = bound,
                None => return Ok(None),
            }
        }
        Ok((low <= high).then_some((Ipv6Addr::from_bits(low), Ipv6Addr::from_bits(high))))
    }

    fn ip_range(&self, field: Field) -> Result<Built> {
        let Some((low, high)) = self.address_bounds()? else { return Ok(nothing()) };
        let bound = |address| Bound::Included(Term::from_field_ip_addr(field, address));
        Ok(constant(Box::new(IndexRangeQuery::new(bound(low), bound(high)))))
    }

    /// Ranges of documents against this one.
    fn range_field(&self, context: &QueryContext<'_>, leaf: &LeafField) -> Result<Built> {
        let asked = match leaf.field_type.bound_type() {
            Some(FieldType::Ip) => self.address_bounds()?.map(|(low, high)| RangeBounds::Ip(low, high)),
            Some(FieldType::Date) => {
                // Unlike in a search for dates, the bounds are read while the query is made.
                let bounds = self.date_bounds(context, leaf).map_err(|cause| context.failed_to_create(cause))?;
                bounds.map(|(low, high)| RangeBounds::Number(low, high))
            }
            Some(bound) => self.number_bounds(bound)?.map(|(low, high)| RangeBounds::Number(low, high)),
            None => None,
        };
        let relation = self.relation.unwrap_or(Relation::Intersects);
        Ok(asked.map_or_else(nothing, |asked| constant(range_field_query(leaf, asked, relation))))
    }

    /// Numbers as a range field keeps its ends.
    fn number_bounds(&self, bound: FieldType) -> Result<Option<(i64, i64)>> {
        let read = |value: &Value| -> Result<i64> {
            let text = text_of(value);
            match query_number(&text, bound)? {
                Some(FieldValue::Long(whole)) => Ok(whole),
                Some(FieldValue::Double(double)) => Ok(sortable_double(double)),
                _ if bound.is_float() => Ok(sortable_double(number_of_query(&text)?)),
                _ => Err(Error::illegal_argument(format!("Value [{text}] has a decimal part"))),
            }
        };
        let lower = self.lower.as_ref().map(read).transpose()?;
        let upper = self.upper.as_ref().map(read).transpose()?;
        if let (Some(low), Some(high), Some(from), Some(to)) = (lower, upper, &self.lower, &self.upper)
            && low > high
        {
            let (from, to) = (text_of(from), text_of(to));
            return Err(Error::illegal_argument(format!("Range query `from` value ({from}) is greater than `to` value ({to})")));
        }
        let low = lower.map_or(i64::MIN, |low| if self.include_lower { low } else { bound.next_bound(low, true) });
        let high = upper.map_or(i64::MAX, |high| if self.include_upper { high } else { bound.next_bound(high, false) });
        Ok((low <= high).then_some((low, high)))
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
        let read = |value: &Value, rounding| {
            let moment = Moment::parse_math(&text_of(value), format, context.now_millis, rounding, zone.as_ref())?;
            if leaf.field_type == FieldType::DateNanos { moment.to_nanos() } else { Ok(moment.millis) }
        };
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
