//! Writing the newest file of the log. One owner, on the blocking pool; nothing waits for it under a lock of the write path.

use super::checkpoint::{GenerationRange, generation_path};
use super::reader::Position;
use super::record::{self, FileHeader, SyncMark};
use crate::shard::operation::LoggedOperation;
use crate::shard::planted::{self, Bug};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tandem_common::env::fs::{self, File};
use tandem_common::{Error, Result, SeqNo};

/// A place in the file is noted at least this often, so that a read never scans further.
const INDEX_STEP_BYTES: u64 = 64 << 10;

/// The first room that is reserved for a file, at the first write into it: an index without documents takes none.
const ROOM_BYTES_MIN: u64 = 64 << 10;

/// No more room than this is reserved beyond what is needed. In between, the room doubles with the file.
const ROOM_BYTES_MAX: u64 = 4 << 20;

/// The encoded bytes that are written at once.
const WRITE_BYTES: usize = 4 << 20;

/// The newest file of the log.
pub(super) struct LogWriter {
    folder: PathBuf,
    file: File,
    range: GenerationRange,
    end: Position,
    synced_length: u64,
    /// The length of the file with the room that is reserved: a sync of content below it has no length to make durable.
    allocated: u64,
    noted: u64,
    broken: bool,
    /// The copy is closed: the file may be another's by now.
    closed: bool,
    buffer: Vec<u8>,
}

/// What one batch added to the file.
pub(super) struct Written {
    /// The file with its present end.
    pub(super) range: GenerationRange,
    /// Places from which it can be read.
    pub(super) places: Vec<(SeqNo, Position)>,
}

impl LogWriter {
    /// Begins a file, durably, with nothing in it.
    pub(super) fn begin(folder: &Path, range: GenerationRange) -> Result<LogWriter> {
        let header = FileHeader { generation: range.generation, first_seq_no: range.first_seq_no, previous_chain: range.previous_chain };
        let mut file = File::create(&generation_path(folder, range.generation))?;
        file.write_all(&header.encode())?;
        file.sync_all()?;
        if !planted::is(Bug::LogNameNotSynced, folder) {
            fs::sync_folder(folder)?;
        }
        let end = Position { offset: range.length, chain: header.chain() };
        Ok(Self::at(folder, file, range, end))
    }

    /// Goes on in a file that ends at `end` and is known to be durable up to `durable`; what lies behind the end is cut off.
    pub(super) fn resume(folder: &Path, mut range: GenerationRange, end: Position, durable: u64) -> Result<LogWriter> {
        let file = File::open(&generation_path(folder, range.generation))?;
        if file.len()? != end.offset {
            file.set_len(end.offset)?;
        }
        // Should a sync of what follows have failed before, then it may be in the memory of the kernel only, and no other sync
        // would write it. Writing it again makes the sync below one of its own.
        let mut offset = if planted::is(Bug::TailNotWrittenAgain, folder) { end.offset } else { durable };
        while offset < end.offset {
            let left = usize::try_from(end.offset - offset).unwrap_or(usize::MAX);
            let mut bytes = vec![0; left.min(WRITE_BYTES)];
            file.read_exact_at(&mut bytes, offset)?;
            file.write_all_at(&bytes, offset)?;
            offset += bytes.len() as u64;
        }
        if planted::is(Bug::CutTooFar, folder) {
            file.set_len(end.offset - 1)?;
        }
        file.sync_all()?;
        range.length = end.offset;
        Ok(Self::at(folder, file, range, end))
    }

    fn at(folder: &Path, file: File, range: GenerationRange, end: Position) -> LogWriter {
        LogWriter {
            folder: folder.to_owned(),
            file,
            range,
            end,
            synced_length: end.offset,
            allocated: end.offset,
            noted: 0,
            broken: false,
            closed: false,
            buffer: Vec::new(),
        }
    }

    /// The file with what is known to be durable of it.
    pub(super) fn durable_range(&self) -> GenerationRange {
        GenerationRange { length: self.synced_length, ..self.range }
    }

    /// How long the file is.
    pub(super) fn length(&self) -> u64 {
        self.end.offset
    }

    /// Whether the file holds operations.
    pub(super) fn holds_operations(&self) -> bool {
        self.range.last_seq_no >= self.range.first_seq_no
    }

    /// Whether bytes were written that are not known to be durable.
    pub(super) fn needs_sync(&self) -> bool {
        self.synced_length < self.end.offset
    }

    /// Writes operations that follow the last one: all, or on a full disk none.
    ///
    /// # Errors
    /// [`Error::DiskFull`] leaves the file as it was before; any other error is final.
    pub(super) fn write(&mut self, operations: &[Arc<LoggedOperation>]) -> Result<Written> {
        self.all_or_nothing(|writer| writer.write_frames(operations))
    }

