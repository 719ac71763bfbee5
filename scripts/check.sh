#!/usr/bin/env bash
# Everything that must be true of a change: format, lints, tests, documentation. It only looks; --fix rewrites the format.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ ${1:-} == --fix ]]; then
  cargo fmt --all
  exit
fi
cargo fmt --all --check
cargo clippy --workspace --all-targets --locked -- -D warnings
cargo test --workspace --locked
scripts/power-cuts.sh 100
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet
