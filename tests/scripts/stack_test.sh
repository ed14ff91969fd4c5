#!/usr/bin/env bash
# A whole life of a stack: up, up again, a killed service, restarts that keep the address, down; two side by side; a standby that
# takes over, three brokers that are killed in turn.
# usage: tests/scripts/stack_test.sh [--kafka|--no-kafka]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/lib.sh
unset FANFARE_STACK_DIR

kafka=${1:---no-kafka}
folder=$(mktemp -d "${TMPDIR:-/tmp}/fanfare-stack-test-XXXXXX")
chmod 0711 "$folder"
one=$folder/one other=$folder/other
stack() { scripts/stack "$1" --dir "$one" "${@:2}"; }
fail() { printf 'FAILED: %s\n' "$1" >&2; exit 1; }
clean_up() {
    scripts/stack down --dir "$one" >/dev/null 2>&1 || true
    scripts/stack down --dir "$other" >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap clean_up EXIT

stack up "$kafka"
before=$(stack env)
eval "$before"
[[ $(stat -c %a "$one/env") == 600 && $(stat -c %a "$one/postgres.password") == 600 ]] || fail "secrets are readable"
query() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$FANFARE_DATABASE_URL" -c "$1"; }
query 'create table kept (n int)'
query 'insert into kept values (7)'
[[ $(query 'show fsync') == on ]] || fail "fsync is off"
if PGPASSWORD=wrong psql -X -h 127.0.0.1 -p "$(<"$one/postgres.port")" -U fanfare -c 'select 1' >/dev/null 2>&1; then
    fail "any password will do"
fi

stack up "$kafka"
[[ $(stack env) == "$before" ]] || fail "a second up changes the address"

for mode in '' --immediate --kill; do
    stack restart postgres ${mode:+"$mode"}
    [[ $(query 'select n from kept') == 7 ]] || fail "restart $mode loses data"
done
kill -s KILL "$(live_pid "$one/postgres.pid")"
status=0
not_all_up() { ! stack status >/dev/null; }
wait_until 10 not_all_up || fail "a killed service counts as running"
stack status || status=$?
((status == 3)) || fail "status returns $status"
stack up "$kafka"
[[ $(query 'select n from kept') == 7 ]] || fail "up after a kill loses data"
[[ $(stack env) == "$before" ]] || fail "up after a kill changes the address"
stack status --json | jq -e '.services | length >= 1 and all(.state == "up")' >/dev/null || fail "status --json"

scripts/stack up --no-kafka --dir "$other"
[[ $(<"$other/postgres.port") != "$(<"$one/postgres.port")" ]] || fail "two stacks share a port"
scripts/stack down --dir "$other"
[[ $(query 'select n from kept') == 7 ]] || fail "the neighbour's down disturbs us"
[[ ! -e $other ]] || fail "down leaves its folder"

if [[ $kafka == --kafka ]]; then
    stack kafka topics --create --topic first
    echo hello | stack kafka produce --topic first
    consume() { stack kafka consume --topic first --from-beginning --max-messages 1 --timeout-ms 20000 2>/dev/null; }
    [[ $(consume) == hello ]] || fail "no message comes back"
    stack restart kafka --kill
    [[ $(consume) == hello ]] || fail "a killed broker loses a message"
    head -c 2000000 /dev/zero | tr '\0' x >"$folder/large"
    stack kafka produce --topic first --producer-property max.request.size=8000000 <"$folder/large" ||
        fail "a message of 2 MB is refused"
    stack wipe kafka
    [[ -z $(stack kafka topics --list) ]] || fail "a wiped broker remembers"
    [[ $(stack env) == "$before" ]] || fail "a wiped broker changes its address"
fi

# A standby takes over with all that was committed, twice, since it gets a standby of its own each time.
scripts/stack up --no-kafka --standby --dir "$other"
other_query() { scripts/stack psql --dir "$other" -X -q -A -t -v ON_ERROR_STOP=1 -c "$1"; }
other_query 'create table kept (n int)'
for number in 1 2; do
    first=$(<"$other/postgres.port")
    other_query "insert into kept values ($number)"
    scripts/stack failover --kill --dir "$other"
    [[ $(<"$other/standby.port") == "$first" ]] || fail "the old place has no standby"
    [[ $(other_query 'select count(*) from kept') == "$number" ]] || fail "a failover loses what was committed"
done
scripts/stack stop standby --dir "$other"
if PGOPTIONS='-c statement_timeout=1s' timeout 3 scripts/stack psql --dir "$other" -X -q -c 'insert into kept values (3)' 2>/dev/null; then
    fail "a commit does not wait for the standby"
fi
scripts/stack start standby --dir "$other"
scripts/stack down --dir "$other"
if [[ $kafka == --kafka ]]; then
    scripts/stack up --brokers 3 --dir "$other"
    if scripts/stack up --brokers 1 --dir "$other" 2>/dev/null; then fail "the number of brokers changes"; fi
    scripts/stack kafka --dir "$other" topics --create --topic first
    for node in kafka1 kafka2 kafka3; do
        echo "$node" | scripts/stack kafka --dir "$other" produce --topic first --producer-property acks=all
        scripts/stack restart "$node" --kill --dir "$other"
    done
    consumed=$(scripts/stack kafka --dir "$other" consume --topic first --from-beginning --max-messages 3 --timeout-ms 20000 2>/dev/null)
    [[ $(wc -l <<<"$consumed") == 3 ]] || fail "brokers that are killed in turn lose a message"
    scripts/stack down --dir "$other"
fi
[[ ! -e $other ]] || fail "down leaves something of three brokers or a standby"

# What fails half-way undoes what it began, and keeps the logs.
status=0
FANFARE_SIM_BIN=/bin/false scripts/stack up --no-kafka --sim --dir "$other" 2>/dev/null || status=$?
((status != 0)) || fail "a simulator that does not start goes unnoticed"
[[ ! -e $other/postgres.pid && ! -e $other/postgres ]] || fail "a failed up is not rolled back"

# A folder of somebody else's is not touched.
mkdir "$folder/stranger"
: >"$folder/stranger/letter"
if scripts/stack up --no-kafka --dir "$folder/stranger" 2>/dev/null; then fail "a stranger's folder is used"; fi
scripts/stack down --dir "$folder/stranger" 2>/dev/null || true
[[ -e $folder/stranger/letter ]] || fail "a stranger's file is gone"

postgres_id=$(live_pid "$one/postgres.pid") || fail "PostgreSQL is not up"
stack down
if process_stamp "$postgres_id" >/dev/null; then fail "a process outlives down"; fi
[[ ! -e $one ]] || fail "down leaves its folder"
echo "ok"
