#!/usr/bin/env bash
# Cuts the power of a file system under a writing shard, again and again, and checks what was acknowledged each time.
# Needs root, loop devices and mkfs.ext4; says so where it cannot run. Usage: scripts/power-cuts.sh [cuts]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ $(id -u) != 0 || ! -e /dev/loop-control ]] || ! command -v mkfs.ext4 losetup python3 >/dev/null; then
  echo "power cuts DID NOT RUN: they need root, loop devices, mkfs.ext4 and python3" >&2
  exit 0
fi
cargo build --quiet --locked -p tandem-engine --example power_cut
exec python3 scripts/power-cuts.py "${CARGO_TARGET_DIR:-target}/debug/examples/power_cut" "${1:-100}"
