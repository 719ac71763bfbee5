//! The target of a delta: a new generation of the store beside the present one.
//!
//! The order that makes it safe: everything of this copy is committed and durable, its files are linked, never changed; what
//! it has above the shared history is in the saved file before it is dropped; the generation is durable as a whole before it
//! is called complete; the switch is one small file. A crash before the switch leaves the present generation, one after it the
//! new one.

use super::messages::{DeltaBegin, DeltaDocument, DeltaPeer, Tombstone};
use super::saved::{Reason, SavedFile};
use super::{FETCH_DOCUMENTS, SeqNoSet};
use crate::shard::directory::FilesLease;
use crate::shard::engine::{CommitPayload, Engine};
use crate::shard::searcher::ShardSearcher;
use crate::shard::store::{Parts, index_folder, log_folder, tombstones_file};
use crate::shard::translog::Translog;
use crate::shard::{IndexShard, Inner, LoggedKind, OpenShard, Role, generation};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher as _;
use std::path::PathBuf;
use std::sync::Arc;
use tandem_common::env::fs;
use tandem_common::mapping::Mapping;
use tandem_common::{Error, PrimaryTerm, Result, SeqNo, blocking, checked_file};
use tantivy::DocAddress;

/// The log is read in steps of this size.
const READ_STEP_BYTES: usize = 4 << 20;

/// What a delta did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeltaReport {
    /// Document states above the shared history that this copy gave up.
    pub dropped: u64,
    /// Documents that this copy had deleted above the shared history and has again.
    pub brought_back: u64,
    /// Documents of the shared history that the source has deleted or written again since.
    pub removed: u64,
    /// Documents of the shared history that this copy lacked.
    pub fetched: u64,
    /// Documents from above the shared history.
    pub added: u64,
    /// About how many bytes came from the source.
    pub bytes_moved: u64,
    /// The file with every document that was dropped or brought back, if there was one.
    pub saved: Option<PathBuf>,
}

/// A complete generation that waits for the switch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreparedGeneration {
    /// Its number.
    pub generation: u64,
    /// The last operation that both sides shared.
    pub shared: SeqNo,
    /// The state of the source that it holds.
    pub checkpoint: SeqNo,
    /// The end of this copy's log when it was prepared: the generation is of no use once the log has gone on.
    pub replaces: SeqNo,
    /// What was done.
    pub report: DeltaReport,
}

/// The new generation while it is made.
struct Work {
    begin: DeltaBegin,
    base: PathBuf,
    generation: u64,
    engine: Engine,
    /// Live documents of the shared history in the present generation, and the documents above.
    live: SeqNoSet,
    above: Vec<(SeqNo, DocAddress)>,
    present: ShardSearcher,
    /// Ids, hashed, of the documents above the shared history.
    dropped_ids: HashSet<u64>,
    hasher: foldhash::quality::RandomState,
    /// Documents whose last operation above the shared history was a deletion, as far as the log goes back.
    deleted: HashSet<String>,
    saved: SavedFile,
    tombstones: Vec<Tombstone>,
    report: DeltaReport,
    highest_term: PrimaryTerm,
}

fn untrue(detail: impl std::fmt::Display) -> Error {
    Error::Corrupt { reason: format!("the source of a delta answered what cannot be: {detail}") }
}

impl Work {
    /// Links the files of the durable commit and opens them as the next generation.
    fn open(inner: &Inner, begin: DeltaBegin, mapping: &Arc<Mapping>, files: &FilesLease) -> Result<Work> {
        let base = inner.base.clone();
        generation::discard_next(&base)?;
        let number = generation::present(&base)? + 1;
        let store = generation::store(&base, number);
        let (from, to) = (index_folder(&inner.path), index_folder(&store));
        fs::create_folders(&to)?;
        for name in &files.commit.files {
            fs::hard_link(&from.join(name), &to.join(name))?;
        }
        fs::write_durably(&to.join("meta.json"), &files.commit.sealed_meta)?;
        let (engine, _) = Engine::open(&to, &inner.shard, mapping, &inner.analysis)?;
        let present = ShardSearcher::clone(&inner.searcher.load());
        engine.check_types(mapping)?;
        let mut work = Work {
            base: base.clone(),
            generation: number,
            engine,
            live: SeqNoSet::default(),
            above: Vec::new(),
            present,
            dropped_ids: HashSet::new(),
            hasher: foldhash::quality::RandomState::default(),
            deleted: HashSet::new(),
            saved: SavedFile::begin(base.join("saved").join(format!("delta-{number}.ndjson")))?,
            tombstones: Vec::new(),
            report: DeltaReport::default(),
            highest_term: inner.log.highest_term(),
            begin,
        };
        work.report.bytes_moved += work.begin.bytes() as u64;
        work.look_around(inner)?;
        Ok(work)
    }

