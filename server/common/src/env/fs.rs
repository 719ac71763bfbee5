//! Files. Every error names the file. Blocking: call from the blocking pool.

use super::disk::{self, FileId};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A file for appending and positioned reading.
#[derive(Debug)]
pub struct File {
    inner: std::fs::File,
    path: PathBuf,
    /// Set by a failed sync: nobody knows what is on the disk, and neither a write nor a sync may pretend to.
    poisoned: AtomicBool,
    /// Its name on a disk under test.
    id: FileId,
}

fn named(path: &Path, what: &str) -> impl FnOnce(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("cannot {what} [{}]: {error}", path.display()))
}

/// A file that cannot be made durable is never taken for one that only lacks space: whatever the kernel says, what it was
/// asked to write may be gone, and no second call brings it back.
fn not_durable(path: &Path) -> impl FnOnce(io::Error) -> io::Error {
    move |error| io::Error::other(format!("cannot sync [{}]: {error}", path.display()))
}

impl File {
    fn new(inner: std::fs::File, path: &Path, id: FileId) -> File {
        File { inner, path: path.to_owned(), poisoned: AtomicBool::new(false), id }
    }

    fn check(&self) -> io::Result<()> {
        if self.poisoned.load(Ordering::Acquire) {
            return Err(io::Error::other(format!("an earlier sync of [{}] failed", self.path.display())));
        }
        Ok(())
    }

    /// Creates a file that must not exist.
    pub fn create_new(path: &Path) -> io::Result<File> {
        Self::make(path, std::fs::OpenOptions::new().read(true).write(true).create_new(true))
    }

    /// Creates a file, emptied when it exists.
    pub fn create(path: &Path) -> io::Result<File> {
        Self::make(path, std::fs::OpenOptions::new().read(true).write(true).create(true).truncate(true))
    }

    fn make(path: &Path, options: &std::fs::OpenOptions) -> io::Result<File> {
        let made = match disk::of(path) {
            Some(disk) => disk.create(path, || options.open(path)),
            None => options.open(path).map(|inner| (inner, 0)),
        };
        let (inner, id) = made.map_err(named(path, "create"))?;
        Ok(File::new(inner, path, id))
    }

    /// Opens a file for reading and writing.
    pub fn open(path: &Path) -> io::Result<File> {
        Self::existing(path, std::fs::OpenOptions::new().read(true).write(true))
    }

    /// Opens a file for reading.
    pub fn open_read(path: &Path) -> io::Result<File> {
        Self::existing(path, std::fs::OpenOptions::new().read(true))
    }

    fn existing(path: &Path, options: &std::fs::OpenOptions) -> io::Result<File> {
        let inner = options.open(path).map_err(named(path, "open"))?;
        let id = disk::of(path).map_or(0, |disk| disk.opened(path));
        Ok(File::new(inner, path, id))
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its length in bytes.
    pub fn len(&self) -> io::Result<u64> {
        Ok(self.inner.metadata().map_err(named(&self.path, "stat"))?.len())
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Writes all of `bytes` at the current end of what was written through this handle.
    pub fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.check()?;
        let written = match disk::of(&self.path) {
            Some(disk) => {
                let offset = self.inner.stream_position()?;
                disk.write(self.id, offset, bytes, |part| self.inner.write_all(part))
            }
            None => self.inner.write_all(bytes),
        };
        written.map_err(named(&self.path, "write"))
    }

    /// Writes all of `bytes` at `offset`.
    pub fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.check()?;
        let write = |part: &[u8]| std::os::unix::fs::FileExt::write_all_at(&self.inner, part, offset);
        let written = match disk::of(&self.path) {
            Some(disk) => disk.write(self.id, offset, bytes, write),
            None => write(bytes),
        };
        written.map_err(named(&self.path, "write"))
    }

