# shellcheck shell=bash
# A private PostgreSQL cluster, 15 or whatever there is: loopback and a Unix socket, its own port and password, fsync on.
# With a standby, a copy that is written to synchronously. The files postgres.* are of whichever of the two takes writes, standby.*
# of the other one. Expects STACK (the stack's folder) and lib.sh.

postgres_init_names() {
    local bin
    PG_BIN=${FANFARE_PG_BIN:-}
    if [[ -z $PG_BIN ]]; then
        for bin in /usr/lib/postgresql/15/bin /usr/lib/postgresql/*/bin; do
            if [[ -x $bin/initdb ]]; then PG_BIN=$bin; break; fi
        done
    fi
    if [[ -z $PG_BIN ]] && command -v initdb >/dev/null; then PG_BIN=$(dirname "$(command -v initdb)"); fi
    PG_USER=$(id -un) PG_AS=()
    if ((EUID == 0)); then # initdb and postgres refuse to run as root
        PG_USER=postgres
        id -u "$PG_USER" >/dev/null 2>&1 || PG_USER=nobody
        PG_AS=(setpriv "--reuid=$(id -u "$PG_USER")" "--regid=$(id -g "$PG_USER")" --init-groups --inh-caps=-all)
    fi
    PG_HOME=''
    if [[ -r $STACK/postgres.home ]]; then PG_HOME=$(<"$STACK/postgres.home"); fi
    PG_DATA=$(postgres_data postgres)
}

postgres_data() { # postgres_data postgres|standby: the folder of its cluster
    if [[ -r $STACK/$1.data ]]; then cat "$STACK/$1.data"; else printf '%s/data' "$PG_HOME"; fi
}

# Where the server's user can reach it: in the stack, else below /var/tmp under a name made from it.
postgres_make_home() {
    local elsewhere
    if [[ -n $PG_HOME && -d $PG_HOME ]]; then return 0; fi
    PG_HOME=$STACK/postgres
    if ((EUID == 0)) && ! "${PG_AS[@]}" test -x "$STACK"; then
        elsewhere=$(printf '%s' "$STACK" | sha256sum)
        PG_HOME=/var/tmp/fanfare-stack-${elsewhere:0:12}
        if [[ -L $PG_HOME || (-e $PG_HOME && $(stat -c %U "$PG_HOME") != "$PG_USER") ]]; then
            warn "$PG_HOME belongs to somebody else"
            return 1
        fi
        # Left by a stack of this very folder that was deleted by hand.
        sweep "$PG_HOME/data" postgres 0
        rm -rf "$PG_HOME"
    fi
    mkdir -m 0700 "$PG_HOME"
    if ((EUID == 0)); then chown "$PG_USER": "$PG_HOME"; fi
    printf '%s\n' "$PG_HOME" >"$STACK/postgres.home"
    PG_DATA=$PG_HOME/data
}

postgres_configure() {
    local memory buffers
    memory=$(awk '/MemTotal/ {print int($2 / 1024)}' /proc/meminfo)
    buffers=$((memory / 8 < 512 ? memory / 8 : 512))
    cat <<CONF
listen_addresses = '127.0.0.1'
port = $1
unix_socket_directories = '$2'
max_connections = 500

# Promises rest on these three: never switch them off.
fsync = on
synchronous_commit = on
full_page_writes = on

shared_buffers = ${buffers}MB
max_wal_size = 4GB
checkpoint_timeout = 15min
wal_compression = lz4
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d '
log_min_duration_statement = 1s
log_lock_waits = on
CONF
}

postgres_create() {
    local password socket port
    port=$(free_port)
    # A Unix socket's path has 107 bytes at most.
    socket=$PG_HOME
    if ((${#socket} > 85)); then
        socket=$(mktemp -d /tmp/fanfare-pg-XXXXXX)
        chmod 0711 "$socket"
        if ((EUID == 0)); then chown "$PG_USER": "$socket"; fi
    fi
    printf '%s\n' "$socket" >"$STACK/postgres.socket"
    password=$(random_word 24)
    (umask 077 && printf '%s\n' "$password" >"$STACK/postgres.password")
    install -m 0600 "$STACK/postgres.password" "$PG_HOME/password"
    if ((EUID == 0)); then chown "$PG_USER": "$PG_HOME/password"; fi
    # initdb itself need not flush its files: the server, with fsync on, comes after.
    "${PG_AS[@]}" "$PG_BIN/initdb" -D "$PG_DATA" --username=fanfare --pwfile="$PG_HOME/password" \
        --auth=scram-sha-256 --encoding=UTF8 --locale-provider=libc --lc-collate=C --lc-ctype=C.UTF-8 \
        --no-sync --no-instructions >>"$STACK/postgres.log" 2>&1
    rm -f "$PG_HOME/password"
    postgres_configure "$port" "$socket" | "${PG_AS[@]}" tee "$PG_DATA/fanfare.conf" >/dev/null
    "${PG_AS[@]}" tee -a "$PG_DATA/postgresql.conf" >/dev/null <<<"include 'fanfare.conf'"
    printf '%s\n' "$port" >"$STACK/postgres.port"
}

postgres_url() { # postgres_url DATABASE
    printf 'postgresql://fanfare:%s@127.0.0.1:%s/%s' "$(<"$STACK/postgres.password")" "$(<"$STACK/postgres.port")" "$1"
}

postgres_query_of() { PGPASSWORD=$(<"$STACK/postgres.password") psql -X -q -A -t -v ON_ERROR_STOP=1 \
    -h 127.0.0.1 -p "$(<"$STACK/$1.port")" -U fanfare -d postgres -c "$2"; }
postgres_query() { postgres_query_of postgres "$1"; }

# A restarted server accepts connections only when its recovery is over; a dead one never will.
postgres_settled() { # postgres_settled postgres|standby
    "$PG_BIN/pg_isready" -q -h 127.0.0.1 -p "$(<"$STACK/$1.port")" -U fanfare -d postgres -t 1 && return 0
    ! live_pid "$STACK/$1.pid" >/dev/null
}

postgres_run() { # postgres_run postgres|standby: its server, on a cluster that is there
    local port data
    data=$(postgres_data "$1")
    # The children of a killed server hold its shared memory until they notice.
    sweep "$data" postgres 10
    # A killed server that nobody has reaped yet (a container without an init) still counts as alive in
    # PostgreSQL's eyes. Nobody works in the folder any more: its lock files are stale.
    port=$(<"$STACK/$1.port")
    rm -f "$data/postmaster.pid" "$(<"$STACK/postgres.socket")"/.s.PGSQL."$port"{,.lock}
    if listening "$port"; then
        warn "port $port is taken by somebody else (next: scripts/stack down, then up)"
        return 1
    fi
    # Nothing of ours may be inherited: the lock would outlive us.
    preload "${data%/*}" "$data.full" "${FANFARE_MACHINE:-}"
    setsid "${PG_AS[@]}" "${PRELOAD[@]}" "$PG_BIN/postgres" -D "$data" >>"$STACK/$1.log" 2>&1 </dev/null 9>&- &
    write_pid "$STACK/$1.pid" $!
    if ! wait_until 300 postgres_settled "$1" || ! live_pid "$STACK/$1.pid" >/dev/null; then
        warn "PostgreSQL did not start; the end of $STACK/$1.log:"
        tail -n 15 "$STACK/$1.log" | sed 's/^/    /' >&2
        return 1
    fi
}

postgres_start() {
    postgres_init_names
    if live_pid "$STACK/postgres.pid" >/dev/null; then return 0; fi
    if [[ -z $PG_BIN || ! -x $PG_BIN/initdb ]]; then
        warn "PostgreSQL's server is not installed (next: scripts/setup run)"
        return 1
    fi
    postgres_make_home
    cd "$PG_HOME" || return 1
    if [[ ! -s $STACK/postgres.port ]]; then
        rm -rf "$PG_DATA"
        postgres_create
    fi
    postgres_run postgres || return 1
    if [[ -z $(postgres_query "select 1 from pg_database where datname = 'fanfare'") ]]; then
        postgres_query 'create database fanfare'
    fi
}

# postgres_stop [fast|immediate|kill]
postgres_stop() {
    local signal=INT
    postgres_init_names
    case ${1:-fast} in immediate) signal=QUIT ;; kill) signal=KILL ;; esac
    stop_process "$STACK/postgres.pid" "$signal" 60
    if [[ -n $PG_HOME ]]; then sweep "$PG_DATA" postgres 10; fi
}

# --- the standby ---

standby_in_sync() { [[ $(postgres_query 'select sync_state from pg_stat_replication' 2>/dev/null) == sync ]]; }

# A copy of the server that takes writes. It will itself wait for its standby as soon as it is the first.
standby_copy() {
    local data
    data=$(postgres_data standby)
    rm -rf "$data"
    PGPASSWORD=$(<"$STACK/postgres.password") "${PG_AS[@]}" "$PG_BIN/pg_basebackup" --host=127.0.0.1 \
        --port="$(<"$STACK/postgres.port")" --username=fanfare --checkpoint=fast --no-sync --write-recovery-conf --pgdata="$data" \
        >>"$STACK/standby.log" 2>&1 || return 1
    {
        postgres_configure "$(<"$STACK/standby.port")" "$(<"$STACK/postgres.socket")"
        standby_configure
    } | "${PG_AS[@]}" tee "$data/fanfare.conf" >/dev/null
}

# What the standby has not got yet must be kept for it while it is away.
standby_configure() { printf "synchronous_standby_names = '*'\nwal_keep_size = 1GB\n"; }

standby_start() {
    postgres_init_names
    if live_pid "$STACK/standby.pid" >/dev/null; then return 0; fi
    cd "$PG_HOME" || return 1
    if [[ ! -s $STACK/standby.port ]]; then free_port >"$STACK/standby.port"; fi
    if [[ ! -s $STACK/standby.data ]]; then
        printf '%s/data\n' "$PG_HOME" >"$STACK/postgres.data"
        printf '%s/second\n' "$PG_HOME" >"$STACK/standby.data"
    fi
    if [[ ! -e $STACK/standby.copied ]]; then
        standby_copy || { warn "PostgreSQL cannot be copied: $STACK/standby.log"; return 1; }
        : >"$STACK/standby.copied"
    fi
    postgres_run standby || return 1
    if ! grep -q '^synchronous_standby_names' "$PG_DATA/fanfare.conf"; then
        standby_configure | "${PG_AS[@]}" tee -a "$PG_DATA/fanfare.conf" >/dev/null
        postgres_query 'select pg_reload_conf()' >/dev/null
    fi
    wait_until 60 standby_in_sync || { warn "the standby does not follow: $STACK/standby.log"; return 1; }
}

standby_stop() { # standby_stop [fast|immediate|kill]
    local signal=INT
    postgres_init_names
    case ${1:-fast} in immediate) signal=QUIT ;; kill) signal=KILL ;; esac
    stop_process "$STACK/standby.pid" "$signal" 60
    if [[ -s $STACK/standby.data ]]; then sweep "$(postgres_data standby)" postgres 10; fi
}

standby_remove() { rm -f "$STACK"/standby.{port,pid,log,data,copied} "$STACK/postgres.data"; }

# postgres_fail_over [fast|immediate|kill]: the first server ends, the standby takes its place, and the first one's place is
# taken by a new copy. All that was committed is there: without a standby that follows nothing begins.
postgres_fail_over() {
    local file
    postgres_init_names
    wait_until 60 standby_in_sync || { warn "the standby does not follow: $STACK/standby.log"; return 1; }
    postgres_stop "$1"
    [[ $(postgres_query_of standby 'select pg_promote()') == t ]] || { warn "the standby cannot be promoted"; return 1; }
    for file in port pid log data; do
        if [[ -e $STACK/postgres.$file ]]; then mv "$STACK/postgres.$file" "$STACK/swap.$file"; fi
        mv "$STACK/standby.$file" "$STACK/postgres.$file"
        if [[ -e $STACK/swap.$file ]]; then mv "$STACK/swap.$file" "$STACK/standby.$file"; fi
    done
    say "the standby was promoted"
    rm -f "$STACK/standby.copied"
    standby_start
}

postgres_remove() {
    local socket
    postgres_init_names
    if [[ -n $PG_HOME && ($PG_HOME == "$STACK/postgres" || $PG_HOME == /var/tmp/fanfare-stack-*) ]]; then
        rm -rf "$PG_HOME"
    fi
    if [[ -r $STACK/postgres.socket ]]; then
        socket=$(<"$STACK/postgres.socket")
        if [[ $socket == /tmp/fanfare-pg-* ]]; then rm -rf "$socket"; fi
    fi
    rm -f "$STACK"/postgres.{home,socket,password,port,pid,log}
}
