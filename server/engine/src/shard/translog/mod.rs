//! The log of a shard: every operation, in order, without gaps. The one place where durability lives.
//!
//! *What it is*: an append-only queue in memory, a writer behind it, and files that are read back. · *Types to know*:
//! [`Translog`] (the whole), `LogWriter` (the newest file), `FrameReader` (any file), `Checkpoint` (which files there are). ·
//! **Invariants**: sequence numbers are contiguous; what is queued or written but not yet durable is always in the memory
//! tail; a failed sync, and a failed write unless only space was missing, is never followed by another; a file is dropped only after the checkpoint no longer names it; one
//! group commit is one `fdatasync`, the global checkpoint travels in it as a mark. · *How it fails*: a tail that never
//! reached the disk is cut when the log is opened; without space the file stays as it was and what is queued waits; damage before it is [`Error::Corrupt`] with file and offset. ·
//! *How it is tested*: crash points and damage in a folder of its own, beside the code; records by properties.

mod checkpoint;
mod lookup;
mod reader;
mod record;
#[cfg(test)]
mod tests;
mod truncate;
mod writer;

pub(super) use record::RECORD_BYTES_MAX;

use super::operation::LoggedOperation;
use super::planted::{self, Bug};
use super::seqno::Lineage;
use checkpoint::{Checkpoint, GenerationRange};
use parking_lot::Mutex;
use reader::{FrameReader, Next, Position};
use record::Entry;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tandem_common::env::clock::{self, Instant};
use tandem_common::env::fs;
use tandem_common::{Error, HistoryId, PrimaryTerm, Result, SeqNo};
use writer::{LogWriter, Written};

/// The newest operations are kept in memory up to this many bytes, for realtime reads, for applying and for followers.
const TAIL_BYTES_MAX: usize = 16 << 20;

/// Files wholly below the index are read again at open only up to this many bytes, for the tombstones in them.
const REREAD_BYTES_MAX: u64 = 64 << 20;

/// The log of one shard copy.
pub(super) struct Translog {
    folder: PathBuf,
    queue: Mutex<Queue>,
    /// Held over I/O, on the blocking pool only. Taken before `queue` where both are needed.
    writer: Mutex<LogWriter>,
    /// Files that the log no longer counts on and that are still there. Taken after `writer`.
    doomed: Mutex<Vec<u64>>,
    syncs: AtomicU64,
    /// How often the log was cut; changed under the lock of the writer.
    cuts: AtomicU64,
}

struct Queue {
    pending: Vec<Arc<LoggedOperation>>,
    tail: VecDeque<Arc<LoggedOperation>>,
    tail_bytes: usize,
    written: SeqNo,
    max_seq_no: SeqNo,
    generations: VecDeque<Generation>,
    lineage: Lineage,
    highest_term: PrimaryTerm,
    global_checkpoint: SeqNo,
}

/// Files that the log no longer counts on.
#[must_use]
pub(super) struct Forgotten(Vec<u64>);

struct Generation {
    range: GenerationRange,
    places: Vec<(SeqNo, Position)>,
    /// When the next file was begun; for the newest, when the log was opened.
    closed_at: Instant,
}

/// How far one group commit came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Committed {
    /// Everything up to here is in the file.
    pub(super) written: SeqNo,
    /// Everything up to here is durable.
    pub(super) durable: Option<SeqNo>,
    /// How often the log had been cut by then: the numbers above mean nothing after another cut.
    pub(super) cuts: u64,
    /// The disk had no space for what is queued.
    pub(super) full: bool,
}

impl Translog {
    /// An empty log whose first operation will be `first_seq_no`.
    pub(super) fn create(folder: &Path, first_seq_no: SeqNo, lineage: Lineage, highest_term: PrimaryTerm) -> Result<Translog> {
        fs::create_folders(folder)?;
        let range = GenerationRange::empty(1, first_seq_no, 0);
        let writer = LogWriter::begin(folder, range)?;
        let last = range.last_seq_no;
        let log = Self::assemble(folder, writer, vec![Generation { range, places: Vec::new(), closed_at: clock::now() }], lineage, last);
        {
            let mut queue = log.queue.lock();
            queue.highest_term = highest_term;
            queue.global_checkpoint = last;
        }
        log.store_checkpoint()?;
        Ok(log)
    }

