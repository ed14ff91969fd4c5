#!/usr/bin/env bash
# scripts/sanitize: what it runs first, what counts as found, and where nothing can be judged. With stand-ins for compiler,
# builds and tests.
# usage: tests/scripts/sanitize_test.sh    from anywhere
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0
mkdir -p "$work"/{bin,scripts,build/asan/tests,build/tsan/tests}
cp "$top/scripts/lib.sh" "$work/scripts"
perl -0pe 's/^(SEEN_[at]san)=\([^)]*\)/$1=(core_test web_test)/mg' "$top/scripts/sanitize" >"$work/scripts/sanitize"
chmod +x "$work/scripts/sanitize"
stand_in() { printf '#!/usr/bin/env bash\n%s\n' "$2" >"$work/$1"; chmod +x "$work/$1"; }
export WORK=$work PROBE='exit 0'
stand_in scripts/build true
stand_in scripts/setup true
# A program of the compiler's does what PROBE says.
# shellcheck disable=SC2016
stand_in bin/cxx 'while [[ $1 != -o ]]; do shift; done; printf "#!/usr/bin/env bash\n%s\n" "$PROBE" >"$2"; chmod +x "$2"'
# shellcheck disable=SC2016
stand_in bin/ninja 'case ${*: -1} in kafka_test) printf "a.o\nb.o\nc.o\nd.o\n" ;; worker_test) printf "a.o\nb.o\nc.o\n" ;; web_test) printf "a.o\nd.cpp\n" ;; core_test) printf "e.o\n" ;; esac'
touch "$work/build/asan/e.o"
printf '%s core\n' "worker_test unit" "core_test unit" "web_test unit" "kafka_test kafka" >"$work/build/asan/tests.txt"
cp "$work/build/asan/tests.txt" "$work/build/tsan/tests.txt"
# shellcheck disable=SC2016
stand_in scripts/stack 'echo "stack/$1" >>"$WORK/asked"; if [[ $1 == env ]]; then echo "export PLACE=here"; fi'
tests() { # tests WHAT: of both; each notes its name.
    local preset name
    for preset in asan tsan; do
        for name in core_test web_test worker_test; do
            stand_in "build/$preset/tests/$name" "echo $preset/$name >>\"\$WORK/asked\"; $1"
        done
    done
}

# run WHAT STATUS WORD ASKED ARGUMENTS...: ends with that status, says the word, and has run these.
run() {
    local what=$1 wanted=$2 word=$3 asked=$4 status=0 said
    shift 4
    : >"$work/asked"
    said=$(CXX=cxx PATH="$work/bin:$PATH" "$work/scripts/sanitize" "$@" 2>&1 </dev/null) || status=$?
    if ((status != wanted)) || [[ $said != *"$word"* || $(xargs <"$work/asked") != "$asked" ]]; then
        printf '%s: status %d, asked %s, said: %s\n' "$what" "$status" "$(xargs <"$work/asked")" "$said"
        bad=1
    fi
}

tests 'echo "3 tests from 1 test suite ran."'
run "what needs least is first" 0 "asan/worker_test: 3 tests" "asan/core_test asan/web_test asan/worker_test" --all asan
run "both" 0 "tsan/worker_test: 3 tests" "asan/core_test asan/web_test asan/worker_test tsan/core_test tsan/web_test tsan/worker_test" --all
run "what has been seen" 0 "tsan/web_test: 3 tests" "asan/core_test asan/web_test tsan/core_test tsan/web_test" --all --seen
# shellcheck disable=SC2016
stand_in build/asan/tests/kafka_test 'echo "kafka at $PLACE" >>"$WORK/asked"; echo "5 tests from 1 test suite ran."'
run "with services" 0 "asan/kafka_test: 5 tests" \
    "asan/core_test asan/web_test asan/worker_test stack/up stack/env kafka at here stack/down" --all --services asan
tests 'echo "==1==ERROR: AddressSanitizer: heap-use-after-free"; exit 1'
run "a fault is found at once" 1 "these failed: asan/core_test asan/web_test asan/worker_test" \
    "asan/core_test asan/web_test asan/worker_test" --all asan
tests 'echo "WARNING: ThreadSanitizer: data race"; exit 66'
run "a race" 1 "these failed: tsan/core_test tsan/web_test tsan/worker_test" "tsan/core_test tsan/web_test tsan/worker_test" --all tsan
tests 'exit 1'
run "who fails twice, and nobody says why" 3 "FAILED TWICE, and no sanitizer said why: asan/core_test asan/web_test asan/worker_test" \
    "asan/core_test asan/core_test asan/web_test asan/web_test asan/worker_test asan/worker_test" --all asan
# shellcheck disable=SC2016
tests 'kill -s ABRT $$'
run "who ends itself" 1 "these failed: asan/core_test asan/web_test asan/worker_test" "asan/core_test asan/web_test asan/worker_test" --all asan
# shellcheck disable=SC2016
tests 'if [[ -e $WORK/late ]]; then exit 0; fi; touch "$WORK/late"; exit 1'
run "who was slow" 0 "once more" "asan/core_test asan/core_test asan/web_test asan/worker_test" --all asan

# shellcheck disable=SC2016
stand_in scripts/build '[[ $2 != web_test ]]'
tests true
run "what does not build" 2 "DOES NOT BUILD: asan/web_test" "asan/core_test asan/worker_test" --all asan
tests 'echo "==1==ERROR: AddressSanitizer: heap-use-after-free"; exit 1'
run "what does not build hides nothing" 1 "DOES NOT BUILD: asan/web_test" "asan/core_test asan/worker_test" --all asan
stand_in scripts/build true

# Whom the end of the time ends has not failed, though time is counted in seconds: with a clock of our own.
cp "$work/scripts/lib.sh" "$work/lib.sh"
# shellcheck disable=SC2016
printf 'now_ms() { cat "$WORK/now"; }\n' >>"$work/scripts/lib.sh"
echo 1000000 >"$work/now"
# shellcheck disable=SC2016
stand_in scripts/build 'echo $(($(<"$WORK/now") + 300)) >"$WORK/now"'
# shellcheck disable=SC2016
stand_in bin/timeout 'while [[ $1 == --* ]]; do shift; done
if [[ $2 != timeout ]]; then shift; exec "$@"; fi
echo $(($(<"$WORK/now") + $1 * 1000)) >"$WORK/now"; exit 124'
run "time is up in the midst of a test" 0 "LEFT OUT, for want of time: asan/core_test asan/web_test asan/worker_test" "" --all --minutes 1 asan
mv "$work/lib.sh" "$work/scripts/lib.sh"
rm "$work/bin/timeout"
stand_in scripts/build true

PROBE='exit 1' run "a kernel that lets none run" 77 "NOT JUDGED: programs for asan tsan" "" --all
# shellcheck disable=SC2016
PROBE='[[ -n ${FIXED:-} ]]'
# shellcheck disable=SC2016
stand_in bin/setarch 'shift; FIXED=1 exec "$@"'
tests true
run "a kernel that places memory at random" 0 "asan/worker_test" "asan/core_test asan/web_test asan/worker_test" --all asan
exit "$bad"
