#!/usr/bin/env python3
"""The laws of the house, as a test: what no compiler checks and every reader relies on.

usage: tests/tidy.py [ROOT]    prints each breach as path:line and exits 1
"""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "tidy"))
import commits  # noqa: E402
import documents  # noqa: E402
import faults  # noqa: E402
import functions  # noqa: E402
import includes  # noqa: E402
import leftovers  # noqa: E402
import names  # noqa: E402
from functions import code_only  # noqa: E402

FOLDERS = ("core", "worker", "producer", "cli", "sim", "bench", "tests")
LINES_MAX = 400
COLUMNS_MAX = 100
FUNCTION_LINES_MAX = 60

# Known exceptions, to be shortened, never lengthened: (law, path) -> how many breaches are allowed.
RATCHET: dict[tuple[str, str], int] = {
    ("function-lines", "producer/api/notifications.cpp"): 1,
    ("function-lines", "tests/contract/planted_bugs_test.cpp"): 1,  # a table
}

# law: (pattern in the code without comments and strings, where it is allowed, what to do instead)
BANS = {
    "co_spawn": (r"\bco_spawn\s*\(", ("core/async/", "main.cpp", "tests/"),
                 "nothing is detached: spawn through TaskGroup"),
    "clock": (r"\w*_clock\s*::\s*now\s*\(", ("core/clock/", "tests/", "sim/", "bench/"),
              "time is passed in: take a Clock"),
    # Beside these nothing waits but on a Timer: a signal without time, real sockets and libcurl, a thread of spans.
    "timer": (r"\b(steady|system|high_resolution)_timer\b",
              ("core/clock/", "core/async/task_group", "core/http/client", "core/web/deadline", "core/tracing/tracer",
               "producer/http/server", "tests/", "sim/", "bench/"), "wait on a Timer of core/clock: tests own its time"),
    # The machine's clock is given out where programs are put together; librdkafka and threads of ours live by it.
    "machine-clock": (r"\bsystem_clock\s*\(\s*\)",
                      ("core/clock/", "core/kafka/", "core/async/shutdown", "core/providers/context",
                       "worker/worker.cpp", "worker/stages", "worker/drain.cpp", "worker/worker_health.cpp",
                       "producer/producer.cpp", "cli/", "tests/", "sim/", "bench/",
                       # They only space lines of the log.
                       "producer/schedule/outbox.hpp", "producer/api/reply.cpp"),
                      "time is passed in: take a Clock"),
    "sleep": (r"\b(sleep_for|sleep_until|usleep|nanosleep)\s*\(|(?<![\w.>])sleep\s*\(",
              ("tests/support/",), "await the event, or a timer of core/clock"),
    "subtransaction": (r"\bpqxx\s*::\s*subtransaction\b", (),
                       "a savepoint per item costs XIDs and hides failures: one statement, one transaction"),
    "verify": (r"\b\w*VERIFY(PEER|HOST)\s*,\s*0", (), "never send to an unverified server: set a CA instead"),
}

LAMBDA = re.compile(r"(?<![\w\])])\[([^\[\]]*)\]\s*(?=[({<]|mutable\b|noexcept\b|->)")


def closing(code: str, start: int) -> int:
    """The index after the bracket that closes the one at start."""
    pairs = {"(": ")", "{": "}", "<": ">"}
    opening, depth = code[start], 0
    for index in range(start, len(code)):
        if code[index] == opening:
            depth += 1
        elif code[index] == pairs[opening] and not (opening == "<" and code[index - 1] == "-"):
            depth -= 1
            if depth == 0:
                return index + 1
    return len(code)


def lambdas(code: str):
    """Each lambda as (start, capture, body start, body end)."""
    for match in LAMBDA.finditer(code):
        index = match.end()
        if code[index] == "<":
            index = closing(code, index)
        while index < len(code) and code[index].isspace():
            index += 1
        if index < len(code) and code[index] == "(":
            index = closing(code, index)
        brace = code.find("{", index)
        between = code[index:brace] if brace >= 0 else ";"
        if re.search(r"[;)}=]", between):  # an attribute or a subscript, not a lambda
            continue
        yield match.start(), match.group(1).strip(), brace, closing(code, brace)


