#!/usr/bin/env bash
# What scripts/lib.sh promises about processes and ports.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

folder=$(mktemp -d)
trap 'rm -rf "$folder"; kill "${sleeper:-}" 2>/dev/null || true' EXIT
fail() { printf 'FAILED: %s\n' "$1" >&2; exit 1; }

sleep 60 &
sleeper=$!
write_pid "$folder/pid" "$sleeper"
[[ $(live_pid "$folder/pid") == "$sleeper" ]] || fail "a live process is not recognised"

# The same id with another start time, or of another boot, is somebody else: it must survive a stop.
read -r id started boot <"$folder/pid"
printf '%s %s %s\n' "$id" "$((started + 1))" "$boot" >"$folder/recycled"
if live_pid "$folder/recycled"; then fail "a recycled id is taken for ours"; fi
stop_process "$folder/recycled" TERM 1
printf '%s %s %s\n' "$id" "$started" another-boot >"$folder/rebooted"
stop_process "$folder/rebooted" TERM 1
kill -0 "$sleeper" || fail "a stranger was killed"

stop_process "$folder/pid" TERM 5
if kill -0 "$sleeper" 2>/dev/null && process_stamp "$sleeper" >/dev/null; then fail "ours was not stopped"; fi
[[ ! -e $folder/pid ]] || fail "the file stays"
stop_process "$folder/pid" TERM 5 || fail "stopping twice is an error"

# One that ignores SIGTERM is killed at the deadline, not before.
bash -c 'trap "" TERM; : >"$0"; while :; do sleep 0.1; done' "$folder/ready" &
sleeper=$!
wait_until 5 test -e "$folder/ready" || fail "the stubborn one does not start"
write_pid "$folder/pid" "$sleeper"
started=$(now_ms)
stop_process "$folder/pid" TERM 1 2>/dev/null
took=$(($(now_ms) - started))
((took >= 1000 && took < 8000)) || fail "the deadline was not kept: $took ms"
if process_stamp "$sleeper" >/dev/null; then fail "the stubborn one lives"; fi

# While a thread outlives the first one, its sockets are held: the process is there. As a zombie alone it is none.
mkfifo "$folder/end"
python3 - "$folder" <<'PY' &
import ctypes, sys, threading
def last():
    open(sys.argv[1] + "/told", "w").close()
    open(sys.argv[1] + "/end").read()
threading.Thread(target=last).start()
ctypes.CDLL(None).pthread_exit(None)
PY
sleeper=$!
is_zombie() { [[ $(ps -o stat= -p "$sleeper") == Z* ]]; }
wait_until 5 test -e "$folder/told" || fail "the thread does not start"
wait_until 5 is_zombie || fail "the first thread does not end"
process_stamp "$sleeper" >/dev/null || fail "a process whose threads live is taken for none"
: >"$folder/end"
ended() { ! process_stamp "$sleeper" >/dev/null; }
wait_until 5 ended || fail "a zombie is taken for a process"

# A program is found by its working directory, and a shell that only stands there is not that program.
mkdir "$folder/home"
(cd "$folder/home" && exec sleep 60) &
sleeper=$!
found() { [[ $(processes_in "$folder/home" sleep) == "$sleeper" ]]; }
wait_until 5 found || fail "not found by its folder"
[[ -z $(processes_in "$folder/home" postgres) ]] || fail "another program's process is found"
sweep "$folder/home" sleep 0 || fail "sweep fails"
if process_stamp "$sleeper" >/dev/null; then fail "sweep leaves it alive"; fi

port=$(free_port)
((port >= 20000 && port < 32000)) || fail "port $port may be taken by an outgoing connection"
if listening "$port"; then fail "a free port has a listener"; fi

if (with_progress "failing" "$folder/log" bash -c 'echo the reason; exit 7') 2>"$folder/said"; then fail "hides a failure"; fi
grep -q 'the reason' "$folder/said" || fail "hides the reason of a failure"
(with_progress "working" "$folder/log" true) 2>/dev/null || fail "invents a failure"

(die "broken" "mend it") 2>"$folder/said" && fail "die returns"
grep -q 'next: mend it' "$folder/said" || fail "die does not say what to do next"
echo "ok"
