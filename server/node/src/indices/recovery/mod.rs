//! Making a copy of a shard from a copy elsewhere.
//!
//! *What it is*: [`target`], the side that pulls. · *Types to know*: [`progress::RecoveryProgress`]. · **Invariants**: a copy is
//! open to nobody before it is whole; files are known by length and checksum, never by name alone. · *How it fails*: what may
//! pass is tried again; the folder is emptied first. · *How it is tested*: two clusters in `cluster-tests`.

pub mod progress;
pub mod target;
