//! Who still needs the history of a shard, and from where on.
//!
//! A lease names the lowest operation that its holder still needs. While it lives, the log keeps everything from there on.
//! Leases age by the monotonic time since they were added, renewed or read back; the wall-clock timestamp is for people.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
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

/// So many leases that were ended are remembered, for their holders to be told why.
const ENDED_MAX: usize = 100;

/// The leases of one shard. Pure.
#[derive(Clone, Debug, Default)]
pub struct RetentionLeases {
    held: BTreeMap<String, Held>,
    /// Leases that were ended before their time, and why; the newest last.
    ended: VecDeque<(String, String)>,
}

impl RetentionLeases {
    /// The leases that were stored; they age from `now` on, so that a restart never ends one early. One that asks for more
    /// than there is, which begins at `lowest`, had ended before.
    pub fn restore(leases: Vec<RetentionLease>, lowest: SeqNo, now: Instant) -> Self {
        let (held, ended): (Vec<_>, Vec<_>) = leases.into_iter().partition(|lease| lease.retaining_seq_no >= lowest);
        let reason = format!("the history below [{lowest}] was dropped");
        Self {
            held: held.into_iter().map(|lease| (lease.id.clone(), Held { lease, renewed_at: now })).collect(),
            ended: ended.into_iter().map(|lease| (lease.id, reason.clone())).take(ENDED_MAX).collect(),
        }
    }

    fn not_found(&self, id: &str) -> Error {
        let ended = self.ended.iter().rev().find(|(ended, _)| ended == id).map(|(_, reason)| reason.clone());
        Error::RetentionLeaseNotFound { id: id.to_owned(), ended }
    }

    /// Adds a lease.
    ///
    /// # Errors
    /// [`Error::RetentionLeaseAlreadyExists`].
    pub fn add(&mut self, lease: RetentionLease, now: Instant) -> Result<()> {
        if self.held.contains_key(&lease.id) {
            return Err(Error::RetentionLeaseAlreadyExists { id: lease.id });
        }
        self.ended.retain(|(ended, _)| *ended != lease.id);
        self.held.insert(lease.id.clone(), Held { lease, renewed_at: now });
        Ok(())
    }

    /// Renews a lease, at the same place or further on.
    ///
    /// # Errors
    /// [`Error::RetentionLeaseNotFound`], or [`Error::RetentionLeaseInvalid`] when it would move backwards.
    pub fn renew(&mut self, lease: RetentionLease, now: Instant) -> Result<()> {
        let Some(held) = self.held.get_mut(&lease.id) else {
            return Err(self.not_found(&lease.id));
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
            None => Err(self.not_found(id)),
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

    /// Ends the leases that keep the lowest operation before their time; returns them. Their holders are told why when they
    /// come back.
    pub fn end_lowest(&mut self, reason: &str) -> Vec<RetentionLease> {
        let Some(lowest) = self.lowest() else { return Vec::new() };
        let ends: Vec<String> =
            self.held.values().filter(|held| held.lease.retaining_seq_no == lowest).map(|held| held.lease.id.clone()).collect();
        let ended: Vec<RetentionLease> = ends.iter().filter_map(|id| self.held.remove(id)).map(|held| held.lease).collect();
        self.ended.extend(ends.into_iter().map(|id| (id, reason.to_owned())));
        while self.ended.len() > ENDED_MAX {
            self.ended.pop_front();
        }
        ended
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
        assert_eq!(leases.renew(lease("b", 7), now).unwrap_err(), Error::RetentionLeaseNotFound { id: "b".into(), ended: None });
        assert_eq!(leases.lowest(), Some(SeqNo(8)));
        leases.remove("a").unwrap();
        assert_eq!(leases.lowest(), None);
    }

    #[test]
    fn the_lowest_leases_end_together_and_their_holders_are_told_why() {
        let now = clock::now();
        let mut leases = RetentionLeases::restore(vec![lease("a", 5), lease("b", 5), lease("c", 9), lease("old", 4)], SeqNo(5), now);
        let why = |leases: &mut RetentionLeases, id: &str| match leases.renew(lease(id, 20), now) {
            Err(Error::RetentionLeaseNotFound { ended, .. }) => ended,
            other => panic!("{other:?}"),
        };
        assert_eq!(why(&mut leases, "old").as_deref(), Some("the history below [5] was dropped"));
        assert_eq!(leases.end_lowest("too much"), [lease("a", 5), lease("b", 5)]);
        assert_eq!(leases.list(), [lease("c", 9)]);
        assert_eq!(why(&mut leases, "b").as_deref(), Some("too much"));
        assert_eq!(why(&mut leases, "x"), None);
        leases.add(lease("b", 10), now).unwrap();
        leases.remove("b").unwrap();
        assert_eq!(why(&mut leases, "b"), None, "a new lease has a new life");
        for round in 0..200 {
            leases.add(lease(&format!("n{round}"), 1), now).unwrap();
            leases.end_lowest("again");
        }
        assert_eq!(leases.ended.len(), ENDED_MAX);
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
