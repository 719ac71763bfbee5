//! The raft log and the vote on disk.
//!
//! The log is one file of frames: magic, length, how far the file was durable when the frame was written, CRC, payload. A
//! batch is appended with one write and one `fdatasync`, and only then reported. On open a bad frame at the end is a torn
//! write that nobody was told of, and is cut; a bad frame below what a later frame knows to have been durable is damage, and
//! the node refuses to start, because a node that has forgotten what it promised must not vote. Logs are small (metadata
//! only), so all entries are kept in memory as well.

use super::TypeConfig;
use openraft::storage::{LogFlushed, RaftLogStorage};
use openraft::{Entry, LogId, LogState, OptionalSend, RaftLogId, RaftLogReader, StorageError, StorageIOError, Vote};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::ops::RangeBounds;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tandem_common::env::fs::{self, File};
use tandem_common::sync_queue::SyncQueue;
use tandem_common::{Error, Result, checked_file};

const MAGIC: u32 = 0x5441_4c47;
const HEADER: usize = 20;
/// A frame holds one entry: a batch of commands, of which the largest is a mapping.
const FRAME_BYTES_MAX: usize = 64 << 20;
/// A log file above this is written anew when its beginning is purged.
const COMPACT_BYTES: u64 = 1 << 20;

#[derive(Serialize, Deserialize)]
enum Frame {
    Entry(Entry<TypeConfig>),
    /// Entries from this index on are void.
    Truncate(u64),
    /// Entries up to this one are gone.
    Purge(LogId<u64>),
}

/// The raft log of this node. Clones share it.
#[derive(Clone)]
pub(super) struct LogStore {
    inner: Arc<Mutex<Inner>>,
    syncs: SyncQueue,
}

struct Inner {
    folder: PathBuf,
    file: File,
    length: u64,
    entries: BTreeMap<u64, Entry<TypeConfig>>,
    purged: Option<LogId<u64>>,
    vote: Option<Vote<u64>>,
    /// Set by a failed write or sync: what is on disk is unknown, and nothing is written any more.
    failed: bool,
}

impl LogStore {
    pub(super) fn open(folder: &Path) -> Result<Self> {
        fs::create_folders(folder)?;
        let path = folder.join("log");
        let mut bytes = Vec::new();
        if let Some(found) = fs::read_if_exists(&path)? {
            bytes = found;
        } else {
            File::create_new(&path)?.sync_all()?;
            fs::sync_folder(folder)?;
        }
        let mut entries = BTreeMap::new();
        let mut purged = None;
        let length = scan(&bytes, &path, |frame| match frame {
            Frame::Entry(entry) => {
                entries.insert(entry.log_id.index, entry);
            }
            Frame::Truncate(from) => {
                entries.split_off(&from);
            }
            Frame::Purge(upto) => {
                entries = entries.split_off(&(upto.index + 1));
                purged = Some(upto);
            }
        })?;
        let file = File::open(&path)?;
        if length < bytes.len() as u64 {
            tracing::warn!(file = %path.display(), offset = length, "cut a torn end of the raft log");
            file.set_len(length)?;
            file.sync_all()?;
        }
        let vote = checked_file::read(&folder.join("vote"))?;
        let inner = Inner { folder: folder.to_owned(), file, length, entries, purged, vote, failed: false };
        Ok(Self { inner: Arc::new(Mutex::new(inner)), syncs: SyncQueue::of(folder) })
    }
}

/// Reads every frame and returns where the good part ends.
fn scan(bytes: &[u8], path: &Path, mut take: impl FnMut(Frame)) -> Result<u64> {
    let mut at = 0;
    while at < bytes.len() {
        match read_frame(bytes, at) {
            Some((payload, _)) => {
                let frame = serde_json::from_slice(payload).map_err(|error| damaged(path, at, &error.to_string()))?;
                at += HEADER + payload.len();
                take(frame);
            }
            None if was_durable_beyond(bytes, at) => return Err(damaged(path, at, "a frame that was durable cannot be read")),
            None => break,
        }
    }
    Ok(at as u64)
}

fn damaged(path: &Path, offset: usize, what: &str) -> Error {
    Error::Corrupt { reason: format!("[{}] is damaged at offset [{offset}]: {what}", path.display()) }
}

/// Whether a whole frame further on was written when the place `at` was already durable.
fn was_durable_beyond(bytes: &[u8], at: usize) -> bool {
    (at + 1..bytes.len()).any(|later| read_frame(bytes, later).is_some_and(|(_, durable)| durable > at as u64))
}

