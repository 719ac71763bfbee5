//! What a crash may leave on a disk, from the record of what was done to it.
//!
//! The rules are those that programs may count on: a completed sync of a file keeps its bytes and its length, a completed
//! sync of a folder keeps its entries, and of everything else any part may be there or not.

use super::{Event, FileId};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A choice among the states that a crash may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// Nothing that was not synced.
    Synced,
    /// Everything, as after the end of a process.
    Everything,
    /// Every name, but only synced bytes.
    NamesOnly,
    /// Every byte, but only synced names.
    BytesOnly,
    /// Every name and length; bytes that were not synced are zero.
    Zeroes,
    /// Everything but the end of the last write, torn at a multiple of so many bytes.
    Torn(u64),
    /// Everything, but of the last write only its end, from a multiple of so many bytes on.
    Headless(u64),
    /// Of the names those that came first, some; every byte.
    NamePrefix(u64),
    /// Of every file all writes up to some moment.
    BytePrefix(u64),
    /// Any of the writes and any of the names, decided by this number.
    Any(u64),
}

impl Variant {
    /// Every kind, `round` deciding where there is a choice.
    pub fn all(round: u64) -> [Variant; 12] {
        [
            Variant::Synced,
            Variant::Everything,
            Variant::NamesOnly,
            Variant::BytesOnly,
            Variant::Zeroes,
            Variant::Torn(512),
            Variant::Torn(4096),
            Variant::Headless(512),
            Variant::NamePrefix(round),
            Variant::BytePrefix(round),
            Variant::Any(round),
            Variant::Any(round ^ 0x5555_5555),
        ]
    }
}

#[derive(Clone, Debug)]
enum Change {
    Write(u64, Arc<[u8]>),
    SetLength(u64),
}

#[derive(Clone, Debug)]
struct Pending {
    at: usize,
    change: Change,
}

#[derive(Clone, Debug, Default)]
struct Content {
    /// What reading it gives, as long as the machine runs.
    live: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Pending>,
}

#[derive(Clone, Debug)]
enum Naming {
    Create(FileId, PathBuf),
    Folder(PathBuf),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
}

impl Naming {
    fn folder(&self) -> Option<&Path> {
        match self {
            Naming::Create(_, path) | Naming::Folder(path) | Naming::Remove(path) | Naming::Rename(_, path) => path.parent(),
        }
    }
}

/// Names of files and folders.
#[derive(Clone, Debug, Default)]
struct Names {
    files: BTreeMap<PathBuf, FileId>,
    folders: BTreeSet<PathBuf>,
}

impl Names {
    fn apply(&mut self, naming: &Naming) {
        match naming {
            Naming::Create(file, path) => {
                self.files.insert(path.clone(), *file);
            }
            Naming::Folder(path) => {
                self.folders.insert(path.clone());
            }
            Naming::Rename(from, to) => {
                if let Some(file) = self.files.remove(from) {
                    self.files.insert(to.clone(), file);
                }
            }
            Naming::Remove(path) => {
                self.files.retain(|name, _| !name.starts_with(path));
                self.folders.retain(|name| !name.starts_with(path));
            }
        }
    }
}

/// Goes through the record, event by event.
#[derive(Clone, Debug)]
pub struct Replay {
    root: PathBuf,
    events: Arc<Vec<Event>>,
    next: usize,
    contents: BTreeMap<FileId, Content>,
    names: Names,
    naming: Vec<(usize, Naming)>,
}

/// A folder as a crash left it.
#[derive(Clone, Debug)]
pub struct CrashState {
    files: BTreeMap<PathBuf, Vec<u8>>,
    folders: BTreeSet<PathBuf>,
}

fn changed(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::SetLength(length) => bytes.resize(usize::try_from(*length).unwrap_or(usize::MAX), 0),
        Change::Write(offset, data) => {
            let start = usize::try_from(*offset).unwrap_or(usize::MAX);
            let end = start + data.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            if let Some(place) = bytes.get_mut(start..end) {
                place.copy_from_slice(data);
            }
        }
    }
}

/// A number that looks random, from two others.
fn mixed(a: u64, b: u64) -> u64 {
    let mut x = a.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ b.wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    x ^= x >> 29;
    x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^ (x >> 32)
}

