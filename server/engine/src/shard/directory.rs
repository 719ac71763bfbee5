//! Where the index library keeps its files: a folder whose commits are cheap, and durable only when asked.
//!
//! The library commits often, to make documents searchable. Durability lives in the log, so a commit here writes nothing
//! durably: `meta.json` stays in memory. [`NrtDirectory::flush`] makes the present commit durable: it syncs the files that
//! the commit names and the folder, then replaces `meta.json`, then syncs the folder again. A file is removed only when neither the durable commit
//! nor a lease nor the present commit names it.
//!
//! Awkward cases: a writer that was dropped may still have a merge running, whose late files and commits must not mix
//! with those of the next writer; each handle carries an *epoch*, and an old epoch can no longer write. The name of a
//! file can come back (`<segment>.<stamp>.del`) after work was thrown away; a file that nothing names is replaced.

use super::planted::{self, Bug};
use super::{checksum, norms};
use parking_lot::{Condvar, Mutex};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tandem_common::checked_file;
use tandem_common::env::fs::{self, File};
use tandem_common::{Error, Result};
use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    AntiCallToken, Directory, DirectoryLock, FileHandle, Lock, OwnedBytes, TerminatingWrite, WatchCallback, WatchHandle, WritePtr,
};
use tantivy::schema::Schema;

const META: &str = "meta.json";
const MANAGED: &str = ".managed.json";

/// The folder of one index. Cheap to clone.
#[derive(Clone)]
pub(super) struct NrtDirectory {
    inner: Arc<Inner>,
    epoch: u64,
}

struct Inner {
    root: PathBuf,
    state: Mutex<State>,
    locks: Mutex<HashSet<PathBuf>>,
    unlocked: Condvar,
    /// Whether the library was refused space; it does not always say so itself.
    out_of_space: AtomicBool,
}

#[derive(Default)]
struct State {
    epoch: u64,
    /// The content of `meta.json` as the library last wrote it.
    meta: Option<Vec<u8>>,
    managed: Option<Vec<u8>>,
    /// The fields of the present schema that have norms.
    normed: Arc<[u32]>,
    unsynced: HashSet<PathBuf>,
    /// Files that the library wanted removed while something still named them.
    deferred: HashSet<PathBuf>,
    durable: Option<Arc<DurableCommit>>,
    leased: HashMap<u64, Arc<DurableCommit>>,
    next_lease: u64,
    /// Something was to be made durable and may not be: nothing is made durable any more.
    broken: bool,
}

/// A commit that is on disk as a whole.
pub(super) struct DurableCommit {
    /// Its `meta.json` as it is on disk, checksum line included.
    pub(super) sealed_meta: Vec<u8>,
    meta: Vec<u8>,
    /// The files beside `meta.json`.
    pub(super) files: BTreeSet<String>,
}

/// Keeps the files of a durable commit until it is dropped.
pub(super) struct FilesLease {
    directory: NrtDirectory,
    number: u64,
    pub(super) commit: Arc<DurableCommit>,
}

impl Drop for FilesLease {
    fn drop(&mut self) {
        self.directory.inner.state.lock().leased.remove(&self.number);
        if let Err(error) = self.directory.remove_unnamed() {
            tracing::warn!(%error, "cannot remove files of an ended lease");
        }
    }
}

/// A segment as `meta.json` names it.
#[derive(serde::Deserialize)]
pub(super) struct SegmentEntry {
    segment_id: String,
    pub(super) max_doc: u32,
    deletes: Option<DeletesEntry>,
}

#[derive(serde::Deserialize)]
struct DeletesEntry {
    opstamp: u64,
}

#[derive(serde::Deserialize)]
struct MetaEntries {
    segments: Vec<SegmentEntry>,
}

impl SegmentEntry {
    /// The start of the names of its files.
    pub(super) fn stem(&self) -> String {
        self.segment_id.replace('-', "")
    }

    fn names(&self, file: &str) -> bool {
        match file.split_once('.') {
            Some((stem, rest)) if stem == self.stem() => {
                !rest.ends_with("del") || self.deletes.as_ref().is_some_and(|deletes| rest == format!("{}.del", deletes.opstamp))
            }
            _ => false,
        }
    }
}