fn read_frame(bytes: &[u8], at: usize) -> Option<(&[u8], u64)> {
    let header = bytes.get(at..at + HEADER)?;
    let word = |from: usize| Some(u32::from_le_bytes(header.get(from..from + 4)?.try_into().ok()?));
    if word(0)? != MAGIC {
        return None;
    }
    let length = word(4)? as usize;
    let durable = u64::from_le_bytes(header.get(8..16)?.try_into().ok()?);
    if length > FRAME_BYTES_MAX {
        return None;
    }
    let payload = bytes.get(at + HEADER..at + HEADER + length)?;
    (checksum(length, durable, payload) == word(16)?).then_some((payload, durable))
}

fn checksum(length: usize, durable: u64, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&(length as u64).to_le_bytes());
    hasher.update(&durable.to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}

fn encode(frame: &Frame, durable: u64, into: &mut Vec<u8>) -> Result<()> {
    let payload = serde_json::to_vec(frame).map_err(|error| Error::internal(format!("raft log: {error}")))?;
    if payload.len() > FRAME_BYTES_MAX {
        return Err(Error::internal("a change of the cluster state is too large for the raft log"));
    }
    into.extend_from_slice(&MAGIC.to_le_bytes());
    into.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    into.extend_from_slice(&durable.to_le_bytes());
    into.extend_from_slice(&checksum(payload.len(), durable, &payload).to_le_bytes());
    into.extend_from_slice(&payload);
    Ok(())
}

impl Inner {
    fn write(&mut self, frames: &[Frame]) -> Result<()> {
        if self.failed {
            return Err(Error::Io { reason: "the raft log has failed".into() });
        }
        let mut bytes = Vec::new();
        for frame in frames {
            encode(frame, self.length, &mut bytes)?;
        }
        let outcome = self.file.write_all_at(&bytes, self.length).and_then(|()| self.file.sync_data());
        if let Err(error) = outcome {
            self.failed = true;
            return Err(error.into());
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn append(&mut self, entries: Vec<Entry<TypeConfig>>) -> Result<()> {
        let frames: Vec<Frame> = entries.iter().cloned().map(Frame::Entry).collect();
        self.write(&frames)?;
        self.entries.extend(entries.into_iter().map(|entry| (entry.log_id.index, entry)));
        Ok(())
    }

    fn truncate(&mut self, from: u64) -> Result<()> {
        self.write(&[Frame::Truncate(from)])?;
        self.entries.split_off(&from);
        Ok(())
    }

    fn purge(&mut self, upto: LogId<u64>) -> Result<()> {
        self.write(&[Frame::Purge(upto)])?;
        self.entries = self.entries.split_off(&(upto.index + 1));
        self.purged = Some(upto);
        if self.length > COMPACT_BYTES {
            self.compact(upto)?;
        }
        Ok(())
    }

    /// Writes what is left into a new file that takes the place of the old one.
    fn compact(&mut self, upto: LogId<u64>) -> Result<()> {
        let mut bytes = Vec::new();
        encode(&Frame::Purge(upto), 0, &mut bytes)?;
        for entry in self.entries.values() {
            let durable = bytes.len() as u64;
            encode(&Frame::Entry(entry.clone()), durable, &mut bytes)?;
        }
        let path = self.folder.join("log");
        fs::write_durably(&path, &bytes)?;
        self.file = File::open(&path)?;
        self.length = bytes.len() as u64;
        Ok(())
    }

    fn save_vote(&mut self, vote: Vote<u64>) -> Result<()> {
        checked_file::write(&self.folder.join("vote"), &vote)?;
        self.vote = Some(vote);
        Ok(())
    }
}

impl LogStore {
    async fn run<T: Send + 'static>(&self, work: impl FnOnce(&mut Inner) -> Result<T> + Send + 'static) -> Result<T> {
        let inner = Arc::clone(&self.inner);
        self.syncs.run_ahead(move || work(&mut inner.lock())).await
    }
}

fn write_error(error: &Error) -> StorageError<u64> {
    StorageIOError::write_logs(std::io::Error::other(error.to_string()).into_any()).into()
}

/// Turns an I/O error into what openraft carries.
trait IntoAny {
    fn into_any(self) -> openraft::AnyError;
}

impl IntoAny for std::io::Error {
    fn into_any(self) -> openraft::AnyError {
        openraft::AnyError::new(&self)
    }
}

impl RaftLogReader<TypeConfig> for LogStore {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry<TypeConfig>>, StorageError<u64>> {
        Ok(self.inner.lock().entries.range(range).map(|(_, entry)| entry.clone()).collect())
    }
}

impl RaftLogStorage<TypeConfig> for LogStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<TypeConfig>, StorageError<u64>> {
        let inner = self.inner.lock();
        let last = inner.entries.values().next_back().map(|entry| *entry.get_log_id()).or(inner.purged);
        Ok(LogState { last_purged_log_id: inner.purged, last_log_id: last })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote<u64>) -> Result<(), StorageError<u64>> {
        let vote = *vote;
        self.run(move |inner| inner.save_vote(vote)).await.map_err(|error| write_error(&error))
    }