def capturing_coroutines(code: str):
    found = list(lambdas(code))
    for start, capture, begin, end in found:
        if not capture or capture.startswith("["):
            continue
        body = code[begin:end]
        for _, _, inner_begin, inner_end in found:  # what a nested lambda awaits is its own affair
            if begin < inner_begin and inner_end < end:
                body = body[: inner_begin - begin] + " " * (inner_end - inner_begin) + body[inner_end - begin:]
        if re.search(r"\bco_(await|return|yield)\b", body):
            yield start


def line_of(text: str, index: int) -> int:
    return text.count("\n", 0, index) + 1


def uncommented_header(path: str, text: str):
    """Where a public header declares its first type or function, if no comment said before what it is."""
    if not path.endswith(".hpp") or path.startswith("tests/"):
        return
    code = code_only(text)
    found = re.search(r"^(?!#|namespace\b|using\b|typedef\b|inline constexpr\b|extern\b|\s|}|$)(?!(class|struct|enum)\b[^{=]*;)",
                      code, re.M)
    if found and "//" not in text[: text.find("\n", found.start())]:
        yield found.start()


def long_functions(path: str, code: str):
    for name, start, end in functions.functions(code):
        if code.count("\n", start, end) + 1 > FUNCTION_LINES_MAX and not name.startswith("INSTANTIATE_"):
            yield start


def check(path: str, text: str):
    """Yields (law, line, advice) for each breach in one file."""
    code = code_only(text)
    for law, (pattern, allowed, advice) in BANS.items():
        if any(path.startswith(a) or (a.endswith(".cpp") and path.endswith("/" + a)) for a in allowed):
            continue
        for match in re.finditer(pattern, code):
            yield law, line_of(code, match.start()), advice
    for match in re.finditer(r"\b(TODO|FIXME|XXX)\b(?!\(#\d+\))", text):
        yield "todo", line_of(text, match.start()), "name its issue: TODO(#123)"
    for start in capturing_coroutines(code):
        yield ("coroutine-capture", line_of(code, start),
               "the capture dies before the coroutine does: pass it as a parameter")
    for start, header in includes.breaches(path, text):
        if includes.exception(path, header) not in includes.EXCEPTIONS:
            yield ("include", line_of(text, start),
                   f"{header}: a program includes core and itself, a folder of core those below it (tests/tidy/includes.py)")
    for start in long_functions(path, code):
        yield "function-lines", line_of(code, start), f"a function has at most {FUNCTION_LINES_MAX} lines: split it"
    for start in uncommented_header(path, text):
        yield "header", line_of(text, start), "say above the first declaration what this header is"
    lines = text.splitlines()
    if len(lines) > LINES_MAX:
        yield "lines", len(lines), f"a file has at most {LINES_MAX} lines: split it"
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX:
            yield "columns", number, f"a line has at most {COLUMNS_MAX} columns"


def main() -> int:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent)
    files = sorted(f for folder in FOLDERS for suffix in ("hpp", "cpp")
                   for f in (root / folder).rglob(f"*.{suffix}"))
    breaches = 0
    counts: dict[tuple[str, str], int] = {}
    texts = {file.relative_to(root).as_posix(): file.read_text(encoding="utf-8") for file in files}
    for path, text in texts.items():
        for law, line, advice in check(path, text):
            counts[law, path] = counts.get((law, path), 0) + 1
            if counts[law, path] > RATCHET.get((law, path), 0):
                print(f"{path}:{line}: [{law}] {advice}")
                breaches += 1
    for key, allowed in RATCHET.items():
        if counts.get(key, 0) < allowed:
            print(f"tests/tidy.py: the exception {key} allows {allowed}, {counts.get(key, 0)} are left: tighten it")
            breaches += 1
    used = {includes.exception(path, header) for path, text in texts.items() for _, header in includes.breaches(path, text)}
    for folder, header in sorted(includes.EXCEPTIONS.keys() - used):
        print(f"tests/tidy/includes.py: nothing in {folder} includes {header} any more: take it off the list")
        breaches += 1
    for where, law, advice in (*names.twins(texts), *commits.check(root), *documents.unread_settings(texts), *documents.check(root, texts),
                               *faults.check(root, texts), *leftovers.check(root)):
        print(f"{where}: [{law}] {advice}")
        breaches += 1
    print(f"{len(files)} files, {breaches} breaches")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
