#!/usr/bin/env bash
# The containers as a user runs them: builds the image, starts both clusters, runs the demo against them, removes everything.
# Starts a container engine when none runs and there is one to start (as root); without an engine it says so and ends with 0.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

engine=
finish() {
  [[ -z $compose ]] || $compose down --volumes --timeout 10 || true
  [[ -z $engine ]] || kill "$engine" 2>/dev/null || true
}
compose=
trap finish EXIT

if ! docker info > /dev/null 2>&1 && [[ $(id -u) -eq 0 ]] && command -v dockerd > /dev/null; then
  log=$(mktemp)
  dockerd > "$log" 2>&1 &
  engine=$!
  for _ in $(seq 100); do
    docker info > /dev/null 2>&1 && break
    kill -0 "$engine" 2>/dev/null || break
    sleep 0.2
  done
fi
if ! docker info > /dev/null 2>&1; then
  echo "compose: no container engine can be used here, so the containers were not tried"
  exit 0
fi
skip() { echo "compose: $1, so the containers were not tried"; exit 0; }
docker network create tandem-compose-check > /dev/null 2>&1 || skip "the container engine here has no networks"
docker network rm tandem-compose-check > /dev/null
scripts/image.sh
# The binary itself must work; an engine that cannot run it is not ours to mend.
dist/tandem --version
docker run --rm tandem:latest --version || skip "the container engine here cannot run containers"
if docker compose version > /dev/null 2>&1; then compose="docker compose"; else compose=docker-compose; fi
$compose up -d
for port in 9200 9201; do
  dist/tandem health --wait green --timeout 60s --url "http://127.0.0.1:$port"
done
TANDEM=dist/tandem scripts/ccr-demo.sh --leader http://127.0.0.1:9200 --follower http://127.0.0.1:9201 \
  --seed leader:9300 --back-seed follower:9300 > target/compose-demo.log || { cat target/compose-demo.log; exit 1; }
for service in leader follower; do
  id=$($compose ps -q "$service")
  [[ $(docker inspect --format '{{.State.Health.Status}}' "$id") == healthy ]] || { echo "compose: $service is not healthy"; exit 1; }
done
tail -n 1 target/compose-demo.log
