#!/usr/bin/env bash
# usage: tests/scripts/shellcheck.sh [SHELLCHECK]    from the top of the tree
set -euo pipefail
scripts=()
while IFS= read -r -d '' file; do
    if [[ $file == *.sh || $(head -c 20 "$file") == '#!'*'bash'* || $(head -c 9 "$file") == '#!/bin/sh' ]]; then
        scripts+=("$file")
    fi
done < <(find scripts .ci deploy tests -type f -not -path "tests/fuzz/corpus/*" -print0 | sort -z)
"${1:-shellcheck}" -x -P SCRIPTDIR -P . "${scripts[@]}"
echo "${#scripts[@]} scripts, no complaint"
