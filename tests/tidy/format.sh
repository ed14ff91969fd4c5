#!/usr/bin/env bash
# usage: tests/tidy/format.sh [CLANG_FORMAT] [--fix]    from the top of the tree
set -euo pipefail
program=${1:-clang-format}
how=(--dry-run -Werror)
if [[ ${2:-} == --fix ]]; then how=(-i); fi
find core worker producer cli sim bench tests \( -name '*.hpp' -o -name '*.cpp' \) -print0 |
    xargs -0 -r -n 32 "$program" --style=file "${how[@]}"
