//! `translog.ckp`: which files make up the log, and the identity of the log.
//!
//! It is replaced when a file is begun or dropped, when the lineage forks, when the term rises and when the shard closes; never per write.

use super::record::FILE_HEADER;
use crate::shard::seqno::Lineage;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use tandem_common::checked_file;
use tandem_common::{PrimaryTerm, Result, SeqNo};

/// The content of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    /// The files, oldest first; the last one is being written.
    pub(super) generations: Vec<GenerationRange>,
    /// The identity of the log, as far as it was written.
    pub(super) lineage: Lineage,
    /// The highest primary term this copy has seen.
    pub(super) highest_term: PrimaryTerm,
    /// The global checkpoint of that moment.
    pub(super) global_checkpoint: SeqNo,
}

/// One file of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct GenerationRange {
    /// Its number.
    pub(super) generation: u64,
    /// The first operation it may hold.
    pub(super) first_seq_no: SeqNo,
    /// The last operation it holds; `first_seq_no - 1` when it holds none. Exact for every file but the last.
    pub(super) last_seq_no: SeqNo,
    /// Bytes known to be durable: the whole file for every file but the last.
    pub(super) length: u64,
    /// Where the chain of the file before ended.
    pub(super) previous_chain: u32,
}

impl GenerationRange {
    pub(super) fn empty(generation: u64, first_seq_no: SeqNo, previous_chain: u32) -> Self {
        Self { generation, first_seq_no, last_seq_no: SeqNo(first_seq_no.0 - 1), length: FILE_HEADER as u64, previous_chain }
    }
}

/// Where the file is.
pub(super) fn path(folder: &Path) -> PathBuf {
    folder.join("translog.ckp")
}

/// Where the file of a generation is.
pub(super) fn generation_path(folder: &Path, generation: u64) -> PathBuf {
    folder.join(format!("translog-{generation}.tlog"))
}

/// The generation that a file name belongs to.
pub(super) fn generation_of(name: &str) -> Option<u64> {
    name.strip_prefix("translog-")?.strip_suffix(".tlog")?.parse().ok()
}

pub(super) fn read(folder: &Path) -> Result<Option<Checkpoint>> {
    checked_file::read(&path(folder))
}

pub(super) fn write(folder: &Path, checkpoint: &Checkpoint) -> Result<()> {
    checked_file::write(&path(folder), checkpoint)
}
