//! From what hits are ordered by to numbers that compare within a segment.
//!
//! Each thing that orders becomes a `u64` that is lower for what comes first, whichever way and wherever missing values go; texts
//! become their place in the segment's dictionary. Only the winners of a segment are turned back into values.

use super::query::{QueryContext, column_type};
use super::sort::{Missing, SortMode, SortOrder, SortSpec, SortValue};
use super::sort_columns::{Entries, IdOrder, code_after, pick_double, pick_end, pick_long, place_of, text_ord, unsigned_of, values};
use super::sort_nested::Children;
use crate::search::query::ColumnType;
use crate::shard::schema::entries_name;
use serde_json::Value;
use std::net::Ipv6Addr;
use tandem_common::mapping::field_types::{Rounding, flat_entry, number_of_query, parse_ip, split_flat_entry};
use tandem_common::mapping::{FieldType, LeafField};
use tandem_common::{Error, Result};
use tantivy::columnar::{Column, ColumnType as LibraryColumnType, StrColumn};
use tantivy::{DocId, Score, SegmentReader};

/// Something that hits are ordered by, for one shard.
pub(super) struct SortKey<'s> {
    spec: &'s SortSpec,
    source: KeySource<'s>,
}

enum KeySource<'s> {
    Score,
    /// The order of indexing.
    Doc,
    /// A column of whole numbers that is no field of the mapping.
    Metadata(&'static str),
    Leaf(&'s LeafField),
    /// A path below a flat object: the column of its entries, and the path.
    Flat(String, &'s str),
    /// `_index`, the same for all.
    Index,
    /// `_id`, which has terms and no column.
    Id,
    /// A field that is not mapped, sorted as this type.
    Unmapped(FieldType),
}

/// The columns of one segment.
pub(super) enum KeyReader {
    Score,
    Doc(Option<Column<i64>>),
    Long {
        column: Option<Column<i64>>,
        mode: SortMode,
        missing: i64,
    },
    Bool {
        column: Option<Column<bool>>,
        mode: SortMode,
        missing: i64,
    },
    Double {
        column: Option<Column<f64>>,
        mode: SortMode,
        missing: f64,
        is_double: bool,
    },
    /// `entries`: only the texts with these places count, without what stands before their values.
    Text {
        column: Option<StrColumn>,
        mode: SortMode,
        missing_key: u64,
        missing: Option<String>,
        entries: Option<Entries>,
    },
    Unsigned {
        column: Option<Column<u64>>,
        mode: SortMode,
        missing: u64,
    },
    /// Whole numbers that are divided by a factor.
    Scaled {
        column: Option<Column<i64>>,
        mode: SortMode,
        missing: f64,
        inverse: f64,
    },
    /// Addresses, and the numbers that stand for them in this segment.
    Ip {
        column: Option<Column<Ipv6Addr>>,
        codes: Option<Column<u64>>,
        mode: SortMode,
        missing_key: u64,
    },
    Ids(IdOrder),
    Same(String),
    /// The values of the nested objects before a document stand for its own.
    Nested(Box<KeyReader>, Children),
}

fn key_of_long(value: i64) -> u64 {
    (value as u64) ^ (1 << 63)
}

fn key_of_double(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits >> 63 == 0 { bits ^ (1 << 63) } else { !bits }
}

fn key_of_score(score: Score) -> u64 {
    key_of_double(f64::from(score))
}

fn no_mapping(context: &QueryContext<'_>, field: &str) -> Error {
    context.query_shard(format!("No mapping found for [{field}] in order to sort on"), None)
}

impl<'s> SortKey<'s> {
    /// Looks a field up.
    ///
    /// # Errors
    /// A field that is not mapped, or cannot order anything.
    pub(super) fn resolve(context: &QueryContext<'s>, spec: &'s SortSpec) -> Result<SortKey<'s>> {
        if let Some(nested) = &spec.nested {
            nested.check(context)?;
        }
        let source = match spec.field.as_str() {
            "_score" => KeySource::Score,
            "_doc" | "_shard_doc" => KeySource::Doc,
            "_seq_no" => KeySource::Metadata("_seq_no"),
            "_version" => KeySource::Metadata("_version"),
            "_index" => KeySource::Index,
            "_id" => KeySource::Id,
            field => match (context.shard.schema.mapping().field(field), &spec.unmapped_type) {
                (Some((number, leaf)), _) => {
                    check_leaf(context, spec, leaf, context.shard.schema.leaf_field(number).is_some())?;
                    KeySource::Leaf(leaf)
                }
                (None, _) if context.shard.schema.mapping().flat_field(field).is_some() => {
                    let (_, leaf, path) = context.shard.schema.mapping().flat_field(field).ok_or_else(|| no_mapping(context, field))?;
                    KeySource::Flat(entries_name(&leaf.path), path)
                }
                (None, Some(unmapped)) => {
                    let field_type = FieldType::from_name(unmapped);
                    let field_type = field_type.ok_or_else(|| Error::illegal_argument(format!("No mapper found for type [{unmapped}]")))?;
                    match field_type {
                        FieldType::ScaledFloat => return Err(Error::illegal_argument("Field [scaling_factor] is required")),
                        FieldType::GeoPoint | FieldType::Binary => return Err(unsortable(field_type)),
                        _ => {}
                    }
                    KeySource::Unmapped(field_type)
                }
                (None, None) => return Err(no_mapping(context, field)),
            },
        };
        Ok(SortKey { spec, source })
    }

    /// Whether it needs scores.
    pub(super) fn needs_score(&self) -> bool {
        matches!(self.source, KeySource::Score)
    }

    fn is_ascending(&self) -> bool {
        self.spec.order == SortOrder::Asc
    }

    fn mode(&self) -> SortMode {
        self.spec.mode.unwrap_or(if self.is_ascending() { SortMode::Min } else { SortMode::Max })
    }

    /// Whether missing values stand at the low end.
    fn missing_is_low(&self) -> bool {
        (self.spec.missing == Missing::First) == self.is_ascending()
    }

    /// The columns of a segment.
    ///
    /// # Errors
    /// A column that cannot be read, or a `missing` that is no value of the field.
    pub(super) fn reader(&self, context: &QueryContext<'_>, segment: &SegmentReader) -> Result<KeyReader> {
        let own = self.own_reader(context, segment)?;
        match &self.spec.nested {
            Some(nested) if matches!(self.source, KeySource::Leaf(_)) => {
                Ok(KeyReader::Nested(Box::new(own), nested.children(context, segment)?))
            }
            _ => Ok(own),
        }
    }

    fn own_reader(&self, context: &QueryContext<'_>, segment: &SegmentReader) -> Result<KeyReader> {
        let columns = segment.fast_fields();
        let mode = self.mode();
        Ok(match &self.source {
            KeySource::Score => KeyReader::Score,
            KeySource::Doc => KeyReader::Doc(columns.column_opt("_seq_no").map_err(index_error)?),
            KeySource::Metadata(name) => KeyReader::Long {
                column: columns.column_opt(name).map_err(index_error)?,
                mode,
                missing: self.missing_long(i64::MIN, i64::MAX)?,
            },
            KeySource::Id => KeyReader::Ids(IdOrder::read(segment, context.shard.schema.id())?),
            KeySource::Index => KeyReader::Same(context.shard.shard.index.clone()),
            KeySource::Unmapped(field_type) => match field_type {
                FieldType::Ip => KeyReader::Ip { column: None, codes: None, mode, missing_key: self.missing_code()? },
                FieldType::UnsignedLong => KeyReader::Unsigned { column: None, mode, missing: self.missing_unsigned()? },
                field_type if field_type.is_text() || field_type.is_keyword() => self.text_reader(None, mode)?,
                field_type if field_type.is_float() => {
                    KeyReader::Double { column: None, mode, missing: self.missing_double()?, is_double: *field_type == FieldType::Double }
                }
                field_type => {
                    let (low, high) = sort_range(*field_type);
                    KeyReader::Long { column: None, mode, missing: self.missing_long(low, high)? }
                }
            },
            KeySource::Flat(name, path) => {
                let column = columns.str(name).map_err(index_error)?;
                let entries = Entries::find(column.as_ref(), path)?;
                let missing = match &self.spec.missing {
                    Missing::First | Missing::Last => None,
                    Missing::Value(value) => Some(text_of(value)),
                };
                let missing_key = match &missing {
                    Some(text) => place_of(column.as_ref(), &flat_entry(path, text))?,
                    None if self.missing_is_low() => 0,
                    None => u64::MAX,
                };
                KeyReader::Text { column, mode, missing_key, missing, entries: Some(entries) }
            }
            KeySource::Leaf(leaf) if leaf.field_type == FieldType::ConstantKeyword => KeyReader::Same(context.shard.shard.index.clone()),
            KeySource::Leaf(leaf) => match column_type(leaf) {
                ColumnType::Unsigned => KeyReader::Unsigned {
                    column: columns.column_opt(&leaf.path).map_err(index_error)?,
                    mode,
                    missing: self.missing_unsigned()?,
                },
                ColumnType::Scaled => KeyReader::Scaled {
                    column: columns.column_opt(&leaf.path).map_err(index_error)?,
                    mode,
                    missing: self.missing_double()?,
                    inverse: 1.0 / leaf.options().scaling_factor,
                },
                ColumnType::Ip => KeyReader::Ip {
                    column: columns.column_opt(&leaf.path).map_err(index_error)?,
                    codes: match columns.dynamic_column_handle(&leaf.path, LibraryColumnType::IpAddr).map_err(index_error)? {
                        Some(handle) => handle.open_u64_lenient()?,
                        None => None,
                    },
                    mode,
                    missing_key: self.missing_code()?,
                },
                ColumnType::Text => self.text_reader(columns.str(&leaf.path).map_err(index_error)?, mode)?,
                ColumnType::Double => KeyReader::Double {
                    column: columns.column_opt(&leaf.path).map_err(index_error)?,
                    mode,
                    missing: self.missing_double()?,
                    is_double: leaf.field_type == FieldType::Double,
                },
                ColumnType::Bool => KeyReader::Bool {
                    column: columns.column_opt(&leaf.path).map_err(index_error)?,
                    mode,
                    missing: self.missing_long(i64::from(i32::MIN), i64::from(i32::MAX))?,
                },
                ColumnType::Long => {
                    let (low, high) = sort_range(leaf.field_type);
                    KeyReader::Long {
                        column: columns.column_opt(&leaf.path).map_err(index_error)?,
                        mode,
                        missing: self.missing_long(low, high)?,
                    }
                }
            },
        })
    }

    fn missing_long(&self, low: i64, high: i64) -> Result<i64> {
        match &self.spec.missing {
            Missing::First | Missing::Last => Ok(if self.missing_is_low() { low } else { high }),
            Missing::Value(value) => match value.as_i64() {
                Some(number) => Ok(number),
                None => Ok(number_of_query(&text_of(value))?.trunc() as i64),
            },
        }
    }

    fn missing_double(&self) -> Result<f64> {
        match &self.spec.missing {
            Missing::First | Missing::Last => Ok(if self.missing_is_low() { f64::NEG_INFINITY } else { f64::INFINITY }),
            Missing::Value(value) => number_of_query(&text_of(value)),
        }
    }

    fn missing_unsigned(&self) -> Result<u64> {
        match &self.spec.missing {
            Missing::First | Missing::Last => Ok(if self.missing_is_low() { 0 } else { u64::MAX }),
            Missing::Value(value) => unsigned_of(value),
        }
    }

    /// Where documents without an address come; there is no address to stand for them.
    fn missing_code(&self) -> Result<u64> {
        match &self.spec.missing {
            Missing::First | Missing::Last => Ok(if self.missing_is_low() { 0 } else { u64::MAX }),
            Missing::Value(_) => Err(Error::illegal_argument("encoded bytes are of incorrect length")),
        }
    }

    fn text_reader(&self, column: Option<StrColumn>, mode: SortMode) -> Result<KeyReader> {
        let missing = match &self.spec.missing {
            Missing::First | Missing::Last => None,
            Missing::Value(value) => Some(text_of(value)),
        };
        let missing_key = match &missing {
            Some(text) => place_of(column.as_ref(), text)?,
            None if self.missing_is_low() => 0,
            None => u64::MAX,
        };
        Ok(KeyReader::Text { column, mode, missing_key, missing, entries: None })
    }

    /// The key of a document: what comes first is lower.
    pub(super) fn key(&self, reader: &KeyReader, doc: DocId, score: Score) -> u64 {
        match reader {
            KeyReader::Nested(inner, children) => self.key_of(inner, &children.before(doc), (doc, score)),
            reader => self.key_of(reader, &[doc], (doc, score)),
        }
    }

    /// The key of a document from the values of `docs`.
    fn key_of(&self, reader: &KeyReader, docs: &[DocId], (doc, score): (DocId, Score)) -> u64 {
        let key = match reader {
            KeyReader::Nested(..) => 0,
            KeyReader::Score => key_of_score(score),
            KeyReader::Same(_) => 0,
            KeyReader::Ids(ids) => ids.key(doc),
            KeyReader::Text { column, mode, missing_key, entries, .. } => {
                text_ord(column.as_ref(), *mode, entries.as_ref(), docs).map_or(*missing_key, |ord| ord * 2 + 1)
            }
            KeyReader::Unsigned { .. } => reader.unsigned(docs),
            KeyReader::Ip { codes, mode, missing_key, .. } => {
                let code = codes.as_ref().and_then(|codes| pick_end(values(codes, docs), *mode));
                code.map_or(*missing_key, |code| code * 2 + 1)
            }
            KeyReader::Double { .. } | KeyReader::Scaled { .. } => key_of_double(reader.double(docs)),
            KeyReader::Doc(_) | KeyReader::Long { .. } | KeyReader::Bool { .. } => key_of_long(reader.long(docs)),
        };
        if self.is_ascending() { key } else { !key }
    }

    /// The value of a document, as hits show it.
    pub(super) fn value(&self, reader: &KeyReader, doc: DocId, score: Score) -> SortValue {
        match reader {
            KeyReader::Nested(inner, children) => self.value_of(inner, &children.before(doc), (doc, score)),
            reader => self.value_of(reader, &[doc], (doc, score)),
        }
    }

    fn value_of(&self, reader: &KeyReader, docs: &[DocId], (doc, score): (DocId, Score)) -> SortValue {
        match reader {
            KeyReader::Nested(..) => SortValue::Null,
            KeyReader::Score => SortValue::Float(score),
            KeyReader::Same(text) => SortValue::Text(text.clone()),
            KeyReader::Ids(ids) => ids.id(doc).map_or(SortValue::Null, SortValue::Text),
            KeyReader::Text { column, mode, missing, entries, .. } => {
                let found = column.as_ref().and_then(|column| {
                    let mut text = String::new();
                    let ord = text_ord(Some(column), *mode, entries.as_ref(), docs)?;
                    let text = column.ord_to_str(ord, &mut text).ok()?.then_some(text)?;
                    Some(if entries.is_some() { split_flat_entry(&text).1.to_owned() } else { text })
                });
                found.or_else(|| missing.clone()).map_or(SortValue::Null, SortValue::Text)
            }
            KeyReader::Unsigned { .. } => SortValue::Unsigned(reader.unsigned(docs)),
            KeyReader::Ip { column, mode, .. } => {
                let address = column.as_ref().and_then(|column| pick_end(values(column, docs), *mode));
                address.map_or(SortValue::Null, SortValue::Ip)
            }
            KeyReader::Double { is_double: true, .. } | KeyReader::Scaled { .. } => SortValue::Double(reader.double(docs)),
            KeyReader::Double { .. } => SortValue::Float(reader.double(docs) as f32),
            KeyReader::Doc(_) | KeyReader::Long { .. } | KeyReader::Bool { .. } => SortValue::Long(reader.long(docs)),
        }
    }

    /// The key of a value of `search_after` in this segment.
    ///
    /// # Errors
    /// A value that is none of the field's.
    pub(super) fn key_after(&self, reader: &KeyReader, value: &Value) -> Result<u64> {
        if let KeyReader::Nested(inner, _) = reader {
            return self.key_after(inner, value);
        }
        let field = &self.spec.field;
        let failed = |cause: Error| Error::IllegalArgument {
            reason: format!("Failed to parse search_after value for field [{field}]."),
            cause: Some(Box::new(cause)),
        };
        let text = text_of(value);
        let key = match reader {
            KeyReader::Same(_) | KeyReader::Nested(..) => 0,
            KeyReader::Ids(ids) => ids.key_of(&text)?,
            KeyReader::Text { missing_key, .. } if value.is_null() => *missing_key,
            KeyReader::Text { column, entries: Some(entries), .. } => place_of(column.as_ref(), &flat_entry(&entries.path, &text))?,
            KeyReader::Text { column, .. } => place_of(column.as_ref(), &text)?,
            KeyReader::Unsigned { missing, .. } if value.is_null() => *missing,
            KeyReader::Unsigned { .. } => unsigned_of(value).map_err(failed)?,
            KeyReader::Ip { missing_key, .. } if value.is_null() => *missing_key,
            KeyReader::Ip { column, codes, .. } => {
                let address = parse_ip(&text)?;
                code_after(column.as_ref(), codes.as_ref(), address)
            }
            KeyReader::Scaled { missing, .. } if value.is_null() => key_of_double(*missing),
            KeyReader::Scaled { .. } => key_of_double(number_of_query(&text).map_err(failed)?),
            KeyReader::Score => key_of_score(number_of_query(&text).map_err(failed)? as f32),
            KeyReader::Double { missing, .. } if value.is_null() => key_of_double(*missing),
            KeyReader::Double { is_double, .. } => {
                let number = number_of_query(&text).map_err(failed)?;
                // What was shown in 32 bits is compared in 32 bits.
                key_of_double(if *is_double { number } else { f64::from(number as f32) })
            }
            KeyReader::Long { missing, .. } | KeyReader::Bool { missing, .. } if value.is_null() => key_of_long(*missing),
            KeyReader::Doc(_) | KeyReader::Long { .. } | KeyReader::Bool { .. } => {
                key_of_long(self.whole_after(value, &text).map_err(failed)?)
            }
        };
        Ok(if self.is_ascending() { key } else { !key })
    }

    fn whole_after(&self, value: &Value, text: &str) -> Result<i64> {
        if let Some(number) = value.as_i64() {
            return Ok(number);
        }
        if let Some(flag) = value.as_bool() {
            return Ok(i64::from(flag));
        }
        if let Ok(number) = text.parse() {
            return Ok(number);
        }
        match &self.source {
            KeySource::Leaf(leaf) if leaf.field_type == FieldType::Date => leaf.options().date_format.parse(text, Rounding::Down, None),
            KeySource::Leaf(leaf) if leaf.field_type == FieldType::DateNanos => {
                leaf.options().date_format.parse_moment(text, Rounding::Down, None)?.to_nanos()
            }
            _ => number_of_query(text).map(|number| number.trunc() as i64),
        }
    }
}

/// The ends of a type's range when it is sorted: small numbers are sorted as 32 bits.
fn sort_range(field_type: FieldType) -> (i64, i64) {
    match field_type {
        FieldType::Integer | FieldType::Short | FieldType::Byte | FieldType::TokenCount | FieldType::Boolean => {
            (i64::from(i32::MIN), i64::from(i32::MAX))
        }
        _ => (i64::MIN, i64::MAX),
    }
}

/// Texts have no column.
pub(super) fn no_columns_of_text(field: &str) -> Error {
    Error::illegal_argument(format!(
        "Text fields are not optimised for operations that require per-document field data like aggregations and sorting, so these \
         operations are disabled by default. Please use a keyword field instead. Alternatively, set fielddata=true on [{field}] in \
         order to load field data by uninverting the inverted index. Note that this can use significant memory."
    ))
}

/// Why a field has no values to sort by or to show, whatever its parameters are.
pub(super) fn no_columns(field: &str, leaf: &LeafField) -> Option<Error> {
    let type_name = leaf.field_type.name();
    match leaf.field_type {
        FieldType::Text | FieldType::MatchOnlyText => Some(no_columns_of_text(field)),
        FieldType::Completion | FieldType::SearchAsYouType => {
            Some(Error::illegal_argument(format!("Fielddata is not supported on field [{field}] of type [{type_name}]")))
        }
        FieldType::FlatObject => {
            Some(Error::illegal_argument(format!("Field [{field}] of type [{type_name}] does not support doc_value in root field")))
        }
        FieldType::ConstantKeyword => None,
        _ if !leaf.options().doc_values => Some(Error::illegal_argument(format!(
            "Can't load fielddata on [{field}] because fielddata is unsupported on fields of type [{type_name}]. Use doc values instead."
        ))),
        _ => None,
    }
}

fn unsortable(field_type: FieldType) -> Error {
    Error::illegal_argument(match field_type {
        FieldType::GeoPoint => "can't sort on geo_point field without using specific sorting feature, like geo_distance".to_owned(),
        _ => format!("can't sort on {} field", field_type.name()),
    })
}

fn check_leaf(context: &QueryContext<'_>, spec: &SortSpec, leaf: &LeafField, has_field: bool) -> Result<()> {
    if let Some(refusal) = no_columns(&spec.field, leaf) {
        return Err(refusal);
    }
    match leaf.field_type {
        FieldType::ConstantKeyword => return Ok(()),
        FieldType::Binary | FieldType::GeoPoint => return Err(unsortable(leaf.field_type)),
        field_type if field_type.is_range() => {
            let reason = format!("can't sort on [{}] field", field_type.name());
            return Err(Error::illegal_argument(reason));
        }
        _ => {}
    }
    if !has_field || !leaf.options().doc_values {
        let field = &spec.field;
        return Err(Error::illegal_argument(format!(
            "Can't load fielddata on [{field}] because fielddata is unsupported on fields of type [{}]. Use doc values instead.",
            leaf.field_type.name()
        )));
    }
    let is_text = matches!(column_type(leaf), ColumnType::Text | ColumnType::Ip);
    if is_text && matches!(spec.mode, Some(SortMode::Sum | SortMode::Avg | SortMode::Median)) {
        return Err(context.query_shard("we only support AVG, MEDIAN and SUM on number based fields".to_owned(), None));
    }
    Ok(())
}

pub(super) fn index_error(error: tantivy::TantivyError) -> Error {
    Error::internal(error.to_string())
}

pub(super) fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl KeyReader {
    fn long(&self, docs: &[DocId]) -> i64 {
        match self {
            KeyReader::Doc(column) => column.as_ref().and_then(|column| column.first(*docs.first()?)).unwrap_or(0),
            KeyReader::Long { column, mode, missing } => {
                column.as_ref().and_then(|column| pick_long(values(column, docs), *mode)).unwrap_or(*missing)
            }
            KeyReader::Bool { column, mode, missing } => {
                column.as_ref().and_then(|column| pick_long(values(column, docs).map(i64::from), *mode)).unwrap_or(*missing)
            }
            _ => 0,
        }
    }

    fn unsigned(&self, docs: &[DocId]) -> u64 {
        let KeyReader::Unsigned { column, mode, missing } = self else { return 0 };
        let Some(column) = column else { return *missing };
        match mode {
            SortMode::Min | SortMode::Max => pick_end(values(column, docs), *mode).unwrap_or(*missing),
            mode => pick_double(values(column, docs).map(|value| value as f64), *mode).map_or(*missing, |value| value as u64),
        }
    }

    fn double(&self, docs: &[DocId]) -> f64 {
        if let KeyReader::Scaled { column, mode, missing, inverse } = self {
            let picked = |column: &Column<i64>| pick_double(values(column, docs).map(|steps| steps as f64 * inverse), *mode);
            return column.as_ref().and_then(picked).unwrap_or(*missing);
        }
        let KeyReader::Double { column, mode, missing, .. } = self else { return 0.0 };
        column.as_ref().and_then(|column| pick_double(values(column, docs), *mode)).unwrap_or(*missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_the_order_of_numbers() {
        let longs = [i64::MIN, -5, 0, 7, i64::MAX];
        assert!(longs.windows(2).all(|pair| key_of_long(pair[0]) < key_of_long(pair[1])));
        let doubles = [f64::NEG_INFINITY, -1.5, -0.1, 0.0, 0.1, 3e300, f64::INFINITY];
        assert!(doubles.windows(2).all(|pair| key_of_double(pair[0]) < key_of_double(pair[1])));
    }
}
