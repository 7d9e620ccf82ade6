#!/usr/bin/env bash
# The walls between crates, by what Cargo resolves: a crate behind a wall is in nobody's tree by any number of steps.
# Each shipped binary is built with `-p`, so each tree here is taken with `-p` too: a workspace unifies features.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

broken=0

# tree_of PACKAGE: the names of all that it links.
tree_of() { cargo tree --locked -p "$1" -e normal --prefix none --format '{p}' | awk '{print $1}' | sort -u; }

# keeps_out PACKAGE CRATE...: PACKAGE links none of them, nor their `-core`, `-macros` and other parts.
keeps_out() {
    local package=$1 tree crate found
    shift
    tree=$(tree_of "$package")
    for crate in "$@"; do
        if found=$(grep -xE "$crate(-[a-z-]+)?" <<<"$tree"); then
            echo "$package must not link $crate, and links: ${found//$'\n'/, }." \
                "See who brings it: cargo tree -p $package -e normal -i ${found%%$'\n'*}" >&2
            broken=1
        fi
    done
}

# used_only_by CRATE PACKAGE...: none of our other crates depends on CRATE directly, in tests or builds either.
used_only_by() {
    local crate=$1 user
    shift
    while read -r user; do
        [[ " $crate $* " == *" $user "* ]] && continue
        echo "$user must not depend on $crate: only $* may." >&2
        broken=1
    done < <(cargo tree --locked --workspace -e normal,build,dev -i "$crate" --depth 1 --prefix none \
        --format '{p}' 2>/dev/null | awk '{print $1}' | grep -E '^penstock' | sort -u)
}

keeps_out penstock-data-plane sqlx axum reqwest ldap3 penstock-store penstock-control-plane
keeps_out penstock-core tokio tonic hyper sqlx redis axum reqwest penstock-proto
keeps_out penstock-dialect tokio tonic hyper sqlx redis penstock-proto
keeps_out penstock-store tonic hyper axum redis penstock-proto
keeps_out penstock-outbound tonic axum sqlx redis reqwest penstock-proto
keeps_out penstock-fleet tonic hyper axum sqlx penstock-proto
keeps_out penstock-control-plane redis penstock-data-plane penstock-fleet
keeps_out penstock-fake-provider sqlx redis tonic axum

used_only_by sqlx penstock-store penstock-tests
used_only_by redis penstock-fleet penstock-tests
used_only_by penstock-store penstock-control-plane penstock-tests

[ "$broken" -eq 0 ] && echo "All walls stand."
exit "$broken"
