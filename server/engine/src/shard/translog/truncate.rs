//! Cutting the log: a copy gives up what a new primary does not have.
//!
//! The file that holds the last operation to keep stays as it is; the checkpoint names it with a shorter length, and a new
//! file goes on behind that place. So the cut happens as a whole with the one replacement of the checkpoint: a crash before
//! it leaves the old log, a crash after it the new one, and no byte of what is kept is touched.

use super::checkpoint::{self, GenerationRange};
use super::reader::{FrameReader, Next, Position};
use super::record::Entry;
use super::writer::LogWriter;
use super::{Generation, Queue, Translog};
use crate::shard::operation::LoggedOperation;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tandem_common::env::clock;
use tandem_common::env::fs;
use tandem_common::{Error, Result, SeqNo};

impl Translog {
    /// How often the log was cut since it was opened.
    pub(in crate::shard) fn cuts(&self) -> u64 {
        self.cuts.load(Ordering::Acquire)
    }

    /// Forgets every operation above `last`, durably. Nothing is appended meanwhile. Blocking. An error after the first check
    /// is final.
    ///
    /// # Errors
    /// [`Error::HistoryMismatch`] when `last` lies below the global checkpoint: what is committed is never undone.
    pub(in crate::shard) fn truncate_above(&self, last: SeqNo) -> Result<()> {
        let mut writer = self.writer.lock();
        let kept = {
            let mut queue = self.queue.lock();
            if last >= queue.max_seq_no {
                return Ok(());
            }
            let committed = queue.global_checkpoint;
            if last < committed {
                let detail = format!("the operations up to [{committed}] are committed and cannot be undone");
                return Err(Error::HistoryMismatch { seq_no: last.0, detail });
            }
            std::mem::take(&mut queue.pending)
        };
        // What is queued and stays goes into the file first, so that only files need to be cut.
        let kept: Vec<Arc<LoggedOperation>> = kept.into_iter().filter(|operation| operation.seq_no <= last).collect();
        if !kept.is_empty() {
            let written = writer.write(&kept)?;
            self.queue.lock().note_written(written);
        }
        if writer.needs_sync() {
            writer.sync()?;
            self.syncs.fetch_add(1, Ordering::Relaxed);
        }
        let mut dropped = Vec::new();
        if writer.durable_range().last_seq_no > last {
            let cut = self.find_cut(last)?;
            writer.trim()?;
            *writer = LogWriter::begin(&self.folder, cut.next)?;
            dropped = self.queue.lock().cut_files(last, &cut);
        }
        self.queue.lock().cut_memory(last);
        self.cuts.fetch_add(1, Ordering::AcqRel);
        let newest = writer.durable_range();
        self.write_checkpoint(&mut writer, &[newest])?;
        for generation in dropped {
            fs::remove_file_if_exists(&checkpoint::generation_path(&self.folder, generation))?;
        }
        Ok(())
    }

    /// Where the log goes on behind `last`. Everything is in files.
    fn find_cut(&self, last: SeqNo) -> Result<Cut> {
        let (kept, newest, oldest) = {
            let queue = self.queue.lock();
            let kept = queue.generations.iter().rev().find(|generation| generation.range.first_seq_no <= last);
            let kept = kept.map(|generation| (generation.range, generation.place_before(last.next())));
            let newest = queue.generations.back().map_or(0, |generation| generation.range.generation);
            (kept, newest, queue.generations.front().map(|generation| generation.range))
        };
        let (length, chain) = match kept {
            Some((range, place)) => {
                let end = self.end_of(&range, place, last)?;
                (Some((range.generation, end.offset)), end.chain)
            }
            None => (None, oldest.map_or(0, |range| range.previous_chain)),
        };
        Ok(Cut { kept: length, next: GenerationRange::empty(newest + 1, last.next(), chain) })
    }

    /// Where the first operation above `last` starts in a file, or where the file ends.
    fn end_of(&self, range: &GenerationRange, place: Option<Position>, last: SeqNo) -> Result<Position> {
        let mut reader = FrameReader::open(&self.folder, range)?;
        reader.limit(range.length);
        if let Some(place) = place {
            reader.seek(place);
        }
        loop {
            let position = reader.position();
            match reader.next()? {
                Next::End => return Ok(position),
                Next::Broken(detail) => return Err(reader.corrupt(detail)),
                Next::Entry(Entry::Operation(operation)) if operation.seq_no > last => return Ok(position),
                Next::Entry(Entry::Operation(_) | Entry::Mark(_)) => {}
            }
        }
    }
}

/// A place between two operations.
struct Cut {
    /// The file that holds the operation before it, and its length from now on; none when no file keeps anything.
    kept: Option<(u64, u64)>,
    /// The file that goes on behind it.
    next: GenerationRange,
}

impl Queue {
    /// Puts the cut into effect; returns the files that nothing needs any more.
    fn cut_files(&mut self, last: SeqNo, cut: &Cut) -> Vec<u64> {
        let now = clock::now();
        let mut dropped = Vec::new();
        while let Some(newest) = self.generations.back_mut() {
            match cut.kept {
                Some((generation, length)) if generation == newest.range.generation => {
                    newest.range.last_seq_no = last;
                    newest.range.length = length;
                    newest.places.retain(|(first, _)| *first <= last);
                    newest.closed_at = now;
                    break;
                }
                _ => dropped.extend(self.generations.pop_back().map(|generation| generation.range.generation)),
            }
        }
        self.generations.push_back(Generation { range: cut.next, places: Vec::new(), closed_at: now });
        dropped
    }

    fn cut_memory(&mut self, last: SeqNo) {
        while let Some(newest) = self.tail.back()
            && newest.seq_no > last
        {
            self.tail_bytes = self.tail_bytes.saturating_sub(newest.bytes());
            self.tail.pop_back();
        }
        self.max_seq_no = last;
        self.written = self.written.min(last);
        self.lineage.truncate(last);
    }
}
