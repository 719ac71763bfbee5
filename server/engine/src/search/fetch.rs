//! The second phase of a search: what is shown of the winners.

use super::named::matched;
use super::query::QueryContext;
use super::query_phase::Winner;
use super::sort_keys::{index_error, no_columns};
use super::source::{SearchSource, StoredFields};
use super::source_filter::SourceFilter;
use crate::shard::schema::entries_name;
use crate::shard::searcher::ShardSearcher;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::net::Ipv6Addr;
use tandem_common::json::java_double;
use tandem_common::mapping::field_types::{DateFormat, GeoPoint, Moment, print_ip, split_flat_entry};
use tandem_common::mapping::{FieldType, LeafField};
use tandem_common::{Error, Result};
use tantivy::columnar::{Column, DynamicColumn, HasAssociatedColumnType};
use tantivy::schema::Value as _;
use tantivy::{DocAddress, TantivyDocument};

/// One document as a search shows it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Hit {
    /// Its id; empty under `stored_fields: _none_`.
    pub id: String,
    /// Its score, where scores were asked for.
    pub score: Option<f32>,
    /// Its source, as far as it is shown.
    pub source: Option<Box<RawValue>>,
    /// Its routing, if it was given one.
    pub routing: Option<String>,
    /// Its version, if asked for.
    pub version: Option<i64>,
    /// The sequence number of its last change, if asked for.
    pub seq_no: Option<i64>,
    /// The primary term of its last change, if asked for.
    pub primary_term: Option<u64>,
    /// What it is ordered by; empty when by score alone.
    pub sort: Vec<Value>,
    /// The fields whose values were left out when it was indexed.
    pub ignored: Vec<String>,
    /// The columns that were asked for, by field.
    pub fields: Option<Map<String, Value>>,
    /// The names of the queries that it fits, with their scores where those were asked for and 0 elsewhere.
    #[serde(default)]
    pub matched_queries: Vec<(String, f32)>,
}

/// Loads what is shown of `winners`, in their order. `shard` must be the searcher that found them, and `now_millis` what `now`
/// meant then.
///
/// # Errors
/// A winner that is not in this searcher, and formats that are none.
pub fn fetch_phase(shard: &ShardSearcher, source: &SearchSource, winners: &[Winner], now_millis: i64) -> Result<Vec<Hit>> {
    let columns = source.docvalue_fields.iter().map(|asked| ShownColumn::find(shard, asked)).collect::<Result<Vec<_>>>()?;
    let named = matched(&QueryContext::new(shard, now_millis), source.query.as_ref(), winners, source.named_queries_score)?;
    let hits = winners.iter().zip(named).map(|(winner, matched_queries)| {
        let hit = fetch(shard, source, winner, &columns)?;
        Ok(Hit { matched_queries, ..hit })
    });
    hits.collect()
}

