//! The source of a delta: a searcher that does not change, and what the target asks of it.

use super::messages::{DeltaBegin, DeltaDocument, DeltaPeer, DeltaRequest, DocumentChunk, LiveChunk, Tombstone, TombstoneChunk};
use super::{ANSWER_BYTES, DOCUMENTS_ABOVE_MAX, SeqNoSet};
use crate::shard::searcher::ShardSearcher;
use crate::shard::{IndexShard, Inner};
use bytes::Bytes;
use std::sync::Arc;
use tandem_common::{Error, PrimaryTerm, Result, SeqNo, blocking};
use tantivy::schema::{IndexRecordOption, Value as _};
use tantivy::{DocAddress, DocSet as _, TERMINATED, Term};

/// A pinned state of a shard. Dropping it lets go of the pin; the lease stays.
pub struct DeltaSource {
    begin: DeltaBegin,
    searcher: ShardSearcher,
    live: SeqNoSet,
    above: Vec<(SeqNo, DocAddress)>,
    tombstones: Vec<Tombstone>,
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::internal(format!("cannot read the index: {error}"))
}

/// Takes from an ordered list, at least one, then no more than about a message full.
fn page<T, U>(items: &[T], bytes: impl Fn(&U) -> usize, read: impl Fn(&T) -> Result<U>) -> Result<(Vec<U>, Option<&T>)> {
    let (mut taken, mut total) = (Vec::new(), 0);
    for item in items {
        if total >= ANSWER_BYTES {
            return Ok((taken, Some(item)));
        }
        let item = read(item)?;
        total += bytes(&item);
        taken.push(item);
    }
    Ok((taken, None))
}

impl DeltaSource {
    /// What was pinned.
    pub fn begin(&self) -> &DeltaBegin {
        &self.begin
    }

    #[cfg(test)]
    pub(super) fn pinned(&self) -> &ShardSearcher {
        &self.searcher
    }

    /// See [`DeltaPeer::live`].
    pub fn live_from(&self, from: SeqNo) -> LiveChunk {
        let (bits, next) = self.live.encode(from, ANSWER_BYTES);
        LiveChunk { bits, next }
    }

    /// See [`DeltaPeer::documents`]. Blocking.
    ///
    /// # Errors
    /// An index that cannot be read.
    pub fn documents_from(&self, from: SeqNo) -> Result<DocumentChunk> {
        let start = self.above.partition_point(|(seq_no, _)| *seq_no < from);
        let rest = self.above.get(start..).unwrap_or_default();
        let read = |(seq_no, address): &(SeqNo, DocAddress)| self.searcher.document_at(*seq_no, *address);
        let (documents, next) = page(rest, DeltaDocument::bytes, read)?;
        Ok(DocumentChunk { documents, next: next.map(|(seq_no, _)| *seq_no) })
    }

    /// See [`DeltaPeer::fetch`]. Blocking.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] for a document that is not live.
    pub fn fetch_live(&self, wanted: &SeqNoSet) -> Result<DocumentChunk> {
        let wanted: Vec<SeqNo> = wanted.iter().collect();
        let read = |seq_no: &SeqNo| {
            let address = self.searcher.find_operation(*seq_no)?;
            let address = address.ok_or_else(|| Error::ResourceNotFound { reason: format!("no live document of operation [{seq_no}]") })?;
            self.searcher.document_at(*seq_no, address)
        };
        let (documents, next) = page(&wanted, DeltaDocument::bytes, read)?;
        Ok(DocumentChunk { documents, next: next.copied() })
    }

    /// See [`DeltaPeer::tombstones`].
    pub fn tombstones_from(&self, from: SeqNo) -> TombstoneChunk {
        let start = self.tombstones.partition_point(|tombstone| tombstone.seq_no < from);
        let mut rest = self.tombstones.get(start..).unwrap_or_default().iter();
        let mut bytes = 0;
        let within = |tombstone: &&Tombstone| {
            bytes += tombstone.bytes();
            bytes <= ANSWER_BYTES
        };
        let tombstones: Vec<Tombstone> = rest.clone().take_while(within).cloned().collect();
        let next = rest.nth(tombstones.len()).map(|tombstone| tombstone.seq_no);
        TombstoneChunk { tombstones, next }
    }
}