    /// What this copy has: live documents on both sides of the end of the shared history, and deletions above it.
    fn look_around(&mut self, inner: &Inner) -> Result<()> {
        let shared = self.begin.shared;
        let (live, above) = (&mut self.live, &mut self.above);
        self.present.visit_live(|seq_no, address| {
            if seq_no <= shared {
                live.insert(seq_no)
            } else {
                above.push((seq_no, address))
            }
            Ok(())
        })?;
        let end = inner.log.max_seq_no();
        let mut next = inner.log.lowest().max(shared.next());
        let mut last_is_deletion: HashMap<String, bool> = HashMap::new();
        while next <= end {
            let operations = inner.log.read(next, end, READ_STEP_BYTES)?;
            let Some(last) = operations.last().map(|operation| operation.seq_no) else { break };
            for operation in operations {
                let deletion = operation.kind == LoggedKind::Delete;
                if deletion || last_is_deletion.contains_key(&operation.id) {
                    last_is_deletion.insert(operation.id.clone(), deletion);
                }
            }
            next = last.next();
        }
        self.deleted = last_is_deletion.into_iter().filter(|(_, deletion)| *deletion).map(|(id, _)| id).collect();
        Ok(())
    }

    /// Saves and drops what lies above the shared history.
    fn drop_above(&mut self) -> Result<()> {
        for (seq_no, address) in std::mem::take(&mut self.above) {
            let document = self.present.document_at(seq_no, address)?;
            self.dropped_ids.insert(self.hasher.hash_one(&document.id));
            self.saved.add(Reason::Dropped, &document)?;
            self.engine.remove_operation(seq_no, Some(&document.id))?;
            self.report.dropped += 1;
        }
        Ok(())
    }

    /// Compares the shared history; returns what this copy lacks.
    fn compare(&mut self, live: &SeqNoSet) -> Result<SeqNoSet> {
        if live.len() != self.begin.live_shared {
            return Err(untrue(format!("[{}] live documents of [{}]", live.len(), self.begin.live_shared)));
        }
        for seq_no in self.live.without(live).iter() {
            let id = if self.engine.has_nested() { self.present.id_of(seq_no)? } else { None };
            self.engine.remove_operation(seq_no, id.as_deref())?;
            self.report.removed += 1;
        }
        Ok(live.without(&self.live))
    }

    /// Takes documents from above the shared history. They rise from `from` on.
    fn add_above(&mut self, documents: &[DeltaDocument], from: SeqNo) -> Result<()> {
        let mut lowest = from.max(self.begin.shared.next());
        for document in documents {
            if document.seq_no < lowest || document.seq_no > self.begin.checkpoint {
                return Err(untrue(format!("operation [{}] is not in [{lowest}, {}]", document.seq_no, self.begin.checkpoint)));
            }
            lowest = document.seq_no.next();
            if self.deleted.contains(&document.id) {
                self.brought_back(document)?;
            }
            self.engine.insert_document(document, self.begin.mapping_version)?;
            self.report.added += 1;
        }
        Ok(())
    }

    /// Takes documents of the shared history that were asked for.
    fn add_shared(&mut self, documents: &[DeltaDocument], asked: &[SeqNo]) -> Result<()> {
        for (document, asked) in documents.iter().zip(asked) {
            if *asked != document.seq_no {
                return Err(untrue(format!("operation [{}] was not asked for", document.seq_no)));
            }
            // It was live when the histories parted, and here it is neither as it was nor in a later state.
            if self.deleted.contains(&document.id) || !self.dropped_ids.contains(&self.hasher.hash_one(&document.id)) {
                self.brought_back(document)?;
            }
            self.engine.insert_document(document, self.begin.mapping_version)?;
            self.report.fetched += 1;
        }
        Ok(())
    }

    fn brought_back(&mut self, document: &DeltaDocument) -> Result<()> {
        self.report.brought_back += 1;
        self.saved.add(Reason::BroughtBack, document)
    }