pub(super) fn segments_of(meta: &[u8]) -> Result<Vec<SegmentEntry>> {
    serde_json::from_slice::<MetaEntries>(meta)
        .map(|meta| meta.segments)
        .map_err(|error| Error::Corrupt { reason: format!("[{META}] cannot be read: {error}") })
}

fn files_named(meta: &[u8], present: &[String]) -> Result<BTreeSet<String>> {
    let segments: HashMap<String, SegmentEntry> = segments_of(meta)?.into_iter().map(|segment| (segment.stem(), segment)).collect();
    let named = |file: &&String| {
        let stem = file.split('.').next().unwrap_or_default();
        segments.get(stem).is_some_and(|segment| segment.names(file))
    };
    Ok(present.iter().filter(named).cloned().collect())
}

impl NrtDirectory {
    /// Opens a folder at its durable commit, if there is one; removes every file that the commit does not name.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when `meta.json` is damaged.
    pub(super) fn open(root: &Path) -> Result<NrtDirectory> {
        fs::create_folders(root)?;
        let path = root.join(META);
        let mut state = State::default();
        let present = fs::list(root)?;
        let mut named = BTreeSet::new();
        if let Some(sealed_meta) = fs::read_if_exists(&path)? {
            let meta = checked_file::unseal(&path, &sealed_meta)?;
            named = files_named(&meta, &present)?;
            state.meta = Some(meta.clone());
            state.durable = Some(Arc::new(DurableCommit { sealed_meta, meta, files: named.clone() }));
        }
        for name in present.iter().filter(|name| *name != META && !named.contains(*name)) {
            fs::remove_file_if_exists(&root.join(name))?;
        }
        let inner = Inner {
            root: root.to_owned(),
            state: Mutex::new(state),
            locks: Mutex::new(HashSet::new()),
            unlocked: Condvar::new(),
            out_of_space: AtomicBool::new(false),
        };
        Ok(NrtDirectory { inner: Arc::new(inner), epoch: 0 })
    }

    /// Reads every file of the durable commit and checks it.
    ///
    /// # Errors
    /// [`Error::Corrupt`] with the file named, also for one that is missing.
    pub(super) fn verify(&self) -> Result<()> {
        let Some(commit) = self.inner.state.lock().durable.clone() else { return Ok(()) };
        for name in &commit.files {
            let path = self.root().join(name);
            checksum::verify(&path, &fs::map(&path)?)?;
        }
        Ok(())
    }

    /// Where the folder is.
    pub(super) fn root(&self) -> &Path {
        &self.inner.root
    }

    /// A handle of a new epoch: the old ones can no longer write. What they left behind is removed.
    pub(super) fn next_epoch(&self) -> Result<NrtDirectory> {
        let epoch = {
            let mut state = self.inner.state.lock();
            state.epoch += 1;
            state.managed = None;
            let present = fs::list(&self.inner.root)?.into_iter().filter(|name| name != META);
            state.deferred.extend(present.map(PathBuf::from));
            state.epoch
        };
        let next = NrtDirectory { inner: self.inner.clone(), epoch };
        next.remove_unnamed()?;
        Ok(next)
    }

    /// Replaces the present commit, for a change that the library cannot make itself.
    pub(super) fn replace_meta(&self, meta: Vec<u8>) {
        self.inner.state.lock().meta = Some(meta);
    }

    /// Says which fields have norms, so that segments older than a field can be padded.
    pub(super) fn set_schema(&self, schema: &Schema) {
        let normed = schema.fields().filter(|(_, entry)| entry.is_indexed() && entry.has_fieldnorms());
        self.inner.state.lock().normed = normed.map(|(field, _)| field.field_id()).collect();
    }

    /// The content of `meta.json` in memory.
    pub(super) fn meta(&self) -> Option<Vec<u8>> {
        self.inner.state.lock().meta.clone()
    }

    /// Whether the library was refused space since this was last asked.
    pub(super) fn ran_out_of_space(&self) -> bool {
        self.inner.out_of_space.swap(false, Ordering::AcqRel)
    }

    /// Makes the present commit durable. Blocking.
    ///
    /// # Errors
    /// [`Error::DiskFull`] leaves the durable commit before in force. Any other error is final: a failed sync is never tried
    /// again, whoever asks.
    pub(super) fn flush(&self) -> Result<()> {
        if std::mem::replace(&mut self.inner.state.lock().broken, true) {
            return Err(Error::Io { reason: format!("an earlier sync in [{}] failed", self.root().display()) });
        }
        let outcome = self.flush_once();
        self.inner.state.lock().broken = !matches!(outcome, Ok(()) | Err(Error::DiskFull { .. }));
        outcome
    }