impl Inner {
    /// The state that this copy pins for a target, blocking.
    fn pin(&self, request: &DeltaRequest) -> Result<DeltaSource> {
        // Taken before the version map: what is written meanwhile lies above it.
        let searcher = ShardSearcher::clone(&self.searcher.load());
        let checkpoint = searcher.checkpoint;
        let mut lineage = self.log.lineage();
        lineage.truncate(checkpoint);
        let shared = lineage.last_shared(checkpoint, &request.lineage, request.max_seq_no).ok_or_else(|| Error::HistoryMismatch {
            seq_no: -1,
            detail: format!("[{}] and [{}] have no history in common", lineage.history, request.lineage.history),
        })?;
        let mut live = SeqNoSet::default();
        let mut above = Vec::new();
        searcher.visit_live(|seq_no, address| {
            if seq_no <= shared {
                live.insert(seq_no);
            } else if above.len() < DOCUMENTS_ABOVE_MAX {
                above.push((seq_no, address));
            } else {
                let reason = format!("{} has more than [{DOCUMENTS_ABOVE_MAX}] documents above [{shared}]: copy its files", self.shard);
                return Err(Error::IllegalState { reason });
            }
            Ok(())
        })?;
        above.sort_unstable_by_key(|(seq_no, _)| *seq_no);
        let (mut tombstones, operation_id_max): (Vec<Tombstone>, u64) = {
            let sequencer = self.sequencer.lock();
            let deletions = sequencer.versions.deletions(checkpoint);
            let tombstone = |(id, version): (&str, crate::shard::engine::Version)| Tombstone {
                id: id.to_owned(),
                seq_no: version.seq_no,
                op_term: version.op_term,
                version: version.version,
            };
            (deletions.map(tombstone).collect(), sequencer.operation_ids.highest())
        };
        tombstones.sort_unstable_by_key(|tombstone| tombstone.seq_no);
        let begin = DeltaBegin {
            shared,
            checkpoint,
            lineage,
            mapping_version: searcher.schema.mapping().version,
            operation_id_max,
            live_shared: live.len(),
            live_above: above.len() as u64,
        };
        Ok(DeltaSource { begin, searcher, live, above, tombstones })
    }
}

impl IndexShard {
    /// Pins the present state for a target whose log is as described, and leases the history above it.
    ///
    /// # Errors
    /// [`Error::HistoryMismatch`] when the two have no history in common; [`Error::IllegalState`] when so much differs that a
    /// copy of the files is the better way.
    pub async fn begin_delta(&self, request: DeltaRequest) -> Result<Arc<DeltaSource>> {
        let inner = self.inner.clone();
        self.refresh().await?;
        // Leased before the pin, which can only lie further on; an older lease of this name moves up to the pin.
        let lease = request.lease.clone();
        let published = inner.searcher.load().checkpoint.next();
        match self.add_lease(&lease, published, &request.lease_source).await {
            Err(Error::RetentionLeaseAlreadyExists { .. }) => {}
            other => drop(other?),
        }
        let source = request.lease_source.clone();
        let pinned = blocking::run(move || inner.pin(&request)).await?;
        self.renew_lease(&lease, pinned.begin.checkpoint.next(), &source).await?;
        Ok(Arc::new(pinned))
    }
}

impl DeltaPeer for Arc<DeltaSource> {
    async fn live(&self, from: SeqNo) -> Result<LiveChunk> {
        Ok(self.live_from(from))
    }

    async fn documents(&self, from: SeqNo) -> Result<DocumentChunk> {
        let source = self.clone();
        blocking::run(move || source.documents_from(from)).await
    }

