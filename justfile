# Short names for what the scripts do. `just` without a name lists them.

# List the recipes
default:
    @just --list --unsorted

# Everything CI does
ci:
    .ci/run

# All tests, or some: just test -p penstock-core money
test *args:
    ./test {{ args }}

# Formatting and lints
lint:
    .ci/run fmt scripts clippy doc

# Format the code
fmt:
    cargo fmt --all

# The table of performance marks beside nginx and a direct connection: just bench --only P1
bench *args:
    cargo build --release -p penstock-data-plane
    cargo build --release -p penstock-control-plane
    cargo build --release -p penstock
    cargo build --release -p penstock-fake-provider
    cargo build --release -p penstock-bench
    "${CARGO_TARGET_DIR:-target}/release/penstock-bench" {{ args }}

# A gateway with a built-in fake provider, and a curl that works
demo:
    cargo run --release -p penstock -- up --demo

# Write the pages that are made from the protocol and the table of roles: docs/api.md, docs/operators.md
docs:
    PENSTOCK_WRITE_DOCS=1 cargo test -p penstock-control-plane --lib page

# The walls between crates
walls:
    tests/scripts/walls.sh

# The protocol's lint rules and its compatibility
proto-lint:
    tests/scripts/proto.sh

# Render, lint and validate the Helm chart
chart:
    .ci/run chart

# Dependencies: bans, licences, sources
deny:
    tests/scripts/deny.sh

# Sizes of files and functions
sizes:
    .ci/run sizes
