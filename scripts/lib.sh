# shellcheck shell=bash
# What every script here shares. Source it; it does nothing by itself but set a few names.

# shellcheck disable=SC2034
FANFARE_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
FANFARE_CACHE=${FANFARE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/fanfare}

# --- speaking to people: always on stderr, so that stdout stays for results ---

if [[ -t 2 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
    RED=$'\e[31m' GREEN=$'\e[32m' YELLOW=$'\e[33m' BOLD=$'\e[1m' DIM=$'\e[2m' PLAIN=$'\e[0m'
else
    RED='' GREEN='' YELLOW='' BOLD='' DIM='' PLAIN=''
fi

say() { [[ -n ${FANFARE_QUIET:-} ]] || printf '%s\n' "$*" >&2; }
done_saying() { say "${GREEN}ok${PLAIN}  $*"; }
warn() { printf '%s\n' "${YELLOW}warning:${PLAIN} $*" >&2; }

# die MESSAGE [WHAT TO DO NEXT]...
die() {
    printf '%s\n' "${RED}error:${PLAIN} $1" >&2
    shift
    local step
    for step in "$@"; do printf '%s\n' "  ${BOLD}next:${PLAIN} $step" >&2; done
    exit 1
}

banner() {
    local line
    printf '%s\n' "${YELLOW}${BOLD}**********************************************************************${PLAIN}" >&2
    for line in "$@"; do printf '%s\n' "${YELLOW}${BOLD}**${PLAIN} $line" >&2; done
    printf '%s\n' "${YELLOW}${BOLD}**********************************************************************${PLAIN}" >&2
}

# The comment block at the top of the calling script is its help.
show_help() { sed -n '2,/^[^#]/{/^#/!d; s/^# \{0,1\}//; p}' "$0"; }

# --- time ---

now_ms() { local t=${EPOCHREALTIME/[.,]/}; printf '%s' "$((t / 1000))"; }
seconds_since() { local ms=$(($(now_ms) - $1)); printf '%d.%d s' $((ms / 1000)) $((ms % 1000 / 100)); }

# wait_until SECONDS COMMAND...: asks the command every 50 ms until it succeeds. The limit is a real deadline.
wait_until() {
    local deadline=$(($(now_ms) + $1 * 1000))
    shift
    until "$@"; do
        (($(now_ms) < deadline)) || return 1
        sleep 0.05
    done
}

# --- long work: one line that moves on a terminal, a line every 15 s elsewhere, everything in a log ---

# with_progress LABEL LOG COMMAND...; returns the command's status and shows the end of the log on failure.
with_progress() {
    local label=$1 log=$2 pid status=0 started ticks=0 last traps
    shift 2
    mkdir -p "$(dirname "$log")"
    started=$(now_ms)
    "$@" >"$log" 2>&1 </dev/null &
    pid=$!
    # A background job ignores Ctrl-C: pass the end on to it.
    traps=$(trap -p INT TERM)
    # shellcheck disable=SC2064
    trap "kill -s TERM $pid 2>/dev/null; exit 130" INT TERM
    if [[ ! -t 2 ]]; then say "$label ..."; fi
    while kill -0 "$pid" 2>/dev/null; do
        sleep 0.1
        ((++ticks))
        if [[ -t 2 ]]; then
            last=$(tail -n 1 "$log" 2>/dev/null | tr -d '\r' | cut -c1-60) || last=''
            printf '\r\e[K%s %s  %s' "$label" "$(seconds_since "$started")" "${DIM}${last}${PLAIN}" >&2
        elif ((ticks % 150 == 0)); then
            last=$(tail -n 1 "$log" 2>/dev/null | tr -d '\r' | cut -c1-100) || last=''
            say "$label ... $(seconds_since "$started")  $last"
        fi
    done
    wait "$pid" || status=$?
    trap - INT TERM
    eval "$traps"
    if [[ -t 2 ]]; then printf '\r\e[K' >&2; fi
    if ((status == 0)); then
        done_saying "$label ($(seconds_since "$started"))"
    else
        printf '%s\n' "${RED}failed${PLAIN}  $label (status $status); the end of $log:" >&2
        tail -n 40 "$log" | sed 's/^/    /' >&2
    fi
    return "$status"
}

# --- processes: named by id, start time and boot, so that a recycled id is never taken for ours ---

# process_stamp PID: what identifies a process for ever; fails when there is none. A zombie is none, unless threads
# of its outlive the first one: those still hold its sockets and files.
process_stamp() {
    local stat='' fields
    # Not $(<file): where the file is missing, bash 5.2 would end the script, condition or not.
    IFS= read -rd '' stat 2>/dev/null <"/proc/$1/stat" || true
    [[ -n $stat ]] || return 1
    read -ra fields <<<"${stat##*) }"
    [[ ${fields[0]} != [ZX] ]] || ((fields[17] > 1)) || return 1
    printf '%s %s %s' "$1" "${fields[19]}" "$(</proc/sys/kernel/random/boot_id)"
}

same_process() { [[ -n $1 && $(process_stamp "${1%% *}" 2>/dev/null) == "$1" ]]; }
gone_process() { ! same_process "$1"; }

# write_pid FILE PID
write_pid() {
    local stamp
    stamp=$(process_stamp "$2") || return 1
    printf '%s\n' "$stamp" >"$1.new" && mv -f "$1.new" "$1"
}

# live_pid FILE: prints the process id if the very process that was written there still runs.
live_pid() {
    local stamp
    [[ -r $1 ]] || return 1
    stamp=$(<"$1")
    same_process "$stamp" || return 1
    printf '%s' "${stamp%% *}"
}

# stop_process FILE SIGNAL SECONDS: signal, wait for the end, KILL after the deadline; removes the file.
stop_process() {
    local stamp
    if live_pid "$1" >/dev/null; then
        stamp=$(<"$1")
        kill -s "$2" "${stamp%% *}" 2>/dev/null || true
        if ! wait_until "$3" gone_process "$stamp"; then
            warn "process ${stamp%% *} did not end within $3 s of SIG$2: killing it"
            if same_process "$stamp"; then kill -s KILL "${stamp%% *}" 2>/dev/null || true; fi
            wait_until 10 gone_process "$stamp" || return 1
        fi
    fi
    rm -f "$1"
}

# processes_in DIR PROGRAM: the ids of the processes of PROGRAM whose working directory is DIR. Finds a
# server's children and what an interrupted start left behind, never a person's shell.
processes_in() {
    local process folder
    while read -r process folder; do
        if [[ $folder == "$1" && $(readlink "$process/exe" 2>/dev/null) == */"$2" ]]; then
            printf '%s\n' "${process#/proc/}"
        fi
    done < <(find /proc/[0-9]*/cwd -maxdepth 0 -printf '%h %l\n' 2>/dev/null)
}

none_in() { [[ -z $(processes_in "$@") ]]; }

# sweep DIR PROGRAM SECONDS: waits for those processes to end by themselves, then kills each by its id.
sweep() {
    local pid
    if wait_until "$3" none_in "$1" "$2"; then return 0; fi
    for pid in $(processes_in "$1" "$2"); do kill -s KILL "$pid" 2>/dev/null || true; done
    wait_until 10 none_in "$1" "$2"
}

# --- ports ---

listening() { # listening PORT: does anyone listen there (any address)?
    local hex
    printf -v hex '%04X' "$1"
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v p=":$hex" '$4 == "0A" && index($2, p) {found = 1} END {exit !found}'
}

# free_port: one below the kernel's range for outgoing connections, so that nobody takes it while a
# service restarts on the same port.
free_port() {
    local port tries
    for ((tries = 0; tries < 200; tries++)); do
        port=$((20000 + SRANDOM % 12000))
        if ! listening "$port"; then printf '%s' "$port"; return 0; fi
    done
    return 1
}

connects() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# --- secrets ---

random_word() { # hexadecimal, safe in URLs and in shell
    od -An -N"${1:-24}" -tx1 /dev/urandom | tr -d ' \n'
}

# --- what changed ---

# changed_files [COMMIT]: what differs from it, one a line; without it from how things were a day before the last commit, which
# is what a clone knows of a change that comes as several commits. What is not committed counts too.
changed_files() {
    local since=${1:-}
    if [[ -z $since ]]; then
        since=$(git rev-list -n 1 --before="$(($(git log -1 --format=%ct) - 86400))" HEAD)
    fi
    # A clone whose history begins within the day: all of it.
    git diff --name-only --diff-filter=ACMR "${since:-$(git hash-object -t tree /dev/null)}" --
}

# --- with little time, what costs least comes first ---

# to_build PRESET NAME: how many objects of it there are not yet.
to_build() {
    local object count=0
    while read -r object; do
        if [[ ! -e build/$1/$object ]]; then ((++count)); fi
    done < <(ninja -C "build/$1" -t inputs "$2" 2>/dev/null | grep '\.o$')
    printf '%s' "$count"
}
# in_order PRESET: the names of targets that come in, by how much each still needs to be built.
in_order() {
    local name
    while read -r name; do printf '%s %s\n' "$(to_build "$1" "$name")" "$name"; done | sort -n | cut -d ' ' -f 2
}