impl Replay {
    pub(super) fn new(root: PathBuf, base: &[(PathBuf, FileId, Vec<u8>)], folders: &[PathBuf], events: Vec<Event>) -> Replay {
        let mut names = Names { files: BTreeMap::new(), folders: folders.iter().cloned().collect() };
        let mut contents = BTreeMap::new();
        for (path, file, bytes) in base {
            names.files.insert(path.clone(), *file);
            contents.insert(*file, Content { live: bytes.clone(), durable: bytes.clone(), pending: Vec::new() });
        }
        Replay { root, events: Arc::new(events), next: 0, contents, names, naming: Vec::new() }
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The event at a place, shortly, for a message.
    pub fn describe(&self, at: usize) -> String {
        match at.checked_sub(1).and_then(|at| self.events.get(at)) {
            None => "the start".to_owned(),
            Some(Event::Write { file, offset, bytes }) => format!("write of {} bytes at {offset} to file {file}", bytes.len()),
            Some(other) => format!("{other:?}"),
        }
    }

    /// Goes on until `position` events have happened.
    pub fn advance(&mut self, position: usize) {
        let events = self.events.clone();
        while self.next < position {
            let Some(event) = events.get(self.next) else { return };
            self.take(event);
            self.next += 1;
        }
    }

    fn change(&mut self, file: FileId, change: Change) {
        let at = self.next;
        let content = self.contents.entry(file).or_default();
        changed(&mut content.live, &change);
        content.pending.push(Pending { at, change });
    }

    fn take(&mut self, event: &Event) {
        let at = self.next;
        match event {
            Event::Write { file, offset, bytes } => self.change(*file, Change::Write(*offset, bytes.clone())),
            Event::SetLength { file, length } => self.change(*file, Change::SetLength(*length)),
            Event::Create { file, path } => self.naming.push((at, Naming::Create(*file, path.clone()))),
            Event::CreateFolder { path } => self.naming.push((at, Naming::Folder(path.clone()))),
            Event::Rename { from, to } => self.naming.push((at, Naming::Rename(from.clone(), to.clone()))),
            Event::Remove { path } => self.naming.push((at, Naming::Remove(path.clone()))),
            Event::Sync { file, began, worked } => {
                let content = self.contents.entry(*file).or_default();
                for pending in std::mem::take(&mut content.pending) {
                    if pending.at >= *began {
                        content.pending.push(pending);
                    } else if *worked {
                        changed(&mut content.durable, &pending.change);
                    }
                    // What a failed sync should have written is lost, though reading still gives it.
                }
            }
            Event::SyncFolder { path, began, worked: true } => {
                for (at, naming) in std::mem::take(&mut self.naming) {
                    if at < *began && naming.folder() == Some(path) {
                        self.names.apply(&naming);
                    } else {
                        self.naming.push((at, naming));
                    }
                }
            }
            Event::SyncFolder { worked: false, .. } => {}
        }
    }

    /// What a crash now may leave, chosen by `variant`.
    pub fn state(&self, variant: Variant) -> CrashState {
        let mut names = self.names.clone();
        let count = self.naming.len() as u64;
        for (number, (at, naming)) in self.naming.iter().enumerate() {
            let kept = match variant {
                Variant::Synced | Variant::BytesOnly => false,
                Variant::Everything | Variant::NamesOnly | Variant::Zeroes | Variant::Torn(_) | Variant::Headless(_) => true,
                Variant::BytePrefix(_) => true,
                Variant::NamePrefix(seed) => (number as u64) < mixed(seed, count) % (count + 1),
                Variant::Any(seed) => mixed(seed, *at as u64).is_multiple_of(2),
            };
            if kept {
                names.apply(naming);
            }
        }
        let last_write = self.contents.values().flat_map(|content| content.pending.iter().map(|pending| pending.at)).max();
        let mut files = BTreeMap::new();
        for (path, file) in names.files {
            let bytes = self.contents.get(&file).map(|content| content.state(variant, file, last_write)).unwrap_or_default();
            files.insert(path.strip_prefix(&self.root).map(Path::to_owned).unwrap_or(path), bytes);
        }
        let inside = |path: &PathBuf| path.strip_prefix(&self.root).ok().map(Path::to_owned);
        let folders: BTreeSet<PathBuf> = names.folders.iter().filter_map(inside).collect();
        // What lies in a folder that is not there is not there.
        files.retain(|path, _| path.parent().is_none_or(|parent| folders.contains(parent)));
        CrashState { files, folders }
    }
}

impl Content {
    fn state(&self, variant: Variant, file: FileId, last: Option<usize>) -> Vec<u8> {
        if variant == Variant::Everything {
            return self.live.clone();
        }
        let mut bytes = self.durable.clone();
        let kept_until = |seed: u64| {
            let count = self.pending.len() as u64;
            mixed(seed, file) % (count + 1)
        };
        for (number, pending) in self.pending.iter().enumerate() {
            let is_last = Some(pending.at) == last;
            match variant {
                Variant::Synced | Variant::NamesOnly => {}
                Variant::Everything | Variant::BytesOnly | Variant::NamePrefix(_) => changed(&mut bytes, &pending.change),
                Variant::Zeroes => changed(&mut bytes, &zeroed(&pending.change)),
                Variant::Torn(unit) if is_last => changed(&mut bytes, &torn(&pending.change, unit, true)),
                Variant::Headless(unit) if is_last => changed(&mut bytes, &torn(&pending.change, unit, false)),
                Variant::Torn(_) | Variant::Headless(_) => changed(&mut bytes, &pending.change),
                Variant::BytePrefix(seed) => {
                    if (number as u64) < kept_until(seed) {
                        changed(&mut bytes, &pending.change);
                    }
                }
                Variant::Any(seed) => {
                    if mixed(seed ^ file, pending.at as u64).is_multiple_of(2) {
                        changed(&mut bytes, &pending.change);
                    }
                }
            }
        }
        bytes
    }
}

fn zeroed(change: &Change) -> Change {
    match change {
        Change::Write(offset, data) => Change::Write(*offset, vec![0; data.len()].into()),
        Change::SetLength(length) => Change::SetLength(*length),
    }
}

/// The first part of a write, or with `head` false the second, cut in its middle at a multiple of `unit` in the file.
fn torn(change: &Change, unit: u64, head: bool) -> Change {
    let Change::Write(offset, data) = change else { return change.clone() };
    let middle = (offset + data.len() as u64 / 2).next_multiple_of(unit).saturating_sub(*offset);
    let cut = usize::try_from(middle).unwrap_or(usize::MAX);
    let cut = if cut >= data.len() { usize::try_from(offset.next_multiple_of(unit) - offset).unwrap_or(0).min(data.len()) } else { cut };
    let (first, second) = data.split_at(cut);
    if head { Change::Write(*offset, first.into()) } else { Change::Write(offset + cut as u64, second.into()) }
}

impl CrashState {
    /// The same for the same folders and files.
    pub fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.files.hash(&mut hasher);
        self.folders.hash(&mut hasher);
        hasher.finish()
    }