    /// Reads exactly `buffer.len()` bytes at `offset`.
    pub fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.inner, buffer, offset).map_err(named(&self.path, "read"))
    }

    /// Reads at most `buffer.len()` bytes at `offset`.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.inner, buffer, offset).map_err(named(&self.path, "read"))
    }

    /// Cuts or extends the file.
    pub fn set_len(&self, length: u64) -> io::Result<()> {
        self.resize(length, "truncate", || self.inner.set_len(length))
    }

    /// Reserves room up to `length`: the file reads as zeros from its end on, and writing there changes nothing but content.
    pub fn allocate(&self, length: u64) -> io::Result<()> {
        let flags = rustix::fs::FallocateFlags::empty();
        self.resize(length, "allocate", || Ok(rustix::fs::fallocate(&self.inner, flags, 0, length)?))
    }

    fn resize(&self, length: u64, what: &str, resize: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        self.check()?;
        let done = match disk::of(&self.path) {
            Some(disk) => disk.set_length(self.id, length, resize),
            None => resize(),
        };
        done.map_err(named(&self.path, what))
    }

    /// Makes the content durable (`fdatasync`). A failure is final, the kernel may have dropped the pages: from then on
    /// neither writes nor syncs succeed.
    pub fn sync_data(&self) -> io::Result<()> {
        self.synced(std::fs::File::sync_data)
    }

    /// Makes content and metadata durable (`fsync`). A failure is final as with [`Self::sync_data`].
    pub fn sync_all(&self) -> io::Result<()> {
        self.synced(std::fs::File::sync_all)
    }

    fn synced(&self, sync: impl FnOnce(&std::fs::File) -> io::Result<()>) -> io::Result<()> {
        self.check()?;
        let done = match disk::of(&self.path) {
            Some(disk) => disk.sync(&self.path, self.id),
            None => sync(&self.inner),
        };
        done.map_err(|error| {
            self.poisoned.store(true, Ordering::Release);
            not_durable(&self.path)(error)
        })
    }

    /// Takes the exclusive lock on the file; false when another process or handle holds it.
    pub fn try_lock(&self) -> io::Result<bool> {
        match self.inner.try_lock() {
            Ok(()) => Ok(true),
            Err(std::fs::TryLockError::WouldBlock) => Ok(false),
            Err(std::fs::TryLockError::Error(error)) => Err(named(&self.path, "lock")(error)),
        }
    }
}

/// A whole file mapped for reading. Cheap to clone; the mapping lives as long as any clone, even after the file was removed.
#[derive(Clone)]
pub struct MappedFile(Option<Arc<memmap2::Mmap>>);

impl std::ops::Deref for MappedFile {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.as_deref().map_or(&[], |mapped| mapped)
    }
}

#[allow(unsafe_code, reason = "the trait promises that the bytes do not move with the value, which nothing can check")]
// SAFETY: the bytes belong to the mapping, which stays where it is when the handle moves or is cloned.
unsafe impl stable_deref_trait::StableDeref for MappedFile {}

/// Maps a file for reading. An empty file gives an empty slice.
pub fn map(path: &Path) -> io::Result<MappedFile> {
    let file = std::fs::File::open(path).map_err(named(path, "open"))?;
    if file.metadata().map_err(named(path, "stat"))?.len() == 0 {
        return Ok(MappedFile(None));
    }
    Ok(MappedFile(Some(Arc::new(map_file(&file).map_err(named(path, "map"))?))))
}

#[allow(unsafe_code, reason = "mapping a file is unsafe by nature; ours are written once and never changed in place")]
fn map_file(file: &std::fs::File) -> io::Result<memmap2::Mmap> {
    // SAFETY: segment files are immutable once written, and the data directory is locked against other processes.
    unsafe { memmap2::Mmap::map(file) }
}

/// Reads a whole file.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path).map_err(named(path, "open"))?.read_to_end(&mut bytes).map_err(named(path, "read"))?;
    Ok(bytes)
}

/// Reads a whole file, or `None` when there is none.
pub fn read_if_exists(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Replaces a file durably: a temporary file is written and synced, renamed over it, and the folder is synced.
/// After a crash the file holds the old or the new content, whole.
pub fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    let mut file = File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    rename(&temporary, path)?;
    match path.parent() {
        Some(folder) => sync_folder(folder),
        None => Ok(()),
    }
}

/// Renames a file. Not durable until the folder is synced.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    let rename = || std::fs::rename(from, to);
    let done = match disk::of(from) {
        Some(disk) => disk.rename(from, to, rename),
        None => rename(),
    };
    done.map_err(named(from, "rename"))
}

/// Gives a file a second name on the same disk. Not durable until the folder is synced.
pub fn hard_link(from: &Path, to: &Path) -> io::Result<()> {
    let link = || std::fs::hard_link(from, to);
    let linked = match disk::of(to) {
        Some(disk) => disk.hard_link(from, to, link),
        None => link(),
    };
    linked.map_err(named(from, "link"))
}

