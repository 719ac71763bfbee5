//! Looking at the cluster.

pub mod health;
pub mod nodes;
pub mod remote_info;
pub mod segments;
pub mod stats;
