//! Sequence numbers: which copies hold what, which history they belong to, and what must be kept for others.
//!
//! *What it is*: the pure bookkeeping of a shard's log. · *Types to know*: [`ReplicationTracker`], [`Lineage`],
//! [`RetentionLeases`]. · **Invariants**: no clock, no I/O, no randomness (time comes in as an argument); the global
//! checkpoint never moves back; op terms never fall along a log; a lease never moves back. · *How it fails*:
//! [`tandem_common::Error`] values for leases, nothing else can fail. · *How it is tested*: tables beside the code.

mod lineage;
mod replication_tracker;
mod retention_leases;

pub use lineage::{Fork, Lineage, TermStart};
pub use replication_tracker::ReplicationTracker;
pub use retention_leases::{RetentionLease, RetentionLeases};
