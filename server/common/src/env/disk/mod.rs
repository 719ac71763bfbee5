//! A disk under test: it remembers everything that is done to the files below a folder, and can refuse.
//!
//! *What it is*: a hook in [`super::fs`]. Nothing is installed in production, and then it costs one relaxed load of a number
//! that never changes. A test installs a [`TestDisk`] over a temporary folder; from then on every call that changes
//! something below it is recorded, one after the other, and may be made to fail. From the record, [`Replay`] builds the
//! folders that a crash at any moment may leave behind. · *Types to know*: [`TestDisk`], [`Fault`], [`Event`], [`Replay`]. ·
//! **Invariants**: what is not recorded was not done; a sync covers what was recorded before it *began*, and something else
//! may be recorded before it ends; a refused sync loses what it should have written, for ever, as kernels do. · *How it
//! fails*: it does not, beside the faults it is asked for. · *How it is tested*: beside the code; by every test that uses it.

mod replay;

pub use replay::{CrashState, Replay, Variant};

use parking_lot::Mutex;
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many disks are installed.
static INSTALLED: AtomicUsize = AtomicUsize::new(0);

static DISKS: Mutex<Vec<Arc<Inner>>> = Mutex::new(Vec::new());

/// The error number of a device that fails.
const EIO: i32 = 5;

/// The error number of a disk that is full.
const ENOSPC: i32 = 28;

/// A file, whatever it is called at the moment; 0 for one that no test disk knows.
pub type FileId = u64;

/// What kind of call it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Bytes into a file.
    Write,
    /// A file cut or extended, or room reserved for it.
    SetLength,
    /// A new file.
    Create,
    /// A new folder.
    CreateFolder,
    /// A file under another name.
    Rename,
    /// A file or folder removed.
    Remove,
    /// A file made durable.
    Sync,
    /// The entries of a folder made durable.
    SyncFolder,
}

/// Something that was done to the disk.
#[derive(Clone, Debug)]
pub enum Event {
    /// Bytes into a file.
    Write {
        /// Which file.
        file: FileId,
        /// Where.
        offset: u64,
        /// What.
        bytes: Arc<[u8]>,
    },
    /// A file cut or extended.
    SetLength {
        /// Which file.
        file: FileId,
        /// To how many bytes.
        length: u64,
    },
    /// A new, empty file, or a second name of one that is there.
    Create {
        /// Which file.
        file: FileId,
        /// Its name.
        path: PathBuf,
    },
    /// A new folder.
    CreateFolder {
        /// Its name.
        path: PathBuf,
    },
    /// A file under another name; what had that name is gone.
    Rename {
        /// The name before.
        from: PathBuf,
        /// The name after.
        to: PathBuf,
    },
    /// A file, or a folder with all in it, removed.
    Remove {
        /// Its name.
        path: PathBuf,
    },
    /// A file made durable, or not.
    Sync {
        /// Which file.
        file: FileId,
        /// What was recorded before this is covered.
        began: usize,
        /// Whether it worked.
        worked: bool,
    },
    /// The entries of a folder made durable, or not.
    SyncFolder {
        /// Its name.
        path: PathBuf,
        /// What was recorded before this is covered.
        began: usize,
        /// Whether it worked.
        worked: bool,
    },
}

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The device fails.
    Device,
    /// There is no space. Only calls that take space fail; a write leaves half of its bytes behind.
    NoSpace,
}

/// Which calls fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// How.
    pub failure: Failure,
    /// From which call on, counted from 0 since the disk was installed.
    pub at: usize,
    /// Whether all that follow fail too.
    pub lasting: bool,
    /// Only calls of this kind, if given; they are counted alone then.
    pub kind: Option<Kind>,
}

impl Failure {
    fn error(self) -> io::Error {
        io::Error::from_raw_os_error(match self {
            Failure::Device => EIO,
            Failure::NoSpace => ENOSPC,
        })
    }

    fn concerns(self, kind: Kind) -> bool {
        match self {
            Failure::Device => true,
            Failure::NoSpace => matches!(kind, Kind::Write | Kind::Create | Kind::CreateFolder),
        }
    }
}

/// Watches a folder until it is dropped.
pub struct TestDisk {
    inner: Arc<Inner>,
}

pub(super) struct Inner {
    root: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    base: Vec<(PathBuf, FileId, Vec<u8>)>,
    base_folders: Vec<PathBuf>,
    names: HashMap<PathBuf, FileId>,
    last_file: FileId,
    events: Vec<Event>,
    calls: usize,
    calls_of: HashMap<Kind, usize>,
    fault: Option<Fault>,
    refused: Vec<Kind>,
    synced_after_failure: Vec<PathBuf>,
    failed_syncs: Vec<FileId>,
}

