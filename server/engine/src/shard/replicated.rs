//! Operations that another shard has sequenced: they keep its sequence numbers and its terms.

use super::engine::Version;
use super::operation::LoggedOperation;
use super::operation_ids::Sequenced;
use super::stats::Progress;
use super::writes::check_size;
use super::{IndexShard, Inner, Role};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tandem_common::env::clock::{self, Instant};
use tandem_common::{Error, PrimaryTerm, Result, SeqNo};

impl Inner {
    /// Checks and queues operations that were sequenced elsewhere. Returns the last of them.
    fn sequence_replicated(&self, operations: Vec<LoggedOperation>) -> Result<Option<(SeqNo, PrimaryTerm)>> {
        let mut sequencer = self.sequencer.lock();
        if let Some(error) = &self.progress.borrow().failed {
            return Err(error.clone());
        }
        match sequencer.role {
            Role::Follower(_) => {}
            Role::Closed => return Err(self.closed()),
            Role::Inactive | Role::Primary(_) => {
                return Err(Error::ShardNotReady { reason: format!("{} does not follow another shard", self.shard) });
            }
        }
        self.check_space()?;
        sequencer.backlog.admit(&self.shard)?;
        let mut last = None;
        let mut end = sequencer.last;
        let mut end_term = self.log.op_term_at(end);
        let mut logged: Vec<Arc<LoggedOperation>> = Vec::new();
        for operation in operations {
            let LoggedOperation { seq_no, op_term, .. } = operation;
            check_size(operation.bytes())?;
            last = last.max(Some((seq_no, op_term)));
            if seq_no <= sequencer.last {
                let held = self.log.op_term_at(seq_no);
                if held != Some(op_term) {
                    let held = held.map_or_else(|| "none".to_owned(), |term| term.to_string());
                    return Err(Error::HistoryMismatch {
                        seq_no: seq_no.0,
                        detail: format!("this copy holds op term [{held}], the other [{op_term}]"),
                    });
                }
                continue;
            }
            if seq_no != end.next() {
                return Err(Error::IllegalState { reason: format!("operation [{seq_no}] would leave a gap after [{end}]") });
            }
            if end_term.is_some_and(|before| op_term < before) {
                return Err(Error::HistoryMismatch {
                    seq_no: seq_no.0,
                    detail: format!("op term [{op_term}] is lower than the one before"),
                });
            }
            end = seq_no;
            end_term = Some(op_term);
            logged.push(Arc::new(operation));
        }
        // Everything is checked; from here on nothing fails.
        let now = clock::now();
        let bytes: usize = logged.iter().map(|operation| operation.bytes()).sum();
        for operation in &logged {
            let sequenced = Sequenced::read_back(operation, sequencer.versions.get(&operation.id));
            sequencer.operation_ids.put(operation.operation_id, sequenced, now);
            sequencer.versions.put(&operation.id, Version::of(operation));
        }
        if !logged.is_empty() {
            sequencer.last = end;
            sequencer.backlog.add(end, bytes);
            self.log.append(logged);
        }
        Ok(last)
    }
}

impl IndexShard {
    /// Appends operations that the leader has sequenced: contiguous from the end of the log on; what is already held is
    /// skipped where the op terms are equal. Answers with the global checkpoint, which covers them.
    ///
    /// # Errors
    /// [`Error::HistoryMismatch`] when this copy holds something else, [`Error::IllegalState`] for a gap,
    /// [`Error::Rejected`] when too much waits to be published; nothing was appended then.
    pub async fn append_replicated(&self, operations: Vec<LoggedOperation>, deadline: Instant) -> Result<SeqNo> {
        let inner = &self.inner;
        inner.check()?;
        let started = clock::now();
        let count = operations.len() as u64;
        let last = inner.sequence_replicated(operations)?;
        inner.work.times.lock().written = started;
        if let Some((seq_no, op_term)) = last {
            if inner.log.has_pending() || inner.progress.borrow().local < seq_no {
                inner.work.sync_wanted.store(true, Ordering::Release);
                inner.wake_log();
            }
            let reached = |progress: &Progress| progress.global >= seq_no;
            inner.wait_for_operation(deadline, "the replicated operations", (seq_no, op_term), reached).await?;
        }
        inner.counters.indexing.add(count, clock::now().saturating_duration_since(started));
        Ok(inner.global())
    }
}
