//! Scenarios: sequences of requests with what must come back, kept as YAML under `scenarios/` (see its README).
//!
//! A scenario talks to a server over HTTP only, so the same file judges Tandem and any server that Tandem wants to be
//! like. Loading is strict (an unknown key is an error), because a misspelt expectation would be one that cannot fail.
//! Nothing is tried twice: a step is sent once, or, where it says `within_seconds`, again and again until its
//! expectations hold or the time is over.

mod expect;
mod file;
mod path;
mod run;

pub use expect::Expect;
pub use file::{Difference, Scenario, ScenarioFile, Step, load, load_all};
pub use run::{Outcome, Runner, Server, Tally};