    fn assemble(folder: &Path, writer: LogWriter, generations: Vec<Generation>, lineage: Lineage, last: SeqNo) -> Translog {
        let queue = Queue {
            pending: Vec::new(),
            tail: VecDeque::new(),
            tail_bytes: 0,
            written: last,
            max_seq_no: last,
            generations: generations.into(),
            lineage,
            highest_term: PrimaryTerm(0),
            global_checkpoint: SeqNo::NONE,
        };
        Translog {
            folder: folder.to_owned(),
            queue: Mutex::new(queue),
            writer: Mutex::new(writer),
            doomed: Mutex::default(),
            syncs: AtomicU64::new(0),
            cuts: AtomicU64::new(0),
        }
    }

    /// Whether a folder holds a log.
    pub(super) fn exists(folder: &Path) -> bool {
        fs::exists(&checkpoint::path(folder))
    }

    /// Opens a log: cuts a tail that never became durable, refuses damage before it. `visit` sees every operation above
    /// `applied`, and the recent ones below, in order.
    ///
    /// # Errors
    /// [`Error::Corrupt`] with file and offset.
    pub(super) fn open(folder: &Path, applied: SeqNo, mut visit: impl FnMut(LoggedOperation)) -> Result<Translog> {
        let path = checkpoint::path(folder);
        let checkpoint = checkpoint::read(folder)?.ok_or_else(|| Error::Corrupt { reason: format!("[{}] is missing", path.display()) })?;
        Self::remove_strangers(folder, &checkpoint)?;
        let mut lineage = checkpoint.lineage.clone();
        let mut global = checkpoint.global_checkpoint;
        let mut generations: VecDeque<Generation> = VecDeque::new();
        let mut end = None;
        let mut durable = 0;
        let newer_bytes = |at: usize| checkpoint.generations.iter().skip(at).map(|range| range.length).sum::<u64>();
        for (number, range) in checkpoint.generations.iter().enumerate() {
            let newest = number + 1 == checkpoint.generations.len();
            let mut generation = Generation { range: *range, places: Vec::new(), closed_at: clock::now() };
            if newest || range.last_seq_no > applied || newer_bytes(number) <= REREAD_BYTES_MAX {
                let stop;
                (stop, durable) = Self::scan(folder, &mut generation, newest, &mut global, &mut |operation: LoggedOperation| {
                    lineage.note_if_newer(&operation);
                    visit(operation);
                })?;
                end = Some(stop);
            }
            generations.push_back(generation);
        }
        let (Some(newest), Some(end)) = (generations.back_mut(), end) else {
            return Err(Error::Corrupt { reason: format!("[{}] names no file", path.display()) });
        };
        let last = newest.range.last_seq_no;
        if last < applied {
            let detail = format!("the log ends at [{last}], below the index at [{applied}]");
            return Err(reader::corrupt(&checkpoint::generation_path(folder, newest.range.generation), end.offset, &detail));
        }
        lineage.truncate(last);
        let writer = LogWriter::resume(folder, newest.range, end, durable)?;
        let log = Self::assemble(folder, writer, generations.into(), lineage, last);
        {
            let mut queue = log.queue.lock();
            queue.highest_term = checkpoint.highest_term;
            queue.global_checkpoint = global.min(last);
        }
        Ok(log)
    }

    /// Removes log files that the checkpoint does not name: begun just before a crash, or dropped just before one.
    fn remove_strangers(folder: &Path, checkpoint: &Checkpoint) -> Result<()> {
        for name in fs::list(folder)? {
            let Some(generation) = checkpoint::generation_of(&name) else { continue };
            if !checkpoint.generations.iter().any(|range| range.generation == generation) {
                fs::remove_file(&folder.join(name))?;
            }
        }
        Ok(())
    }

