#!/usr/bin/env bash
# Builds the container image `tandem:latest` (or $1): nothing in it but one static binary and an empty data directory.
#
# The binary is linked statically against the C library of this machine, for the machine's own architecture, so that no
# compiler has to be installed beside Rust and a C compiler. The image is made by a container engine's `docker build`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

name=${1:-tandem:latest}
cargo rustc --locked --profile dist --package tandem-search --bin tandem -- -C target-feature=+crt-static
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
mkdir -p "$context/data" dist
cp "target/dist/tandem" "$context/tandem"
cp "target/dist/tandem" dist/tandem
cat > "$context/Dockerfile" <<'DOCKERFILE'
FROM scratch
COPY tandem /tandem
COPY data /data
ENV path.data=/data
EXPOSE 9200 9300
ENTRYPOINT ["/tandem"]
DOCKERFILE
docker build --tag "$name" "$context"
echo "$name: $(stat -c %s dist/tandem) bytes"
