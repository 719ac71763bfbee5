//! Randomness.

use rand::Rng as _;

/// Fills `bytes` with random bytes.
pub fn fill(bytes: &mut [u8]) {
    rand::rng().fill_bytes(bytes);
}

/// A random number.
pub fn next_u64() -> u64 {
    rand::rng().next_u64()
}

/// A random number below `bound`; 0 when `bound` is 0.
pub fn below(bound: u64) -> u64 {
    if bound == 0 { 0 } else { next_u64() % bound }
}
