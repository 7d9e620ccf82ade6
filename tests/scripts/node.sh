# shellcheck shell=bash
# Packages from npm below target/, installed once for each content of a lock file. Sourced, after packages.sh.

# node_env DIR PACKAGES: installs what PACKAGES/package-lock.json names; false, and says why, when that cannot be done.
#
# No install script runs, for some would build or fetch from elsewhere; Claude Code's, which puts its program of this
# machine into its place, is called by name.
node_env() {
    local dir=$1 packages=$2 stamp
    need_program node nodejs npm || return 1
    need_program npm nodejs npm || return 1
    stamp="$(node --version) $(cat "$packages/package.json" "$packages/package-lock.json" | cksum)"
    if [ "$(cat "$dir/.made-from" 2>/dev/null)" != "$stamp" ]; then
        rm -rf "$dir"
        mkdir -p "$dir"
        cp "$packages/package.json" "$packages/package-lock.json" "$dir"
        (cd "$dir" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null >&2) || return 1
        (cd "$dir" && node node_modules/@anthropic-ai/claude-code/install.cjs </dev/null >&2) || return 1
        echo "$stamp" >"$dir/.made-from"
    fi
}
