"""Where each function of a C++ file begins and ends, in code without comments and strings."""

import re

TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|(?:u8|[uUL])?R"([^()\\\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-zA-Z])'(?:\\.|[^'\\\n])+'", re.S)


def blank(match: re.Match) -> str:
    """Keeps the line breaks, so that line numbers stay true."""
    return re.sub(r"[^\n]", " ", match.group())


def code_only(text: str) -> str:
    return TOKEN.sub(blank, text)


CONTAINER = re.compile(r"^\s*(template\s*<.*>\s*)?(inline\s+)?(namespace|class|struct|union|extern)\b", re.S)
NAME = re.compile(r"([~\w:]+(?:\s*operator\s*\S+)?)\s*\(")


def container(head: str) -> bool:
    """namespace, class or extern "C": what functions stand in. A function may return a struct: it has brackets."""
    return bool(CONTAINER.match(head)) and not re.search(r"\)\s*(const|noexcept|override|->|$)", head.rstrip())


def body_follows(head: str) -> bool:
    """Whether the brace behind this text opens a function's body, not a value or a member's initialiser."""
    head = head.rstrip()
    if "(" not in head or re.search(r"(?<![=<>!+\-*/])=(?!=)(?![^(]*\))", head.split("(")[0]):
        return False
    if re.search(r"\)(\s*(const|noexcept|override|final|mutable|&))*\s*(->\s*[\w:<>,&*\s]+(\(\))?)?$", head):
        return True
    # A constructor's list: a name before the brace is a member, a bracket before it was the last one.
    return bool(re.search(r"\)\s*(noexcept\s*)?:(?!:)", head)) and head[-1] in ")}"


def functions(code: str):
    """Yields (name, index of its first line, index behind it)."""
    index, start = 0, 0
    while index < len(code):
        char = code[index]
        if char == "#" and not code[start:index].strip():  # the preprocessor's line, and what it continues
            end = re.compile(r"(?<!\\)\n|\Z").search(code, index).end()
            index = start = end
            continue
        if char in ";}" or (char == ":" and code[start:index].strip() in ("public", "private", "protected")):
            start = index + 1
        elif char == "{":
            head = code[start:index]
            if container(head):
                start = index + 1
            else:
                end = past(code, index)
                if body_follows(head):
                    names = NAME.findall(head)
                    yield names[0] if names else "", start + len(head) - len(head.lstrip()), end
                    start = end
                index = end
                continue
        index += 1


def past(code: str, start: int) -> int:
    depth = 0
    for match in re.compile(r"[{}]").finditer(code, start):
        depth += 1 if match.group() == "{" else -1
        if depth == 0:
            return match.end()
    return len(code)
