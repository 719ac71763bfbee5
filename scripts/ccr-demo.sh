#!/usr/bin/env bash
# Two clusters, one index, from the connection to the failover and back: every request and its answer, as Dev Tools show them.
#
#   scripts/ccr-demo.sh                                             builds Tandem, starts both clusters here, removes them
#   scripts/ccr-demo.sh --leader URL --follower URL --seed HOST:PORT --back-seed HOST:PORT     uses clusters that run
#
# --seed is the leader's gRPC address as the follower reaches it; --back-seed is the follower's as the leader reaches it.
# $TANDEM names a binary to use instead of building one. Ends with 0 only when every answer was what it must be.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

leader= follower= seed= back_seed=
while [[ $# -gt 0 ]]; do
  case $1 in
    --leader) leader=$2 ;; --follower) follower=$2 ;; --seed) seed=$2 ;; --back-seed) back_seed=$2 ;;
    *) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
  esac
  shift 2
done

tandem=${TANDEM:-}
if [[ -z $tandem ]]; then
  cargo build --release --quiet --package tandem-search
  tandem=target/release/tandem
fi
work=$(mktemp -d)
pids=()
finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

fail() { printf '\nNOT AS IT MUST BE: %s\n' "$*" >&2; exit 1; }
say() { printf '\n# %s\n' "$*"; }