    fn flush_once(&self) -> Result<()> {
        let (commit, unsynced) = {
            let mut state = self.inner.state.lock();
            let Some(meta) = state.meta.clone() else { return Ok(()) };
            // Listed under the lock: a merge that ends in between would name files that the list lacks, and those would
            // be neither synced nor copied.
            let present = fs::list(self.root())?;
            let files = files_named(&meta, &present)?;
            let unsynced: Vec<PathBuf> = files.iter().map(PathBuf::from).filter(|file| state.unsynced.contains(file)).collect();
            let commit = Arc::new(DurableCommit { sealed_meta: checked_file::seal(&meta), meta, files });
            // Counted as leased while it is being written, so that a merge that ends now does not remove its files.
            state.next_lease += 1;
            let number = state.next_lease;
            state.leased.insert(number, commit.clone());
            (FilesLease { directory: self.clone(), number, commit }, unsynced)
        };
        for file in unsynced.iter().filter(|_| !planted::is(Bug::SegmentNotSynced, self.root())) {
            File::open_read(&self.root().join(file))?.sync_data()?;
        }
        if !unsynced.is_empty() && !planted::is(Bug::SegmentNameNotSynced, self.root()) {
            // Their names too, before `meta.json` says that they are there: nothing orders one entry of a folder after another.
            fs::sync_folder(self.root())?;
        }
        fs::write_durably(&self.root().join(META), &commit.commit.sealed_meta)?;
        {
            let mut state = self.inner.state.lock();
            for file in &unsynced {
                state.unsynced.remove(file);
            }
            state.durable = Some(commit.commit.clone());
        }
        drop(commit);
        self.remove_unnamed()
    }

    /// Keeps the files of the durable commit.
    pub(super) fn lease(&self) -> Option<FilesLease> {
        let mut state = self.inner.state.lock();
        let commit = state.durable.clone()?;
        state.next_lease += 1;
        let number = state.next_lease;
        state.leased.insert(number, commit.clone());
        Some(FilesLease { directory: self.clone(), number, commit })
    }

    /// Removes the files whose removal was put off and that nothing names any more.
    fn remove_unnamed(&self) -> Result<()> {
        let mut state = self.inner.state.lock();
        let mut going = Vec::new();
        for file in &state.deferred {
            let name = file.to_string_lossy();
            if !state.names(&name)? {
                going.push(file.clone());
            }
        }
        for file in going {
            fs::remove_file_if_exists(&self.inner.root.join(&file))?;
            state.deferred.remove(&file);
            state.unsynced.remove(&file);
        }
        Ok(())
    }

    /// Refuses a handle of an old epoch.
    fn check_epoch(&self, state: &State) -> io::Result<()> {
        if state.epoch == self.epoch { Ok(()) } else { Err(io::Error::other("the writer of this handle was replaced")) }
    }
}

impl Inner {
    fn note_space(&self, error: io::Error) -> io::Error {
        if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
            self.out_of_space.store(true, Ordering::Release);
        }
        error
    }
}

impl State {
    /// Whether a durable, leased or the present commit names the file.
    fn names(&self, file: &str) -> Result<bool> {
        let kept = |commit: &Arc<DurableCommit>| commit.files.contains(file);
        if self.durable.as_ref().is_some_and(kept) || self.leased.values().any(kept) {
            return Ok(true);
        }
        match &self.meta {
            Some(meta) => Ok(segments_of(meta)?.iter().any(|segment| segment.names(file))),
            None => Ok(false),
        }
    }

    fn is_kept(&self, file: &str) -> bool {
        let kept = |commit: &Arc<DurableCommit>| commit.files.contains(file);
        self.durable.as_ref().is_some_and(kept) || self.leased.values().any(kept)
    }
}

impl DurableCommit {
    /// The body of its `meta.json`.
    pub(super) fn meta(&self) -> &[u8] {
        &self.meta
    }
}

impl std::fmt::Debug for NrtDirectory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NrtDirectory({})", self.inner.root.display())
    }
}

/// A file being written. It is synced by the next flush that needs it, not here.
struct NrtFile {
    file: File,
    name: PathBuf,
    inner: Arc<Inner>,
}

