//! Reading a log file: frame by frame, each checked against the one before.

use super::checkpoint::{GenerationRange, generation_path};
use super::record::{self, Entry, FILE_HEADER, FRAME_HEADER, FileHeader, RECORD_BYTES_MAX};
use crate::shard::planted::{self, Bug};
use bytes::{Buf as _, Bytes};
use std::path::Path;
use tandem_common::env::fs::File;
use tandem_common::{Error, Result};

/// Files are read in pieces of this size.
const CHUNK_BYTES: usize = 1 << 20;

/// Where in a file a frame starts, and the chain before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) offset: u64,
    pub(super) chain: u32,
}

/// What comes next in a file.
pub(super) enum Next {
    Entry(Entry),
    /// The end, exactly after a frame.
    End,
    /// Bytes that are no frame of this chain, and why.
    Broken(&'static str),
}

/// Reads the frames of one file in order.
pub(super) struct FrameReader {
    file: File,
    generation: u64,
    at: Position,
    end: u64,
    buffer: Bytes,
}

impl FrameReader {
    /// Opens a file and checks its header against what the checkpoint says of it.
    pub(super) fn open(folder: &Path, range: &GenerationRange) -> Result<FrameReader> {
        let path = generation_path(folder, range.generation);
        let file = File::open_read(&path)?;
        let end = file.len()?;
        let mut bytes = [0; FILE_HEADER];
        if end < FILE_HEADER as u64 {
            return Err(corrupt(&path, end, "the file is too short"));
        }
        file.read_exact_at(&mut bytes, 0)?;
        let (header, chain) = FileHeader::decode(&bytes).ok_or_else(|| corrupt(&path, 0, "the header is damaged"))?;
        if header.generation != range.generation
            || header.first_seq_no != range.first_seq_no
            || header.previous_chain != range.previous_chain
        {
            return Err(corrupt(&path, 0, "the header is that of another file"));
        }
        let at = Position { offset: FILE_HEADER as u64, chain };
        Ok(FrameReader { file, generation: range.generation, at, end, buffer: Bytes::new() })
    }

    /// Goes on from a place that was read or written before.
    pub(super) fn seek(&mut self, position: Position) {
        self.at = position;
        self.buffer = Bytes::new();
    }

    /// Reads no further than `end`.
    pub(super) fn limit(&mut self, end: u64) {
        self.end = self.end.min(end);
    }

    /// Where the next frame starts.
    pub(super) fn position(&self) -> Position {
        self.at
    }

    /// The length of the file, or the limit.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Makes at least `needed` bytes available; false when the file ends before.
    fn fill(&mut self, needed: usize) -> Result<bool> {
        if self.buffer.len() >= needed {
            return Ok(true);
        }
        let left = usize::try_from(self.end.saturating_sub(self.at.offset)).unwrap_or(usize::MAX);
        if left < needed {
            return Ok(false);
        }
        let mut bytes = vec![0; needed.max(CHUNK_BYTES).min(left)];
        self.file.read_exact_at(&mut bytes, self.at.offset)?;
        self.buffer = bytes.into();
        Ok(true)
    }

    /// The next frame.
    pub(super) fn next(&mut self) -> Result<Next> {
        if self.at.offset >= self.end {
            return Ok(Next::End);
        }
        if !self.fill(FRAME_HEADER)? {
            return Ok(Next::Broken("the frame header is cut off"));
        }
        let mut head = self.buffer.slice(..FRAME_HEADER);
        let length = head.get_u32_le() as usize;
        let crc = head.get_u32_le();
        if length == 0 || length > RECORD_BYTES_MAX {
            return Ok(Next::Broken("the record length is impossible"));
        }
        if !self.fill(FRAME_HEADER + length)? {
            return Ok(Next::Broken("the record is cut off"));
        }
        let payload = self.buffer.slice(FRAME_HEADER..FRAME_HEADER + length);
        if record::chained(self.at.chain, &payload) != crc && !planted::is(Bug::LogChecksumSkipped, self.file.path()) {
            return Ok(Next::Broken("the checksum does not match"));
        }
        let Some(entry) = record::decode(self.generation, payload) else {
            return Ok(Next::Broken("the record cannot be read"));
        };
        self.buffer.advance(FRAME_HEADER + length);
        self.at = Position { offset: self.at.offset + (FRAME_HEADER + length) as u64, chain: crc };
        Ok(Next::Entry(entry))
    }

    /// Whether here, where no frame is, lies what was reserved for frames to come: zeros.
    pub(super) fn at_reserved_room(&self) -> bool {
        self.buffer.iter().take(FRAME_HEADER).all(|byte| *byte == 0)
    }

    /// The highest durable length that any mark from here to the end of the file names.
    pub(super) fn highest_mark_after(&self) -> Result<u64> {
        let mut highest = 0;
        let mut offset = self.at.offset;
        while offset < self.end {
            let left = usize::try_from(self.end - offset).unwrap_or(usize::MAX);
            let mut bytes = vec![0; left.min(CHUNK_BYTES + record::MARK_PAYLOAD)];
            self.file.read_exact_at(&mut bytes, offset)?;
            highest = record::find_marks(self.generation, &bytes).map(|mark| mark.synced_length).max().unwrap_or(0).max(highest);
            offset += CHUNK_BYTES as u64;
        }
        Ok(highest)
    }

    /// The error for damage at the present place.
    pub(super) fn corrupt(&self, detail: &str) -> Error {
        corrupt(self.file.path(), self.at.offset, detail)
    }
}

pub(super) fn corrupt(path: &Path, offset: u64, detail: &str) -> Error {
    Error::Corrupt { reason: format!("translog [{}] is damaged at offset [{offset}]: {detail}", path.display()) }
}
