"""The figures of docs/performance.md, out of the lines that `scripts/bench --json` prints."""

import json
import statistics

from stage import ratios, spread

TITLES = {"email": "e-mail, a request for a thousand", "sms": "SMS, a request each", "push": "push, a request each",
          "three": "all three channels", "tiny": "jobs of five people, e-mail", "idle": "nothing to do"}
CEILINGS = {"requests": "requests", "contacts": "contacts", "copy": "COPY", "kafka": "Kafka", "commits": "commits"}
PEERS = {"graphile-worker": "graphile-worker, PostgreSQL", "bullmq": "BullMQ, Redis"}
BEGIN, END = "<!-- figures: bench/draw -->\n", "<!-- end of figures -->\n"


class Record:
    """Runs by scenario and build, in the order of their rounds."""

    def __init__(self, lines):
        self.circumstances, self.runs = {}, {}
        for line in lines:
            found = json.loads(line)
            if "circumstances" in found:
                self.circumstances = found["circumstances"]
            else:
                self.runs.setdefault(found["scenario"], {}).setdefault(found["build"], []).append(found)

    def scenarios(self):
        return [name for name in TITLES if "this" in self.runs.get(name, {})]

    def values(self, scenario, build="this"):
        """Its main figure of each round."""
        name = {"tiny": "jobs_per_s", "idle": "core_percent"}.get(scenario, "per_s")
        return [run[name] for run in self.runs.get(scenario, {}).get(build, [])]

    def ceilings(self, scenario):
        """{name: figure of each round}, of those that were measured."""
        runs = self.runs[scenario]["this"]
        found = {name: [run["ceilings"][name]["per_s"] for run in runs if run.get("ceilings", {}).get(name)] for name in CEILINGS}
        return {name: values for name, values in found.items() if values}

    def peers(self, scenario):
        return [peer for peer in PEERS if self.values(scenario, peer)]

    def cpu(self, scenario, build="this"):
        """{program: CPU seconds a million messages}, medians, without the simulator."""
        found = {}
        for run in self.runs[scenario][build]:
            used = dict(run["cpu_s"], **({"kafka": run["kafka_cpu_s"]} if "kafka_cpu_s" in run else {}))
            used.pop("sim", None)
            messages = run["people"] * (3 if scenario == "three" else 1)
            for name, seconds in used.items():
                found.setdefault(name, []).append(seconds * 1e6 / messages)
        return {name: statistics.median(values) for name, values in found.items()}

    def busy(self, scenario, build="this"):
        """How many cores were at work, the simulator's share included."""
        return statistics.median(
            (sum(run["cpu_s"].values()) + run.get("kafka_cpu_s", 0) + run.get("sim_cpu_s", 0)) / run["seconds"]
            for run in self.runs[scenario][build])


def short(value):
    """Three figures, for people: 1.23 million, 123,000, 12,300, 123."""
    if value >= 1e6:
        return f"{value / 1e6:.3g} million"
    digits = max(0, len(str(int(value))) - 3)
    return f"{round(value, -digits):,.0f}"


def row(*cells):
    return "| " + " | ".join(cells) + " |\n"


def in_turn(known):
    """What a round could have done had it done all of this one after the other, and nothing else."""
    return [1 / sum(1 / value for value in values) for values in zip(*known.values())]


def share(ours, ceiling):
    part = 100 * statistics.median(ratios(ours, ceiling))
    return f"{part:.0f} %" if part >= 10 else f"{part:.1f} %"


def ceiling_table(record):
    text = row("", "Fanfare", *CEILINGS.values(), "all in turn", "Fanfare is") + row("---", "--:", *["--:"] * (len(CEILINGS) + 2))
    for scenario in record.scenarios():
        ours, known = record.values(scenario), record.ceilings(scenario)
        if scenario == "idle":
            text += row(TITLES[scenario], spread(ours, 2) + " % of a core", *[""] * (len(CEILINGS) + 2))
            continue
        unit = " jobs/s" if scenario == "tiny" else "/s"
        cells = [short(statistics.median(known[name])) if name in known else "" for name in CEILINGS]
        last = [short(statistics.median(in_turn(known))), share(ours, in_turn(known))] if known else ["", ""]
        text += row(TITLES[scenario], spread(ours, 0) + unit, *cells, *last)
    return text


def spent(record, scenario, build):
    return f"{sum(record.cpu(scenario, build).values()):,.0f}", f"{record.busy(scenario, build):.2f}"


def peer_table(record):
    text = (row("", "", "messages/s", "CPU s a million", "cores busy", "Fanfare is") +
            row("---", "---", "--:", "--:", "--:", "--:"))
    for scenario in record.scenarios():
        if not record.peers(scenario):
            continue
        ours = record.values(scenario)
        text += row(TITLES[scenario].partition(",")[0], "**Fanfare**", spread(ours, 0), *spent(record, scenario, "this"), "")
        for peer in record.peers(scenario):
            theirs = record.values(scenario, peer)
            text += row("", PEERS[peer], spread(theirs, 0), *spent(record, scenario, peer), f"× {spread(ratios(ours, theirs), 1)}")
    return text


def told(record):
    """The part of docs/performance.md that is made of figures."""
    of = record.circumstances
    rounds = max((len(record.values(name)) for name in record.scenarios()), default=0)
    where = (f"{of.get('date')}, commit {of.get('commit')}: {of.get('system')}, {of.get('cores')} cores shared by everything, "
             f"PostgreSQL {of.get('postgres')}, Node {of.get('node')}. Medians of {rounds} rounds (smallest to largest).")
    parts = [where, ceiling_table(record).rstrip("\n")]
    if any(record.peers(name) for name in record.scenarios()):
        parts.append(peer_table(record).rstrip("\n"))
    return "\n\n".join(parts) + "\n"


def in_short(record):
    """The lines of README.md."""
    paces = [f"{short(statistics.median(record.values(name)))} {what}"
             for name, what in (("email", "e-mails"), ("sms", "SMS"), ("push", "push messages")) if record.values(name)]
    text = (f"On {record.circumstances.get('cores')} cores that everything shares, the simulator included: {', '.join(paces)} a second, "
            "the fate of each on record.\n")
    compared = [name for name in ("sms", "push") if record.peers(name)]
    times = [" and ".join(f"{statistics.median(ratios(record.values(name), record.values(name, peer))):.1f}" for name in compared)
             + f" times what {PEERS[peer].partition(',')[0]} does" for peer in PEERS
             if compared and all(record.values(name, peer) for name in compared)]
    if times:
        channels = " and ".join(compared).replace("sms", "SMS")
        text += f"Measured in turns, {channels}: {', '.join(times)}; neither keeps what became of anybody (`docs/performance.md`).\n"
    return text


def filled(page, text):
    """The page with this text between its marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the page has no marks for figures")
    return before + begin + "\n" + text + "\n" + end + after


PAGES = {"docs/performance.md": told, "README.md": in_short}
