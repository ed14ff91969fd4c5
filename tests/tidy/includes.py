"""Who may include whom: the programs core and themselves, a folder of core those that stand below it."""

import re

PROGRAMS = ("worker", "producer", "cli", "sim")

# The folders of core, lowest first. Each may include those before it, and itself.
CORE = ("error", "handle", "clock", "domain", "program", "crypto", "time_zones", "async", "settings", "reference",
        "systems", "web", "observe", "http", "kafka", "postgres", "wire", "ledger", "audience")

# What does not hold yet: (from, to) -> why. To be shortened, never lengthened; one that nobody needs is a breach.
_ORDERS = "whether a job can be told is asked before it is published: belongs into core/orders"
_RENDERING = "a text is checked and shown by the code that writes it: belongs into core/rendering"
_ADDRESS = "the ledger compares addresses in the form of core/audience: belongs into core/domain"
EXCEPTIONS = {
    ("cli/config.cpp", "worker/orders/template_advice.hpp"): _ORDERS,
    ("cli/publish.cpp", "worker/orders/order_rules.hpp"): _ORDERS,
    ("producer/api/desk.hpp", "worker/orders/order_look.hpp"): _ORDERS,
    ("producer/api/order.cpp", "worker/orders/order_rules.hpp"): _ORDERS,
    ("cli/config.cpp", "worker/rendering/templates.hpp"): _RENDERING,
    ("cli/publish.cpp", "worker/rendering/templates.hpp"): _RENDERING,
    ("producer/api/desk.hpp", "worker/rendering/templates.hpp"): _RENDERING,
    ("producer/api/directory.cpp", "worker/rendering/utf8.hpp"): _RENDERING,
    ("producer/api/draft.cpp", "worker/rendering/clean.hpp"): _RENDERING,
    ("producer/api/draft.cpp", "worker/rendering/variables.hpp"): _RENDERING,
    ("producer/api/draft.hpp", "worker/rendering/templates.hpp"): _RENDERING,
    ("producer/api/estimate.cpp", "worker/rendering/segments.hpp"): _RENDERING,
    ("producer/api/order.hpp", "worker/rendering/templates.hpp"): _RENDERING,
    ("producer/api/people.cpp", "worker/rendering/utf8.hpp"): _RENDERING,
    ("producer/api/plain.cpp", "worker/rendering/utf8.hpp"): _RENDERING,
    ("producer/api/preview.cpp", "worker/rendering/segments.hpp"): _RENDERING,
    ("producer/api/survey.cpp", "worker/rendering/segments.hpp"): _RENDERING,
    ("producer/api/survey.hpp", "worker/rendering/templates.hpp"): _RENDERING,
    ("cli/config.cpp", "worker/providers/registry.hpp"): "which providers there are: belongs into core/providers",
    ("core/wire/descriptor.hpp", "core/ledger/chunks.hpp"): "the key of a chunk: belongs into core/domain",
    ("core/ledger/addresses.cpp", "core/audience/address.hpp"): _ADDRESS,
    ("core/ledger/opt_outs.cpp", "core/audience/address.hpp"): _ADDRESS,
    ("core/ledger/receipts.cpp", "core/audience/address.hpp"): _ADDRESS,
}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.M)


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