    fn write_frames(&mut self, operations: &[Arc<LoggedOperation>]) -> Result<Written> {
        let mut places = Vec::new();
        for operation in operations {
            let offset = self.end.offset + self.buffer.len() as u64;
            if self.noted == 0 || offset >= self.noted + INDEX_STEP_BYTES {
                places.push((operation.seq_no, Position { offset, chain: self.end.chain }));
                self.noted = offset;
            }
            self.end.chain = record::encode_operation(&mut self.buffer, self.end.chain, operation);
            self.range.last_seq_no = operation.seq_no;
            if self.buffer.len() >= WRITE_BYTES {
                self.write_buffer()?;
            }
        }
        self.write_buffer()?;
        self.range.length = self.end.offset;
        Ok(Written { range: self.range, places })
    }

    /// Notes what is durable by now and the global checkpoint. Not durable itself, and left out on a full disk.
    pub(super) fn mark(&mut self, global_checkpoint: SeqNo) -> Result<()> {
        let mark = SyncMark { synced_length: self.synced_length, global_checkpoint };
        let marked = self.all_or_nothing(|writer| {
            writer.end.chain = record::encode_mark(&mut writer.buffer, writer.end.chain, writer.range.generation, mark);
            writer.write_buffer()
        });
        self.range.length = self.end.offset;
        match marked {
            Err(Error::DiskFull { .. }) => Ok(()),
            other => other,
        }
    }

    /// Nothing is done to the file from here on.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    /// Does something to the file; after an error nothing more is done, unless only space was missing.
    pub(super) fn guarded<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.closed {
            return Err(Error::ShardNotReady { reason: format!("the log [{}] is closed", self.file.path().display()) });
        }
        if self.broken {
            return Err(Error::Io { reason: format!("an earlier write or sync of [{}] failed", self.file.path().display()) });
        }
        // The flag is taken back only by the outcome: a panic in between leaves the writer unusable, as it must.
        self.broken = true;
        let outcome = work(self);
        self.broken = !matches!(outcome, Ok(_) | Err(Error::DiskFull { .. }));
        outcome
    }

    /// Writes, and cuts the file back to where it was when the disk has no space for all of it.
    fn all_or_nothing<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let (end, range, noted) = (self.end, self.range, self.noted);
        let outcome = work(self);
        if matches!(outcome, Err(Error::DiskFull { .. })) {
            self.buffer.clear();
            (self.end, self.range, self.noted) = (end, range, noted);
            self.guarded(|writer| Ok(writer.file.set_len(end.offset)?))?;
            self.allocated = end.offset;
        }
        outcome
    }

    fn write_buffer(&mut self) -> Result<()> {
        self.guarded(|writer| {
            writer.make_room(writer.end.offset + writer.buffer.len() as u64);
            Ok(writer.file.write_all_at(&writer.buffer, writer.end.offset)?)
        })?;
        self.end.offset += self.buffer.len() as u64;
        self.buffer.clear();
        self.buffer.shrink_to(WRITE_BYTES / 16);
        Ok(())
    }

    /// Reserves room for the file up to `length` and some more.
    fn make_room(&mut self, length: u64) {
        if length <= self.allocated {
            return;
        }
        let room = length + length.clamp(ROOM_BYTES_MIN, ROOM_BYTES_MAX);
        // Without room, on a full disk or one that cannot reserve any, a write makes the file longer as it always can.
        self.allocated = if self.file.allocate(room).is_ok() { room } else { length };
    }

    /// Gives back the room that was reserved and not used. Everything was synced before; whether this is durable does not
    /// matter.
    pub(super) fn trim(&mut self) -> Result<()> {
        if self.allocated > self.end.offset && !self.broken && !self.closed {
            self.file.set_len(self.end.offset)?;
            self.allocated = self.end.offset;
        }
        Ok(())
    }

    /// Makes everything written durable. After a failure nothing more is written or synced, ever.
    pub(super) fn sync(&mut self) -> Result<()> {
        self.guarded(|writer| {
            if planted::is(Bug::SyncSkipped, &writer.folder) {
                return Ok(());
            }
            match writer.file.sync_data() {
                Err(_) if planted::is(Bug::SyncRetried, &writer.folder) => Ok(File::open_read(writer.file.path())?.sync_data()?),
                synced => Ok(synced?),
            }
        })?;
        self.synced_length = self.end.offset;
        Ok(())
    }

    /// Makes this file durable and begins the next one: what this one is now, and the writer of the next. This one can still
    /// be written to, should the next not become known.
    pub(super) fn begin_next(&mut self) -> Result<(GenerationRange, LogWriter)> {
        if self.needs_sync() {
            self.sync()?;
        }
        self.trim()?;
        let ended = self.durable_range();
        let number = if planted::is(Bug::NameReused, &self.folder) { ended.generation } else { ended.generation + 1 };
        let next = GenerationRange::empty(number, ended.last_seq_no.next(), self.end.chain);
        Ok((ended, self.guarded(|writer| LogWriter::begin(&writer.folder, next))?))
    }
}
