//! Tests of a whole shard in a temporary folder.

mod crash;
mod follower;
mod history;
mod model;
mod nested;
mod race;
mod retries;
mod rig;
mod schema_growth;
mod truncation;
mod write;

use super::*;
use bytes::Bytes;
use std::path::Path;
use std::time::Duration;
use tandem_common::{HistoryId, IndexUuid};
use tempfile::TempDir;

/// A folder and how to open a shard in it.
pub(super) struct Place {
    folder: TempDir,
    settings: Settings,
}

impl Place {
    pub(super) fn new() -> Place {
        Place { folder: tempfile::tempdir().unwrap(), settings: Settings::new() }
    }

    pub(super) fn with(mut self, key: &str, value: &str) -> Place {
        self.settings.set(key, value);
        self
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn open_shard(&self) -> OpenShard {
        OpenShard {
            shard: ShardId { index: "books".into(), index_uuid: IndexUuid("uuid".into()), shard: 0 },
            path: self.path().join("shard"),
            mapping: Arc::new(Mapping::default()),
            analysis: Arc::new(AnalyzerRegistry::default()),
            settings: Arc::new(self.settings.clone()),
            tasks: Tasks::new(),
            buffer: IndexBuffer::default(),
        }
    }

    pub(super) async fn primary(&self) -> Arc<IndexShard> {
        let shard = IndexShard::create(self.open_shard(), HistoryId("history".into())).await.unwrap();
        shard.activate_primary(PrimaryTerm(1)).await.unwrap();
        shard
    }

    /// Opens the store once whoever had it open has let go of it.
    pub(super) async fn try_reopen(&self) -> Result<Arc<IndexShard>> {
        let deadline = soon();
        loop {
            match IndexShard::open(self.open_shard()).await {
                Err(Error::ShardNotReady { .. }) if clock::now() < deadline => tokio::task::yield_now().await,
                other => return other,
            }
        }
    }

    pub(super) async fn reopen(&self, term: u64) -> Arc<IndexShard> {
        let shard = self.try_reopen().await.unwrap();
        shard.activate_primary(PrimaryTerm(term)).await.unwrap();
        shard
    }

    pub(super) fn log_file(&self, generation: u64) -> PathBuf {
        self.path().join(format!("shard/translog/translog-{generation}.tlog"))
    }
}

/// Far enough for anything that works.
pub(super) fn soon() -> Instant {
    clock::now() + Duration::from_secs(30)
}

pub(super) fn operation(id: &str, kind: WriteKind, condition: Condition) -> WriteOperation {
    WriteOperation { id: id.into(), routing: None, kind, condition, operation_id: 0 }
}

pub(super) fn source(text: &str) -> Bytes {
    Bytes::from(format!("{{\"v\":\"{text}\"}}"))
}

pub(super) fn index(id: &str, text: &str) -> WriteOperation {
    operation(id, WriteKind::Index { source: source(text) }, Condition::None)
}

pub(super) fn delete(id: &str) -> WriteOperation {
    operation(id, WriteKind::Delete, Condition::None)
}

impl IndexShard {
    pub(super) async fn all(&self, operations: Vec<WriteOperation>) -> Vec<Result<WriteResult>> {
        let parsed = operations.into_iter().map(|operation| self.parse_any(operation)).collect();
        self.write(parsed, soon()).await.unwrap()
    }

    /// Parses; these tests do not care about fields, so that they hold with any mapping.
    pub(super) fn parse_any(&self, operation: WriteOperation) -> ParsedOperation {
        let mut parsed = self.parse(operation).unwrap();
        if let Some(document) = &mut parsed.document {
            document.dynamic_update = None;
            document.values.clear();
        }
        parsed
    }

    pub(super) async fn one(&self, operation: WriteOperation) -> Result<WriteResult> {
        self.all(vec![operation]).await.pop().unwrap()
    }

    pub(super) async fn text(&self, id: &str) -> Option<Bytes> {
        self.get(id, true, soon()).await.unwrap().map(|found| found.source)
    }

    pub(super) async fn searchable(&self, id: &str) -> Option<GetResult> {
        self.get(id, false, soon()).await.unwrap()
    }
}
