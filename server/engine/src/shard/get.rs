//! Reading a document by its id.

use super::operation::{GetResult, LoggedKind};
use super::stats::Progress;
use super::{IndexShard, Inner};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tandem_common::env::clock::{self, Instant};
use tandem_common::{Result, blocking};

impl IndexShard {
    /// Reads a document. With `realtime`, as the last acknowledged operation left it: an operation in flight on the id is
    /// waited for, neither shown early nor passed over. Without, as the published searcher shows it.
    ///
    /// # Errors
    /// [`tandem_common::Error::Timeout`] when an operation in flight does not end by the deadline.
    pub async fn get(&self, id: &str, realtime: bool, deadline: Instant) -> Result<Option<GetResult>> {
        let started = clock::now();
        let inner = &self.inner;
        inner.check()?;
        let found = if realtime { inner.get_realtime(id, deadline).await? } else { inner.get_published(id).await? };
        if found.is_none() {
            inner.counters.get_missing.fetch_add(1, Ordering::Relaxed);
        }
        inner.counters.get.add(1, clock::now().saturating_duration_since(started));
        Ok(found)
    }
}

impl Inner {
    async fn get_realtime(self: &Arc<Self>, id: &str, deadline: Instant) -> Result<Option<GetResult>> {
        loop {
            let cuts = self.log.cuts();
            let known = self.sequencer.lock().versions.get(id);
            let Some(version) = known else { return self.get_published(id).await };
            if version.seq_no > self.global() {
                if self.settings.load().asynchronous {
                    // Nothing is shown before it is durable, and nobody else may be waiting for that.
                    self.work.sync_wanted.store(true, Ordering::Release);
                    self.wake_log();
                }
                let ended = |progress: &Progress| progress.global >= version.seq_no || progress.cuts > cuts;
                self.wait(deadline, "an operation in flight", ended).await?;
                // Another operation may have followed meanwhile, or this one was undone; only what is committed now matters.
                continue;
            }
            if version.deleted {
                return Ok(None);
            }
            if version.seq_no <= self.searcher.load().checkpoint {
                return self.get_published(id).await;
            }
            let owned = self.clone();
            let operations = blocking::run(move || owned.log.read(version.seq_no, version.seq_no, 1)).await?;
            let operation = operations.into_iter().next();
            if let Some((operation, LoggedKind::Index { source })) = operation.as_ref().map(|operation| (operation, &operation.kind)) {
                return Ok(Some(GetResult {
                    version: operation.version,
                    seq_no: operation.seq_no,
                    op_term: operation.op_term,
                    routing: operation.routing.clone(),
                    source: source.clone(),
                }));
            }
            return self.get_published(id).await;
        }
    }

    async fn get_published(self: &Arc<Self>, id: &str) -> Result<Option<GetResult>> {
        let searcher = self.searcher.load_full();
        let id = id.to_owned();
        blocking::run(move || match searcher.find(&id)? {
            Some(found) => searcher.fetch(&found).map(Some),
            None => Ok(None),
        })
        .await
    }
}