    /// Reads one file to its end, which for the newest is where its last good frame ends. Returns that place, and up to where
    /// the file is known to be durable.
    fn scan(
        folder: &Path,
        generation: &mut Generation,
        newest: bool,
        global: &mut SeqNo,
        visit: &mut dyn FnMut(LoggedOperation),
    ) -> Result<(Position, u64)> {
        let mut reader = FrameReader::open(folder, &generation.range)?;
        let mut durable = generation.range.length;
        let mut expected = generation.range.first_seq_no;
        let recorded_last = generation.range.last_seq_no;
        if reader.end() < durable {
            return Err(reader::corrupt(
                &checkpoint::generation_path(folder, generation.range.generation),
                reader.end(),
                &format!("the file ends before its durable length [{durable}]"),
            ));
        }
        if !newest {
            // What lies behind was cut off when the next file was begun.
            reader.limit(durable);
        }
        let broken = loop {
            let position = reader.position();
            match reader.next()? {
                Next::End => break None,
                Next::Broken(detail) => break Some(detail),
                Next::Entry(Entry::Mark(mark)) => {
                    durable = durable.max(mark.synced_length);
                    *global = (*global).max(mark.global_checkpoint);
                }
                Next::Entry(Entry::Operation(operation)) => {
                    if operation.seq_no != expected {
                        return Err(reader.corrupt(&format!("expected operation [{expected}], found [{}]", operation.seq_no)));
                    }
                    if generation.places.last().is_none_or(|(_, last)| position.offset >= last.offset + (64 << 10)) {
                        generation.places.push((operation.seq_no, position));
                    }
                    expected = expected.next();
                    visit(operation);
                }
            }
        };
        let position = reader.position();
        if let Some(detail) = broken {
            if position.offset < durable || !newest || reader.highest_mark_after()? > position.offset {
                return Err(reader.corrupt(detail));
            }
            if !reader.at_reserved_room() {
                tracing::info!(generation = generation.range.generation, offset = position.offset, detail, "cutting a torn log tail");
            }
        }
        generation.range.last_seq_no = SeqNo(expected.0 - 1);
        generation.range.length = position.offset;
        if !newest && generation.range.last_seq_no != recorded_last {
            return Err(reader.corrupt(&format!("operations up to [{recorded_last}] are missing")));
        }
        Ok((position, durable))
    }

    /// Queues operations that follow the last one. Memory only; the caller holds the lock that numbers them.
    pub(super) fn append(&self, operations: impl IntoIterator<Item = Arc<LoggedOperation>>) {
        let mut queue = self.queue.lock();
        for operation in operations {
            debug_assert_eq!(operation.seq_no, queue.max_seq_no.next(), "a log has no gaps");
            queue.max_seq_no = operation.seq_no;
            queue.lineage.note(operation.seq_no, operation.op_term);
            queue.tail_bytes += operation.bytes();
            queue.tail.push_back(operation.clone());
            queue.pending.push(operation);
        }
    }

    /// Whether anything waits to be written or to become durable.
    pub(super) fn has_pending(&self) -> bool {
        !self.queue.lock().pending.is_empty()
    }

