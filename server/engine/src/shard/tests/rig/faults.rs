//! One call fails, or all from one on.