fn fetch(shard: &ShardSearcher, source: &SearchSource, winner: &Winner, columns: &[ShownColumn<'_>]) -> Result<Hit> {
    let schema = &shard.schema;
    let Some(segment) = usize::try_from(winner.segment).ok().and_then(|ord| shard.searcher.segment_readers().get(ord)) else {
        return Err(Error::internal(format!("the searcher has no segment [{}]", winner.segment)));
    };
    if winner.doc >= segment.max_doc() {
        return Err(Error::internal(format!("the segment has no document [{}]", winner.doc)));
    }
    let mut hit = Hit {
        id: String::new(),
        score: winner.score,
        source: None,
        routing: None,
        version: None,
        seq_no: None,
        primary_term: None,
        sort: winner.sort.iter().map(super::SortValue::to_json).collect(),
        ignored: Vec::new(),
        fields: None,
        matched_queries: Vec::new(),
    };
    if source.stored_fields != Some(StoredFields::None) {
        let document: TantivyDocument = shard.searcher.doc(DocAddress::new(winner.segment, winner.doc)).map_err(index_error)?;
        let text = |field| document.get_first(field).and_then(|value| value.as_str()).map(str::to_owned);
        hit.id = text(schema.id()).unwrap_or_default();
        hit.routing = text(schema.routing());
        hit.ignored = document.get_all(schema.ignored()).filter_map(|value| value.as_str()).map(str::to_owned).collect();
        let kept = SourceFilter::of_mapping(schema.mapping());
        if source.shows_source() && !kept.is_off() {
            let stored = document.get_first(schema.source()).and_then(|value| value.as_bytes()).unwrap_or_default();
            hit.source = Some(raw_json(&source.source.apply(&kept.apply(stored)?)?)?);
        }
    }
    let fast = segment.fast_fields();
    if source.version {
        hit.version = fast.i64("_version").map_err(index_error)?.first(winner.doc);
    }
    if source.seq_no_primary_term {
        hit.seq_no = Some(winner.seq_no);
        hit.primary_term = fast.u64("_primary_term").map_err(index_error)?.first(winner.doc);
    }
    if !columns.is_empty() {
        let mut fields = Map::new();
        for column in columns {
            let values = column.values(segment, winner.doc)?;
            if !values.is_empty() {
                // A field that is asked for twice shows its values twice.
                match fields.entry(column.path).or_insert_with(|| Value::Array(Vec::new())) {
                    Value::Array(shown) => shown.extend(values),
                    other => *other = values.into(),
                }
            }
        }
        hit.fields = Some(fields).filter(|fields| !fields.is_empty());
    }
    Ok(hit)
}

fn raw_json(bytes: &[u8]) -> Result<Box<RawValue>> {
    serde_json::from_slice(bytes).map_err(|error| Error::Corrupt { reason: format!("a stored source is no JSON: {error}") })
}

/// A column that is shown.
struct ShownColumn<'s> {
    path: &'s str,
    leaf: Option<&'s LeafField>,
    format: Option<DateFormat>,
    /// The column of the entries of a flat object, and the path below it.
    below: Option<(String, &'s str)>,
    index: &'s str,
}

impl<'s> ShownColumn<'s> {
    fn find(shard: &'s ShardSearcher, (field, format): &'s (String, Option<String>)) -> Result<Self> {
        let mapping = shard.schema.mapping();
        let leaf = mapping.field(field).map(|(_, leaf)| leaf);
        if let Some(refusal) = leaf.and_then(|leaf| no_columns(field, leaf)) {
            return Err(refusal);
        }
        let below = mapping.flat_field(field).filter(|_| leaf.is_none()).map(|(_, flat, path)| (entries_name(&flat.path), path));
        let format = match (leaf, format.as_deref()) {
            (Some(leaf), Some(format)) if leaf.field_type.is_date() && format != "use_field_mapping" => Some(DateFormat::new(format)?),
            _ => None,
        };
        Ok(ShownColumn { path: field, leaf, format, below, index: &shard.shard.index })
    }

    fn values(&self, segment: &tantivy::SegmentReader, doc: u32) -> Result<Vec<Value>> {
        if let Some((name, path)) = &self.below {
            let entries = texts(segment, name, doc)?;
            let below = entries.iter().map(|entry| split_flat_entry(entry)).filter(|(found, _)| found == path);
            return Ok(below.map(|(_, value)| value.into()).collect());
        }
        let Some(leaf) = self.leaf else { return Ok(Vec::new()) };
        let options = leaf.options();
        // Queries find an alias under its own name; its column is that of the field.
        let path = &*leaf.path;
        let format = || self.format.as_ref().unwrap_or_else(|| options.print_format.as_deref().unwrap_or(&options.date_format));
        Ok(match leaf.field_type {
            FieldType::ConstantKeyword => vec![self.index.into()],
            FieldType::Boolean => numbers::<bool>(segment, path, doc)?.map(Value::from).collect(),
            FieldType::Double | FieldType::Float | FieldType::HalfFloat => numbers::<f64>(segment, path, doc)?.map(Value::from).collect(),
            FieldType::ScaledFloat => {
                let inverse = 1.0 / options.scaling_factor;
                numbers::<i64>(segment, path, doc)?.map(|steps| (steps as f64 * inverse).into()).collect()
            }
            FieldType::UnsignedLong => numbers::<u64>(segment, path, doc)?.map(Value::from).collect(),
            FieldType::GeoPoint => {
                let shown = |point: GeoPoint| format!("{}, {}", java_double(point.latitude), java_double(point.longitude)).into();
                numbers::<u64>(segment, path, doc)?.map(|bits| shown(GeoPoint::decode(bits))).collect()
            }
            FieldType::Ip => numbers::<Ipv6Addr>(segment, path, doc)?.map(|address| print_ip(address).into()).collect(),
            FieldType::Date => numbers::<i64>(segment, path, doc)?.map(|millis| format().print(millis).into()).collect(),
            FieldType::DateNanos => {
                numbers::<i64>(segment, path, doc)?.map(|nanos| format().print_moment(Moment::of_nanos(nanos)).into()).collect()
            }
            field_type if field_type.is_whole_number() => numbers::<i64>(segment, path, doc)?.map(Value::from).collect(),
            field_type if field_type.is_range() => {
                return Err(Error::UnsupportedOperation { reason: format!("the ranges of [{}] cannot be shown", self.path) });
            }
            _ => texts(segment, path, doc)?.into_iter().map(Value::from).collect(),
        })
    }
}

/// The numbers of a column, in their order.
fn numbers<T>(segment: &tantivy::SegmentReader, path: &str, doc: u32) -> Result<impl Iterator<Item = T>>
where
    T: PartialOrd + Copy + HasAssociatedColumnType + Send + Sync + std::fmt::Debug + 'static,
    DynamicColumn: Into<Option<Column<T>>>,
{
    let column: Option<Column<T>> = segment.fast_fields().column_opt(path).map_err(index_error)?;
    let mut values: Vec<T> = column.iter().flat_map(|column| column.values_for_doc(doc)).collect();
    values.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    Ok(values.into_iter())
}

/// The texts of a column.
fn texts(segment: &tantivy::SegmentReader, path: &str, doc: u32) -> Result<Vec<String>> {
    let Some(column) = segment.fast_fields().str(path).map_err(index_error)? else { return Ok(Vec::new()) };
    let mut ords: Vec<u64> = column.term_ords(doc).collect();
    // A text that occurs twice is shown once.
    ords.sort_unstable();
    ords.dedup();
    let mut found = Vec::with_capacity(ords.len());
    for ord in ords {
        let mut text = String::new();
        column.ord_to_str(ord, &mut text)?;
        found.push(text);
    }
    Ok(found)
}
