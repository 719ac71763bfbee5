//! Tests of whole nodes: scenarios over HTTP here, faults and clusters under `tests/`.

#![allow(clippy::disallowed_methods, reason = "these tests stand outside of the server, with the real clock and real files")]

pub mod client;
pub mod process;
pub mod scenarios;