/// Makes the entries of a folder durable.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    let done = match disk::of(folder) {
        Some(disk) => disk.sync_folder(folder),
        None => std::fs::File::open(folder).and_then(|opened| opened.sync_all()),
    };
    done.map_err(not_durable(folder))
}

/// Creates a folder and its parents, each made durable in its own parent.
pub fn create_folders(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    create_folders(above)?;
    let create = || match std::fs::create_dir(folder) {
        // Somebody else was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        other => other,
    };
    let done = match disk::of(folder) {
        Some(disk) => disk.create_folder(folder, create),
        None => create(),
    };
    done.map_err(named(folder, "create"))?;
    sync_folder(above)
}

fn remove(path: &Path, remove: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    match disk::of(path) {
        Some(disk) => disk.remove(path, remove),
        None => remove(),
    }
}

/// Removes a file.
pub fn remove_file(path: &Path) -> io::Result<()> {
    remove(path, || std::fs::remove_file(path)).map_err(named(path, "remove"))
}

/// Removes a file; no error when there is none.
pub fn remove_file_if_exists(path: &Path) -> io::Result<()> {
    match remove(path, || std::fs::remove_file(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(named(path, "remove")(error)),
        _ => Ok(()),
    }
}

/// Removes a folder with all it holds; no error when there is none.
pub fn remove_folder(path: &Path) -> io::Result<()> {
    match remove(path, || std::fs::remove_dir_all(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(named(path, "remove")(error)),
        _ => Ok(()),
    }
}

/// The names in a folder, sorted; empty when the folder does not exist.
pub fn list(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(named(folder, "list")(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry.map_err(named(folder, "list"))?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Whether something is there.
pub fn exists(path: &Path) -> bool {
    path.exists()
}

/// How much room a disk has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskSpace {
    /// All of it, in bytes.
    pub total: u64,
    /// What is left for this process, in bytes.
    pub available: u64,
}

/// The room on the disk that a file or folder lies on.
pub fn disk_space(path: &Path) -> io::Result<DiskSpace> {
    let found = rustix::fs::statvfs(path).map_err(|error| named(path, "stat the disk of")(error.into()))?;
    Ok(DiskSpace { total: found.f_blocks * found.f_frsize, available: found.f_bavail * found.f_frsize })
}

/// The number of the device that a file or folder lies on.
pub fn device(path: &Path) -> io::Result<u64> {
    Ok(std::os::unix::fs::MetadataExt::dev(&std::fs::metadata(path).map_err(named(path, "stat"))?))
}

/// The length of a file in bytes.
pub fn file_len(path: &Path) -> io::Result<u64> {
    Ok(std::fs::metadata(path).map_err(named(path, "stat"))?.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_file() {
        let error = read(Path::new("no/such/file")).unwrap_err();
        assert!(error.to_string().contains("no/such/file"), "{error}");
    }

    #[test]
    fn a_durable_write_replaces_the_whole_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        write_durably(&path, b"a longer text").unwrap();
        write_durably(&path, b"short").unwrap();
        assert_eq!(read(&path).unwrap(), b"short");
    }

    #[test]
    fn a_file_whose_sync_failed_is_never_written_or_synced_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut file = File::create(&path).unwrap();
        file.write_all(b"a").unwrap();
        assert!(file.synced(|_| Err(io::Error::other("the disk is gone"))).is_err());
        for outcome in
            [file.sync_data(), file.sync_all(), file.write_all_at(b"b", 0), file.set_len(0), file.allocate(9), file.write_all(b"b")]
        {
            assert!(outcome.unwrap_err().to_string().contains("an earlier sync"));
        }
        assert_eq!(read(&path).unwrap(), b"a");
    }

    #[test]
    fn allocated_room_reads_as_zeros_and_keeps_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut file = File::create(&path).unwrap();
        file.write_all(b"a").unwrap();
        file.allocate(3).unwrap();
        assert_eq!(read(&path).unwrap(), b"a\0\0");
    }

    #[test]
    fn a_disk_has_no_more_left_than_it_has() {
        let folder = tempfile::tempdir().unwrap();
        let space = disk_space(folder.path()).unwrap();
        assert!(space.total > 0 && space.available <= space.total, "{space:?}");
        assert!(disk_space(Path::new("no/such/folder")).is_err());
    }

    #[test]
    fn a_lock_is_held_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = File::create(&path).unwrap();
        assert!(first.try_lock().unwrap());
        let second = File::open(&path).unwrap();
        assert!(!second.try_lock().unwrap());
    }
}
