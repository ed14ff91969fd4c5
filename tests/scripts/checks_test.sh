#!/usr/bin/env bash
# scripts/fuzz, sanitize, lint and chroot-test: what they choose, and what they say where a tool is missing. Builds nothing.
# usage: tests/scripts/checks_test.sh    from anywhere
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0
# same WHAT WANTED GOT
same() {
    if [[ $2 != "$3" ]]; then printf '%s\n  wanted: %s\n  got:    %s\n' "$1" "$2" "$3"; bad=1; fi
}
# says WHAT WORD COMMAND...: it fails, and says so.
says() {
    local what=$1 word=$2 said status=0
    shift 2
    said=$("$@" 2>&1 </dev/null) || status=$?
    if ((status == 0)) || [[ $said != *"$word"* ]]; then printf '%s: status %d, said: %s\n' "$what" "$status" "$said"; bad=1; fi
}

# Each target has a source, inputs and a row in the table of parsers.
for name in $("$top/scripts/fuzz" --list); do
    if [[ ! -e $top/tests/fuzz/fuzz_$name.cpp ]]; then echo "$name has no source"; bad=1; fi
    if [[ -z $(ls "$top/tests/fuzz/corpus/$name" 2>/dev/null) ]]; then echo "$name has no input"; bad=1; fi
    if ! grep -qE "\| \`$name\` \|\$" "$top/docs/reliability.md"; then echo "docs/reliability.md does not name $name"; bad=1; fi
done
same "as many sources as targets" "$("$top/scripts/fuzz" --list | wc -l)" "$(find "$top/tests/fuzz" -name 'fuzz_*.cpp' | wc -l)"

says "an unknown target" "there is no target 'nobody'" "$top/scripts/fuzz" nobody
says "no number" "--minutes needs a whole number" "$top/scripts/fuzz" --minutes some
says "no number" "--minutes needs a whole number" "$top/scripts/sanitize" --minutes 0
says "an unknown sanitizer" "unknown argument 'msan'" "$top/scripts/sanitize" msan
says "an unknown file" "unknown argument 'x.txt'" "$top/scripts/lint" x.txt
says "an unknown release" "which Debian: bookworm or trixie?" "$top/scripts/chroot-test" sid

# A machine without clang: what is needed is named.
mkdir "$work/bin"
for tool in bash dirname sed grep nproc cat tail head git; do ln -s "$(command -v "$tool")" "$work/bin/$tool"; done
says "no clang" "there is no clang 16 or later" \
    env -i PATH="$work/bin" FANFARE_SKIP_SETUP=1 bash "$top/scripts/fuzz" job

status=0
env -i PATH="$work/bin" FANFARE_SKIP_SETUP=1 bash "$top/scripts/fuzz" job >/dev/null 2>&1 || status=$?
same "no clang is not a fault" 77 "$status"

# What counts as changed: the last day before the last commit, and what is not committed.
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
cd "$work"
git init -q repo
cd repo
commit() { # commit FILE WHEN
    printf '%s\n' "$2" >>"$1"
    git add "$1"
    GIT_AUTHOR_DATE=$2 GIT_COMMITTER_DATE=$2 git -c user.email=t@localhost -c user.name=T commit -qm "t: $1"
}
# shellcheck source=scripts/lib.sh
source "$top/scripts/lib.sh"
commit first 2026-01-01T12:00:00Z
same "a history of a moment" first "$(changed_files)"
commit second 2026-01-02T11:00:00Z
same "a history of a day" "first second" "$(changed_files | xargs)"
commit third 2026-01-03T12:00:00Z
same "the last day" third "$(changed_files)"
same "since a commit" "second third" "$(changed_files HEAD~2 | xargs)"
echo more >>first
same "what is not committed" "first third" "$(changed_files | xargs)"

# Which fuzzers a change asks: those whose parsers stand in its folders, and whose own files it has.
mkdir -p scripts docs tests/fuzz/corpus/csv core/wire producer/http
cp "$top/scripts/fuzz" "$top/scripts/lib.sh" scripts
cp "$top/docs/reliability.md" docs
cp "$top/tests/fuzz/CMakeLists.txt" tests/fuzz
git add . && git -c user.email=t@localhost -c user.name=T commit -qm "t: all of it"
commit first 2026-02-01T12:00:00Z
same "nobody is asked" "" "$(scripts/fuzz --changed --list 2>/dev/null)"
commit tests/fuzz/corpus/csv/new 2026-03-01T12:00:00Z
same "an input of its own" csv "$(scripts/fuzz --changed --list)"
commit producer/http/rate.hpp 2026-04-01T12:00:00Z
same "beside a parser" form "$(scripts/fuzz --changed --list)"
commit core/wire/csv.cpp 2026-05-01T12:00:00Z
same "a folder of several" "csv event job words" "$(scripts/fuzz --changed --list | xargs)"

# With little time: what is built goes before what is not, and little before much.
# shellcheck disable=SC2016
printf '#!/usr/bin/env bash\ncase ${*: -1} in large) printf "a.o\\nb.o\\n" ;; small) printf "a.o\\nc.cpp\\n" ;; *) echo d.o ;; esac\n' >"$work/bin/ninja"
chmod +x "$work/bin/ninja"
mkdir -p build/fuzz
touch build/fuzz/d.o
same "what costs least" "built small large" "$(printf '%s\n' large small built | PATH="$work/bin:$PATH" in_order fuzz | xargs)"
exit "$bad"
