//! The index of a shard: the one cursor on the log that searches see.
//!
//! *What it is*: the index library behind a small, blocking interface. · *Types to know*: [`Engine`], [`CommitPayload`],
//! [`VersionMap`]. · **Invariants**: operations come in the order of the log and only up to the global checkpoint; a commit
//! names the operation it ends with; the schema only grows; no call is made from a network thread. · *How it fails*: any
//! error of the library is final for the shard, unless only space was missing: then it goes back to its last commit. The log
//! holds everything the index could lose. · *How it is tested*: beside
//! the code, with schemas built by hand.

mod commit;
mod merge;
#[cfg(test)]
mod tests;
mod version_map;

pub(super) use commit::CommitPayload;
pub(super) use version_map::{Version, VersionMap};

use super::delta::DeltaDocument;
use super::directory::{FilesLease, NrtDirectory, SegmentEntry, segments_of};
use super::operation::{LoggedKind, LoggedOperation};
use super::planted::{self, Bug};
use super::schema::{DocumentMeta, ShardSchema};
use super::searcher::ShardSearcher;
use crate::analysis::AnalyzerRegistry;
use merge::CountingMergePolicy;
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tandem_common::mapping::{Mapping, ParseMode, ParsedDocument};
use tandem_common::{Error, Result, SeqNo, ShardId};
use tantivy::index::SegmentId;
use tantivy::indexer::{IndexWriterOptions, UserOperation};
use tantivy::schema::Schema;
use tantivy::{FutureResult, Index, IndexReader, IndexSettings, IndexWriter, ReloadPolicy, SegmentMeta, TantivyDocument, Term};

/// Blocks of stored documents that a searcher keeps unpacked, per segment.
const STORED_BLOCKS_CACHED: usize = 8;

/// A segment is ended when its writer has taken this much. Memory is taken as documents come, and what waits to be published
/// is bounded elsewhere and lower; so this is only there to never end a segment before its time: small segments have to be
/// merged again, which costs more than writing them.
const WRITER_BYTES_MAX: usize = 512 << 20;

/// The index of one shard copy.
pub(super) struct Engine {
    shard: ShardId,
    directory: NrtDirectory,
    index: Index,
    reader: IndexReader,
    schema: Arc<ShardSchema>,
    analysis: Arc<AnalyzerRegistry>,
    writer: Option<IndexWriter>,
    merges: Arc<AtomicU64>,
    applied: SeqNo,
    /// The highest id of an operation that was applied.
    operation_id_max: u64,
    /// Whether something was applied that no commit holds.
    uncommitted: bool,
    /// Whether there is something that no searcher shows.
    unpublished: bool,
    /// Whether the present commit is not the durable one.
    unflushed: bool,
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::internal(format!("the index failed: {error}"))
}

impl Engine {
    /// An empty index with a durable commit that says so.
    pub(super) fn create(
        root: &Path,
        shard: &ShardId,
        mapping: &Arc<Mapping>,
        analysis: &Arc<AnalyzerRegistry>,
        payload: &CommitPayload,
    ) -> Result<Engine> {
        let directory = NrtDirectory::open(root)?;
        let schema = Arc::new(ShardSchema::derive(mapping.clone(), None));
        // One thread less per shard, and the writer's own thread has the time.
        let settings = IndexSettings { docstore_compress_dedicated_thread: false, ..IndexSettings::default() };
        Index::create(directory.clone(), schema.tantivy().clone(), settings).map_err(failed)?;
        set_in_meta(&directory, "payload", payload.to_text()?.into())?;
        directory.flush()?;
        let directory = directory.next_epoch()?;
        Self::open_at(directory, shard, schema, analysis, payload)
    }

    /// Opens the durable commit.
    pub(super) fn open(
        root: &Path,
        shard: &ShardId,
        mapping: &Arc<Mapping>,
        analysis: &Arc<AnalyzerRegistry>,
    ) -> Result<(Engine, CommitPayload)> {
        let directory = NrtDirectory::open(root)?;
        let meta = directory.meta().ok_or_else(|| Error::Corrupt { reason: format!("[{}/meta.json] is missing", root.display()) })?;
        directory.verify()?;
        let payload = CommitPayload::of_meta(&meta)?;
        let (directory, schema) = Self::extend(directory, mapping)?;
        let engine = Self::open_at(directory, shard, schema, analysis, &payload)?;
        Ok((engine, payload))
    }

