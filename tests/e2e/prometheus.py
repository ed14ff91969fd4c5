"""A real Prometheus that scrapes a run, and the queries of dashboards asked of it as Grafana would."""

import json
import math
import re
import sys
import urllib.parse
import urllib.request

from harness import ROOT, free_port, until

sys.path.insert(0, str(ROOT / "tests/dashboards"))

SCRAPE_S = 1
RATE_INTERVAL_S = 15
SPECIAL = re.compile(r"([\\^$*+?.()|\[\]{}])")


class Prometheus:
    """Scrapes each program that is told of, as the job of its name, every second."""

    def __init__(self, run):
        self.run, self.port, self.dir = run, free_port(), run.dir / "prometheus"
        self.dir.mkdir()
        (self.dir / "targets.json").write_text("[]")
        (self.dir / "prometheus.yml").write_text(json.dumps({
            "global": {"scrape_interval": f"{SCRAPE_S}s", "scrape_timeout": f"{SCRAPE_S}s"},
            "scrape_configs": [{"job_name": "fanfare", "file_sd_configs": [{"files": ["targets.json"]}]}]}))
        self.process = run.start("prometheus", "prometheus", f"--config.file={self.dir}/prometheus.yml",
                                 f"--storage.tsdb.path={self.dir}/data", f"--web.listen-address=127.0.0.1:{self.port}",
                                 "--log.level=warn")
        until(self.is_ready, "Prometheus to be ready", 30)

    def is_ready(self):
        if not self.process.is_alive():
            raise AssertionError(f"prometheus ended with {self.process.child.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=5):
                return True
        except OSError:
            return False

    def scrape(self, **processes):
        """scrape(worker=[...], producer=[...]): these and no others from now on."""
        found = [{"targets": [f"127.0.0.1:{process.port_file.read_text().strip()}"], "labels": {"job": job}}
                 for job, those in processes.items() for process in those]
        (self.dir / "targets.new").write_text(json.dumps(found))
        (self.dir / "targets.new").rename(self.dir / "targets.json")

    def call(self, path, **fields):
        data = urllib.parse.urlencode(fields, doseq=True).encode()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}", data=data, timeout=30) as answer:
                return json.loads(answer.read())["data"]
        except urllib.error.HTTPError as fault:
            raise AssertionError(f"{fields}: {fault.read().decode()}") from None

    def value(self, expr):
        """The only sample, or None."""
        found = self.call("query", query=expr)["result"]
        return float(found[0]["value"][1]) if found else None

    def ask(self, target, window):
        """A panel's query: [{"labels": ..., "values": [[time, value], ...]}], only what is a number."""
        expr = target["expr"]
        if target.get("instant"):
            found = self.call("query", query=expr, time=window[1])["result"]
            series = [(one["metric"], [one["value"]]) for one in found]
        else:
            found = self.call("query_range", query=expr, start=window[0], end=window[1], step=window[2])["result"]
            series = [(one["metric"], one["values"]) for one in found]
        said = [{"labels": labels, "values": [[at, float(value)] for at, value in values if math.isfinite(float(value))]}
                for labels, values in series]
        return [one for one in said if one["values"]]

    def label_values(self, query):
        """What Grafana does with label_values(SELECTOR, LABEL)."""
        selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", query).groups()
        return sorted({one[label] for one in self.call("series", **{"match[]": selector}) if label in one})


def as_pattern(values):
    """Several values as Grafana writes them into a matcher."""
    escaped = [SPECIAL.sub(r"\\\\\1", value) for value in values]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


def filled(text, values, window):
    """A query with variables and Grafana's own words replaced."""
    begin, end, step = window
    text = re.sub(r"\$__timeFilter\((\w+)\)", rf"\1 BETWEEN to_timestamp({begin}) AND to_timestamp({end})", text)
    text = re.sub(r"\$__timeGroupAlias\((\w+), \$__interval\)",
                  rf'floor(extract(epoch FROM \1) / {step}) * {step} AS "time"', text)
    known = {**values, "__rate_interval": f"{RATE_INTERVAL_S}s", "__range": f"{math.ceil(end - begin)}s",
             "__interval": f"{step}s"}
    return re.sub(r"\$\{?(\w+)\}?", lambda found: known[found.group(1)], text)
