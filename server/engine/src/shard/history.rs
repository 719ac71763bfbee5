//! The history of a shard, for those who follow it: operations up to the global checkpoint, and leases that keep them.

use super::operation::LoggedOperation;
use super::planted::{self, Bug};
use super::seqno::{Lineage, RetentionLease};
use super::store::leases_file;
use super::{IndexShard, Inner};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tandem_common::checked_file;
use tandem_common::env::clock;
use tandem_common::{Error, HistoryId, PrimaryTerm, Result, SeqNo, blocking};

/// One read of history never takes more than this, whatever was asked for.
const READ_BYTES_MAX: usize = 64 << 20;

/// What there is of a shard's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryState {
    /// The present history.
    pub history: HistoryId,
    /// Its terms and forks.
    pub lineage: Lineage,
    /// The last operation of the log.
    pub max_seq_no: SeqNo,
    /// What may be read: everything up to here.
    pub global_checkpoint: SeqNo,
    /// The lowest operation that is still there; one above the last when there is none.
    pub lowest_retained: SeqNo,
}

impl IndexShard {
    /// What there is of the history.
    pub fn history(&self) -> HistoryState {
        let log = &self.inner.log;
        let lineage = log.lineage();
        HistoryState {
            history: lineage.history.clone(),
            lineage,
            max_seq_no: log.max_seq_no(),
            global_checkpoint: self.inner.global(),
            lowest_retained: log.lowest(),
        }
    }

    /// Waits until the global checkpoint is at least this, or until `limit` is over, or the shard fails; returns it.
    pub async fn wait_global_checkpoint(&self, at_least: SeqNo, limit: Duration) -> SeqNo {
        let waited = self.inner.wait(clock::now() + limit, "the global checkpoint", |progress| progress.global >= at_least).await;
        if let Err(error) = waited {
            tracing::trace!(%error, "the global checkpoint was not reached");
        }
        self.inner.global()
    }

    /// Operations from `from` up to the global checkpoint: at least one if there is one, then no more than about
    /// `bytes_max` bytes.
    ///
    /// # Errors
    /// [`Error::HistoryNotAvailable`] below what is retained; [`Error::Corrupt`] with file and offset.
    pub async fn operations(&self, from: SeqNo, bytes_max: usize) -> Result<Vec<LoggedOperation>> {
        let inner = self.inner.clone();
        inner.check()?;
        blocking::run(move || {
            let lowest = inner.log.lowest();
            if from < lowest {
                return Err(Error::HistoryNotAvailable { from: from.0, lowest: lowest.0 });
            }
            let found = inner.log.read(from, inner.global(), bytes_max.min(READ_BYTES_MAX))?;
            Ok(found.into_iter().map(Arc::unwrap_or_clone).collect())
        })
        .await
    }

    /// The term under which an operation of the log was first sequenced; known also for what is no longer retained.
    pub fn op_term_at(&self, seq_no: SeqNo) -> Option<PrimaryTerm> {
        self.inner.log.op_term_at(seq_no)
    }

    /// Keeps everything from `retaining` on, until the lease is removed or expires.
    ///
    /// # Errors
    /// [`Error::RetentionLeaseAlreadyExists`]; [`Error::HistoryNotAvailable`] when it is gone already.
    pub async fn add_lease(&self, id: &str, retaining: SeqNo, source: &str) -> Result<RetentionLease> {
        let lease = new_lease(id, retaining, source);
        let added = lease.clone();
        self.inner
            .change_leases(move |inner, leases| {
                leases.add(added, clock::now())?;
                let lowest = inner.log.lowest();
                if retaining < lowest {
                    return Err(Error::HistoryNotAvailable { from: retaining.0, lowest: lowest.0 });
                }
                Ok(())
            })
            .await?;
        Ok(lease)
    }

    /// Renews a lease, at the same place or further on.
    ///
    /// # Errors
    /// [`Error::RetentionLeaseNotFound`]; [`Error::RetentionLeaseInvalid`] when it would move back.
    pub async fn renew_lease(&self, id: &str, retaining: SeqNo, source: &str) -> Result<RetentionLease> {
        let lease = new_lease(id, retaining, source);
        let renewed = lease.clone();
        self.inner.change_leases(move |_, leases| leases.renew(renewed, clock::now())).await?;
        Ok(lease)
    }

    /// Removes a lease.
    ///
    /// # Errors
    /// [`Error::RetentionLeaseNotFound`].
    pub async fn remove_lease(&self, id: &str) -> Result<()> {
        let id = id.to_owned();
        self.inner.change_leases(move |_, leases| leases.remove(&id)).await
    }

    /// Every lease that has not expired.
    pub fn leases(&self) -> Vec<RetentionLease> {
        let mut leases = self.inner.leases.lock();
        if let Some(period) = self.inner.settings.load().lease_period {
            leases.expire(clock::now(), period);
        }
        leases.list()
    }

    /// Drops the part of the log that nobody needs any more, without a flush.
    ///
    /// # Errors
    /// The error of a failed shard.
    pub async fn trim_history(&self) -> Result<()> {
        let inner = self.inner.clone();
        inner.check()?;
        let owned = inner.clone();
        let trimmed = blocking::run(move || owned.trim_log(SeqNo(owned.durable.load(Ordering::Acquire)))).await;
        trimmed.inspect_err(|error| inner.judge(error))
    }
}

fn new_lease(id: &str, retaining: SeqNo, source: &str) -> RetentionLease {
    RetentionLease { id: id.to_owned(), retaining_seq_no: retaining, timestamp: clock::wall_millis(), source: source.to_owned() }
}

impl Inner {
    /// Changes the leases in memory first, so that a trim that runs meanwhile sees them, then stores them durably. What
    /// cannot be changed or stored is taken back.
    async fn change_leases(
        self: &Arc<Self>,
        change: impl FnOnce(&Inner, &mut super::seqno::RetentionLeases) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        self.check()?;
        let _turn = self.lease_turn.lock().await;
        let owned = self.clone();
        blocking::run(move || {
            let before = owned.leases.lock().clone();
            let changed = {
                let mut leases = owned.leases.lock();
                if let Some(period) = owned.settings.load().lease_period {
                    leases.expire(clock::now(), period);
                }
                change(&owned, &mut leases).map(|()| leases.list())
            };
            let stored = changed.and_then(|list| match planted::is(Bug::LeaseNotStored, &owned.path) {
                true => Ok(()),
                false => checked_file::write(&leases_file(&owned.path), &list),
            });
            if let Err(error) = &stored {
                *owned.leases.lock() = before;
                // What is on the disk now is not known: no sync is tried again.
                if matches!(error, Error::Io { .. }) {
                    owned.fail(error.clone());
                }
            }
            stored
        })
        .await
    }
}
