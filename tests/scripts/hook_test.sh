#!/usr/bin/env bash
# scripts/hooks/pre-commit in a clone of its own: what breaks a law is not committed, and it is judged as it is staged.
# usage: tests/scripts/hook_test.sh    from the top of the tree
set -euo pipefail
top=$PWD
clone=$(mktemp -d)
trap 'rm -rf "$clone"' EXIT
mkdir -p "$clone/tests" "$clone/scripts/hooks" "$clone/core/a"
cp -r tests/tidy.py tests/tidy "$clone/tests/"
cp scripts/hooks/pre-commit "$clone/scripts/hooks/"
cp scripts/clang-format scripts/lib.sh "$clone/scripts/"
cp .clang-format "$clone/"
cd "$clone"
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
git init -q .
git config user.email test@localhost
git config user.name Test
git config core.hooksPath scripts/hooks

# tests/tidy.py lists exceptions that this clone has nothing of: none of them counts here.
python3 - <<'PY'
from pathlib import Path
for name, start, end in (("tests/tidy/includes.py", "\nEXCEPTIONS = {", "\nINCLUDE = "),
                         ("tests/tidy.py", "\nRATCHET: ", "\n# law:")):
    path = Path(name)
    text = path.read_text()
    empty = start.split("=")[0].rstrip(": {") + " = {}\n"
    path.write_text(text[: text.index(start)] + empty + text[text.index(end):])
PY
expect() { # expect STATUS WHAT: what a commit of everything ends with
    local status=0
    git commit -q -m "tidy: $2" >"$clone/.git/said" 2>&1 || status=1
    if ((status != $1)); then
        cat "$clone/.git/said"
        echo "$2: the commit ended with $status" >&2
        exit 1
    fi
}
printf '#include <unistd.h>\n\nvoid rest() { ::pause(); }\n' >core/a/a.cpp
git add -A
expect 0 "a good file"
printf 'void rest() { sleep(1); }\n' >core/a/b.cpp
git add -A
expect 1 "a file that sleeps"
printf 'void rest() {}\n' >core/a/b.cpp
expect 1 "what is staged, not what lies in the folder"
git add -A
expect 0 "mended"
if scripts/clang-format --version; then # It says so loudly where there is none.
    printf 'void  badly( ) {}\n' >core/a/b.cpp
    git add -A
    expect 1 "a file that is not formatted"
fi
cd "$top"