    /// Makes the generation durable and says that it is complete.
    fn finish(mut self, replaces: SeqNo) -> Result<PreparedGeneration> {
        let DeltaBegin { shared, checkpoint, lineage, mapping_version, live_shared, live_above, operation_id_max } = self.begin;
        let payload = CommitPayload::new(checkpoint, self.engine.mapping_version().max(mapping_version), lineage.clone());
        let searcher = self.engine.adopt(CommitPayload { operation_id_max, ..payload })?;
        let mut documents = 0;
        searcher.visit_live(|_, _| {
            documents += 1;
            Ok(())
        })?;
        if documents != live_shared + live_above {
            return Err(untrue(format!("the result has [{documents}] documents, not [{live_shared}] and [{live_above}]")));
        }
        drop(self.engine);
        self.report.saved = self.saved.finish()?;
        let store = generation::store(&self.base, self.generation);
        Translog::create(&log_folder(&store), checkpoint.next(), lineage, self.highest_term)?;
        checked_file::write(&tombstones_file(&store), &(checkpoint, self.tombstones))?;
        let prepared = PreparedGeneration { generation: self.generation, shared, checkpoint, replaces, report: self.report };
        generation::complete(&self.base, self.generation, &prepared)?;
        Ok(prepared)
    }
}

/// Runs a step on the blocking pool with the work in hand.
async fn step<T: Send + 'static>(work: Box<Work>, step: impl FnOnce(&mut Work) -> Result<T> + Send + 'static) -> Result<(Box<Work>, T)> {
    let mut work = work;
    blocking::run(move || {
        let done = step(&mut work)?;
        Ok((work, done))
    })
    .await
}

/// Where a source goes on must lie ahead, or the delta would never end.
fn ahead(next: Option<SeqNo>, from: SeqNo) -> Result<Option<SeqNo>> {
    match next {
        Some(next) if next <= from => Err(untrue(format!("after [{from}] it goes on at [{next}]"))),
        next => Ok(next),
    }
}

impl Inner {
    /// This copy takes no writes any more, and all that it has is committed and in the durable index.
    async fn settle(self: &Arc<Self>) -> Result<SeqNo> {
        {
            let mut sequencer = self.sequencer.lock();
            if sequencer.role == Role::Closed {
                return Err(self.closed());
            }
            sequencer.role = Role::Inactive;
        }
        self.flush_all().await?;
        let (end, global) = (self.log.max_seq_no(), self.global());
        if global < end {
            let reason = format!("{} holds operations up to [{end}] that are not committed above [{global}]", self.shard);
            return Err(Error::ShardNotReady { reason });
        }
        Ok(end)
    }
}

impl IndexShard {
    /// The description of this copy for the source of a delta. From here on it takes no writes until it is activated again.
    ///
    /// # Errors
    /// [`Error::ShardNotReady`] when not all of its log is committed.
    pub async fn request_delta(&self, lease: &str, lease_source: &str) -> Result<super::DeltaRequest> {
        let max_seq_no = self.inner.settle().await?;
        let lineage = self.inner.log.lineage();
        Ok(super::DeltaRequest { lineage, max_seq_no, lease: lease.to_owned(), lease_source: lease_source.to_owned() })
    }

    /// Makes the next generation of this copy's store from what it has and what the source has. Searches go on undisturbed on
    /// the present one. `mapping` is the source's, at the version of `begin` or later.
    ///
    /// # Errors
    /// [`Error::HistoryMismatch`] when the two do not share what the source says; [`Error::IllegalState`] when a field has
    /// another type here, or when this copy went on meanwhile; an error of the peer. The present generation is as before.
    ///
    /// # Cancel safety
    /// Dropping the call ends the attempt; the next one starts over.
    pub async fn prepare_delta(&self, begin: DeltaBegin, peer: &impl DeltaPeer, mapping: Arc<Mapping>) -> Result<PreparedGeneration> {
        let inner = &self.inner;
        let replaces = inner.settle().await?;
        let shared = inner.log.lineage().last_shared(replaces, &begin.lineage, begin.checkpoint);
        if shared != Some(begin.shared) || begin.checkpoint < begin.shared {
            let shared = shared.map_or_else(|| "nothing".to_owned(), |shared| format!("up to [{shared}]"));
            return Err(Error::HistoryMismatch { seq_no: begin.shared.0, detail: format!("this copy shares {shared} with the other") });
        }
        if mapping.version < begin.mapping_version {
            let reason = format!("{} needs mapping version [{}], not [{}]", inner.shard, begin.mapping_version, mapping.version);
            return Err(Error::IllegalState { reason });
        }
        let files = inner.with_engine(|_, engine| Ok(engine.lease())).await?;
        let files = files.ok_or_else(|| Error::internal("there is no durable commit"))?;
        let owned = inner.clone();
        let work = blocking::run(move || {
            let mut work = Work::open(&owned, begin, &mapping, &files)?;
            work.drop_above()?;
            Ok(Box::new(work))
        })
        .await?;
        let (work, wanted) = compare(work, peer).await?;
        let work = add_above(work, peer).await?;
        let work = add_shared(work, peer, wanted).await?;
        let work = add_tombstones(work, peer).await?;
        blocking::run(move || work.finish(replaces)).await
    }

