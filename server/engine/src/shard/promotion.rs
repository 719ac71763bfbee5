//! What a copy is: nothing yet, a primary, the primary of a follower, and the change from follower to primary.

use super::planted::{self, Bug};
use super::{IndexShard, Inner, Role};
use std::sync::Arc;
use std::time::Duration;
use tandem_common::env::clock;
use tandem_common::{Error, HistoryId, PrimaryTerm, Result, blocking};

/// How long a change of role waits for the log to become durable.
const DRAIN_WAIT: Duration = Duration::from_secs(60);

impl Inner {
    /// Refuses a term below one that this copy has seen, or another role under the same term.
    fn check_term(&self, role: Role, term: PrimaryTerm) -> Result<()> {
        self.check()?;
        let present = self.sequencer.lock().role;
        let highest = self.log.highest_term();
        if term < highest || (term == highest && present != Role::Inactive && present != role) {
            return Err(Error::IllegalState {
                reason: format!("{} has seen primary term [{highest}], it cannot act under [{term}]", self.shard),
            });
        }
        Ok(())
    }

    /// Stores the present identity of the log and the highest term.
    async fn store_identity(self: &Arc<Self>) -> Result<()> {
        let owned = self.clone();
        blocking::run(move || owned.log.store_checkpoint()).await.inspect_err(|error| self.judge(error))
    }

    async fn activate(self: &Arc<Self>, role: Role, term: PrimaryTerm) -> Result<()> {
        let _turn = self.flush_turn.lock().await;
        self.check_term(role, term)?;
        if self.sequencer.lock().role == role {
            return Ok(());
        }
        self.log.note_term(term);
        // The term is durable before anything is sequenced under it.
        if !planted::is(Bug::TermNotStored, &self.path) {
            self.store_identity().await?;
        }
        // The only copy in sync is this one: the whole log counts from here on.
        self.follow_tracker(true);
        {
            let mut sequencer = self.sequencer.lock();
            if sequencer.role == Role::Closed {
                return Err(self.closed());
            }
            sequencer.role = role;
        }
        self.sync_log(clock::now() + DRAIN_WAIT).await?;
        self.catch_up(self.global()).await
    }

    /// Takes the global checkpoint from the tracker.
    fn follow_tracker(self: &Arc<Self>, activate: bool) {
        let global = {
            let mut tracker = self.tracker.lock();
            if activate { tracker.activate() } else { tracker.global_checkpoint() }
        };
        self.log.set_global_checkpoint(global);
        self.progress.send_modify(|progress| progress.global = progress.global.max(global));
        self.wake_index();
    }
}

impl IndexShard {
    /// Makes this copy the primary under `term`: the whole log is committed and searchable, then writes are sequenced here.
    /// Doing it again under the same term changes nothing.
    ///
    /// # Errors
    /// [`Error::IllegalState`] for a term below one that this copy has seen.
    pub async fn activate_primary(&self, term: PrimaryTerm) -> Result<()> {
        self.inner.activate(Role::Primary(term), term).await
    }

    /// Makes this copy the primary of a follower index: only replicated operations are accepted, under the terms they
    /// bring; `term` only fences.
    ///
    /// # Errors
    /// [`Error::IllegalState`] for a term below one that this copy has seen.
    pub async fn activate_follower(&self, term: PrimaryTerm) -> Result<()> {
        self.inner.activate(Role::Follower(term), term).await
    }

    /// Turns a follower whose replication was stopped into a primary of its own: nothing replicated is accepted any more,
    /// the log becomes durable to its end, the fork is stored, and only then writes are sequenced, under `history` and `term`.
    ///
    /// # Errors
    /// [`Error::IllegalState`] when this copy is no follower, or for a term that is not above every op term of its log.
    pub async fn open_for_writes(&self, history: HistoryId, term: PrimaryTerm) -> Result<()> {
        let inner = &self.inner;
        let _turn = inner.flush_turn.lock().await;
        inner.check()?;
        let lineage = inner.log.lineage();
        if lineage.history == history && inner.sequencer.lock().role == Role::Primary(term) {
            return Ok(());
        }
        let highest = inner.log.highest_term();
        if term < highest || lineage.last_op_term().is_some_and(|last| term <= last) {
            let last = lineage.last_op_term().unwrap_or(PrimaryTerm(0));
            return Err(Error::IllegalState {
                reason: format!("{} cannot be opened for writes under [{term}]: it has seen [{}]", inner.shard, highest.max(last)),
            });
        }
        {
            let mut sequencer = inner.sequencer.lock();
            if !matches!(sequencer.role, Role::Follower(_) | Role::Inactive) {
                return Err(Error::IllegalState { reason: format!("{} is not a follower", inner.shard) });
            }
            // Fences what is still being pulled.
            sequencer.role = Role::Inactive;
        }
        inner.follow_tracker(true);
        inner.sync_log(clock::now() + DRAIN_WAIT).await?;
        if lineage.history != history {
            inner.log.fork(history, inner.log.max_seq_no());
        }
        inner.log.note_term(term);
        inner.store_identity().await?;
        {
            let mut sequencer = inner.sequencer.lock();
            if sequencer.role == Role::Closed {
                return Err(inner.closed());
            }
            sequencer.role = Role::Primary(term);
        }
        inner.catch_up(inner.global()).await
    }
}