    /// Writes everything queued, and with `sync` makes what is written durable. Without space, what is queued stays so, for
    /// another attempt. Blocking. An error is final.
    pub(super) fn commit(&self, sync: bool, roll_at: u64) -> Result<Committed> {
        let mut writer = self.writer.lock();
        let (pending, global) = {
            let mut queue = self.queue.lock();
            (std::mem::take(&mut queue.pending), queue.global_checkpoint)
        };
        let late = !pending.is_empty() && planted::is(Bug::AcknowledgedBeforeSync, &self.folder);
        let (written, full) = match if pending.is_empty() { Ok(None) } else { writer.write(&pending).map(Some) } {
            Ok(written) => (written, false),
            Err(Error::DiskFull { .. }) => {
                let mut queue = self.queue.lock();
                if !planted::is(Bug::FullDiskForgets, &self.folder) {
                    let later = std::mem::replace(&mut queue.pending, pending);
                    queue.pending.extend(later);
                }
                // What was written before still becomes durable below: that takes no space.
                (None, true)
            }
            Err(error) => return Err(error),
        };
        if sync && writer.needs_sync() && !late {
            writer.mark(global)?;
            writer.sync()?;
            self.syncs.fetch_add(1, Ordering::Relaxed);
        }
        let up_to = {
            let mut queue = self.queue.lock();
            if let Some(written) = written {
                queue.note_written(written);
            }
            queue.note_length(&writer);
            queue.trim_tail(TAIL_BYTES_MAX);
            queue.written
        };
        let durable = (!writer.needs_sync() || late).then_some(up_to);
        let cuts = self.cuts();
        if writer.length() >= roll_at && !full {
            return match self.roll_with(&mut writer) {
                // The file grows on; the next commit tries again.
                Err(Error::DiskFull { .. }) => Ok(Committed { written: up_to, durable, cuts, full }),
                rolled => rolled.map(|()| Committed { written: up_to, durable: Some(up_to), cuts, full }),
            };
        }
        Ok(Committed { written: up_to, durable, cuts, full })
    }

    /// Notes the global checkpoint in the file once things are quiet, without a sync. Blocking.
    pub(super) fn mark_quiet(&self) -> Result<()> {
        let mut writer = self.writer.lock();
        let (global, pending) = {
            let queue = self.queue.lock();
            (queue.global_checkpoint, !queue.pending.is_empty())
        };
        if pending || writer.needs_sync() {
            return Ok(());
        }
        writer.mark(global)?;
        self.queue.lock().note_length(&writer);
        Ok(())
    }

    /// Begins a new file if the newest holds operations. Blocking.
    pub(super) fn roll(&self) -> Result<()> {
        let mut writer = self.writer.lock();
        if writer.holds_operations() { self.roll_with(&mut writer) } else { Ok(()) }
    }

    fn roll_with(&self, writer: &mut LogWriter) -> Result<()> {
        let (ended, next) = writer.begin_next()?;
        // Nothing goes into the next file before the checkpoint names it: opening removes what it does not name.
        if !planted::is(Bug::CheckpointAfterRoll, &self.folder) {
            self.write_checkpoint(writer, &[ended, next.durable_range()])?;
        }
        let mut queue = self.queue.lock();
        let now = clock::now();
        if let Some(newest) = queue.generations.back_mut() {
            newest.range = ended;
            newest.closed_at = now;
        }
        queue.generations.push_back(Generation { range: next.durable_range(), places: Vec::new(), closed_at: now });
        *writer = next;
        Ok(())
    }

    /// Bytes in the files that would go by now, up to `durable` and closed for longer than `window`, but for somebody who needs
    /// everything from `from` on.
    pub(super) fn bytes_kept(&self, from: SeqNo, durable: SeqNo, window: Duration, now: Instant) -> u64 {
        let queue = self.queue.lock();
        let kept = |generation: &&Generation| {
            let GenerationRange { last_seq_no, .. } = generation.range;
            last_seq_no >= from && last_seq_no <= durable && now.saturating_duration_since(generation.closed_at) >= window
        };
        // The newest file stays in any case.
        let closed = queue.generations.len().saturating_sub(1);
        queue.generations.iter().take(closed).filter(kept).map(|generation| generation.range.length).sum()
    }

