# shellcheck shell=bash
# Private Postgres and Redis for one test run. Sourced, after packages.sh.
#
# Nothing that already runs on the machine is used or changed: each server gets a free port on 127.0.0.1 and a folder
# below the one given, and dies with the run. A port that somebody takes between the choice and the start is met by
# another try.

# A free port on 127.0.0.1, below the range from which the kernel gives out ports.
free_port() {
    local port
    while :; do
        port=$((15000 + RANDOM % 15000))
        (: </dev/tcp/127.0.0.1/"$port") 2>/dev/null || break
    done
    echo "$port"
}

# find_postgres: prints the folder of the newest installed server (initdb, postgres).
find_postgres() {
    local dir
    while read -r dir; do
        if [ -x "$dir/initdb" ] && [ -x "$dir/postgres" ]; then
            echo "$dir"
            return 0
        fi
    done < <(
        [ -z "${PENSTOCK_TEST_PG_BIN:-}" ] || echo "$PENSTOCK_TEST_PG_BIN"
        printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV
        command -v initdb >/dev/null && dirname "$(readlink -f "$(command -v initdb)")"
    )
    return 1
}

# find_redis: prints the server's path. Valkey is the same to us.
find_redis() { command -v redis-server || command -v valkey-server; }

# postgres_user: whom root steps down to for Postgres, which refuses root. Empty for everybody else.
postgres_user() {
    if [ "$(id -u)" -ne 0 ]; then
        echo ''
    elif id postgres >/dev/null 2>&1; then
        echo postgres
    else
        echo nobody
    fi
}

# as_postgres_user COMMAND...: replaces this (sub)shell, so that a process id is the server's own.
as_postgres_user() {
    [ -n "$PENSTOCK_TEST_PG_USER" ] || exec "$@"
    exec setpriv --reuid="$PENSTOCK_TEST_PG_USER" --regid="$(id -g "$PENSTOCK_TEST_PG_USER")" --clear-groups "$@"
}

# start_postgres DIR: sets postgres_pid and PENSTOCK_TEST_POSTGRES_URL. Needs PENSTOCK_TEST_PG_BIN and …_PG_USER.
start_postgres() {
    local dir=$1/postgres log=$1/postgres.log port try wait
    mkdir "$dir"
    [ -z "$PENSTOCK_TEST_PG_USER" ] || chown "$PENSTOCK_TEST_PG_USER" "$dir"
    (cd / && as_postgres_user "$PENSTOCK_TEST_PG_BIN/initdb" -D "$dir/data" -U postgres -A trust \
        -E UTF8 --locale=C --no-sync) >"$log" 2>&1 || {
        cat "$log" >&2
        return 1
    }
    for try in 1 2 3 4 5; do
        port=$(free_port)
        (cd / && as_postgres_user "$PENSTOCK_TEST_PG_BIN/postgres" -D "$dir/data" -p "$port" -h 127.0.0.1 \
            -c unix_socket_directories= -c fsync=off -c full_page_writes=off -c max_connections=300) \
            >>"$log" 2>&1 </dev/null &
        postgres_pid=$!
        for ((wait = 0; wait < 300; wait++)); do
            kill -0 "$postgres_pid" 2>/dev/null || break
            # The eighth line of the pid file says what state the server is in.
            if [ "$(sed -n '8{s/ *$//;p}' "$dir/data/postmaster.pid" 2>/dev/null)" = ready ]; then
                export PENSTOCK_TEST_POSTGRES_URL="postgres://postgres@127.0.0.1:$port/postgres"
                return 0
            fi
            sleep 0.1
        done
        stop_server QUIT "$postgres_pid"
        echo "Postgres did not start on port $port (try $try of 5)." >&2
    done
    tail -n 20 "$log" >&2
    return 1
}

# start_redis DIR SERVER: sets redis_pid and PENSTOCK_TEST_REDIS_URL.
start_redis() {
    local dir=$1/redis log=$1/redis.log server=$2 port try wait
    mkdir "$dir"
    for try in 1 2 3 4 5; do
        port=$(free_port)
        "$server" --port "$port" --bind 127.0.0.1 --dir "$dir" --save '' --appendonly no >>"$log" 2>&1 </dev/null &
        redis_pid=$!
        for ((wait = 0; wait < 100; wait++)); do
            kill -0 "$redis_pid" 2>/dev/null || break
            if grep -q 'Ready to accept connections' "$log"; then
                export PENSTOCK_TEST_REDIS_URL="redis://127.0.0.1:$port/"
                return 0
            fi
            sleep 0.1
        done
        stop_server TERM "$redis_pid"
        echo "Redis did not start on port $port (try $try of 5)." >&2
    done
    tail -n 20 "$log" >&2
    return 1
}

# stop_server SIGNAL PID: ends it and waits for the end.
stop_server() {
    [ -n "$2" ] || return 0
    kill -s "$1" "$2" 2>/dev/null || true
    wait "$2" 2>/dev/null || true
}
