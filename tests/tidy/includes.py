"""Who may include whom: the programs core and themselves, a folder of core those that stand below it."""

import re

PROGRAMS = ("worker", "producer", "cli", "sim")

# The folders of core, lowest first. Each may include those before it, and itself.
CORE = ("error", "handle", "clock", "domain", "program", "crypto", "time_zones", "async", "settings", "reference",
        "systems", "web", "observe", "http", "tracing", "kafka", "postgres", "wire", "rendering", "ledger", "audience", "providers", "orders",
        "estimate")

# What does not hold yet: (folder, header) -> why. To be shortened, never lengthened; one that nobody needs is a breach.
_DOMAIN = "values and rules without I/O: belong into core/domain"
EXCEPTIONS = {
    ("core/wire", "core/ledger/chunks.hpp"): _DOMAIN,
    ("core/ledger", "core/audience/address.hpp"): _DOMAIN,
}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.M)


def exception(path: str, header: str) -> tuple[str, str]:
    """The key under which an include may be listed."""
    return path.rsplit("/", 1)[0], header


def allowed(path: str, header: str) -> bool:
    program, area = path.split("/")[0], header.split("/")[0]
    if program in PROGRAMS:
        return area in ("core", program)
    if program != "core":
        return True  # tests and benchmarks look at everything
    if area != "core" or header.count("/") < 2 or path.count("/") < 2:
        return False
    mine, theirs = path.split("/")[1], header.split("/")[1]
    return mine in CORE and theirs in CORE[: CORE.index(mine) + 1]


def breaches(path: str, text: str):
    """Yields (index, header) of each include that the law forbids, exceptions among them."""
    for match in INCLUDE.finditer(text):
        header = match.group(1)
        if header.split("/")[0] in ("core", *PROGRAMS) and not allowed(path, header):
            yield match.start(), header
