#!/usr/bin/env bash
# Runs the scenarios of cluster-tests/scenarios against a running server.
#
#   scripts/conformance.sh URL [options] [folder-or-file…]
#
#   scripts/conformance.sh http://127.0.0.1:9200
#   scripts/conformance.sh http://127.0.0.1:9200 document bulk/errors.yaml
#   scripts/conformance.sh http://127.0.0.1:9200 --follower http://127.0.0.1:9210 --leader-seed 127.0.0.1:9300 ccr
#   scripts/conformance.sh http://127.0.0.1:9400 --server opensearch
#
# The indices that the scenarios name are removed from the server before and after. Exit status: 0 all passed, 1 some
# failed, 2 nothing could be run.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [[ $# -eq 0 ]]; then
  sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2
  exit 2
fi
cargo build --quiet --manifest-path "$root/Cargo.toml" --package tandem-cluster-tests --bin conformance
exec "${CARGO_TARGET_DIR:-$root/target}/debug/conformance" "$@"
