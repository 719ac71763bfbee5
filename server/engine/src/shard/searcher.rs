//! A snapshot of a shard for readers: it does not change while it is held, whatever is written meanwhile.

use super::engine::IndexDocument;
use super::operation::GetResult;
use super::schema::ShardSchema;
use bytes::Bytes;
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use tandem_common::env::fs;
use tandem_common::{Error, PrimaryTerm, Result, SeqNo, ShardId};
use tantivy::schema::{IndexRecordOption, Value as _};
use tantivy::{DocAddress, DocSet as _, TERMINATED, Term};

/// What searches run on. Cheap to clone.
#[derive(Clone)]
pub struct ShardSearcher {
    /// The shard.
    pub shard: ShardId,
    /// The published index.
    pub searcher: tantivy::Searcher,
    /// The fields of that index and the mapping behind them.
    pub schema: Arc<ShardSchema>,
    /// Every operation up to here is in the index, and none above.
    pub checkpoint: SeqNo,
}

/// Where a document is, and what the last operation on it was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    address: DocAddress,
    pub(super) seq_no: SeqNo,
    pub(super) op_term: PrimaryTerm,
    pub(super) version: i64,
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::internal(format!("cannot read the index: {error}"))
}

impl ShardSearcher {
    /// The document with this id. Blocking when its pages are not in memory.
    pub(super) fn find(&self, id: &str) -> Result<Option<Found>> {
        let term = Term::from_field_text(self.schema.id(), id);
        for (ordinal, segment) in (0..).zip(self.searcher.segment_readers()) {
            let postings =
                segment.inverted_index(self.schema.id()).map_err(failed)?.read_postings(&term, IndexRecordOption::Basic).map_err(failed)?;
            let Some(mut postings) = postings else { continue };
            while postings.doc() != TERMINATED {
                let doc = postings.doc();
                if !segment.is_deleted(doc) {
                    let fields = segment.fast_fields();
                    let missing = || Error::Corrupt { reason: format!("document [{id}] has no sequence number") };
                    let seq_no = fields.i64(self.name(self.schema.seq_no())).map_err(failed)?.first(doc).ok_or_else(missing)?;
                    let version = fields.i64(self.name(self.schema.version())).map_err(failed)?.first(doc).ok_or_else(missing)?;
                    let op_term = fields.u64(self.name(self.schema.op_term())).map_err(failed)?.first(doc).ok_or_else(missing)?;
                    let address = DocAddress::new(ordinal, doc);
                    return Ok(Some(Found { address, seq_no: SeqNo(seq_no), op_term: PrimaryTerm(op_term), version }));
                }
                postings.advance();
            }
        }
        Ok(None)
    }

    pub(super) fn name(&self, field: tantivy::schema::Field) -> &str {
        self.schema.tantivy().get_field_name(field)
    }

    /// The document at a place that [`Self::find`] gave. Blocking when its pages are not in memory.
    pub(super) fn fetch(&self, found: &Found) -> Result<GetResult> {
        let document: IndexDocument = self.searcher.doc(found.address).map_err(failed)?;
        let source = document.get_first(self.schema.source()).and_then(|value| value.as_bytes().map(Bytes::copy_from_slice));
        let routing = document.get_first(self.schema.routing()).and_then(|value| value.as_str().map(str::to_owned));
        Ok(GetResult { version: found.version, seq_no: found.seq_no, op_term: found.op_term, routing, source: source.unwrap_or_default() })
    }

    /// How many bytes the files of its segments take in `folder`. The library's own count needs every field of a segment to
    /// be in the schema of the searcher, which a new field makes untrue for a moment. Blocking, but only on a directory.
    pub(super) fn bytes_in(&self, folder: &Path) -> u64 {
        let mine: HashSet<String> = self.searcher.segment_readers().iter().map(|reader| reader.segment_id().uuid_string()).collect();
        bytes_of(folder, |segment| mine.contains(segment))
    }
}

/// How many bytes the files of one segment take. Blocking, but only on a directory.
pub(super) fn files_bytes(folder: &Path, segment: &str) -> u64 {
    bytes_of(folder, |other| other == segment)
}

fn bytes_of(folder: &Path, wanted: impl Fn(&str) -> bool) -> u64 {
    let files = fs::list(folder).unwrap_or_default().into_iter().filter(|name| wanted(name.split('.').next().unwrap_or_default()));
    // A file that a merge removes meanwhile counts as nothing.
    files.map(|name| fs::file_len(&folder.join(name)).unwrap_or(0)).sum()
}
