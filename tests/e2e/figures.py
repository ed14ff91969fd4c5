"""What programs serve at /metrics, read back, and held against the ledger."""

import re
from collections import defaultdict

from harness import EndToEnd, until

SAMPLE = re.compile(r'^([a-z_]+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
SUFFIX = re.compile(r"_(bucket|sum|count)$")


class Scrape:
    """One answer of /metrics: types, labels and samples by family."""

    def __init__(self, text):
        self.text, self.types, self.labels, self.samples = text, {}, defaultdict(set), {}
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                name, kind = line.split()[2:4]
                self.types[name] = kind
            elif line and not line.startswith("#"):
                name, labels, value = SAMPLE.match(line).groups()
                labels = tuple(sorted(LABEL.findall(labels or "")))
                base = SUFFIX.sub("", name)
                family = base if self.types.get(base) == "histogram" else name
                self.labels[family] |= {label for label, _ in labels if label != "le"}
                self.samples[name, labels] = float(value)

    def by(self, name, *wanted):
        """The sum of a family's samples, by some of its labels."""
        sums = defaultdict(float)
        for (family, labels), value in self.samples.items():
            if family == name:
                sums[tuple(dict(labels)[label] for label in wanted)] += value
        return sums


class Figures(EndToEnd):
    def elected(self, run, *producers):
        """The scrape of the producer that shows what is one number for all; waits for there to be one."""
        found = []

        def look():
            found[:] = [s for s in (Scrape(run.http(p, "/metrics")) for p in producers if p.is_alive())
                        if s.samples["fanfare_elected", ()] == 1]
            return len(found) == 1
        until(look, "one producer to be elected", 60)
        return found[0]

    def held(self, run):
        """(system, kind, channel, outcome) -> people, as the chunks themselves have it."""
        return {tuple(row[:4]): int(row[4]) for row in run.db.rows(
            "SELECT j.system, d.kind, d.channel, d.outcome, count(*) FROM delivery d JOIN job j ON j.id = d.job_id "
            "GROUP BY 1, 2, 3, 4")}

    def assert_shown(self, run, *producers):
        """Entries less exits of every series are what the chunks hold, once the next round is shown."""
        self.assert_moves_add_up(run)

        def shown():
            scrape = self.elected(run, *producers)
            came = scrape.by("fanfare_outcomes_total", "system", "kind", "channel", "outcome")
            left = scrape.by("fanfare_outcomes_left_total", "system", "kind", "channel", "outcome")
            self.assertEqual(set(came), set(left))
            people = {key: count - left[key] for key, count in came.items() if count != left[key]}
            for key, now in scrape.by("fanfare_recipients", "channel", "outcome").items():
                self.assertEqual(now, sum(n for (_, _, *of), n in people.items() if (*of,) == key), key)
            return people
        # Receipts come for as long as they like: what is held is asked anew.
        until(lambda: shown() == self.held(run), lambda: f"what is held to be shown: {self.held(run)} and {shown()}", 60, 0.5)
        return self.elected(run, *producers)
