//! The one owner of the cluster state: it applies what was agreed on and publishes each new value.
//!
//! Durable up to the last snapshot; the log behind it is kept until the snapshot is on disk, so a restart is the snapshot and
//! the log after it.

use super::{BatchOutcome, TypeConfig};
use crate::state::ClusterState;
use openraft::storage::RaftStateMachine;
use openraft::{
    AnyError, BasicNode, Entry, EntryPayload, ErrorSubject, ErrorVerb, LogId, OptionalSend, RaftSnapshotBuilder, Snapshot, SnapshotMeta,
    StorageError, StoredMembership,
};
use serde::{Deserialize, Serialize};
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tandem_common::env::fs;
use tandem_common::{Error, Result, blocking, checked_file};
use tokio::sync::watch;

/// The state with its place in the log.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Applied {
    last: Option<LogId<u64>>,
    membership: StoredMembership<u64, BasicNode>,
    state: ClusterState,
}

/// Applies commands.
pub(super) struct StateMachine {
    file: PathBuf,
    applied: Applied,
    publish: watch::Sender<Arc<ClusterState>>,
}

impl StateMachine {
    pub(super) fn open(folder: &Path, publish: watch::Sender<Arc<ClusterState>>) -> Result<Self> {
        fs::create_folders(folder)?;
        let file = folder.join("snapshot.json");
        let applied: Applied = checked_file::read(&file)?.unwrap_or_default();
        publish.send_replace(Arc::new(applied.state.clone()));
        Ok(Self { file, applied, publish })
    }

    fn apply_one(&mut self, entry: Entry<TypeConfig>) -> BatchOutcome {
        self.applied.last = Some(entry.log_id);
        match entry.payload {
            EntryPayload::Blank => BatchOutcome::default(),
            EntryPayload::Membership(membership) => {
                self.applied.membership = StoredMembership::new(Some(entry.log_id), membership);
                BatchOutcome::default()
            }
            EntryPayload::Normal(batch) => {
                let state = &mut self.applied.state;
                let outcomes: Vec<Result<()>> = batch.commands.iter().map(|command| command.apply(state)).collect();
                if outcomes.iter().any(Result::is_ok) {
                    state.version += 1;
                }
                BatchOutcome { outcomes }
            }
        }
    }
}

fn machine_error(error: &Error) -> StorageError<u64> {
    StorageError::from_io_error(ErrorSubject::StateMachine, ErrorVerb::Write, std::io::Error::other(error.to_string()))
}

impl RaftStateMachine<TypeConfig> for StateMachine {
    type SnapshotBuilder = SnapshotBuilder;

    async fn applied_state(&mut self) -> Result<(Option<LogId<u64>>, StoredMembership<u64, BasicNode>), StorageError<u64>> {
        Ok((self.applied.last, self.applied.membership.clone()))
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<BatchOutcome>, StorageError<u64>>
    where
        I: IntoIterator<Item = Entry<TypeConfig>> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let before = self.applied.state.version;
        let outcomes = entries.into_iter().map(|entry| self.apply_one(entry)).collect();
        if self.applied.state.version != before {
            self.publish.send_replace(Arc::new(self.applied.state.clone()));
        }
        Ok(outcomes)
    }

    async fn get_snapshot_builder(&mut self) -> SnapshotBuilder {
        SnapshotBuilder { file: self.file.clone(), applied: self.applied.clone() }
    }

    async fn begin_receiving_snapshot(&mut self) -> Result<Box<Cursor<Vec<u8>>>, StorageError<u64>> {
        Ok(Box::default())
    }

    async fn install_snapshot(
        &mut self,
        _meta: &SnapshotMeta<u64, BasicNode>,
        snapshot: Box<Cursor<Vec<u8>>>,
    ) -> Result<(), StorageError<u64>> {
        let bytes = snapshot.into_inner();
        let applied: Applied = serde_json::from_slice(&bytes)
            .map_err(|error| machine_error(&Error::Corrupt { reason: format!("a snapshot of the cluster state: {error}") }))?;
        let file = self.file.clone();
        blocking::run(move || Ok(fs::write_durably(&file, &checked_file::seal(&bytes))?)).await.map_err(|error| machine_error(&error))?;
        self.applied = applied;
        self.publish.send_replace(Arc::new(self.applied.state.clone()));
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot<TypeConfig>>, StorageError<u64>> {
        let file = self.file.clone();
        let read = move || fs::read_if_exists(&file)?.map(|bytes| checked_file::unseal(&file, &bytes)).transpose();
        let bytes = blocking::run(read).await.map_err(|error| machine_error(&error))?;
        let Some(bytes) = bytes else { return Ok(None) };
        let applied: Applied = serde_json::from_slice(&bytes)
            .map_err(|error| machine_error(&Error::Corrupt { reason: format!("[{}] is damaged: {error}", self.file.display()) }))?;
        Ok(Some(snapshot_of(&applied, bytes)))
    }
}

fn snapshot_of(applied: &Applied, bytes: Vec<u8>) -> Snapshot<TypeConfig> {
    let meta = SnapshotMeta {
        last_log_id: applied.last,
        last_membership: applied.membership.clone(),
        snapshot_id: applied.last.map_or_else(|| "empty".to_owned(), |id| format!("{}-{}", id.leader_id, id.index)),
    };
    Snapshot { meta, snapshot: Box::new(Cursor::new(bytes)) }
}

/// Writes a snapshot of a value that no longer changes.
pub(super) struct SnapshotBuilder {
    file: PathBuf,
    applied: Applied,
}

impl RaftSnapshotBuilder<TypeConfig> for SnapshotBuilder {
    async fn build_snapshot(&mut self) -> Result<Snapshot<TypeConfig>, StorageError<u64>> {
        let bytes = serde_json::to_vec(&self.applied).map_err(|error| {
            StorageError::from_io_error(ErrorSubject::Snapshot(None), ErrorVerb::Write, std::io::Error::other(AnyError::new(&error)))
        })?;
        let (file, content) = (self.file.clone(), bytes.clone());
        blocking::run(move || Ok(fs::write_durably(&file, &checked_file::seal(&content))?)).await.map_err(|error| machine_error(&error))?;
        Ok(snapshot_of(&self.applied, bytes))
    }
}
