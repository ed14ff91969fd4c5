#!/usr/bin/env bash
# scripts/fuzz: what counts as found, and where nothing can be fed. With stand-ins for clang, builds and targets.
# usage: tests/scripts/fuzz_test.sh    from anywhere
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0
mkdir -p "$work"/{bin,scripts,docs,tests/fuzz,build/fuzz/tests}
cp "$top/scripts/lib.sh" "$top/scripts/fuzz" "$work/scripts"
touch "$work/docs/reliability.md"
printf 'fanfare_fuzz(%s LIBS x)\n' one two >"$work/tests/fuzz/CMakeLists.txt"
stand_in() { printf '#!/usr/bin/env bash\n%s\n' "$2" >"$work/$1"; chmod +x "$work/$1"; }
export WORK=$work PROBE='exit 0'
stand_in scripts/build true
stand_in scripts/setup true
stand_in bin/ninja true
# A program of the compiler's does what PROBE says. Who looks whether it links keeps nothing.
# shellcheck disable=SC2016
stand_in bin/clang++-stand-in 'while [[ $1 != -o ]]; do shift; done; if [[ $2 == /dev/null ]]; then exit 0; fi
printf "#!/usr/bin/env bash\n%s\n" "$PROBE" >"$2"; chmod +x "$2"'
# target NAME WHAT: $prefix is where it puts what it fails on, $patience how many seconds an input may take.
target() {
    # shellcheck disable=SC2016
    stand_in "build/fuzz/tests/fuzz_$1" 'for option; do case $option in
    -artifact_prefix=*) prefix=${option#*=} ;; -timeout=*) patience=${option#*=} ;; esac; done
'"$2"
}

# run WHAT STATUS WORD ARGUMENTS...: ends with that status, and says the word.
run() {
    local what=$1 wanted=$2 word=$3 status=0 said
    shift 3
    said=$(CXX=clang++-stand-in PATH="$work/bin:$PATH" "$work/scripts/fuzz" "$@" 2>&1 </dev/null) || status=$?
    if ((status != wanted)) || [[ $said != *"$word"* ]]; then printf '%s: status %d, said: %s\n' "$what" "$status" "$said"; bad=1; fi
}
target one true
target two true
run "all is well" 0 "nothing found"
# shellcheck disable=SC2016
target two 'echo "ERROR: AddressSanitizer: heap-use-after-free"; echo x >"${prefix}crash-1"; exit 1'
run "an input is to blame" 1 "the fuzzers found something: two"
# shellcheck disable=SC2016
run "it is shown" 1 "build/fuzz/found/two-crash-1, which is in base64: eAo=" two
target two 'echo "ERROR: LeakSanitizer: detected memory leaks"; exit 1'
run "what is lost only in the end" 1 "the fuzzers found something: two"
target two 'echo "ERROR: AddressSanitizer: SEGV on unknown address"; exit 1'
run "no input is to blame, but for that of an older run" 2 "no input is to blame: two"
# shellcheck disable=SC2016
target two 'echo x >"${prefix}slow-unit-1"; exit 1'
run "an input was slow" 2 "no input is to blame: two"
# shellcheck disable=SC2016
target two '((patience == 60))'
run "how long an input may take" 0 "nothing found" two
# shellcheck disable=SC2016
target two '((patience > 120))'
run "with little time, no input is judged by it" 0 "nothing found" --within 2 two

PROBE='exit 1' run "a kernel that lets none run" 77 "NOT JUDGED"
# shellcheck disable=SC2016
PROBE='[[ -n ${FIXED:-} ]]'
# shellcheck disable=SC2016
stand_in bin/setarch 'shift; FIXED=1 exec "$@"'
run "a kernel that places memory at random" 0 "nothing found" one
exit "$bad"
