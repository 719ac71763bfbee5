//! Whole nodes as processes: what clients are answered, what crashes leave, how clusters follow each other.

#![allow(clippy::disallowed_methods, reason = "these tests stand outside of the server, with the real clock and real files")]

mod abuse;
mod ccr;
mod crash;
mod demo;
mod process;
mod scenarios;

/// The program under test.
const NODE: &str = env!("CARGO_BIN_EXE_node");
