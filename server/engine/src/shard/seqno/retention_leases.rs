//! Who still needs the history of a shard, and from where on.
//!
//! A lease names the lowest operation that its holder still needs. While it lives, the log keeps everything from there on.
//! Leases age by the monotonic time since they were added, renewed or read back; the wall-clock timestamp is for people.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use tandem_common::env::clock::Instant;
use tandem_common::{Error, Result, SeqNo};

/// One lease, as it is shown and stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionLease {
    /// Who holds it.
    pub id: String,
    /// The lowest operation that is kept for it.
    pub retaining_seq_no: SeqNo,
    /// When it was added or last renewed: milliseconds since 1970.
    pub timestamp: i64,
    /// What it is for, such as `ccr`.
    pub source: String,
}

#[derive(Clone, Debug)]
struct Held {
    lease: RetentionLease,
    renewed_at: Instant,
}

/// The leases of one shard. Pure.
#[derive(Clone, Debug, Default)]
pub struct RetentionLeases {
    held: BTreeMap<String, Held>,
}

impl RetentionLeases {
    /// The leases that were stored; they age from `now` on, so that a restart never ends one early.
    pub fn restore(leases: Vec<RetentionLease>, now: Instant) -> Self {
        Self { held: leases.into_iter().map(|lease| (lease.id.clone(), Held { lease, renewed_at: now })).collect() }
    }

    /// Adds a lease.
    ///
    /// # Errors
    /// [`Error::RetentionLeaseAlreadyExists`].
    pub fn add(&mut self, lease: RetentionLease, now: Instant) -> Result<()> {
        if self.held.contains_key(&lease.id) {
            return Err(Error::RetentionLeaseAlreadyExists { id: lease.id });
        }
        self.held.insert(lease.id.clone(), Held { lease, renewed_at: now });
        Ok(())
    }

    /// Renews a lease, at the same place or further on.
    ///
    /// # Errors
    /// [`Error::RetentionLeaseNotFound`], or [`Error::RetentionLeaseInvalid`] when it would move backwards.
    pub fn renew(&mut self, lease: RetentionLease, now: Instant) -> Result<()> {
        let Some(held) = self.held.get_mut(&lease.id) else {
            return Err(Error::RetentionLeaseNotFound { id: lease.id });
        };
        if lease.retaining_seq_no < held.lease.retaining_seq_no {
            return Err(Error::RetentionLeaseInvalid {
                id: lease.id,
                current: held.lease.retaining_seq_no.0,
                asked: lease.retaining_seq_no.0,
            });
        }
        *held = Held { lease, renewed_at: now };
        Ok(())
    }

    /// Removes a lease.
    ///
    /// # Errors
    /// [`Error::RetentionLeaseNotFound`].
    pub fn remove(&mut self, id: &str) -> Result<()> {
        match self.held.remove(id) {
            Some(_) => Ok(()),
            None => Err(Error::RetentionLeaseNotFound { id: id.to_owned() }),
        }
    }

    /// Removes the leases that were not renewed for longer than `period`; returns them.
    pub fn expire(&mut self, now: Instant, period: Duration) -> Vec<RetentionLease> {
        let mut gone = Vec::new();
        self.held.retain(|_, held| {
            let alive = now.saturating_duration_since(held.renewed_at) <= period;
            if !alive {
                gone.push(held.lease.clone());
            }
            alive
        });
        gone
    }

    /// The lowest operation that any lease keeps.
    pub fn lowest(&self) -> Option<SeqNo> {
        self.held.values().map(|held| held.lease.retaining_seq_no).min()
    }

    /// Every lease, in the order of their ids.
    pub fn list(&self) -> Vec<RetentionLease> {
        self.held.values().map(|held| held.lease.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_common::env::clock;

    fn lease(id: &str, retaining: i64) -> RetentionLease {
        RetentionLease { id: id.into(), retaining_seq_no: SeqNo(retaining), timestamp: 0, source: "ccr".into() }
    }

    #[test]
    fn a_lease_never_moves_back() {
        let now = clock::now();
        let mut leases = RetentionLeases::default();
        leases.add(lease("a", 5), now).unwrap();
        assert_eq!(leases.add(lease("a", 6), now).unwrap_err(), Error::RetentionLeaseAlreadyExists { id: "a".into() });
        leases.renew(lease("a", 5), now).unwrap();
        leases.renew(lease("a", 8), now).unwrap();
        assert_eq!(leases.renew(lease("a", 7), now).unwrap_err(), Error::RetentionLeaseInvalid { id: "a".into(), current: 8, asked: 7 });
        assert_eq!(leases.renew(lease("b", 7), now).unwrap_err(), Error::RetentionLeaseNotFound { id: "b".into() });
        assert_eq!(leases.lowest(), Some(SeqNo(8)));
        leases.remove("a").unwrap();
        assert_eq!(leases.lowest(), None);
    }

    #[test]
    fn a_lease_ends_when_it_is_not_renewed_for_its_period() {
        let start = clock::now();
        let hour = Duration::from_secs(3600);
        let mut leases = RetentionLeases::default();
        leases.add(lease("a", 1), start).unwrap();
        leases.add(lease("b", 2), start).unwrap();
        leases.renew(lease("b", 2), start + hour * 6).unwrap();
        assert!(leases.expire(start + hour * 12, hour * 12).is_empty());
        assert_eq!(leases.expire(start + hour * 13, hour * 12), [lease("a", 1)]);
        assert_eq!(leases.list(), [lease("b", 2)]);
    }
}
