//! How long history is kept: as long as the index, a lease, a retry or a tombstone needs it, but what leases alone keep has a
//! bound. A follower that is gone must not fill the disk of its leader.

use super::planted::{self, Bug};
use super::{Inner, Role};
use tandem_common::env::clock;
use tandem_common::env::fs::{self, DiskSpace};
use tandem_common::units::format_bytes;
use tandem_common::{Result, SeqNo};

/// What leases keep of one shard takes no more than this part of the disk.
const DISK_SHARE: u64 = 4;

/// With less than this many hundredths of the disk left, what leases keep is halved at every flush.
const DISK_LEFT_HUNDREDTHS: u64 = 15;

/// But not below this part of the disk: ending a lease on little history would not make the disk any emptier.
const DISK_FLOOR: u64 = 1000;

/// What leases may keep, of what they keep now, and which bound that is. Pure.
fn bytes_max(kept: u64, setting: u64, disk: Option<DiskSpace>) -> (u64, &'static str) {
    let setting = (setting, "index.soft_deletes.retention.max_bytes");
    let Some(DiskSpace { total, available }) = disk else { return setting };
    let share = (total / DISK_SHARE, "a share of the disk");
    let full = (available < total / 100 * DISK_LEFT_HUNDREDTHS).then_some(((kept / 2).max(total / DISK_FLOOR), "the disk is nearly full"));
    [setting, share].into_iter().chain(full).min_by_key(|(bytes, _)| *bytes).unwrap_or(setting)
}

impl Inner {
    /// Drops log files that neither the durable index, nor a lease, nor a retry, nor the tombstone window needs. Ends the
    /// lowest leases when they keep too much, on the copy that grants them.
    pub(super) fn trim_log(&self, durable: SeqNo) -> Result<()> {
        let settings = self.settings.load();
        let now = clock::now();
        let (grants, retried) = {
            let mut sequencer = self.sequencer.lock();
            sequencer.operation_ids.expire(self.global(), now);
            (matches!(sequencer.role, Role::Primary(_) | Role::Follower(_)), sequencer.operation_ids.lowest())
        };
        // A disk that cannot be asked has no share.
        // Tests must not depend on how full the disk of the machine is.
        let disk = if cfg!(test) { None } else { fs::disk_space(&self.path).ok() };
        // Under the lock of the leases: a lease granted from here on sees what is gone.
        let forgotten = {
            let mut leases = self.leases.lock();
            if let Some(period) = settings.lease_period {
                for lease in leases.expire(now, period) {
                    tracing::warn!(shard = %self.shard, lease = lease.id, "retention lease expired");
                }
            }
            let unleased = retried.into_iter().fold(durable.next(), SeqNo::min);
            let kept_by = |lowest: Option<SeqNo>| match lowest.filter(|lowest| *lowest < unleased) {
                Some(lowest) => {
                    let without = self.log.bytes_kept(unleased, durable, settings.gc_deletes, now);
                    self.log.bytes_kept(lowest, durable, settings.gc_deletes, now).saturating_sub(without)
                }
                None => 0,
            };
            let mut kept = kept_by(leases.lowest());
            let (max, bound) = bytes_max(kept, settings.retention_bytes_max, disk);
            while grants && kept > max {
                let reason = format!("it kept [{}] of history, more than [{}]: {bound}", format_bytes(kept), format_bytes(max));
                for lease in leases.end_lowest(&reason) {
                    let retaining = lease.retaining_seq_no.0;
                    tracing::warn!(shard = %self.shard, lease = lease.id, retaining, reason, "retention lease ended before its time");
                }
                kept = kept_by(leases.lowest());
            }
            let leased = leases.lowest().filter(|_| !planted::is(Bug::TrimmedAboveLease, &self.path));
            let keep_from = leased.into_iter().fold(unleased, SeqNo::min);
            self.log.forget(keep_from, settings.gc_deletes, now)
        };
        self.log.remove(forgotten)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_bound_counts() {
        let disk = |total, available| Some(DiskSpace { total, available });
        let table = [
            (900, u64::MAX, None, u64::MAX),
            (900, 500, None, 500),
            (900, 500, disk(4000, 3000), 500),
            (900, 5000, disk(4000, 3000), 1000),
            (900, u64::MAX, disk(4000, 600), 1000),
            (900, u64::MAX, disk(4000, 599), 450),
            (900, 400, disk(4000, 0), 400),
            (3, u64::MAX, disk(4000, 0), 4),
        ];
        for (kept, setting, disk, expected) in table {
            assert_eq!(bytes_max(kept, setting, disk).0, expected, "{kept} {setting} {disk:?}");
        }
    }
}