    fn open_at(
        directory: NrtDirectory,
        shard: &ShardId,
        schema: Arc<ShardSchema>,
        analysis: &Arc<AnalyzerRegistry>,
        payload: &CommitPayload,
    ) -> Result<Engine> {
        let (index, reader) = open_index(&directory, &schema, analysis)?;
        Ok(Engine {
            shard: shard.clone(),
            directory,
            index,
            reader,
            schema,
            analysis: analysis.clone(),
            writer: None,
            merges: Arc::default(),
            applied: payload.checkpoint,
            operation_id_max: payload.operation_id_max,
            uncommitted: false,
            unpublished: false,
            unflushed: false,
        })
    }

    /// Adds the fields that `mapping` has and the present commit lacks. The handle of the directory is a new one then.
    fn extend(directory: NrtDirectory, mapping: &Arc<Mapping>) -> Result<(NrtDirectory, Arc<ShardSchema>)> {
        #[derive(serde::Deserialize)]
        struct Meta {
            schema: Schema,
        }
        let meta = directory.meta().unwrap_or_default();
        let present = serde_json::from_slice::<Meta>(&meta)
            .map_err(|error| Error::Corrupt { reason: format!("the schema of the index cannot be read: {error}") })?
            .schema;
        let schema = Arc::new(ShardSchema::derive(mapping.clone(), Some(&present)));
        let directory = directory.next_epoch()?;
        if schema.tantivy() != &present {
            let text = serde_json::to_value(schema.tantivy()).map_err(failed)?;
            set_in_meta(&directory, "schema", text)?;
        }
        Ok((directory, schema))
    }

    /// Makes the fields of `mapping` known. The index is reopened when there are new ones.
    pub(super) fn ensure_schema(&mut self, mapping: &Arc<Mapping>, payload: impl FnOnce(SeqNo) -> CommitPayload) -> Result<()> {
        if mapping.version == self.schema.mapping().version && Arc::ptr_eq(mapping, self.schema.mapping()) {
            return Ok(());
        }
        self.unpublished = true;
        let schema = Arc::new(ShardSchema::derive(mapping.clone(), Some(self.schema.tantivy())));
        if schema.tantivy() == self.schema.tantivy() {
            self.schema = schema;
            return Ok(());
        }
        self.commit(payload)?;
        self.writer = None;
        (self.directory, self.schema) = Self::extend(self.directory.clone(), mapping)?;
        (self.index, self.reader) = open_index(&self.directory, &self.schema, &self.analysis)?;
        self.unflushed = true;
        Ok(())
    }

    /// Whether `mapping` is the one that the index knows.
    pub(super) fn knows(&self, mapping: &Arc<Mapping>) -> bool {
        Arc::ptr_eq(mapping, self.schema.mapping())
    }

    fn writer(&mut self) -> Result<&mut IndexWriter> {
        if self.writer.is_none() {
            let options =
                IndexWriterOptions::builder().num_worker_threads(1).num_merge_threads(1).memory_budget_per_thread(WRITER_BYTES_MAX).build();
            let writer: IndexWriter = self.index.writer_with_options(options).map_err(failed)?;
            writer.set_merge_policy(Box::new(CountingMergePolicy::new(self.merges.clone())));
            // The stamps of a new writer begin with the stamp of the commit itself. A deletion under that stamp counts as
            // done for segments whose deletes were written by the commit, and a merge that starts before the next commit
            // loses it. So that stamp is used up here.
            writer.run(std::iter::empty()).map_err(failed)?;
            self.writer = Some(writer);
        }
        self.writer.as_mut().ok_or_else(|| Error::internal("no index writer"))
    }

