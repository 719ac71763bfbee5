//! Field norms of segments that are older than some of the fields.
//!
//! The schema only grows. A segment written before a text field existed has no norm array for it, and the library then
//! refuses to merge the segment with newer ones. So such a file is read as if it had an array of zeros there. The file on
//! disk stays as it is, and zeros take memory only while they are read.

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use tantivy::HasLen;
use tantivy::directory::{FileHandle, OwnedBytes};

/// The norm file of a segment, padded with zeros for those of the `normed` fields that it lacks.
pub(super) fn padded(path: &Path, bytes: OwnedBytes, normed: &[u32], meta: &[u8]) -> io::Result<Arc<dyn FileHandle>> {
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, format!("field norms [{}] are damaged", path.display()));
    let parts = Parts::read(&bytes).ok_or_else(damaged)?;
    let missing: Vec<u32> = normed.iter().copied().filter(|field| !parts.fields.iter().any(|(present, _)| present == field)).collect();
    if missing.is_empty() {
        return Ok(Arc::new(bytes));
    }
    // A segment that no commit names yet was written under the present schema and lacks nothing.
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let segments = super::directory::segments_of(meta).map_err(io::Error::other)?;
    let Some(segment) = segments.iter().find(|segment| segment.stem() == stem) else { return Ok(Arc::new(bytes)) };
    let max_doc = segment.max_doc as usize;
    let tail = parts.tail_with(&bytes, &missing, max_doc);
    Ok(Arc::new(PaddedNorms { front: bytes.slice(0..parts.data_end), zeros: max_doc * missing.len(), tail: OwnedBytes::new(tail) }))
}

/// The layout of a file by field: data, its table of contents, the library's footer.
struct Parts {
    data_end: usize,
    /// (field, where it starts), in the order of the file.
    fields: Vec<(u32, u64)>,
    footer_start: usize,
}

impl Parts {
    fn read(bytes: &[u8]) -> Option<Parts> {
        let lengths = bytes.len().checked_sub(8)?;
        let footer_length = u32::from_le_bytes(bytes.get(lengths..lengths + 4)?.try_into().ok()?) as usize;
        let footer_start = lengths.checked_sub(footer_length)?;
        let table_length_at = footer_start.checked_sub(4)?;
        let table_length = u32::from_le_bytes(bytes.get(table_length_at..footer_start)?.try_into().ok()?) as usize;
        let data_end = table_length_at.checked_sub(table_length)?;
        let mut table = bytes.get(data_end..table_length_at)?;
        let count = take_number(&mut table)?;
        let mut fields = Vec::new();
        let mut offset = 0u64;
        for _ in 0..count {
            offset = offset.checked_add(take_number(&mut table)?)?;
            let (field, rest) = table.split_first_chunk::<4>()?;
            table = rest;
            // The index within the field; norms have one array per field.
            take_number(&mut table)?;
            fields.push((u32::from_le_bytes(*field), offset));
        }
        Some(Parts { data_end, fields, footer_start })
    }

    /// The table of contents with the missing fields behind the others, and the library's footer as it was.
    fn tail_with(&self, bytes: &[u8], missing: &[u32], max_doc: usize) -> Vec<u8> {
        let mut all = self.fields.clone();
        all.extend(missing.iter().enumerate().map(|(at, field)| (*field, (self.data_end + at * max_doc) as u64)));
        let mut table = Vec::new();
        put_number(&mut table, all.len() as u64);
        let mut before = 0;
        for (field, offset) in all {
            put_number(&mut table, offset - before);
            table.extend_from_slice(&field.to_le_bytes());
            put_number(&mut table, 0);
            before = offset;
        }
        let length = u32::try_from(table.len()).unwrap_or(u32::MAX);
        table.extend_from_slice(&length.to_le_bytes());
        table.extend_from_slice(bytes.get(self.footer_start..).unwrap_or_default());
        table
    }
}

/// Seven bits per byte, lowest first; the last byte has the top bit set.
fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 != 0 {
            return Some(value);
        }
    }
    None
}

fn put_number(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8);
        value >>= 7;
    }
    bytes.push(value as u8 | 0x80);
}

/// The data of the file, then zeros, then a table of contents that names them.
#[derive(Debug)]
struct PaddedNorms {
    front: OwnedBytes,
    zeros: usize,
    tail: OwnedBytes,
}

impl HasLen for PaddedNorms {
    fn len(&self) -> usize {
        self.front.len() + self.zeros + self.tail.len()
    }
}

impl FileHandle for PaddedNorms {
    fn read_bytes(&self, range: Range<usize>) -> io::Result<OwnedBytes> {
        let zeros_end = self.front.len() + self.zeros;
        if range.start > range.end || range.end > self.len() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "field norms are read beyond their end"));
        }
        if range.end <= self.front.len() {
            return Ok(self.front.slice(range));
        }
        if range.start >= zeros_end {
            return Ok(self.tail.slice(range.start - zeros_end..range.end - zeros_end));
        }
        let mut bytes = vec![0; range.len()];
        let mut copy = |part: &OwnedBytes, at: usize| {
            let start = range.start.max(at);
            let end = range.end.min(at + part.len());
            if start < end
                && let (Some(to), Some(from)) = (bytes.get_mut(start - range.start..end - range.start), part.get(start - at..end - at))
            {
                to.copy_from_slice(from);
            }
        };
        copy(&self.front, 0);
        copy(&self.tail, zeros_end);
        Ok(OwnedBytes::new(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_number_is_read_as_it_was_written(value in any::<u64>()) {
            let mut bytes = Vec::new();
            put_number(&mut bytes, value);
            let mut rest = bytes.as_slice();
            prop_assert_eq!(take_number(&mut rest), Some(value));
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Parts::read(&bytes);
        }
    }

    #[test]
    fn a_read_across_all_parts_gives_the_bytes_in_order() {
        let norms = PaddedNorms { front: OwnedBytes::new(vec![1, 2, 3]), zeros: 2, tail: OwnedBytes::new(vec![4, 5]) };
        assert_eq!(norms.len(), 7);
        for start in 0..7 {
            for end in start..=7 {
                let expected = [1, 2, 3, 0, 0, 4, 5].get(start..end).unwrap().to_vec();
                assert_eq!(norms.read_bytes(start..end).unwrap().as_slice(), expected, "{start}..{end}");
            }
        }
        assert!(norms.read_bytes(3..8).is_err());
    }
}
