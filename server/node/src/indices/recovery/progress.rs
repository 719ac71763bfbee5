//! How far a copy has come, for the status.

use parking_lot::Mutex;
use tandem_common::env::clock;

/// The progress of one copy.
#[derive(Debug, Default)]
pub struct RecoveryProgress {
    inner: Mutex<Numbers>,
}

/// Its numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Bytes to copy.
    pub bytes_total: u64,
    /// Bytes copied.
    pub bytes_recovered: u64,
    /// Files to copy.
    pub files_total: u64,
    /// Files copied.
    pub files_recovered: u64,
    /// When it began, milliseconds since 1970; 0 before.
    pub start_time: i64,
    /// When it ended; 0 before.
    pub end_time: i64,
}

impl RecoveryProgress {
    /// The numbers now.
    pub fn get(&self) -> Numbers {
        *self.inner.lock()
    }

    /// It begins, or begins again.
    pub fn begin(&self, files: u64, bytes: u64) {
        *self.inner.lock() = Numbers { bytes_total: bytes, files_total: files, start_time: clock::wall_millis(), ..Numbers::default() };
    }

    /// A part of a file has arrived.
    pub fn add_bytes(&self, bytes: u64) {
        self.inner.lock().bytes_recovered += bytes;
    }

    /// A file is whole.
    pub fn add_file(&self) {
        self.inner.lock().files_recovered += 1;
    }

    /// It is done.
    pub fn end(&self) {
        self.inner.lock().end_time = clock::wall_millis();
    }
}