    async fn read_vote(&mut self) -> Result<Option<Vote<u64>>, StorageError<u64>> {
        Ok(self.inner.lock().vote)
    }

    async fn append<I>(&mut self, entries: I, callback: LogFlushed<TypeConfig>) -> Result<(), StorageError<u64>>
    where
        I: IntoIterator<Item = Entry<TypeConfig>> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries: Vec<_> = entries.into_iter().collect();
        match self.run(move |inner| inner.append(entries)).await {
            Ok(()) => {
                callback.log_io_completed(Ok(()));
                Ok(())
            }
            Err(error) => {
                tracing::error!(%error, "the raft log cannot be written");
                callback.log_io_completed(Err(std::io::Error::other(error.to_string())));
                Err(write_error(&error))
            }
        }
    }

    async fn truncate(&mut self, log_id: LogId<u64>) -> Result<(), StorageError<u64>> {
        self.run(move |inner| inner.truncate(log_id.index)).await.map_err(|error| write_error(&error))
    }

    async fn purge(&mut self, log_id: LogId<u64>) -> Result<(), StorageError<u64>> {
        self.run(move |inner| inner.purge(log_id)).await.map_err(|error| write_error(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use openraft::{CommittedLeaderId, EntryPayload};

    fn entry(index: u64) -> Entry<TypeConfig> {
        Entry { log_id: LogId::new(CommittedLeaderId::new(1, 7), index), payload: EntryPayload::Blank }
    }

    fn indices(store: &LogStore) -> Vec<u64> {
        store.inner.lock().entries.keys().copied().collect()
    }

    fn written(folder: &Path) -> u64 {
        let store = LogStore::open(folder).unwrap();
        for index in 1..=5 {
            store.inner.lock().append(vec![entry(index)]).unwrap();
        }
        store.inner.lock().length
    }

    #[test]
    fn a_log_reads_back_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        written(folder.path());
        let store = LogStore::open(folder.path()).unwrap();
        store.inner.lock().truncate(5).unwrap();
        store.inner.lock().purge(entry(2).log_id).unwrap();
        let store = LogStore::open(folder.path()).unwrap();
        assert_eq!(indices(&store), [3, 4]);
        assert_eq!(store.inner.lock().purged, Some(entry(2).log_id));
    }

    #[test]
    fn a_vote_is_kept_and_a_damaged_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let vote = Vote::new_committed(3, 7);
        LogStore::open(folder.path()).unwrap().inner.lock().save_vote(vote).unwrap();
        assert_eq!(LogStore::open(folder.path()).unwrap().inner.lock().vote, Some(vote));
        let path = folder.path().join("vote");
        let mut bytes = fs::read(&path).unwrap();
        let digit = bytes.iter().position(u8::is_ascii_digit).unwrap();
        bytes[digit] ^= 1;
        fs::write_durably(&path, &bytes).unwrap();
        assert!(matches!(LogStore::open(folder.path()).err(), Some(Error::Corrupt { .. })));
    }

    #[test]
    fn a_torn_end_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let length = written(folder.path());
        File::open(&folder.path().join("log")).unwrap().set_len(length - 3).unwrap();
        let store = LogStore::open(folder.path()).unwrap();
        assert_eq!(indices(&store), [1, 2, 3, 4]);
        store.inner.lock().append(vec![entry(5)]).unwrap();
        assert_eq!(indices(&LogStore::open(folder.path()).unwrap()), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn damage_in_the_middle_is_refused_with_file_and_offset() {
        let folder = tempfile::tempdir().unwrap();
        let length = written(folder.path());
        for offset in [5, length / 5 + 30, length / 2] {
            let path = folder.path().join("log");
            let mut bytes = fs::read(&path).unwrap();
            bytes[offset as usize] ^= 0x40;
            let bad = tempfile::tempdir().unwrap();
            File::create(&bad.path().join("log")).unwrap().write_all(&bytes).unwrap();
            let error = LogStore::open(bad.path()).err().expect("damage must be found");
            assert!(error.to_string().contains("log] is damaged at offset ["), "{error}");
        }
    }

    #[test]
    fn the_file_is_written_anew_once_it_is_large_and_purged() {
        let folder = tempfile::tempdir().unwrap();
        written(folder.path());
        let store = LogStore::open(folder.path()).unwrap();
        let mut inner = store.inner.lock();
        inner.entries = inner.entries.split_off(&4);
        inner.compact(entry(3).log_id).unwrap();
        inner.append(vec![entry(6)]).unwrap();
        drop(inner);
        assert_eq!(indices(&LogStore::open(folder.path()).unwrap()), [4, 5, 6]);
    }
}
