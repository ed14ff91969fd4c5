"""The dashboards as they are committed, read as Grafana reads them."""

import json
import pathlib
import re
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAME = re.compile(r"\b(fanfare_\w+|process_\w+)(\{[^}]*\})?")
SUFFIX = re.compile(r"_(bucket|sum|count)$")


@dataclass
class Panel:
    dashboard: str
    body: dict

    @property
    def title(self):
        return f"{self.dashboard}: {self.body.get('title', '?')}"

    @property
    def targets(self):
        return self.body.get("targets", [])


def dashboards(root=ROOT):
    return {file.stem: json.loads(file.read_text()) for file in sorted((root / "dashboards").glob("*.json"))}


def panels(name, document):
    return [Panel(name, body) for body in document["panels"] if body["type"] != "row"]


def documented(page):
    """Family -> labels, as docs/metrics.md lists them, of all but the simulator."""
    page = page[:page.index("\n## Simulator")]
    found = {}
    for name, _, labels in re.findall(r"^\| `(\w+)` \| (\w+) \|(.*?)\|", page, re.M):
        found.setdefault(name, set()).update(re.findall(r"`(\w+)`", labels))
    return found


def selectors(expr):
    """Each (family, labels that are matched) of a query."""
    for name, braces in NAME.findall(expr):
        yield SUFFIX.sub("", name), set(re.findall(r"(\w+)\s*[=!]~?\"", braces))


def kept(expr):
    """Labels that an aggregation keeps, or a join brings."""
    return {label for group in re.findall(r"\b(?:by|on|group_left) \(([^)]*)\)", expr) for label in re.split(r",\s*", group)}
