//! The seam to the world: sockets, files, time and randomness.
//!
//! *What it is*: thin functions over tokio, std and rand. Everything else in the house goes through them, so that a
//! simulated network, disk, clock and random source can take their place. · *Types to know*: [`clock::Instant`],
//! [`fs::File`]. · **Invariants**: no other module of the workspace calls `std::fs`, opens a socket, asks for the time or
//! for randomness (`clippy.toml` bans it). · *How it fails*: file errors name the file. · *How it is tested*: by
//! everything above it.
#![allow(clippy::disallowed_methods, reason = "this is the one place that may")]

pub mod clock;
pub mod disk;
pub mod fs;
pub mod memory;
pub mod net;
pub mod rng;
