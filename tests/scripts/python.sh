# shellcheck shell=bash
# Python environments below target/, made once for each content of a requirements file. Sourced, after packages.sh.

# python_env DIR REQUIREMENTS: prints the environment's python; false, and says why, when it cannot be made.
python_env() {
    local dir=$1 requirements=$2 stamp
    need_program python3 python3 python3-venv || return 1
    stamp="$(python3 --version) $(cksum <"$requirements")"
    if [ "$(cat "$dir/.made-from" 2>/dev/null)" != "$stamp" ]; then
        rm -rf "$dir"
        mkdir -p "$(dirname "$dir")"
        # Debian's python3 comes without the parts that make environments.
        if ! python3 -m venv "$dir" >/dev/null 2>&1; then
            install_packages python3-venv || true
            python3 -m venv "$dir" >&2 || return 1
        fi
        "$dir/bin/python" -m pip install -q --disable-pip-version-check -r "$requirements" >&2 || return 1
        echo "$stamp" >"$dir/.made-from"
    fi
    echo "$dir/bin/python"
}