    /// Forgets the files that hold nothing from `keep_from` on and were closed for longer than `window`; memory only.
    /// The caller holds the lock under which the history is promised to others, then removes the files.
    pub(super) fn forget(&self, keep_from: SeqNo, window: Duration, now: Instant) -> Forgotten {
        let mut queue = self.queue.lock();
        let mut forgotten = Vec::new();
        while queue.generations.len() > 1 {
            let goes = queue
                .generations
                .front()
                .is_some_and(|oldest| oldest.range.last_seq_no < keep_from && now.saturating_duration_since(oldest.closed_at) >= window);
            if !goes {
                break;
            }
            forgotten.extend(queue.generations.pop_front().map(|oldest| oldest.range.generation));
        }
        Forgotten(forgotten)
    }

    /// Removes forgotten files, after the checkpoint no longer names them. Blocking.
    pub(super) fn remove(&self, forgotten: Forgotten) -> Result<()> {
        let mut writer = self.writer.lock();
        let mut doomed = self.doomed.lock();
        doomed.extend(forgotten.0);
        if doomed.is_empty() {
            return Ok(());
        }
        let newest = writer.durable_range();
        self.write_checkpoint(&mut writer, &[newest])?;
        while let Some(generation) = doomed.last() {
            fs::remove_file_if_exists(&checkpoint::generation_path(&self.folder, *generation))?;
            doomed.pop();
        }
        Ok(())
    }

    /// Stores the present identity and extent of the log durably. Blocking.
    pub(super) fn store_checkpoint(&self) -> Result<()> {
        let mut writer = self.writer.lock();
        let newest = writer.durable_range();
        self.write_checkpoint(&mut writer, &[newest])
    }

    /// Like [`Self::store_checkpoint`], when nothing more will be written: gives back what was reserved for the newest file.
    pub(super) fn finish(&self) -> Result<()> {
        let mut writer = self.writer.lock();
        writer.trim()?;
        let newest = writer.durable_range();
        self.write_checkpoint(&mut writer, &[newest])
    }

    /// Refuses everything that would write from here on: whoever opens the folder next must not meet a writer of before, one
    /// that was waiting for space for instance. Waits for what is being written. Blocking.
    pub(super) fn close(&self) {
        self.writer.lock().close();
    }

    /// Writes the checkpoint, with `newest` in place of the newest file. After an error the writer is unusable as well, unless
    /// only space was missing: then the checkpoint before is still there.
    fn write_checkpoint(&self, writer: &mut LogWriter, newest: &[GenerationRange]) -> Result<()> {
        let checkpoint = {
            let queue = self.queue.lock();
            let mut generations: Vec<GenerationRange> = queue.generations.iter().map(|generation| generation.range).collect();
            generations.pop();
            generations.extend_from_slice(newest);
            Checkpoint {
                generations,
                lineage: queue.lineage.clone(),
                highest_term: queue.highest_term,
                global_checkpoint: queue.global_checkpoint,
            }
        };
        writer.guarded(|_| checkpoint::write(&self.folder, &checkpoint))
    }

    /// Lets go of what the memory tail holds beyond `bytes`; what is not yet in the file always stays.
    pub(super) fn shrink_tail(&self, bytes: usize) {
        let mut queue = self.queue.lock();
        queue.trim_tail(bytes);
        if bytes == 0 {
            queue.tail.shrink_to_fit();
            queue.pending.shrink_to_fit();
        }
    }

    /// The last operation of the log, durable or not.
    pub(super) fn max_seq_no(&self) -> SeqNo {
        self.queue.lock().max_seq_no
    }

    /// The global checkpoint that the next mark will carry.
    pub(super) fn global_checkpoint(&self) -> SeqNo {
        self.queue.lock().global_checkpoint
    }

    /// Sets the global checkpoint that the next mark will carry.
    pub(super) fn set_global_checkpoint(&self, global: SeqNo) {
        let mut queue = self.queue.lock();
        queue.global_checkpoint = queue.global_checkpoint.max(global);
    }

    /// The lowest operation that is still there.
    pub(super) fn lowest(&self) -> SeqNo {
        let queue = self.queue.lock();
        queue.generations.front().map_or(queue.max_seq_no.next(), |oldest| oldest.range.first_seq_no)
    }

