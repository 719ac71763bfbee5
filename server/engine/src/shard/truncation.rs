//! Undoing what was never committed: a copy cuts its log where a new primary's log goes another way.
//!
//! Nothing above the global checkpoint was ever applied or shown, so there is nothing to undo but the log and what was noted
//! of it: versions, checkpoints, and the answers that still wait.

use super::engine::Version;
use super::{IndexShard, Inner, Role, SELF};
use std::collections::HashMap;
use tandem_common::env::clock;
use tandem_common::{Result, SeqNo, blocking};

/// The log is read in steps of this size when versions are looked for in it.
const READ_STEP_BYTES: usize = 4 << 20;

impl IndexShard {
    /// Forgets, durably, every operation above `last`: the last one that this copy shares with the primary. Whatever the
    /// outcome, this copy takes no writes afterwards until it is activated again. Writes that wait for something above are
    /// told that it never happened. Doing it again changes nothing.
    ///
    /// # Errors
    /// [`tandem_common::Error::HistoryMismatch`] when `last` lies below the global checkpoint: what is committed is never
    /// undone, such a copy has to be rebuilt. Any other error fails the shard.
    pub async fn truncate_above(&self, last: SeqNo) -> Result<()> {
        let inner = &self.inner;
        let _turn = inner.flush_turn.lock().await;
        inner.check()?;
        {
            let mut sequencer = inner.sequencer.lock();
            if sequencer.role == Role::Closed {
                return Err(inner.closed());
            }
            sequencer.role = Role::Inactive;
        }
        // From here on neither the end of the log nor the global checkpoint moves.
        inner.tracker.lock().deactivate();
        let end = inner.log.max_seq_no();
        if last >= end {
            return Ok(());
        }
        let owned = inner.clone();
        let cut = blocking::run(move || owned.truncate(last)).await;
        match &cut {
            Err(error) if !matches!(error, tandem_common::Error::HistoryMismatch { .. }) => inner.fail(error.clone()),
            Err(_) => {}
            Ok(()) => tracing::info!(shard = %inner.shard, last = last.0, end = end.0, "log cut"),
        }
        cut
    }
}

impl Inner {
    fn truncate(&self, last: SeqNo) -> Result<()> {
        let mut documents = HashMap::new();
        self.visit_log(last.next(), self.log.max_seq_no(), |id, _| {
            documents.insert(id.to_owned(), None);
        })?;
        self.log.truncate_above(last)?;
        let from = self.log.recent_from().min(self.searcher.load().checkpoint.next()).max(self.log.lowest());
        self.visit_log(from, last, |id, version| {
            if let Some(before) = documents.get_mut(id) {
                *before = Some(version);
            }
        })?;
        self.sequencer.lock().undo(last, &documents, clock::now());
        self.tracker.lock().cut(SELF, last);
        let cuts = self.log.cuts();
        self.progress.send_modify(|progress| {
            progress.cuts = cuts;
            progress.written = progress.written.min(last);
            progress.local = progress.local.min(last);
        });
        Ok(())
    }

    /// Shows the document and the version of each operation in a part of the log. Blocking.
    fn visit_log(&self, from: SeqNo, to: SeqNo, mut visit: impl FnMut(&str, Version)) -> Result<()> {
        let mut next = from;
        while next <= to {
            let operations = self.log.read(next, to, READ_STEP_BYTES)?;
            let Some(end) = operations.last().map(|operation| operation.seq_no) else { break };
            for operation in &operations {
                visit(&operation.id, Version::of(operation));
            }
            next = end.next();
        }
        Ok(())
    }
}
