//! Tests of whole nodes: scenarios over HTTP here, faults and clusters under `tests/`.

pub mod client;
pub mod scenarios;
