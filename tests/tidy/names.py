"""One name, one type: two of one name and namespace end in one program as one, without a word from the linker.

What is in an unnamed namespace, or within a class, is its file's own affair.
"""

import re

from functions import code_only

PROGRAMS = ("core", "worker", "producer", "cli", "sim")
_OPENS = re.compile(r"^(?:inline )?namespace ?([\w:]*) ?\{", re.M)
_TYPE = re.compile(r"^(?:template <[^\n]*>\s)?(?:struct|class|enum class|enum) (\w+)\b(?!::)[^;{(]*\{", re.M)


def _depths(code: str):
    """The depth of brackets at each index."""
    depth, depths = 0, []
    for char in code:
        depths.append(depth)
        depth += (char == "{") - (char == "}")
    return depths


def _end(depths: list[int], begin: int) -> int:
    """Where the bracket that opens behind `begin` is closed."""
    depth = depths[begin]
    for index in range(begin + 1, len(depths)):
        if depths[index] <= depth:
            return index
    return len(depths)


def types(text: str):
    """Yields (namespace::name, index) of each type that a file defines for all to see."""
    code = code_only(text)
    depths = _depths(code)
    spaces = []  # (name, begin, end)
    for match in _OPENS.finditer(code):
        begin = match.end() - 1
        spaces.append((match.group(1), begin, _end(depths, begin)))
    for match in _TYPE.finditer(code):
        around = [name for name, begin, end in spaces if begin < match.start() < end]
        if "" not in around:
            yield "::".join((*around, match.group(1))), match.start()


def twins(texts: dict[str, str]):
    """Yields (where, law, advice) for each type whose name another file defines too."""
    first: dict[str, str] = {}
    for path, text in texts.items():
        if path.split("/")[0] not in PROGRAMS:
            continue
        for name, index in types(text):
            where = f"{path}:{text.count(chr(10), 0, index) + 1}"
            if name in first:
                yield where, "twin", f"{name} is another type in {first[name]}: give one of them a name of its own"
            first.setdefault(name, where)
