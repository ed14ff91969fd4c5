"""What tools leave behind beside the files they change, and nobody reads."""

from pathlib import Path

import history

SUFFIXES = (".orig", ".rej", ".bak", ".swp", ".pyc", ".profraw", "~")


def check(root: Path):
    for path in history.ask(root, "ls-files", "-z").split("\0"):
        if path.endswith(SUFFIXES):
            yield path, "leftover", "a tool has left it: remove it"
