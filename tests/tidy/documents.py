"""What is written about the code is true: settings are read, functions that a page names exist."""

import re
from pathlib import Path

import functions

ROW = re.compile(r"return [a-z]\.([\w.\[\]]+);")
SETTINGS = "core/settings/"
READ_AT_LOAD = {"kafka.allow_insecure"}  # Judged while the settings are read.

LIFE = "docs/life-of-a-notification.md"
PAGES = (LIFE, "docs/glossary.md", "docs/ARCHITECTURE.md", "README.md", "CONTRIBUTING.md")
NAMED = re.compile(r"`((?:[\w-]+/)*[\w-]+\.(?:cpp|hpp))`|`((?:[\w-]+/)+)`|`((?:\w+::)*~?\w+)\(\)`")


def unread_settings(texts: dict[str, str]):
    """A row of the settings whose field nobody reads: the owner sets it, and nothing happens.

    What stands below `worker` is read by the worker or core, what stands below `producer` by the producer or core.
    """
    for path, text in texts.items():
        if not (path.startswith(SETTINGS) and path.endswith(".cpp")):
            continue
        for match in ROW.finditer(text):
            if match.group(1) in READ_AT_LOAD:
                continue
            program, field = match.group(1).split(".")[0], match.group(1).split(".")[-1].split("[")[0]
            readers = ("core", program) if program in ("worker", "producer") else ("core", "worker", "producer", "cli")
            read = re.compile(rf"(\.|->){field}\b")
            if not any(read.search(other) for name, other in texts.items()
                       if name.split("/")[0] in readers and not name.startswith(SETTINGS)):
                line = text.count("\n", 0, match.start()) + 1
                yield f"{path}:{line}", "setting", f"nothing reads {match.group(1)}: use it, or take it away"


def has(text: str, path: str, function: str) -> bool:
    """Whether a file defines a function; a header may only declare it."""
    if path.endswith(".hpp"):
        return bool(re.search(rf"\b{re.escape(function)}\s*\(", text))
    return any(name == function or name.endswith("::" + function)
               for name, _, _ in functions.functions(functions.code_only(text)))


def unknown_names(page: str, texts: dict[str, str], with_functions: bool = True):
    """Yields (line, what) for each file that is none, and each `function()` that the file named before it has not.

    A file without a folder stands in that of the file or folder named before it.
    """
    file = folder = ""
    for number, line in enumerate(page.splitlines(), 1):
        for path, named_folder, function in NAMED.findall(line):
            if path:
                file = path if "/" in path else folder + path
                folder = file.rpartition("/")[0] + "/"
                if file not in texts:
                    yield number, f"there is no {file}"
            elif named_folder:
                folder = named_folder
            elif with_functions and not file:
                yield number, f"{function}(): name its file before it"
            elif with_functions and file in texts and not has(texts[file], file, function):
                yield number, f"{file} has no {function}()"


def check(root: Path, texts: dict[str, str]):
    for name in PAGES:
        page = root / name
        if page.exists():
            for line, what in unknown_names(page.read_text(encoding="utf-8"), texts, name == LIFE):
                yield f"{name}:{line}", "page", what