# ask URL METHOD PATH [BODY]: sends, shows, and leaves the answer in $answer and its status in $status.
ask() {
  local url=$1 method=$2 path=$3 body=${4:-}
  printf '\n%s %s' "$method" "$path"
  [[ -z $body ]] || printf '\n%s' "$body"
  printf '\n'
  send "$url" "$method" "$path" "$body"
  printf '%s\n' "$answer" | head -c 2000
}
# send: the same without showing anything.
send() {
  local url=$1 method=$2 path=$3 body=${4:-}
  local arguments=(req "$method" "$path" --url "$url" --with-status)
  [[ -z $body ]] || arguments+=(--body "$body")
  local whole
  whole=$("$tandem" "${arguments[@]}" || true)
  status=${whole%%$'\n'*}
  answer=${whole#*$'\n'}
}
must() { # STATUS [TEXT...]: the last answer had this status and holds these texts
  [[ $status == "$1" ]] || fail "status $status instead of $1: $answer"
  shift
  local text
  for text in "$@"; do [[ $answer == *"$text"* ]] || fail "[$text] is not in: $answer"; done
}
# until_holds SECONDS URL PATH TEXT: asks quietly until the answer holds the text, then shows it.
until_holds() {
  local end=$((SECONDS + $1)) url=$2 path=$3 text=$4
  while :; do
    send "$url" GET "$path"
    [[ $answer == *"$text"* ]] && break
    [[ $SECONDS -lt $end ]] || fail "[$text] did not come: $answer"
    sleep 0.05
  done
  printf '\nGET %s\n%s\n' "$path" "$answer" | head -c 2000
}
bulk() { # URL FILE
  "$tandem" req POST /catalog/_bulk --url "$1" --body-file "$2" --content-type application/x-ndjson > "$work/answer"
  grep -q '"errors":false' "$work/answer" || fail "a bulk had errors: $(head -c 500 "$work/answer")"
}
start_node() { # NAME HTTP TRANSPORT
  "$tandem" -E cluster.name="$1" -E node.name="$1-1" -E path.data="$work/$1" -E http.port="$2" -E transport.port="$3" > "$work/$1.log" 2>&1 &
  pids+=($!)
}

if [[ -z $leader ]]; then
  leader=http://127.0.0.1:${LEADER_HTTP:-9200} follower=http://127.0.0.1:${FOLLOWER_HTTP:-9201}
  seed=127.0.0.1:${LEADER_TRANSPORT:-9300} back_seed=127.0.0.1:${FOLLOWER_TRANSPORT:-9301}
  say "Two clusters on this machine: leader-east at $leader, follower-west at $follower"
  start_node leader-east "${leader##*:}" "${seed##*:}"
  start_node follower-west "${follower##*:}" "${back_seed##*:}"
fi
for url in "$leader" "$follower"; do
  "$tandem" health --wait yellow --timeout 30s --url "$url" || fail "$url is not there"
done

say "The sample: 20,000 places, to be indexed while the follower is being made, a third of them changed or deleted again"
gzip -dc cluster-tests/data/cities.ndjson.gz > "$work/cities"
awk -v dir="$work" '
  { match($0, /"id":"[^"]*"/); id = substr($0, RSTART + 6, RLENGTH - 7)
    part = int((NR - 1) / 2000)
    file = dir "/load-" sprintf("%02d", part)
    print "{\"index\":{\"_id\":\"" id "\"}}\n" $0 > file
    if (NR % 6 == 0) print "{\"update\":{\"_id\":\"" id "\"}}\n{\"doc\":{\"population\":" NR "}}" > file
    if (NR % 6 == 3 && NR > 6) print "{\"delete\":{\"_id\":\"" before "\"}}" > file
    before = id }' "$work/cities"

say "On the follower: a connection to the leader"
ask "$follower" PUT /_cluster/settings "{\"persistent\":{\"cluster.remote.leader-east.seeds\":[\"$seed\"]}}"
must 200 '"acknowledged":true'
until_holds 10 "$follower" /_remote/info '"connected":true'

say "On the leader: an index"
mapping=$(tr -d '\n' < cluster-tests/data/cities-mapping.json)
ask "$leader" PUT /catalog "$mapping"
must 200 '"acknowledged":true' '"shards_acknowledged":true'
bulk "$leader" "$work/load-00"

say "On the follower: follow it, while the leader goes on indexing"
ask "$follower" PUT /_plugins/_replication/catalog/_start '{"leader_alias":"leader-east","leader_index":"catalog","use_roles":{"leader_cluster_role":"cross_cluster_replication_leader_full_access","follower_cluster_role":"cross_cluster_replication_follower_full_access"}}'
must 200 '"acknowledged":true'
for part in "$work"/load-0[1-4]; do bulk "$leader" "$part"; done
until_holds 60 "$follower" /_plugins/_replication/catalog/_status '"status":"SYNCING"'
for part in "$work"/load-0[5-9]; do bulk "$leader" "$part"; done

say "A document on the leader is found on the follower"
ask "$leader" PUT /catalog/_doc/hg3YsYIBcxKtCcyhNyp4 '{"id":"1","name":"Leader East"}'
must 201 '"result":"created"'
until_holds 10 "$follower" '/catalog/_search?filter_path=hits.hits&source_content_type=application/json&source=%7B%22query%22:%7B%22match%22:%7B%22name%22:%22leader%20east%22%7D%7D%7D' '"_id":"hg3YsYIBcxKtCcyhNyp4"'

# level: waits until the follower holds everything that the leader has acknowledged.
level() {
  local end=$((SECONDS + 60)) counts
  while :; do
    send "$follower" GET /_plugins/_replication/catalog/_status
    counts=$(sed -n 's/.*"leader_checkpoint":\(-\{0,1\}[0-9]*\),"follower_checkpoint":\(-\{0,1\}[0-9]*\).*/\1 \2/p' <<< "$answer" | head -1)
    [[ -n $counts && ${counts% *} == "${counts#* }" ]] && break
    [[ $SECONDS -lt $end ]] || fail "the follower did not catch up: $answer"
    sleep 0.05
  done
}
# dump URL FILE: every document with version, sequence number, term and source, by id.
dump() {
  local url=$1 file=$2 after= body page
  send "$url" POST /catalog/_refresh
  : > "$file"
  while :; do
    body="{\"size\":5000,\"version\":true,\"seq_no_primary_term\":true,\"sort\":[\"id\"],\"query\":{\"match_all\":{}}$after}"
    page=$("$tandem" req POST '/catalog/_search?filter_path=hits.hits' --url "$url" --body "$body")
    [[ $page == *'"_id"'* ]] || break
    sed 's/},{"_index"/},\n{"_index"/g' <<< "$page" | grep -o '"_id".*' | sed 's/]}}$//; s/,$//' >> "$file"
    after=",\"search_after\":[\"$(tail -1 "$file" | sed 's/.*"sort":\["\(.*\)"\]}*$/\1/')\"]"
  done
}
compare() {
  level
  dump "$leader" "$work/leader.docs"
  dump "$follower" "$work/follower.docs"
  local count
  count=$(wc -l < "$work/leader.docs")
  [[ $count -gt 13000 ]] || fail "only $count documents were found on the leader"
  cmp "$work/leader.docs" "$work/follower.docs" || fail "leader and follower differ"
  say "Leader and follower hold the same $count documents: id, _version, _seq_no, _primary_term and _source"
}
compare

say "The follower takes no writes of its own"
ask "$follower" PUT /catalog/_doc/mine '{"name":"mine"}'
must 403 'index [catalog] blocked by: [FORBIDDEN/1000/index read-only(cross-cluster-replication)];'

say "The leader sees what holds its history"
send "$leader" GET '/catalog/_stats/docs?level=shards&filter_path=indices.*.shards.*.retention_leases'
printf '\nGET /catalog/_stats/docs?level=shards\n%s\n' "$answer"
must 200 '"id":"replication:'

say "Pause and resume"
ask "$follower" POST /_plugins/_replication/catalog/_pause '{}'
must 200 '"acknowledged":true'
ask "$follower" GET /_plugins/_replication/catalog/_status
must 200 '"status":"PAUSED"'
ask "$leader" PUT /catalog/_doc/while-paused '{"id":"while-paused","name":"Written during the pause"}'
must 201
ask "$follower" GET /catalog/_doc/while-paused
must 404 '"found":false'
ask "$follower" POST /_plugins/_replication/catalog/_resume '{}'
must 200 '"acknowledged":true'
until_holds 30 "$follower" /catalog/_doc/while-paused '"found":true'
compare

say "The leader's region is lost: the follower stops following and takes over"
if [[ ${#pids[@]} -gt 0 ]]; then
  kill -9 "${pids[0]}"
  wait "${pids[0]}" 2>/dev/null || true
else
  say "(These clusters run elsewhere, so the leader is left alone and simply no longer followed.)"
fi
ask "$follower" POST /_plugins/_replication/catalog/_stop '{}'
must 200 '"acknowledged":true'
ask "$follower" GET /_plugins/_replication/catalog/_status
must 200 '{"status":"REPLICATION NOT IN PROGRESS"}'
ask "$follower" PUT /catalog/_doc/mine '{"id":"mine","name":"Follower West takes writes"}'
must 201 '"result":"created"'
ask "$follower" GET /catalog/_doc/while-paused
must 200 'Written during the pause'

say "The region is back: its index is deleted and made anew, now following in the other direction"
if [[ ${#pids[@]} -gt 0 ]]; then
  start_node leader-east "${leader##*:}" "${seed##*:}"
  "$tandem" health --wait yellow --timeout 30s --url "$leader" || fail "the old leader did not come back"
fi
ask "$leader" DELETE /catalog
must 200 '"acknowledged":true'
ask "$leader" PUT /_cluster/settings "{\"persistent\":{\"cluster.remote.follower-west.seeds\":[\"$back_seed\"]}}"
must 200 '"acknowledged":true'
ask "$leader" PUT /_plugins/_replication/catalog/_start '{"leader_alias":"follower-west","leader_index":"catalog"}'
must 200 '"acknowledged":true'
until_holds 60 "$leader" /_plugins/_replication/catalog/_status '"status":"SYNCING"'
until_holds 30 "$leader" /catalog/_doc/mine 'Follower West takes writes'
dump "$leader" "$work/leader.docs"
dump "$follower" "$work/follower.docs"
cmp "$work/leader.docs" "$work/follower.docs" || fail "the two sides differ after the way back"
send "$leader" POST /_plugins/_replication/catalog/_stop '{}'
must 200 '"acknowledged":true'
for url in "$leader" "$follower"; do send "$url" DELETE /catalog; must 200; done
for url in "$leader" "$follower"; do
  send "$url" PUT /_cluster/settings '{"persistent":{"cluster.remote.leader-east.seeds":null,"cluster.remote.follower-west.seeds":null}}'
done

say "Every step was as it must be."
