#!/usr/bin/env bash
# Measures a Tandem binary: start, memory, size, replication lag, and bulk indexing per second of processor time.
#
#   scripts/bench.sh --tandem PATH [--rival URL [--rival-pid PID]] [--corpora DIR] [--only PART,…]
#
#   scripts/bench.sh --tandem target/dist/tandem
#   scripts/bench.sh --tandem target/dist/tandem --corpora /tmp/corpora --rival http://127.0.0.1:9400 --rival-pid 4711
#
# The parts are start, idle, size, lag, bulk, and what single operations cost: refresh, fields, idle_indices, writers, get,
# replay. DIR holds httplogs.ndjson and packages.ndjson, plain documents one a line, each with NAME.index.json (the body that
# creates its index) next to it if there is one. Another server of the same API takes part in the bulk indexing when its URL is
# given, and its processor time and memory are read when its process id is. Tandem runs on free ports of the loopback interface
# with data under the temporary directory, and is gone at the end. More options: --help.
set -euo pipefail
if [[ $# -eq 0 ]]; then
  sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2
  exit 2
fi
exec python3 -B "$(dirname "${BASH_SOURCE[0]}")/bench.py" "$@"
