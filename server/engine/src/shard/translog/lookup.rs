//! Reading operations back by their sequence numbers: from the memory tail, or from the file that holds them.

use super::Translog;
use super::checkpoint::GenerationRange;
use super::reader::{FrameReader, Next, Position};
use super::record::Entry;
use crate::shard::operation::LoggedOperation;
use std::sync::Arc;
use tandem_common::{Error, Result, SeqNo};

/// How many operations a read takes from the memory tail at once.
const TAIL_STEP: usize = 1024;

enum Source {
    None,
    Memory(Vec<Arc<LoggedOperation>>),
    File(GenerationRange, Option<Position>),
}

impl Translog {
    /// Operations from `from` to `to`, at least one if there is one, then no more than about `bytes_max`. Blocking.
    ///
    /// # Errors
    /// [`Error::HistoryNotAvailable`] below what is kept; [`Error::Corrupt`].
    pub(in crate::shard) fn read(&self, from: SeqNo, to: SeqNo, bytes_max: usize) -> Result<Vec<Arc<LoggedOperation>>> {
        let mut found = Vec::new();
        let mut bytes = 0;
        let mut next = from;
        while next <= to && (found.is_empty() || bytes < bytes_max) {
            let source = self.source_of(next)?;
            let before = found.len();
            match source {
                Source::None => break,
                Source::Memory(operations) => {
                    for operation in operations {
                        if operation.seq_no > to || (!found.is_empty() && bytes + operation.bytes() > bytes_max) {
                            return Ok(found);
                        }
                        bytes += operation.bytes();
                        found.push(operation);
                    }
                }
                Source::File(range, position) => {
                    let read = self.read_file(&range, position, (next, to), &mut |operation: LoggedOperation| {
                        if !found.is_empty() && bytes + operation.bytes() > bytes_max {
                            return false;
                        }
                        bytes += operation.bytes();
                        found.push(Arc::new(operation));
                        bytes < bytes_max
                    });
                    if let Err(error) = read {
                        // The file may have been dropped between looking it up and opening it.
                        let lowest = self.lowest();
                        return Err(if next < lowest { Error::HistoryNotAvailable { from: next.0, lowest: lowest.0 } } else { error });
                    }
                    if bytes >= bytes_max {
                        break;
                    }
                }
            }
            if found.len() == before {
                break;
            }
            next = found.last().map_or(next, |operation| operation.seq_no.next());
        }
        Ok(found)
    }

    fn source_of(&self, seq_no: SeqNo) -> Result<Source> {
        let queue = self.queue.lock();
        if seq_no > queue.max_seq_no {
            return Ok(Source::None);
        }
        if let Some(first) = queue.tail.front().map(|operation| operation.seq_no)
            && seq_no >= first
        {
            let skip = usize::try_from(seq_no.0 - first.0).unwrap_or(usize::MAX);
            // A read takes one step of the tail at a time, so that the lock is short.
            return Ok(Source::Memory(queue.tail.iter().skip(skip).take(TAIL_STEP).cloned().collect()));
        }
        let lowest = queue.generations.front().map_or(SeqNo(0), |oldest| oldest.range.first_seq_no);
        let generation = queue.generations.iter().rev().find(|generation| generation.range.first_seq_no <= seq_no);
        let Some(generation) = generation else {
            return Err(Error::HistoryNotAvailable { from: seq_no.0, lowest: lowest.0 });
        };
        Ok(Source::File(generation.range, generation.place_before(seq_no)))
    }

    fn read_file(
        &self,
        range: &GenerationRange,
        position: Option<Position>,
        (from, to): (SeqNo, SeqNo),
        take: &mut dyn FnMut(LoggedOperation) -> bool,
    ) -> Result<()> {
        let mut reader = FrameReader::open(&self.folder, range)?;
        reader.limit(range.length);
        if let Some(position) = position {
            reader.seek(position);
        }
        loop {
            match reader.next()? {
                Next::End => return Ok(()),
                Next::Broken(detail) => return Err(reader.corrupt(detail)),
                Next::Entry(Entry::Mark(_)) => {}
                Next::Entry(Entry::Operation(operation)) => {
                    if operation.seq_no > to {
                        return Ok(());
                    }
                    if operation.seq_no >= from && !take(operation) {
                        return Ok(());
                    }
                }
            }
        }
    }
}