impl TestDisk {
    /// Watches everything below `root`. What is there already counts as durable.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn install(root: &Path) -> io::Result<TestDisk> {
        let mut state = State { last_file: 0, ..State::default() };
        state.take_base(root)?;
        let inner = Arc::new(Inner { root: root.to_owned(), state: Mutex::new(state) });
        DISKS.lock().push(inner.clone());
        INSTALLED.fetch_add(1, Ordering::SeqCst);
        Ok(TestDisk { inner })
    }

    /// How much was recorded so far: a moment to crash at.
    pub fn position(&self) -> usize {
        self.inner.state.lock().events.len()
    }

    /// How many calls there were that a fault could have hit.
    pub fn calls(&self) -> usize {
        self.inner.state.lock().calls
    }

    /// How many calls of a kind there were.
    pub fn calls_of(&self, kind: Kind) -> usize {
        self.inner.state.lock().calls_of.get(&kind).copied().unwrap_or(0)
    }

    /// What fails from now on.
    pub fn set_fault(&self, fault: Option<Fault>) {
        self.inner.state.lock().fault = fault;
    }

    /// The calls that were refused.
    pub fn refused(&self) -> Vec<Kind> {
        self.inner.state.lock().refused.clone()
    }

    /// The files that were synced again after a sync of them had failed.
    pub fn synced_after_failure(&self) -> Vec<PathBuf> {
        self.inner.state.lock().synced_after_failure.clone()
    }

    /// The record, to build what crashes leave.
    pub fn replay(&self) -> Replay {
        let state = self.inner.state.lock();
        Replay::new(self.inner.root.clone(), &state.base, &state.base_folders, state.events.clone())
    }
}

impl Drop for TestDisk {
    fn drop(&mut self) {
        DISKS.lock().retain(|disk| !Arc::ptr_eq(disk, &self.inner));
        INSTALLED.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The disk that watches this path, if any.
#[inline]
pub(super) fn of(path: &Path) -> Option<Arc<Inner>> {
    if INSTALLED.load(Ordering::Relaxed) == 0 {
        return None;
    }
    DISKS.lock().iter().find(|disk| path.starts_with(&disk.root)).cloned()
}

impl State {
    fn take_base(&mut self, folder: &Path) -> io::Result<()> {
        self.base_folders.push(folder.to_owned());
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                self.take_base(&path)?;
            } else {
                let file = self.name(&path);
                self.base.push((path.clone(), file, std::fs::read(&path)?));
            }
        }
        Ok(())
    }

    fn name(&mut self, path: &Path) -> FileId {
        if let Some(file) = self.names.get(path) {
            return *file;
        }
        self.last_file += 1;
        self.names.insert(path.to_owned(), self.last_file);
        self.last_file
    }

    /// Counts a call; how it fails, if it must.
    fn admit(&mut self, kind: Kind) -> Result<(), Failure> {
        let number = self.calls;
        self.calls += 1;
        let of_kind = self.calls_of.entry(kind).or_default();
        let number_of_kind = *of_kind;
        *of_kind += 1;
        let Some(fault) = self.fault else { return Ok(()) };
        let number = match fault.kind {
            Some(wanted) if wanted == kind => number_of_kind,
            Some(_) => return Ok(()),
            None => number,
        };
        let hit = if fault.lasting { number >= fault.at } else { number == fault.at };
        if hit && fault.failure.concerns(kind) {
            self.refused.push(kind);
            return Err(fault.failure);
        }
        Ok(())
    }
}

impl Inner {
    fn apply(&self, kind: Kind, real: impl FnOnce() -> io::Result<()>, event: impl FnOnce(&mut State) -> Event) -> io::Result<()> {
        let mut state = self.state.lock();
        state.admit(kind).map_err(Failure::error)?;
        real()?;
        let event = event(&mut state);
        state.events.push(event);
        Ok(())
    }

    /// The identity of a file that is opened.
    pub(super) fn opened(&self, path: &Path) -> FileId {
        self.state.lock().name(path)
    }

    pub(super) fn create<T>(&self, path: &Path, real: impl FnOnce() -> io::Result<T>) -> io::Result<(T, FileId)> {
        let mut state = self.state.lock();
        state.admit(Kind::Create).map_err(Failure::error)?;
        let existed = path.exists();
        let made = real()?;
        let file = state.name(path);
        let event = if existed { Event::SetLength { file, length: 0 } } else { Event::Create { file, path: path.to_owned() } };
        state.events.push(event);
        Ok((made, file))
    }