impl Write for NrtFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        assert!(!planted::is(Bug::LibraryPanics, self.file.path()), "a planted panic");
        self.file.write_all(bytes).map_err(|error| self.inner.note_space(error))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TerminatingWrite for NrtFile {
    fn terminate_ref(&mut self, _: AntiCallToken) -> io::Result<()> {
        self.inner.state.lock().unsynced.insert(self.name.clone());
        Ok(())
    }
}

/// A lock of the library; released when it is dropped.
struct HeldLock {
    inner: Arc<Inner>,
    path: PathBuf,
}

impl Drop for HeldLock {
    fn drop(&mut self) {
        self.inner.locks.lock().remove(&self.path);
        self.inner.unlocked.notify_all();
    }
}

impl Directory for NrtDirectory {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        let mapped = fs::map(&self.inner.root.join(path)).map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                OpenReadError::FileDoesNotExist(path.to_owned())
            } else {
                OpenReadError::wrap_io_error(error, path.to_owned())
            }
        })?;
        let bytes = if mapped.is_empty() { OwnedBytes::empty() } else { OwnedBytes::new(mapped) };
        if path.extension().is_some_and(|extension| extension == "fieldnorm") {
            let (meta, normed) = {
                let state = self.inner.state.lock();
                (state.meta.clone().unwrap_or_default(), state.normed.clone())
            };
            return norms::padded(path, bytes, &normed, &meta).map_err(|error| OpenReadError::wrap_io_error(error, path.to_owned()));
        }
        Ok(Arc::new(bytes))
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        let mut state = self.inner.state.lock();
        let failed = |error: io::Error| {
            if error.kind() == io::ErrorKind::NotFound {
                DeleteError::FileDoesNotExist(path.to_owned())
            } else {
                DeleteError::IoError { io_error: Arc::new(error), filepath: path.to_owned() }
            }
        };
        self.check_epoch(&state).map_err(failed)?;
        if path == Path::new(META) || state.is_kept(&path.to_string_lossy()) {
            state.deferred.insert(path.to_owned());
            return Ok(());
        }
        state.unsynced.remove(path);
        fs::remove_file(&self.inner.root.join(path)).map_err(failed)
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        if path == Path::new(META) {
            return Ok(self.inner.state.lock().meta.is_some());
        }
        Ok(fs::exists(&self.inner.root.join(path)))
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        let failed = |error: io::Error| OpenWriteError::wrap_io_error(error, path.to_owned());
        let full = self.inner.root.join(path);
        let mut state = self.inner.state.lock();
        self.check_epoch(&state).map_err(failed)?;
        if fs::exists(&full) {
            if state.names(&path.to_string_lossy()).unwrap_or(true) {
                return Err(OpenWriteError::FileAlreadyExists(path.to_owned()));
            }
            fs::remove_file_if_exists(&full).map_err(failed)?;
        }
        state.deferred.remove(path);
        let file = File::create_new(&full).map_err(|error| failed(self.inner.note_space(error)))?;
        Ok(BufWriter::new(Box::new(NrtFile { file, name: path.to_owned(), inner: self.inner.clone() })))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        let state = self.inner.state.lock();
        let content = if path == Path::new(META) { &state.meta } else { &state.managed };
        content.clone().ok_or_else(|| OpenReadError::FileDoesNotExist(path.to_owned()))
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        let mut state = self.inner.state.lock();
        self.check_epoch(&state)?;
        if path == Path::new(META) {
            state.meta = Some(data.to_vec());
        } else if path == Path::new(MANAGED) {
            state.managed = Some(data.to_vec());
        } else {
            return Err(io::Error::other(format!("unexpected file [{}]", path.display())));
        }
        Ok(())
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }

    fn acquire_lock(&self, lock: &Lock) -> Result<DirectoryLock, LockError> {
        let mut held = self.inner.locks.lock();
        while held.contains(&lock.filepath) {
            if !lock.is_blocking {
                return Err(LockError::LockBusy);
            }
            self.inner.unlocked.wait(&mut held);
        }
        held.insert(lock.filepath.clone());
        Ok(DirectoryLock::from(Box::new(HeldLock { inner: self.inner.clone(), path: lock.filepath.clone() })))
    }

    fn watch(&self, _: WatchCallback) -> tantivy::Result<WatchHandle> {
        Ok(WatchHandle::empty())
    }
}