    /// From where on the log is read back for the tombstones in it: as much as opening reads.
    pub(super) fn recent_from(&self) -> SeqNo {
        let queue = self.queue.lock();
        let mut bytes = 0;
        let recent = queue.generations.iter().rev().take_while(|generation| {
            bytes += generation.range.length;
            bytes <= REREAD_BYTES_MAX
        });
        recent.last().map_or(queue.max_seq_no.next(), |oldest| oldest.range.first_seq_no)
    }

    /// The identity of the log.
    pub(super) fn lineage(&self) -> Lineage {
        self.queue.lock().lineage.clone()
    }

    /// The term under which an operation of the log was sequenced.
    pub(super) fn op_term_at(&self, seq_no: SeqNo) -> Option<PrimaryTerm> {
        let queue = self.queue.lock();
        if seq_no > queue.max_seq_no { None } else { queue.lineage.op_term_at(seq_no) }
    }

    /// The highest primary term that this copy has seen.
    pub(super) fn highest_term(&self) -> PrimaryTerm {
        self.queue.lock().highest_term
    }

    /// Notes a primary term; stored with the next checkpoint.
    pub(super) fn note_term(&self, term: PrimaryTerm) {
        let mut queue = self.queue.lock();
        queue.highest_term = queue.highest_term.max(term);
    }

    /// Starts a history of its own at `fork`; stored with the next checkpoint.
    pub(super) fn fork(&self, history: HistoryId, fork: SeqNo) {
        self.queue.lock().lineage.fork(history, fork);
    }

    /// (operations, bytes) in the files and in the queue.
    pub(super) fn extent(&self) -> (u64, u64) {
        let queue = self.queue.lock();
        let first = queue.generations.front().map_or(0, |oldest| oldest.range.first_seq_no.0);
        let operations = u64::try_from(queue.max_seq_no.0 + 1 - first).unwrap_or(0);
        (operations, queue.generations.iter().map(|generation| generation.range.length).sum())
    }

    /// Bytes in the files that hold operations above `seq_no`.
    pub(super) fn bytes_above(&self, seq_no: SeqNo) -> u64 {
        let queue = self.queue.lock();
        queue.generations.iter().filter(|generation| generation.range.last_seq_no > seq_no).map(|generation| generation.range.length).sum()
    }

    /// How many syncs there were.
    #[cfg(test)]
    pub(super) fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::Relaxed)
    }
}

impl Generation {
    /// The last known place at or before an operation.
    fn place_before(&self, seq_no: SeqNo) -> Option<Position> {
        let after = self.places.partition_point(|(first, _)| *first <= seq_no);
        after.checked_sub(1).and_then(|at| self.places.get(at)).map(|(_, position)| *position)
    }
}

impl Queue {
    fn note_written(&mut self, written: Written) {
        if let Some(newest) = self.generations.back_mut() {
            newest.range = written.range;
            newest.places.extend(written.places);
            self.written = written.range.last_seq_no;
        }
    }

    /// The file has become longer without an operation.
    fn note_length(&mut self, writer: &LogWriter) {
        if let Some(newest) = self.generations.back_mut() {
            newest.range.length = writer.length();
        }
    }

    fn trim_tail(&mut self, bytes_max: usize) {
        while self.tail_bytes > bytes_max
            && let Some(oldest) = self.tail.front()
            && oldest.seq_no <= self.written
        {
            self.tail_bytes = self.tail_bytes.saturating_sub(oldest.bytes());
            self.tail.pop_front();
        }
    }
}

impl Lineage {
    /// Notes an operation read back from the log, unless the lineage covers it.
    fn note_if_newer(&mut self, operation: &LoggedOperation) {
        if self.op_term_at(operation.seq_no) != Some(operation.op_term) {
            self.truncate(SeqNo(operation.seq_no.0 - 1));
            self.note(operation.seq_no, operation.op_term);
        }
    }
}
