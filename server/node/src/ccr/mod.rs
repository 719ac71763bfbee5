//! Cross-cluster replication: the follower side pulls, the API drives.
//!
//! *What it is*: an index here follows an index of another cluster. · *Types to know*: [`api`], [`follower`], [`leader`]. ·
//! **Invariants**: a follower index takes writes only from its shard tasks; operations arrive in the order of the leader's
//! log, with its sequence numbers and op terms; who runs a task is derived from the cluster state, never stored. · *How it
//! fails*: transient errors are tried again with back-off, others pause the index with a reason. · *How it is tested*: pure
//! parts beside the code, the whole by two clusters in `cluster-tests`.

pub mod api;
pub mod follower;
pub mod leader;
mod names;
pub mod status;