    /// Applies the operation that follows the last one. `document` is what the primary kept of it; without one the source is
    /// read again. Never fails because of a document.
    pub(super) fn apply(&mut self, operation: &LoggedOperation, document: Option<ParsedDocument>, may_exist: bool) -> Result<()> {
        if operation.seq_no != self.applied.next() {
            return Err(Error::internal(format!("operation [{}] does not follow [{}]", operation.seq_no, self.applied)));
        }
        let schema = self.schema.clone();
        let added = match &operation.kind {
            LoggedKind::Delete => None,
            LoggedKind::Index { source } => {
                let document = match document {
                    Some(document) => document,
                    None => schema
                        .mapping()
                        .parse_document(&operation.id, source, ParseMode::Total(operation.mapping_version))
                        .unwrap_or_default(),
                };
                let meta = DocumentMeta {
                    id: &operation.id,
                    routing: operation.routing.as_deref(),
                    seq_no: operation.seq_no,
                    op_term: operation.op_term,
                    version: operation.version,
                    source,
                };
                Some(self.block(document, meta))
            }
        };
        let lost = added.is_none() && planted::is(Bug::DeletionLost, self.directory.root());
        let writer = self.writer()?;
        if may_exist && !lost {
            writer.delete_term(Term::from_field_text(schema.id(), &operation.id));
            if let Some(nested) = schema.nested() {
                writer.delete_term(Term::from_field_text(nested.root, &operation.id));
            }
        }
        if let Some(added) = added {
            add_block(writer, added)?;
        }
        self.applied = operation.seq_no;
        self.operation_id_max = self.operation_id_max.max(operation.operation_id);
        self.changed();
        Ok(())
    }

    /// The index documents of a document: those of its nested objects, and its own.
    fn block(&self, mut document: ParsedDocument, meta: DocumentMeta<'_>) -> Block {
        self.schema.count_words(&mut document, self.index.tokenizers());
        (self.schema.nested_documents(&document, meta.id), self.schema.document(&document, meta))
    }

    /// Whether documents may have nested objects.
    pub(in crate::shard) fn has_nested(&self) -> bool {
        self.schema.nested().is_some()
    }

    /// Removes the document that an operation has left: outside the order of the log, for a delta. The id is only needed
    /// where documents may have nested objects, and nothing was put in under it before.
    pub(in crate::shard) fn remove_operation(&mut self, seq_no: SeqNo, id: Option<&str>) -> Result<()> {
        let (field, nested) = (self.schema.seq_no(), self.schema.nested());
        let writer = self.writer()?;
        writer.delete_term(Term::from_field_i64(field, seq_no.0));
        if let (Some(nested), Some(id)) = (nested, id) {
            writer.delete_term(Term::from_field_text(nested.root, id));
        }
        self.changed();
        Ok(())
    }

    /// Puts in a document that another copy has: outside the order of the log, for a delta. No state of it is in the index.
    pub(in crate::shard) fn insert_document(&mut self, document: &DeltaDocument, mapping_version: u64) -> Result<()> {
        let DeltaDocument { id, routing, seq_no, op_term, version, source } = document;
        let parsed = self.schema.mapping().parse_document(id, source, ParseMode::Total(mapping_version)).unwrap_or_default();
        let (seq_no, op_term, version) = (*seq_no, *op_term, *version);
        let meta = DocumentMeta { id, routing: routing.as_deref(), seq_no, op_term, version, source };
        let added = self.block(parsed, meta);
        add_block(self.writer()?, added)?;
        self.changed();
        Ok(())
    }

    /// Refuses a mapping in which a field has another type than in the index.
    pub(in crate::shard) fn check_types(&self, mapping: &Arc<Mapping>) -> Result<()> {
        let fresh = ShardSchema::derive(mapping.clone(), None);
        for (_, entry) in fresh.tantivy().fields() {
            let present = self.schema.tantivy().get_field(entry.name()).map(|field| self.schema.tantivy().get_field_entry(field));
            if present.is_ok_and(|present| present.field_type() != entry.field_type()) {
                return Err(Error::IllegalState { reason: format!("field [{}] is of another type in the present index", entry.name()) });
            }
        }
        Ok(())
    }

