//! What the columns of a segment say of a document: one of its values, or the place of one in a dictionary.

use super::sort::SortMode;
use super::sort_keys::{index_error, text_of};
use serde_json::Value;
use std::net::Ipv6Addr;
use std::ops::{Bound, Range};
use std::sync::Arc;
use tandem_common::Result;
use tandem_common::mapping::FieldValue;
use tandem_common::mapping::field_types::{flat_path_bounds, number_of_query, query_unsigned};
use tantivy::columnar::{Column, StrColumn};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, DocSet, InvertedIndexReader, SegmentReader, TERMINATED};

/// The entries of a flat object under one path: their places in the dictionary.
pub(super) struct Entries {
    pub(super) path: String,
    places: Range<u64>,
}

impl Entries {
    pub(super) fn find(column: Option<&StrColumn>, path: &str) -> Result<Entries> {
        let (first, last) = flat_path_bounds(path);
        // Twice the place, and one more for those that are there.
        let place = |text: &str| place_of(column, text).map(|place| place.div_ceil(2));
        let places = if column.is_some() { place(&first)?..place(&last)? } else { 0..0 };
        Ok(Entries { path: path.to_owned(), places })
    }
}

/// Twice the place of a text in the dictionary, and one more if it is in it: a text that is not comes between two that are.
pub(super) fn place_of(column: Option<&StrColumn>, text: &str) -> Result<u64> {
    let Some(column) = column else { return Ok(1) };
    let dictionary = column.dictionary();
    if let Some(ord) = dictionary.term_ord(text.as_bytes())? {
        return Ok(ord * 2 + 1);
    }
    let (lower, _) = dictionary.term_bounds_to_ord(Bound::Included(text.as_bytes()), Bound::Unbounded)?;
    let ord = match lower {
        Bound::Included(ord) => ord,
        Bound::Excluded(ord) => ord.saturating_add(1),
        Bound::Unbounded => 0,
    };
    // A text behind the last one is told by a number that is none.
    Ok(ord.min(dictionary.num_terms() as u64) * 2)
}

pub(super) fn text_ord(column: Option<&StrColumn>, mode: SortMode, entries: Option<&Entries>, docs: &[DocId]) -> Option<u64> {
    let column = column?;
    let ords = docs.iter().flat_map(|doc| column.term_ords(*doc)).filter(|ord| entries.is_none_or(|entries| entries.places.contains(ord)));
    pick_end(ords, mode)
}

/// All the values of documents.
pub(super) fn values<'c, T>(column: &'c Column<T>, docs: &'c [DocId]) -> impl Iterator<Item = T> + 'c
where
    T: PartialOrd + Copy + std::fmt::Debug + Send + Sync + 'static,
{
    docs.iter().flat_map(|doc| column.values_for_doc(*doc))
}

/// The lowest or the highest.
pub(super) fn pick_end<T: Ord>(values: impl Iterator<Item = T>, mode: SortMode) -> Option<T> {
    if mode == SortMode::Max { values.max() } else { values.min() }
}

pub(super) fn unsigned_of(value: &Value) -> Result<u64> {
    match query_unsigned(&text_of(value))? {
        Some(FieldValue::Unsigned(number)) => Ok(number),
        _ => Ok(number_of_query(&text_of(value))?.trunc() as u64),
    }
}

/// As [`place_of`], for an address: the numbers that stand for addresses have gaps, so the next one up is looked for.
pub(super) fn code_after(column: Option<&Column<Ipv6Addr>>, codes: Option<&Column<u64>>, address: Ipv6Addr) -> u64 {
    let Some((column, codes)) = column.zip(codes) else { return 1 };
    let pairs = (0..column.num_docs()).flat_map(|doc| column.values_for_doc(doc).zip(codes.values_for_doc(doc)));
    match pairs.filter(|(known, _)| *known >= address).min() {
        Some((known, code)) => code * 2 + u64::from(known == address),
        // Behind all of them, and before what has none.
        None => u64::MAX - 1,
    }
}