    /// Makes the folder anew below `root`.
    ///
    /// # Errors
    /// A disk that fails.
    pub fn write_to(&self, root: &Path) -> io::Result<()> {
        for folder in &self.folders {
            std::fs::create_dir_all(root.join(folder))?;
        }
        for (path, bytes) in &self.files {
            std::fs::write(root.join(path), bytes)?;
        }
        Ok(())
    }

    /// The same folder with some bits of one byte turned.
    pub fn with_flipped(&self, path: &Path, at: usize, bits: u8) -> CrashState {
        let mut flipped = self.clone();
        if let Some(byte) = flipped.files.get_mut(path).and_then(|bytes| bytes.get_mut(at)) {
            *byte ^= bits;
        }
        flipped
    }

    /// The names of the files, with their lengths.
    pub fn files(&self) -> impl Iterator<Item = (&Path, usize)> {
        self.files.iter().map(|(path, bytes)| (path.as_path(), bytes.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Failure, Fault, TestDisk};
    use super::*;
    use crate::env::fs;

    fn bytes_of(state: &CrashState, name: &str) -> Option<Vec<u8>> {
        state.files.get(Path::new(name)).cloned()
    }

    #[test]
    fn a_durable_replacement_leaves_the_old_or_the_new_content_at_every_moment() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write_durably(&path, b"old").unwrap();
        let disk = TestDisk::install(folder.path()).unwrap();
        fs::write_durably(&path, b"new content").unwrap();
        let mut replay = disk.replay();
        let mut seen = BTreeSet::new();
        for position in 0..=replay.len() {
            replay.advance(position);
            for round in 0..50 {
                for variant in Variant::all(round) {
                    let found = bytes_of(&replay.state(variant), "a").unwrap();
                    assert!(found == b"old" || found == b"new content", "{position} {variant:?} {found:?}");
                    seen.insert(found);
                }
            }
        }
        assert_eq!(seen.len(), 2);
        assert_eq!(bytes_of(&replay.state(Variant::Synced), "a").unwrap(), b"new content");
    }

    #[test]
    fn a_rename_before_the_sync_can_leave_an_empty_file_and_without_the_folder_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let (path, temporary) = (folder.path().join("a"), folder.path().join("b"));
        fs::write_durably(&path, b"old").unwrap();
        let disk = TestDisk::install(folder.path()).unwrap();
        let mut file = fs::File::create(&temporary).unwrap();
        file.write_all(b"new").unwrap();
        fs::rename(&temporary, &path).unwrap();
        let mut replay = disk.replay();
        replay.advance(replay.len());
        assert_eq!(bytes_of(&replay.state(Variant::NamesOnly), "a").unwrap(), b"");
        assert_eq!(bytes_of(&replay.state(Variant::Synced), "a").unwrap(), b"old");
        file.sync_data().unwrap();
        let mut replay = disk.replay();
        replay.advance(replay.len());
        assert_eq!(bytes_of(&replay.state(Variant::NamesOnly), "a").unwrap(), b"new");
        assert_eq!(bytes_of(&replay.state(Variant::Synced), "a").unwrap(), b"old");
    }