    /// Makes the index durable as that of another log, which `payload` describes. No merge goes on afterwards.
    pub(in crate::shard) fn adopt(&mut self, payload: CommitPayload) -> Result<ShardSearcher> {
        self.applied = payload.checkpoint;
        self.operation_id_max = payload.operation_id_max;
        self.unflushed = true;
        self.commit(|_| payload.clone())?;
        self.settle_merges()?;
        self.flush(payload)?;
        self.reader.reload().map_err(failed)?;
        self.unpublished = false;
        Ok(self.searcher())
    }

    fn changed(&mut self) {
        self.uncommitted = true;
        self.unpublished = true;
        self.unflushed = true;
    }

    /// The version of the mapping behind the fields of the index.
    pub(super) fn mapping_version(&self) -> u64 {
        self.schema.mapping().version
    }

    /// The last operation in the index.
    pub(super) fn applied(&self) -> SeqNo {
        self.applied
    }

    /// Whether there is something that no searcher shows.
    pub(super) fn has_unpublished(&self) -> bool {
        self.unpublished
    }

    /// The payload with what only the index knows.
    fn complete(&self, payload: CommitPayload) -> CommitPayload {
        CommitPayload { operation_id_max: self.operation_id_max, ..payload }
    }

    fn commit(&mut self, payload: impl FnOnce(SeqNo) -> CommitPayload) -> Result<()> {
        if !self.uncommitted {
            return Ok(());
        }
        let text = self.complete(payload(self.applied)).to_text()?;
        let mut prepared = self.writer()?.prepare_commit().map_err(failed)?;
        prepared.set_payload(&text);
        prepared.commit().map_err(failed)?;
        self.uncommitted = false;
        Ok(())
    }

    /// Commits, not durably, and opens a searcher on everything applied.
    pub(super) fn publish(&mut self, payload: impl FnOnce(SeqNo) -> CommitPayload) -> Result<ShardSearcher> {
        self.commit(payload)?;
        self.reader.reload().map_err(failed)?;
        self.unpublished = false;
        Ok(self.searcher())
    }

    /// A searcher on the last commit that was published.
    pub(super) fn searcher(&self) -> ShardSearcher {
        ShardSearcher { shard: self.shard.clone(), searcher: self.reader.searcher(), schema: self.schema.clone(), checkpoint: self.applied }
    }

    /// Makes what was published durable, under `payload` even when only that has changed. Returns whether it wrote something.
    pub(super) fn flush(&mut self, payload: CommitPayload) -> Result<bool> {
        let payload = self.complete(payload);
        let meta = self.directory.meta().unwrap_or_default();
        let same = CommitPayload::of_meta(&meta).is_ok_and(|present| present == payload);
        if !self.unflushed && same {
            return Ok(false);
        }
        if !same && self.writer.is_none() {
            set_in_meta(&self.directory, "payload", payload.to_text()?.into())?;
        } else if !same {
            self.uncommitted = true;
            self.commit(|_| payload)?;
        }
        self.directory.flush()?;
        self.unflushed = false;
        Ok(true)
    }

    /// The names of the segments that the durable commit holds.
    pub(super) fn durable_segments(&self) -> Result<HashSet<String>> {
        let Some(lease) = self.directory.lease() else { return Ok(HashSet::new()) };
        Ok(segments_of(lease.commit.meta())?.iter().map(SegmentEntry::stem).collect())
    }

    /// Whether the library was refused space since this was last asked.
    pub(super) fn ran_out_of_space(&self) -> bool {
        self.directory.ran_out_of_space()
    }

    /// Throws away what no commit holds, with the writer, which does not survive an error. The log has it all still.
    pub(super) fn rewind(&mut self) -> Result<()> {
        self.writer = None;
        // What the old writer was refused until here is told by now.
        self.directory.ran_out_of_space();
        let payload = CommitPayload::of_meta(&self.directory.meta().unwrap_or_default())?;
        self.directory = self.directory.next_epoch()?;
        (self.index, self.reader) = open_index(&self.directory, &self.schema, &self.analysis)?;
        self.applied = payload.checkpoint;
        self.uncommitted = false;
        self.unpublished = true;
        self.unflushed = true;
        Ok(())
    }

    /// Keeps the files of the durable commit.
    pub(super) fn lease(&self) -> Option<FilesLease> {
        self.directory.lease()
    }