/// One of several whole numbers; means are rounded, as OpenSearch rounds them.
pub(super) fn pick_long(values: impl Iterator<Item = i64>, mode: SortMode) -> Option<i64> {
    match mode {
        SortMode::Min => values.min(),
        SortMode::Max => values.max(),
        SortMode::Sum => values.fold(None, |sum, value| Some(sum.unwrap_or(0_i64).wrapping_add(value))),
        SortMode::Avg => {
            // The sum wraps before it is divided, as that of `sum` does.
            let (sum, count) = values.fold((0_i64, 0_u32), |(sum, count), value| (sum.wrapping_add(value), count + 1));
            (count > 0).then(|| (sum as f64 / f64::from(count) + 0.5).floor() as i64)
        }
        SortMode::Median => pick_double(values.map(|value| value as f64), mode).map(|mean| (mean + 0.5).floor() as i64),
    }
}

pub(super) fn pick_double(values: impl Iterator<Item = f64>, mode: SortMode) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let count = values.len();
    match mode {
        SortMode::Min => values.first().copied(),
        SortMode::Max => values.last().copied(),
        SortMode::Sum => (count > 0).then(|| values.iter().sum()),
        SortMode::Avg => (count > 0).then(|| values.iter().sum::<f64>() / count as f64),
        SortMode::Median if count.is_multiple_of(2) => Some((values.get(count.checked_sub(2)? / 2)? + values.get(count / 2)?) / 2.0),
        SortMode::Median => values.get(count / 2).copied(),
    }
}

/// The order of the ids of a segment, read from its terms.
pub(super) struct IdOrder {
    index: Arc<InvertedIndexReader>,
    /// The place of each document's id among all, by document.
    places: Vec<u64>,
}

impl IdOrder {
    pub(super) fn read(segment: &SegmentReader, field: Field) -> Result<IdOrder> {
        let index = segment.inverted_index(field).map_err(index_error)?;
        let mut places = vec![0; segment.max_doc() as usize];
        let mut stream = index.terms().stream()?;
        while stream.advance() {
            let mut postings = index.read_postings_from_terminfo(stream.value(), IndexRecordOption::Basic)?;
            while postings.doc() != TERMINATED {
                if let Some(place) = places.get_mut(postings.doc() as usize) {
                    *place = stream.term_ord();
                }
                postings.advance();
            }
        }
        Ok(IdOrder { index, places })
    }

    pub(super) fn key(&self, doc: DocId) -> u64 {
        self.places.get(doc as usize).map_or(0, |place| place * 2 + 1)
    }

    pub(super) fn id(&self, doc: DocId) -> Option<String> {
        let mut bytes = Vec::new();
        let found = self.index.terms().ord_to_term(*self.places.get(doc as usize)?, &mut bytes).ok()?;
        String::from_utf8(bytes).ok().filter(|_| found)
    }

    /// As [`place_of`], for an id.
    pub(super) fn key_of(&self, id: &str) -> Result<u64> {
        if let Some(ord) = self.index.terms().term_ord(id.as_bytes())? {
            return Ok(ord * 2 + 1);
        }
        let mut after = self.index.terms().range().ge(id.as_bytes()).into_stream()?;
        Ok(if after.advance() { after.term_ord() * 2 } else { self.index.terms().num_terms() as u64 * 2 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_values_become_one() {
        for (mode, expected) in [(SortMode::Min, 3), (SortMode::Max, 30), (SortMode::Sum, 33), (SortMode::Avg, 17), (SortMode::Median, 17)]
        {
            assert_eq!(pick_long([30, 3].into_iter(), mode), Some(expected), "{mode:?}");
            assert_eq!(pick_long([].into_iter(), mode), None);
        }
        assert_eq!(pick_long([i64::MAX, 1].into_iter(), SortMode::Avg), Some(-4_611_686_018_427_387_904));
        assert_eq!(pick_long([i64::MAX, 1].into_iter(), SortMode::Median), Some(4_611_686_018_427_387_904));
    }
}
