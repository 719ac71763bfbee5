#!/usr/bin/env bash
# Walks the official Python and JavaScript clients of OpenSearch through running servers.
#
#   scripts/clients.sh LEADER_URL [FOLLOWER_URL LEADER_SEED]
#
#   scripts/clients.sh http://127.0.0.1:9200 http://127.0.0.1:9210 127.0.0.1:9300
#
# LEADER_SEED is the transport address of the leader, as the follower must be told it. Without the follower the checks of
# replication are skipped, and said to be. The clients are installed once, into target/clients. Exit status: 0 all passed,
# 1 some failed, 2 nothing could be run.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [[ $# -ne 1 && $# -ne 3 ]]; then
  sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2
  exit 2
fi

py_version=3.2.0 js_version=3.9.0
home=$root/target/clients
install() {
  if [[ ! -e $home/py-$py_version ]]; then
    python3 -m venv "$home/py"
    "$home/py/bin/pip" install --quiet --disable-pip-version-check "opensearch-py==$py_version"
    touch "$home/py-$py_version"
  fi
  if [[ ! -e $home/js-$js_version ]]; then
    mkdir -p "$home/js"
    (cd "$home/js" && npm install --no-audit --no-fund --silent "@opensearch-project/opensearch@$js_version")
    touch "$home/js-$js_version"
  fi
}
mkdir -p "$home"
install || { echo "the clients could not be installed" >&2; exit 2; }

status=0
"$home/py/bin/python" "$root/cluster-tests/clients/check_py.py" "$@" || status=1
CLIENTS_HOME=$home/js node "$root/cluster-tests/clients/check_js.mjs" "$@" || status=1
exit $status