    pub(super) fn write(&self, file: FileId, offset: u64, bytes: &[u8], mut real: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut state = self.state.lock();
        match state.admit(Kind::Write) {
            Ok(()) => {
                real(bytes)?;
                state.events.push(Event::Write { file, offset, bytes: bytes.into() });
                Ok(())
            }
            Err(failure) => {
                let half = bytes.get(..bytes.len() / 2).unwrap_or_default();
                if failure == Failure::NoSpace && !half.is_empty() {
                    real(half)?;
                    state.events.push(Event::Write { file, offset, bytes: half.into() });
                }
                Err(failure.error())
            }
        }
    }

    pub(super) fn set_length(&self, file: FileId, length: u64, real: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        self.apply(Kind::SetLength, real, |_| Event::SetLength { file, length })
    }

    /// Nothing is really synced: the record says what would be durable, and tests are faster for it.
    pub(super) fn sync(&self, path: &Path, file: FileId) -> io::Result<()> {
        let began = {
            let mut state = self.state.lock();
            let began = state.events.len();
            if state.failed_syncs.contains(&file) {
                state.synced_after_failure.push(path.to_owned());
            }
            if let Err(failure) = state.admit(Kind::Sync) {
                state.failed_syncs.push(file);
                state.events.push(Event::Sync { file, began, worked: false });
                return Err(failure.error());
            }
            began
        };
        // What happens beside a sync is part of what is tested.
        std::thread::yield_now();
        self.state.lock().events.push(Event::Sync { file, began, worked: true });
        Ok(())
    }

    pub(super) fn sync_folder(&self, path: &Path) -> io::Result<()> {
        let began = {
            let mut state = self.state.lock();
            let began = state.events.len();
            if let Err(failure) = state.admit(Kind::SyncFolder) {
                state.events.push(Event::SyncFolder { path: path.to_owned(), began, worked: false });
                return Err(failure.error());
            }
            began
        };
        std::thread::yield_now();
        self.state.lock().events.push(Event::SyncFolder { path: path.to_owned(), began, worked: true });
        Ok(())
    }

    pub(super) fn rename(&self, from: &Path, to: &Path, real: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        self.apply(Kind::Rename, real, |state| {
            if let Some(file) = state.names.remove(from) {
                state.names.insert(to.to_owned(), file);
            }
            Event::Rename { from: from.to_owned(), to: to.to_owned() }
        })
    }

    pub(super) fn hard_link(&self, from: &Path, to: &Path, real: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        self.apply(Kind::Create, real, |state| {
            let file = state.name(from);
            state.names.insert(to.to_owned(), file);
            Event::Create { file, path: to.to_owned() }
        })
    }

    pub(super) fn remove(&self, path: &Path, real: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        self.apply(Kind::Remove, real, |state| {
            state.names.retain(|name, _| !name.starts_with(path));
            Event::Remove { path: path.to_owned() }
        })
    }

    pub(super) fn create_folder(&self, path: &Path, real: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        self.apply(Kind::CreateFolder, real, |_| Event::CreateFolder { path: path.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::fs;

    #[test]
    fn only_what_is_below_its_folder_is_recorded() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let disk = TestDisk::install(here.path()).unwrap();
        fs::write_durably(&there.path().join("a"), b"x").unwrap();
        assert_eq!(disk.position(), 0);
        fs::write_durably(&here.path().join("a"), b"x").unwrap();
        assert_eq!(disk.position(), 5, "create, write, sync, rename, sync of the folder");
    }

    #[test]
    fn the_call_that_must_fail_fails_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let disk = TestDisk::install(folder.path()).unwrap();
        disk.set_fault(Some(Fault { failure: Failure::Device, at: 2, lasting: false, kind: None }));
        let path = folder.path().join("a");
        let error = fs::write_durably(&path, b"x").unwrap_err();
        assert!(error.to_string().contains("cannot sync"), "{error}");
        fs::write_durably(&path, b"y").unwrap();
        assert_eq!(disk.refused(), [Kind::Sync]);
    }

    #[test]
    fn a_full_disk_takes_half_of_a_write_and_lets_files_be_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let mut file = fs::File::create_new(&path).unwrap();
        let disk = TestDisk::install(folder.path()).unwrap();
        disk.set_fault(Some(Fault { failure: Failure::NoSpace, at: 0, lasting: true, kind: None }));
        let error = file.write_all(b"12345678").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert_eq!(fs::read(&path).unwrap(), b"1234");
        file.set_len(0).unwrap();
        fs::remove_file(&path).unwrap();
    }
}
