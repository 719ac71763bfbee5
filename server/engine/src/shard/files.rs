//! The files of a shard, for a copy that starts from them: a durable commit, kept while it is read.

use super::directory::FilesLease;
use super::engine::CommitPayload;
use super::seqno::Lineage;
use super::store::{Parts, index_folder};
use super::{IndexShard, OpenShard};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tandem_common::env::fs::{self, File};
use tandem_common::{Error, HistoryId, PrimaryTerm, Result, SeqNo, blocking};

/// The file that names all others of a commit.
const META: &str = "meta.json";

/// One file of a commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitFile {
    /// Its name, without a folder.
    pub name: String,
    /// Its length in bytes.
    pub length: u64,
    /// The CRC-32 of the whole file. Files are compared by length and checksum, never by name alone: a name can come back.
    pub crc32: u32,
}

/// A durable commit whose files stay until this is dropped.
pub struct CommitLease {
    /// Its files.
    pub files: Vec<CommitFile>,
    /// Every operation up to here is in it, and none above.
    pub checkpoint: SeqNo,
    /// The term under which that operation was sequenced.
    pub op_term: PrimaryTerm,
    /// The history it belongs to.
    pub history: HistoryId,
    /// The lineage of that history up to the checkpoint.
    pub lineage: Lineage,
    root: PathBuf,
    files_lease: FilesLease,
}

/// A commit whose files were copied from another store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopiedCommit {
    /// Its files, all of which must be there, as they were described.
    pub files: Vec<CommitFile>,
    /// See [`CommitLease::checkpoint`].
    pub checkpoint: SeqNo,
    /// See [`CommitLease::op_term`].
    pub op_term: PrimaryTerm,
    /// See [`CommitLease::history`].
    pub history: HistoryId,
    /// See [`CommitLease::lineage`].
    pub lineage: Lineage,
}

impl CommitLease {
    /// Reads a part of one of the files. Blocking.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] for a file that is not in the commit, [`Error::IllegalArgument`] beyond its end.
    pub fn read(&self, name: &str, offset: u64, length: usize) -> Result<Bytes> {
        let file = self.files.iter().find(|file| file.name == name);
        let file = file.ok_or_else(|| Error::ResourceNotFound { reason: format!("no file [{name}] in the commit") })?;
        let end = offset.checked_add(length as u64).filter(|end| *end <= file.length);
        let Some(end) = end else {
            return Err(Error::illegal_argument(format!("[{name}] has [{}] bytes, asked for [{length}] at [{offset}]", file.length)));
        };
        if name == META {
            // A later flush replaces the file on disk; this is the content that belongs to the commit.
            let range = usize::try_from(offset).unwrap_or(usize::MAX)..usize::try_from(end).unwrap_or(usize::MAX);
            return Ok(Bytes::copy_from_slice(self.files_lease.commit.sealed_meta.get(range).unwrap_or_default()));
        }
        let mut bytes = vec![0; length];
        File::open_read(&self.root.join(name))?.read_exact_at(&mut bytes, offset)?;
        Ok(bytes.into())
    }

    /// The description that travels with the files.
    pub fn describe(&self) -> CopiedCommit {
        CopiedCommit {
            files: self.files.clone(),
            checkpoint: self.checkpoint,
            op_term: self.op_term,
            history: self.history.clone(),
            lineage: self.lineage.clone(),
        }
    }

    fn new(root: PathBuf, files_lease: FilesLease) -> Result<CommitLease> {
        let commit = files_lease.commit.clone();
        let payload = CommitPayload::of_meta(commit.meta())?;
        let mut files = vec![described(META, &commit.sealed_meta)];
        for name in &commit.files {
            files.push(described(name, &fs::map(&root.join(name))?));
        }
        Ok(CommitLease {
            files,
            checkpoint: payload.checkpoint,
            op_term: payload.op_term,
            history: payload.lineage.history.clone(),
            lineage: payload.lineage,
            root,
            files_lease,
        })
    }
}

fn described(name: &str, content: &[u8]) -> CommitFile {
    CommitFile { name: name.to_owned(), length: content.len() as u64, crc32: crc32fast::hash(content) }
}

/// Checks that the copied files are what was described, and makes them durable.
fn verify(root: &Path, files: &[CommitFile]) -> Result<()> {
    if !files.iter().any(|file| file.name == META) {
        return Err(Error::Corrupt { reason: format!("the copied commit in [{}] has no [{META}]", root.display()) });
    }
    for file in files {
        if file.name.contains('/') || file.name.starts_with('.') {
            return Err(Error::illegal_argument(format!("[{}] is no name of a commit's file", file.name)));
        }
        let path = root.join(&file.name);
        let found = described(&file.name, &fs::map(&path)?);
        if found != *file {
            return Err(Error::Corrupt {
                reason: format!(
                    "[{}] was copied wrongly: [{}] bytes with checksum [{:08x}], expected [{}] with [{:08x}]",
                    path.display(),
                    found.length,
                    found.crc32,
                    file.length,
                    file.crc32
                ),
            });
        }
        File::open_read(&path)?.sync_all()?;
    }
    Ok(fs::sync_folder(root)?)
}

impl IndexShard {
    /// Makes the index durable and keeps the files of that commit until the lease is dropped.
    ///
    /// # Errors
    /// The error of a failed shard.
    pub async fn acquire_commit(&self) -> Result<CommitLease> {
        self.flush().await?;
        let root = index_folder(&self.inner.path);
        let files = self.inner.with_engine(|_, engine| Ok(engine.lease())).await?;
        let files = files.ok_or_else(|| Error::internal("there is no durable commit"))?;
        blocking::run(move || CommitLease::new(root, files)).await
    }

    /// A store from files that were written into `open.path.join("index")`; its log starts behind them.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when a file is not as described; [`Error::IllegalState`] when there is a store already.
    pub async fn create_from_files(open: OpenShard, commit: CopiedCommit) -> Result<Arc<IndexShard>> {
        blocking::run(move || {
            let root = index_folder(&open.path);
            let parts = Parts::adopt(&open, commit.checkpoint, &commit.lineage, || verify(&root, &commit.files))?;
            Ok(parts.assemble(open))
        })
        .await
    }
}
