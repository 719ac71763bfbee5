//! Mistakes that tests can make this room commit, to see that they would be found.
//!
//! Each is one line at the place where somebody could really make it. Outside tests the question is a constant `false` and
//! leaves nothing behind. A test plants one bug at a time, for the folders of its own thread only, so that others can run
//! beside it; `tests/rig/planted.rs` plants each and requires that the test named here finds it.
//!
//! | bug | what it does | found by |
//! |---|---|---|
//! | [`Bug::SyncSkipped`] | a group commit is not synced | `single_writes_survive_every_crash` |
//! | [`Bug::AcknowledgedBeforeSync`] | the sync of a group commit comes with the next | `single_writes_survive_every_crash` |
//! | [`Bug::SyncRetried`] | a failed sync is tried again and believed | `a_device_that_fails_once_loses_nothing_acknowledged` |
//! | [`Bug::TailNotWrittenAgain`] | what a failed sync left in memory is taken for durable | `a_device_that_fails_once_loses_nothing_acknowledged` |
//! | [`Bug::CutTooFar`] | a log is cut one byte before its end | `restarts_survive_every_crash` |
//! | [`Bug::LogChecksumSkipped`] | records are not checked | `a_flipped_bit_in_any_byte_of_any_file_is_found_or_harmless` |
//! | [`Bug::IndexChecksumSkipped`] | segment files are not checked | `a_flipped_bit_in_any_byte_of_any_file_is_found_or_harmless` |
//! | [`Bug::NameReused`] | the next log file gets the name of the present one | `bulks_survive_every_crash` |
//! | [`Bug::LogNameNotSynced`] | a checkpoint names a log file whose name is not durable | `bulks_survive_every_crash` |
//! | [`Bug::CheckpointAfterRoll`] | operations go into a file that no checkpoint names | `bulks_survive_every_crash` |
//! | [`Bug::AppliedAboveGlobal`] | the index takes what the global checkpoint has not reached | `single_writes_survive_every_crash` |
//! | [`Bug::PublishedBeforeApplied`] | a refresh publishes without applying | `updates_and_deletions_survive_every_crash` |
//! | [`Bug::DeletionLost`] | a deletion does not reach the index | `updates_and_deletions_survive_every_crash` |
//! | [`Bug::TombstoneLost`] | a deletion is not read back into the version map | `updates_and_deletions_survive_every_crash` |
//! | [`Bug::CommitAhead`] | a durable commit claims one operation more than it holds | `flushes_survive_every_crash` |
//! | [`Bug::SegmentNotSynced`] | a durable commit names files that are not | `flushes_survive_every_crash` |
//! | [`Bug::SegmentNameNotSynced`] | a durable commit names files whose names are not | `leases_survive_every_crash` |
//! | [`Bug::TrimmedAboveLease`] | leases do not keep the log | `leases_survive_every_crash` |
//! | [`Bug::LeaseNotStored`] | a lease is granted before it is stored | `leases_survive_every_crash` |
//! | [`Bug::TermNotStored`] | operations are sequenced under a term that is not stored | `changes_of_role_survive_every_crash` |
//! | [`Bug::LibraryPanics`] | the index library panics while it writes a segment | `a_panic_of_the_index_library_fails_the_copy_alone` |
//! | [`Bug::FullDiskForgets`] | what found no space is not written later | `a_disk_that_is_full_for_a_moment_loses_nothing_and_heals` |

use std::path::Path;

/// One mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the table above tells what each does")]
pub(super) enum Bug {
    SyncSkipped,
    AcknowledgedBeforeSync,
    SyncRetried,
    TailNotWrittenAgain,
    CutTooFar,
    LogChecksumSkipped,
    IndexChecksumSkipped,
    NameReused,
    LogNameNotSynced,
    CheckpointAfterRoll,
    AppliedAboveGlobal,
    PublishedBeforeApplied,
    DeletionLost,
    TombstoneLost,
    CommitAhead,
    SegmentNotSynced,
    SegmentNameNotSynced,
    TrimmedAboveLease,
    LeaseNotStored,
    TermNotStored,
    LibraryPanics,
    FullDiskForgets,
}

/// Whether the bug is planted in the copy whose folder this path lies in.
#[cfg(not(test))]
pub(super) const fn is(_: Bug, _: &Path) -> bool {
    false
}

#[cfg(test)]
pub(super) use switch::is;

#[cfg(test)]
pub(super) mod switch {
    //! The switch, which exists in tests only.

    use super::{Bug, Path};
    use parking_lot::Mutex;
    use std::cell::Cell;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicUsize, Ordering};

    thread_local! {
        static CURRENT: Cell<Option<Bug>> = const { Cell::new(None) };
    }

    static COUNT: AtomicUsize = AtomicUsize::new(0);
    static COVERED: Mutex<Vec<(Bug, PathBuf)>> = Mutex::new(Vec::new());

    /// Runs `work` with the bug planted in every folder that it covers.
    pub(in crate::shard) fn with<T>(bug: Bug, work: impl FnOnce() -> T) -> T {
        CURRENT.set(Some(bug));
        let outcome = work();
        CURRENT.set(None);
        COVERED.lock().retain(|(planted, _)| *planted != bug);
        outcome
    }

    /// The bug of this thread, if there is one, is planted in this folder.
    pub(in crate::shard) fn cover(folder: &Path) {
        if let Some(bug) = CURRENT.get() {
            COVERED.lock().push((bug, folder.to_owned()));
            COUNT.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Whether the bug is planted in the copy whose folder this path lies in.
    pub(in crate::shard) fn is(bug: Bug, path: &Path) -> bool {
        COUNT.load(Ordering::Relaxed) > 0 && COVERED.lock().iter().any(|(planted, folder)| *planted == bug && path.starts_with(folder))
    }
}