    async fn fetch(&self, wanted: SeqNoSet) -> Result<DocumentChunk> {
        let source = self.clone();
        blocking::run(move || source.fetch_live(&wanted)).await
    }

    async fn tombstones(&self, from: SeqNo) -> Result<TombstoneChunk> {
        Ok(self.tombstones_from(from))
    }
}

impl ShardSearcher {
    /// Visits every live document: the last operation on it, and where it is. Blocking when its pages are not in memory.
    pub(in crate::shard) fn visit_live(&self, mut visit: impl FnMut(SeqNo, DocAddress) -> Result<()>) -> Result<()> {
        for (ordinal, segment) in (0..).zip(self.searcher.segment_readers()) {
            let seq_nos = segment.fast_fields().i64(self.name(self.schema.seq_no())).map_err(failed)?;
            let versions = segment.fast_fields().i64(self.name(self.schema.version())).map_err(failed)?;
            for doc in segment.doc_ids_alive() {
                // Parts of documents have no version of their own.
                if versions.first(doc).is_none() {
                    continue;
                }
                let seq_no = seq_nos.first(doc).ok_or_else(|| Error::Corrupt { reason: "a document has no sequence number".into() })?;
                visit(SeqNo(seq_no), DocAddress::new(ordinal, doc))?;
            }
        }
        Ok(())
    }

    /// Where the live document of an operation is.
    fn find_operation(&self, seq_no: SeqNo) -> Result<Option<DocAddress>> {
        let term = Term::from_field_i64(self.schema.seq_no(), seq_no.0);
        for (ordinal, segment) in (0..).zip(self.searcher.segment_readers()) {
            let inverted = segment.inverted_index(self.schema.seq_no()).map_err(failed)?;
            let Some(mut postings) = inverted.read_postings(&term, IndexRecordOption::Basic).map_err(failed)? else { continue };
            let versions = segment.fast_fields().i64(self.name(self.schema.version())).map_err(failed)?;
            while postings.doc() != TERMINATED {
                if !segment.is_deleted(postings.doc()) && versions.first(postings.doc()).is_some() {
                    return Ok(Some(DocAddress::new(ordinal, postings.doc())));
                }
                postings.advance();
            }
        }
        Ok(None)
    }

    /// The id of the live document of an operation.
    pub(in crate::shard) fn id_of(&self, seq_no: SeqNo) -> Result<Option<String>> {
        let address = self.find_operation(seq_no)?;
        Ok(address.map(|address| self.document_at(seq_no, address)).transpose()?.map(|document| document.id))
    }

    /// A document at a place that was found, whole.
    pub(in crate::shard) fn document_at(&self, seq_no: SeqNo, address: DocAddress) -> Result<DeltaDocument> {
        let segment = self.searcher.segment_reader(address.segment_ord);
        let missing = || Error::Corrupt { reason: format!("the document of operation [{seq_no}] is not whole") };
        let columns = segment.fast_fields();
        let version = columns.i64(self.name(self.schema.version())).map_err(failed)?.first(address.doc_id).ok_or_else(missing)?;
        let op_term = columns.u64(self.name(self.schema.op_term())).map_err(failed)?.first(address.doc_id).ok_or_else(missing)?;
        let document: crate::shard::engine::IndexDocument = self.searcher.doc(address).map_err(failed)?;
        let id = document.get_first(self.schema.id()).and_then(|value| value.as_str().map(str::to_owned)).ok_or_else(missing)?;
        let routing = document.get_first(self.schema.routing()).and_then(|value| value.as_str().map(str::to_owned));
        let source = document.get_first(self.schema.source()).and_then(|value| value.as_bytes().map(Bytes::copy_from_slice));
        Ok(DeltaDocument { id, routing, seq_no, op_term: PrimaryTerm(op_term), version, source: source.unwrap_or_default() })
    }
}