    /// The complete generation that waits for the switch, if there is one; it outlives a crash.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub async fn prepared_delta(&self) -> Result<Option<PreparedGeneration>> {
        let base = self.inner.base.clone();
        blocking::run(move || generation::waiting(&base)).await
    }

    /// Switches to a prepared generation: closes this copy, whose searchers go on as long as they are held, and opens the
    /// store again as `open` says, inactive, at the checkpoint of the source and under its lineage. Leases do not come along.
    ///
    /// # Errors
    /// [`Error::IllegalState`] when there is no such generation or this copy went on since it was prepared; nothing has
    /// changed then. Any other error leaves this copy closed; opening it leads to the old or to the new generation.
    pub async fn switch_generation(&self, prepared: &PreparedGeneration, open: OpenShard) -> Result<Arc<IndexShard>> {
        let inner = &self.inner;
        let waiting = self.prepared_delta().await?;
        {
            let mut sequencer = inner.sequencer.lock();
            if sequencer.role != Role::Inactive || sequencer.last != prepared.replaces || waiting.as_ref() != Some(prepared) {
                let reason = format!("{} has no generation [{}] that could replace it", inner.shard, prepared.generation);
                return Err(Error::IllegalState { reason });
            }
            sequencer.role = Role::Closed;
        }
        inner.stop();
        let engine = inner.engine.clone().lock_owned().await;
        let owned = inner.clone();
        let number = prepared.generation;
        blocking::run(move || {
            let mut engine = engine;
            engine.release_writer();
            let lock = owned.folder_lock.lock().take();
            let lock = lock.ok_or_else(|| owned.closed())?;
            generation::switch(&owned.base, number)?;
            Ok(Parts::open_locked(&open, lock)?.assemble(open))
        })
        .await
    }
}

async fn compare(work: Box<Work>, peer: &impl DeltaPeer) -> Result<(Box<Work>, SeqNoSet)> {
    let mut work = work;
    let mut live = SeqNoSet::default();
    let mut from = Some(SeqNo(0));
    while let Some(start) = from {
        let chunk = peer.live(start).await?;
        work.report.bytes_moved += chunk.bytes() as u64;
        let shared = work.begin.shared;
        live.merge(blocking::run(move || SeqNoSet::decode(&chunk.bits, shared)).await?);
        from = ahead(chunk.next, start)?;
    }
    step(work, move |work| work.compare(&live)).await
}

async fn add_above(work: Box<Work>, peer: &impl DeltaPeer) -> Result<Box<Work>> {
    let mut work = work;
    let mut from = Some(work.begin.shared.next());
    while let Some(start) = from {
        let chunk = peer.documents(start).await?;
        work.report.bytes_moved += chunk.bytes() as u64;
        from = ahead(chunk.next, start)?;
        (work, ()) = step(work, move |work| work.add_above(&chunk.documents, start)).await?;
    }
    Ok(work)
}

async fn add_shared(work: Box<Work>, peer: &impl DeltaPeer, wanted: SeqNoSet) -> Result<Box<Work>> {
    let mut work = work;
    let mut from = SeqNo(0);
    loop {
        let asked: Vec<SeqNo> = wanted.iter_from(from).take(FETCH_DOCUMENTS).collect();
        if asked.is_empty() {
            return Ok(work);
        }
        let chunk = peer.fetch(asked.iter().copied().collect()).await?;
        work.report.bytes_moved += chunk.bytes() as u64 + 8 * asked.len() as u64;
        if chunk.documents.is_empty() || chunk.documents.len() > asked.len() {
            return Err(untrue(format!("[{}] documents for [{}]", chunk.documents.len(), asked.len())));
        }
        from = chunk.documents.last().map_or(from, |last| last.seq_no.next());
        (work, ()) = step(work, move |work| work.add_shared(&chunk.documents, &asked)).await?;
    }
}

async fn add_tombstones(work: Box<Work>, peer: &impl DeltaPeer) -> Result<Box<Work>> {
    let mut work = work;
    let mut from = Some(SeqNo(0));
    while let Some(start) = from {
        let chunk = peer.tombstones(start).await?;
        work.report.bytes_moved += chunk.bytes() as u64;
        from = ahead(chunk.next, start)?;
        work.tombstones.extend(chunk.tombstones);
    }
    Ok(work)
}
