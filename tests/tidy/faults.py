"""The tests that docs/fault-matrix.md names exist, and each of its rows has one or says why it has none."""

import re
from pathlib import Path

PAGE = "docs/fault-matrix.md"
ROWS = 78
ROW = re.compile(r"\| (\d+) \|([^|]*)\|([^|]*)\|([^|]*)\|")
NAME = re.compile(r"`(\w+(?:\.\w+)+)`")
MACRO = re.compile(r"^(?:TEST|TEST_F|TEST_P|TYPED_TEST)\((\w+),\s*(\w+)\)", re.M)
CLASS = re.compile(r"^class (\w+)", re.M)
METHOD = re.compile(r"^    def (\w+)\(", re.M)


def python_names(module: str, text: str):
    """`module.Class.method` of each method that a file defines."""
    starts = [*CLASS.finditer(text)]
    for start, end in zip(starts, [m.start() for m in starts[1:]] + [len(text)]):
        for method in METHOD.findall(text[start.start():end]):
            yield f"{module}.{start.group(1)}.{method}"


def known(root: Path, texts: dict[str, str]) -> set[str]:
    names = {f"{suite}.{name}" for path, text in texts.items() if path.startswith("tests/")
             for suite, name in MACRO.findall(text)}
    for file in (root / "tests/e2e").glob("*.py"):
        names.update(python_names(file.stem, file.read_text(encoding="utf-8")))
    return names


def faults(page: str, names: set[str]):
    """Yields (line, what) for each row that names what is not there, or nothing; and for rows that are missing."""
    found = set()
    for number, line in enumerate(page.splitlines(), 1):
        row = ROW.match(line)
        if not row:
            continue
        found.add(int(row.group(1)))
        tests = NAME.findall(row.group(3))
        for name in tests:
            if name not in names:
                yield number, f"there is no test {name}"
        if not tests and not row.group(4).strip():
            yield number, f"row {row.group(1)} names no test, and does not say why"
    for missing in sorted(set(range(1, ROWS + 1)) - found):
        yield 1, f"row {missing} is missing"


def check(root: Path, texts: dict[str, str]):
    page = root / PAGE
    if page.exists():
        for line, what in faults(page.read_text(encoding="utf-8"), known(root, texts)):
            yield f"{PAGE}:{line}", "fault", what