    /// Lets go of the writer with its threads and buffers. What was applied must have been published.
    pub(super) fn release_writer(&mut self) {
        if !self.uncommitted {
            self.writer = None;
        }
    }

    /// How many merges were begun.
    pub(super) fn merges(&self) -> Arc<AtomicU64> {
        self.merges.clone()
    }

    /// The segments to merge into one so that no more than `max_segments` remain; empty when nothing needs to be done.
    fn force_merge_candidates(&self, max_segments: usize) -> Result<Vec<SegmentId>> {
        let mut segments = self.index.searchable_segment_metas().map_err(failed)?;
        segments.sort_by_key(SegmentMeta::num_docs);
        let max_segments = max_segments.max(1);
        if segments.len() > max_segments {
            let merged = segments.len() - max_segments + 1;
            return Ok(segments.iter().take(merged).map(SegmentMeta::id).collect());
        }
        let deletes = segments.iter().filter(|segment| segment.has_deletes()).map(SegmentMeta::id);
        Ok(if max_segments == 1 { deletes.collect() } else { Vec::new() })
    }

    /// Begins to merge down to `max_segments`, and to drop deleted documents when that is one; `None` when there is nothing
    /// to merge. What was applied must have been published.
    pub(super) fn begin_force_merge(&mut self, max_segments: usize) -> Result<Option<MergeInProgress>> {
        // A merge that nobody waited for may have been refused space; this one is another.
        self.directory.ran_out_of_space();
        let candidates = self.force_merge_candidates(max_segments)?;
        if candidates.is_empty() {
            return Ok(None);
        }
        self.merges.fetch_add(1, Ordering::Relaxed);
        Ok(Some(self.writer()?.merge(&candidates)))
    }

    /// A merge has ended: the present commit is another, with the same documents.
    pub(super) fn note_merged(&mut self) -> Result<()> {
        self.unflushed = true;
        self.unpublished = true;
        Ok(())
    }

    /// Waits for the merges under way. Blocks.
    pub(super) fn settle_merges(&mut self) -> Result<()> {
        if self.uncommitted {
            return Ok(());
        }
        if let Some(writer) = self.writer.take() {
            writer.wait_merging_threads().map_err(failed)?;
        }
        self.note_merged()
    }
}

/// The index documents of nested objects, and the one around them.
type Block = (Vec<TantivyDocument>, TantivyDocument);

fn add_block(writer: &IndexWriter, (mut nested, document): Block) -> Result<()> {
    if nested.is_empty() {
        writer.add_document(document).map_err(failed)?;
    } else {
        // One batch stays together in one segment, in its order.
        nested.push(document);
        writer.run(nested.into_iter().map(UserOperation::Add)).map_err(failed)?;
    }
    Ok(())
}

/// A merge that was begun.
pub(super) type MergeInProgress = FutureResult<Option<SegmentMeta>>;

fn open_index(directory: &NrtDirectory, schema: &ShardSchema, analysis: &AnalyzerRegistry) -> Result<(Index, IndexReader)> {
    directory.set_schema(schema.tantivy());
    let index = Index::open(directory.clone()).map_err(failed)?;
    analysis.register(index.tokenizers());
    analysis.register(index.fast_field_tokenizer());
    let reader: IndexReader = index
        .reader_builder()
        .reload_policy(ReloadPolicy::Manual)
        .doc_store_cache_num_blocks(STORED_BLOCKS_CACHED)
        .try_into()
        .map_err(failed)?;
    Ok((index, reader))
}

fn set_in_meta(directory: &NrtDirectory, key: &str, value: serde_json::Value) -> Result<()> {
    let mut meta: serde_json::Value = serde_json::from_slice(&directory.meta().unwrap_or_default()).map_err(failed)?;
    match meta.as_object_mut() {
        Some(fields) => fields.insert(key.to_owned(), value),
        None => return Err(Error::Corrupt { reason: "meta.json is no object".into() }),
    };
    directory.replace_meta(serde_json::to_vec_pretty(&meta).map_err(failed)?);
    Ok(())
}

/// The document type of the library that the schema builds.
pub(super) type IndexDocument = TantivyDocument;
