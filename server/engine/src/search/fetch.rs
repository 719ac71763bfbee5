//! The second phase of a search: what is shown of the winners.

use super::named::matched;
use super::query::QueryContext;
use super::query_phase::Winner;
use super::sort_keys::{index_error, no_columns_of_text};
use super::source::{SearchSource, StoredFields};
use super::source_filter::SourceFilter;
use crate::shard::searcher::ShardSearcher;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tandem_common::mapping::field_types::DateFormat;
use tandem_common::mapping::{FieldType, LeafField};
use tandem_common::{Error, Result};
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
    let named = matched(&QueryContext { shard, now_millis }, source.query.as_ref(), winners, source.named_queries_score)?;
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
                fields.insert(column.path.to_owned(), values.into());
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
}

impl<'s> ShownColumn<'s> {
    fn find(shard: &'s ShardSearcher, (field, format): &'s (String, Option<String>)) -> Result<Self> {
        let leaf = shard.schema.mapping().field(field).map(|(_, leaf)| leaf);
        if leaf.is_some_and(|leaf| leaf.field_type == FieldType::Text) {
            return Err(no_columns_of_text(field));
        }
        if let Some(leaf) = leaf.filter(|leaf| !leaf.options().doc_values) {
            let context = QueryContext { shard, now_millis: 0 };
            let type_name = leaf.field_type.name();
            let reason = format!(
                "Can't load fielddata on [{field}] because fielddata is unsupported on fields of type [{type_name}]. Use doc values instead."
            );
            return Err(context.query_shard(reason, None));
        }
        let format = match (leaf, format.as_deref()) {
            (Some(leaf), Some(format)) if leaf.field_type == FieldType::Date && format != "use_field_mapping" => {
                Some(DateFormat::new(format)?)
            }
            _ => None,
        };
        Ok(ShownColumn { path: field, leaf, format })
    }

    fn values(&self, segment: &tantivy::SegmentReader, doc: u32) -> Result<Vec<Value>> {
        let Some(leaf) = self.leaf else { return Ok(Vec::new()) };
        let fast = segment.fast_fields();
        Ok(match leaf.field_type {
            FieldType::Text => Vec::new(),
            FieldType::Keyword => {
                let Some(column) = fast.str(self.path).map_err(index_error)? else { return Ok(Vec::new()) };
                let mut values = Vec::new();
                for ord in column.term_ords(doc) {
                    let mut text = String::new();
                    column.ord_to_str(ord, &mut text)?;
                    values.push(Value::from(text));
                }
                values
            }
            FieldType::Boolean => match fast.column_opt::<bool>(self.path).map_err(index_error)? {
                Some(column) => column.values_for_doc(doc).map(Value::from).collect(),
                None => Vec::new(),
            },
            FieldType::Double | FieldType::Float | FieldType::HalfFloat => match fast.column_opt::<f64>(self.path).map_err(index_error)? {
                Some(column) => column.values_for_doc(doc).map(Value::from).collect(),
                None => Vec::new(),
            },
            FieldType::Date => {
                let options = leaf.options();
                let format = self.format.as_ref().unwrap_or_else(|| options.print_format.as_deref().unwrap_or(&options.date_format));
                match fast.column_opt::<i64>(self.path).map_err(index_error)? {
                    Some(column) => column.values_for_doc(doc).map(|millis| format.print(millis).into()).collect(),
                    None => Vec::new(),
                }
            }
            FieldType::Long | FieldType::Integer | FieldType::Short | FieldType::Byte => {
                match fast.column_opt::<i64>(self.path).map_err(index_error)? {
                    Some(column) => column.values_for_doc(doc).map(Value::from).collect(),
                    None => Vec::new(),
                }
            }
        })
    }
}
