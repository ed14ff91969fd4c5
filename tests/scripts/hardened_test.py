#!/usr/bin/env python3
"""The programs that are shipped were built hardened: hardened_test.py BIN_DIR."""

import re
import subprocess
import sys
from pathlib import Path

WANTED = {  # What readelf shows of a program, and what it means.
    r"Type:\s+DYN \(Position-Independent": "its place in memory cannot be foreseen",
    r"GNU_STACK .* RW ": "nothing on the stack is run",
    r"GNU_RELRO": "tables of addresses are read-only",
    r"\(FLAGS(_1)?\).*\b(BIND_)?NOW\b": "all of them, from the start",
    r"__stack_chk_fail": "a stack that is written over is seen",
    r"__(memcpy|snprintf|vsnprintf|memset|strncpy)_chk": "calls of the C library know their bounds"}


def main():
    faults = []
    for name in ("fanfare", "fanfare-producer", "fanfare-worker"):
        program = Path(sys.argv[1]) / name
        shown = subprocess.run(["readelf", "-hldW", "--dyn-syms", program], check=True, capture_output=True, text=True).stdout
        faults += [f"{name}: not so that {why}" for wanted, why in WANTED.items() if not re.search(wanted, shown)]
        if re.search(r"\((RPATH|RUNPATH)\).*\[(?!/)", shown):
            faults.append(f"{name}: takes libraries from where it is started")
    print("\n".join(faults) or "ok")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
