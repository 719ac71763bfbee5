//! Searches over a small index.
