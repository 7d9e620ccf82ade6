# shellcheck shell=bash
# Debian packages that a script needs: installed when we may, named when we may not. Sourced.

apt_updated=no

# install_packages PACKAGE...: true when they are installed now. Never asks a question.
install_packages() {
    local sudo=()
    command -v apt-get >/dev/null || return 1
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null && sudo -n true 2>/dev/null || return 1
        sudo=(sudo -n)
    fi
    if [ "$apt_updated" = no ]; then
        "${sudo[@]}" apt-get update -qq </dev/null >&2 || return 1
        apt_updated=yes
    fi
    echo "Installing with apt-get: $*" >&2
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" \
        </dev/null >&2
}

# need_program PROGRAM PACKAGE...: finds PROGRAM or installs PACKAGES for it; false, and says so, when neither works.
need_program() {
    local program=$1
    shift
    command -v "$program" >/dev/null && return 0
    install_packages "$@" && command -v "$program" >/dev/null && return 0
    echo "$program is missing. Install it and run this again, on Debian and Ubuntu: apt-get install $*" >&2
    return 1
}