    #[test]
    fn what_a_failed_sync_should_have_written_is_not_written_by_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let disk = TestDisk::install(folder.path()).unwrap();
        let mut file = fs::File::create(&path).unwrap();
        fs::sync_folder(folder.path()).unwrap();
        file.write_all(b"lost").unwrap();
        disk.set_fault(Some(Fault { failure: Failure::Device, at: disk.calls(), lasting: false, kind: None }));
        file.sync_data().unwrap_err();
        // The handle refuses everything from then on; somebody who opens the file again is not stopped by it.
        assert!(file.write_all(b"kept").is_err() && file.sync_data().is_err());
        let again = fs::File::open(&path).unwrap();
        again.write_all_at(b"kept", 4).unwrap();
        again.sync_data().unwrap();
        assert_eq!(disk.synced_after_failure(), [path]);
        let mut replay = disk.replay();
        replay.advance(replay.len());
        assert_eq!(bytes_of(&replay.state(Variant::Synced), "a").unwrap(), b"\0\0\0\0kept");
        assert_eq!(bytes_of(&replay.state(Variant::Everything), "a").unwrap().len(), 8);
    }

    #[test]
    fn a_folder_that_was_not_synced_takes_its_files_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let disk = TestDisk::install(folder.path()).unwrap();
        fs::create_folders(&folder.path().join("x/y")).unwrap();
        fs::write_durably(&folder.path().join("x/y/a"), b"1").unwrap();
        let mut replay = disk.replay();
        replay.advance(replay.len());
        assert_eq!(bytes_of(&replay.state(Variant::Synced), "x/y/a").unwrap(), b"1", "every folder is durable in its parent");
        replay = disk.replay();
        replay.advance(1);
        assert_eq!(replay.state(Variant::Synced).folders.len(), 1);
        assert_eq!(replay.state(Variant::Everything).folders.len(), 2);
    }

    #[test]
    fn a_torn_write_ends_at_a_multiple_of_its_unit() {
        let change = Change::Write(100, vec![7; 2000].into());
        let Change::Write(offset, first) = torn(&change, 512, true) else { panic!() };
        assert_eq!((offset + first.len() as u64) % 512, 0);
        assert!(first.len() < 2000);
        let Change::Write(start, second) = torn(&change, 512, false) else { panic!() };
        assert_eq!((start % 512, first.len() + second.len()), (0, 2000));
        let Change::Write(_, tiny) = torn(&Change::Write(10, vec![1; 20].into()), 512, true) else { panic!() };
        assert!(tiny.len() <= 20);
    }
}
