#!/usr/bin/env bash
# The protocol's files: buf's lint rules, and that nothing on the wire broke since the last landed protocol.
#
# Compared with, the first that there is: $PENSTOCK_PROTO_BASE (any commit); origin/main where it is not HEAD; the
# newest v* tag; the newest commit that is half a day older than HEAD. None of them holds a protocol: nothing to break.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=tests/scripts/packages.sh
source tests/scripts/packages.sh

buf_version=1.75.0
tools=$PWD/target/tools/buf

if [ "$("$tools/node_modules/.bin/buf" --version 2>/dev/null)" != "$buf_version" ]; then
    need_program npm nodejs npm
    mkdir -p "$tools"
    # buf's program is inside a package of its own; no install script is needed.
    npm install --prefix "$tools" --no-save --ignore-scripts --no-audit --no-fund --loglevel=error \
        "@bufbuild/buf@$buf_version" </dev/null
fi
buf=$tools/node_modules/.bin/buf

base_commit() {
    local head
    head=$(git rev-parse HEAD)
    if [ -n "${PENSTOCK_PROTO_BASE:-}" ]; then
        git rev-parse "$PENSTOCK_PROTO_BASE^{commit}"
    elif git rev-parse -q --verify origin/main >/dev/null && [ "$(git rev-parse origin/main)" != "$head" ]; then
        git merge-base origin/main HEAD
    elif git describe --tags --abbrev=0 --match 'v*' HEAD^ >/dev/null 2>&1; then
        git rev-parse "$(git describe --tags --abbrev=0 --match 'v*' HEAD^)^{commit}"
    else
        git rev-list -1 --before="$(($(git show -s --format=%ct HEAD) - 43200))" HEAD
    fi
}

"$buf" lint
echo "The protocol follows buf's lint rules."

base=$(base_commit)
if [ -z "$base" ] || [ -z "$(git ls-tree "$base" proto/proto)" ]; then
    echo "No earlier protocol to compare with."
    exit 0
fi
earlier=$(mktemp -d)
trap 'rm -rf "$earlier"' EXIT
git archive "$base" buf.yaml proto/proto | tar -x -C "$earlier"
"$buf" breaking --against "$earlier"
echo "Nothing on the wire broke since $(git show -s --format='%h (%cs, %s)' "$base")."
