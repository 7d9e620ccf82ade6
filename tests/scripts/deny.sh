#!/usr/bin/env bash
# deny.toml, by cargo-deny: bans, licences and sources; advisories where their database is on the machine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

deny_version=0.20.2
tools=$PWD/target/tools

if ! command -v cargo-deny >/dev/null; then
    export PATH="$tools/bin:$PATH"
    # Its debug build takes a minute on two cores and checks our tree in two seconds.
    command -v cargo-deny >/dev/null || cargo install --quiet --locked --debug "cargo-deny@$deny_version" --root "$tools" --target-dir "$tools/build"
    rm -rf "$tools/build"
fi

# Unused wrappers only warn, and are meant: a rule stands before its first user does.
cargo deny --log-level error --locked check --hide-inclusion-graph bans licenses sources

if compgen -G "${CARGO_HOME:-$HOME/.cargo}/advisory-dbs/*" >/dev/null; then
    cargo deny --log-level error --locked check --disable-fetch advisories
else
    echo "Advisories are not checked: their database is not on this machine (cargo deny fetch db brings it)."
fi
