#!/usr/bin/env bash
# scripts/checks keeps its time, whatever it asks: with stand-ins for what it asks, and for the command that ends them.
# usage: tests/scripts/deadline_test.sh    from anywhere
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0
mkdir "$work/scripts" "$work/bin"
cp "$top/scripts/lib.sh" "$top/scripts/checks" "$work/scripts"
export WORK=$work TIMEOUT=''
TIMEOUT=$(command -v timeout)

# Each stand-in notes how it was called, and does what the test says: STAND_IN_<name>.
for name in sanitize fuzz lint; do
    cat >"$work/scripts/$name" <<'STAND_IN'
#!/usr/bin/env bash
name=${0##*/}
if [[ $name == sanitize ]]; then name=$1; fi
printf '%s %s\n' "$name" "${*: -1}" >>"$WORK/asked"
what=STAND_IN_$name
eval "${!what:-true}"
STAND_IN
    chmod +x "$work/scripts/$name"
done
# Notes the limit, and ends after a second what would go on for ever.
cat >"$work/bin/timeout" <<'STAND_IN'
#!/usr/bin/env bash
options=()
while [[ $1 == --* ]]; do options+=("$1"); shift; done
printf '%s\n' "$1" >>"$WORK/limits"
shift
exec "$TIMEOUT" "${options[@]}" 1 "$@"
STAND_IN
chmod +x "$work/bin/timeout"

# run WHAT STATUS WORD ASKED ARGUMENTS...: ends with that status, says the word, and has asked these.
run() {
    local what=$1 wanted=$2 word=$3 asked=$4 status=0 said
    shift 4
    rm -f "$work/asked" "$work/limits"
    touch "$work/asked" "$work/limits"
    said=$(PATH="$work/bin:$PATH" "$work/scripts/checks" "$@" 2>&1 </dev/null) || status=$?
    if ((status != wanted)) || [[ $said != *"$word"* || $(cut -d ' ' -f 1 "$work/asked" | xargs) != "$asked" ]]; then
        printf '%s: status %d, asked %s, said: %s\n' "$what" "$status" "$(xargs <"$work/asked")" "$said"
        bad=1
    fi
}
# limits_within WHAT SECONDS: none was given more.
limits_within() {
    local limit
    while read -r limit; do
        if ((limit > $2)); then echo "$1: a limit of $limit s where $2 were left"; bad=1; fi
    done <"$work/limits"
}
minutes_ago() { printf '%d' "$((${EPOCHREALTIME/[.,]/} / 1000 - $1 * 60000))"; }

run "no time given" 1 "how long?" ""
run "no number" 1 "needs a whole number" "" --minutes some
run "time enough" 0 "found nothing" "asan fuzz tsan lint" --minutes 20
limits_within "time enough" 1200
run "less time than was asked for" 0 "found nothing" "asan fuzz tsan lint" --minutes 20 --began "$(minutes_ago 66)" --until 72
limits_within "less time than was asked for" 360
run "no time" 0 "LEFT OUT or unfinished, for want of time: asan fuzz tsan lint" "" \
    --minutes 20 --began "$(minutes_ago 72)" --until 72
run "long past" 0 "LEFT OUT" "" --minutes 20 --began "$(minutes_ago 500)" --until 72
run "seconds left" 0 "LEFT OUT" "" --minutes 20 --began "$(($(minutes_ago 72) + 50000))" --until 72

STAND_IN_asan='sleep 100' run "one that does not end" 0 "for want of time: asan." "asan fuzz tsan lint" --minutes 20
STAND_IN_asan='exit 1' run "a sanitizer found something" 1 "these found something: asan" "asan fuzz tsan lint" --minutes 20
STAND_IN_fuzz='exit 1' STAND_IN_tsan='exit 1' run "two did" 1 "found something: fuzz tsan" "asan fuzz tsan lint" --minutes 20
STAND_IN_tsan='trap "exit 1" TERM; sleep 100' run "found something before its time was up" 1 "found something: tsan" \
    "asan fuzz tsan lint" --minutes 20
STAND_IN_fuzz='exit 77' STAND_IN_lint='exit 77' run "no compiler" 0 "NOT JUDGED, for want of a compiler: fuzz lint" \
    "asan fuzz tsan lint" --minutes 20
STAND_IN_asan='exit 2' run "what does not build" 0 "NOT JUDGED, for it does not build, or not run: asan" "asan fuzz tsan lint" --minutes 20
STAND_IN_fuzz='exit 126' run "what cannot run" 0 "does not build, or not run: fuzz" "asan fuzz tsan lint" --minutes 20
STAND_IN_tsan='exit 3' run "a slow machine" 0 "NOT JUDGED: tests failed under tsan" "asan fuzz tsan lint" --minutes 20
STAND_IN_lint='exit 1' run "what clang-tidy says" 0 "found nothing" "asan fuzz tsan lint" --minutes 20

# Whoever ends it ends what it asked.
rm -f "$work/asked"
# shellcheck disable=SC2016
STAND_IN_asan='echo $$ >"$WORK/pid"; exec sleep 100' "$work/scripts/checks" --minutes 20 >/dev/null 2>&1 </dev/null &
checks=$!
# shellcheck source=scripts/lib.sh
source "$top/scripts/lib.sh"
wait_until 20 test -s "$work/pid" || { echo "it has not begun"; bad=1; }
kill -s TERM "$checks"
status=0
wait "$checks" || status=$?
if ((status != 143)); then echo "ended by TERM it ends with $status"; bad=1; fi
stamp=$(process_stamp "$(<"$work/pid")") || stamp=''
if [[ -n $stamp ]]; then echo "what it asked goes on"; bad=1; kill "${stamp%% *}"; fi
exit "$bad"
