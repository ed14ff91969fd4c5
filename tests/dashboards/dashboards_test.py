#!/usr/bin/env python3
"""dashboards/*.json: each panel says what it is, each metric is one that docs/metrics.md lists, and the files are what
dashboards/build makes. Where that cannot be fetched only the former is judged, and the exit code is 77."""

import copy
import json
import re
import subprocess
import sys

from panels import ROOT, documented, dashboards, kept, panels, selectors

SKIPPED, COLUMNS = 77, 24
EVERYWHERE = {"job", "instance", "le"}
# What Grafana itself gives.
BUILT_IN = {"__rate_interval", "__range", "__interval", "__timeFilter", "__timeGroupAlias", "__all"}
USED = re.compile(r"\$\{?(\w+)\}?")
# Of no panel: what somebody looks up by hand.
UNSHOWN = {"process_virtual_memory_bytes", "fanfare_spans_exported_total", "fanfare_spans_dropped_total"}


def anchors():
    text = (ROOT / "docs/runbooks.md").read_text()
    headings = {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", text, re.M)}
    return headings | set(re.findall(r'<a id="(\w+)">', text))


def faults_of_panel(panel, known):
    body = panel.body
    defaults = body.get("fieldConfig", {}).get("defaults", {})
    for what, there in (("title", body.get("title")), ("description", body.get("description")), ("unit", defaults.get("unit")),
                        ("query", panel.targets), ("thresholds", defaults.get("thresholds"))):
        if not there:
            yield f"{panel.title}: has no {what}"
    if body["type"] in ("timeseries", "state-timeline") and not body.get("options", {}).get("legend", {}).get("showLegend"):
        yield f"{panel.title}: shows no legend"
    if not body.get("datasource", {}).get("uid", "").startswith("${"):
        yield f"{panel.title}: its datasource is no variable"
    for link in body.get("links", []):
        if link["url"].removeprefix("${runbooks}#") not in anchors():
            yield f"{panel.title}: docs/runbooks.md has no {link['url']}"
    for target in panel.targets:
        if "expr" in target:
            yield from (f"{panel.title}: {fault}" for fault in faults_of_query(target["expr"], target.get("legendFormat"), known))


def faults_of_query(expr, legend, known):
    if not legend:
        yield f"a query has no legend: {expr}"
    for label in re.findall(r"\{\{(\w+)\}\}", legend or ""):
        if label not in kept(expr):
            yield f"the legend names {label}, and the query drops it: {expr}"
    for family, labels in selectors(expr):
        if family not in known:
            yield f"docs/metrics.md lists no {family}"
        elif labels - known[family] - EVERYWHERE:
            yield f"{family} has no label {', '.join(sorted(labels - known[family] - EVERYWHERE))}"
    for window in re.findall(r"\[([^\]]+)\]", expr):
        if window not in ("$__rate_interval", "$__range"):
            yield f"a window of its own, {window}: {expr}"


def faults_of_layout(name, document):
    ids = [body.get("id") for body in document["panels"]]
    if None in ids or len(set(ids)) != len(ids):
        yield f"{name}: its panels have no ids of their own"
    taken = set()
    for body in document["panels"]:
        spot = body["gridPos"]
        cells = {(x, y) for x in range(spot["x"], spot["x"] + spot["w"]) for y in range(spot["y"], spot["y"] + spot["h"])}
        if taken & cells or spot["x"] + spot["w"] > COLUMNS:
            yield f"{name}: {body.get('title')} lies on another or beyond the edge"
        taken |= cells


def faults_of(documents, known):
    uids = [document["uid"] for document in documents.values()]
    if len(set(uids)) != len(uids):
        yield "two dashboards have one uid"
    for name, document in documents.items():
        yield from faults_of_layout(name, document)
        variables = {variable["name"] for variable in document["templating"]["list"]}
        used = set(USED.findall(json.dumps(document["panels"]) + json.dumps(document["templating"])
                                + json.dumps(document["annotations"]) + json.dumps(document["links"]))) - BUILT_IN
        for variable in sorted(variables ^ used):
            yield f"{name}: the variable {variable} is not {'used' if variable in variables else 'there'}"
        for wanted in ("Deploys", "Replays"):
            if wanted not in [annotation["name"] for annotation in document["annotations"]["list"]]:
                yield f"{name}: has no annotation {wanted}"
        for annotation in document["annotations"]["list"]:
            for family, _ in selectors(annotation["expr"]):
                if family not in known:
                    yield f"{name}: docs/metrics.md lists no {family}"
        for panel in panels(name, document):
            yield from faults_of_panel(panel, known)
    shown = {family for name, document in documents.items() for panel in panels(name, document)
             for target in panel.targets for family, _ in selectors(target.get("expr", ""))}
    for family in sorted(set(known) - shown - UNSHOWN):
        yield f"no panel shows {family}"
    for family in sorted(UNSHOWN & shown):
        yield f"{family} is shown after all: take it off the list"


def planted(documents):
    """Copies with one fault each: checks that find nothing would tell nothing."""
    def broken(change):
        changed = copy.deepcopy(documents)
        change(changed["fleet"], next(p.body for p in panels("fleet", changed["fleet"]) if p.body["type"] == "timeseries"))
        return changed

    def set_expr(before, after):
        def change(_, panel):
            target = panel["targets"][0]
            assert before in target["expr"], target["expr"]
            target["expr"] = target["expr"].replace(before, after)
        return change
    yield "a metric that is none", broken(set_expr("fanfare_outcomes_total", "fanfare_outcome_total"))
    yield "a label that is none", broken(set_expr("channel=~", "chanel=~"))
    yield "a window", broken(set_expr("$__rate_interval", "5m"))
    yield "a legend of a dropped label", broken(set_expr("by (channel)", "by (system)"))
    yield "no description", broken(lambda _, panel: panel.pop("description"))
    yield "no unit", broken(lambda _, panel: panel["fieldConfig"]["defaults"].pop("unit"))
    yield "no legend", broken(lambda _, panel: panel["targets"][0].pop("legendFormat"))
    yield "a runbook that is none", broken(lambda _, panel: panel.update(links=[{"url": "${runbooks}#nowhere"}]))
    yield "a panel beyond the edge", broken(lambda _, panel: panel["gridPos"].update(w=23))
    yield "a variable too many", broken(lambda board, _: board["templating"]["list"].append({"name": "region"}))
    yield "no annotation", broken(lambda board, _: board["annotations"]["list"].pop())


def main():
    known = documented((ROOT / "docs/metrics.md").read_text())
    documents = dashboards()
    faults = list(faults_of(documents, known))
    if len(documents) < 6:
        faults.append(f"only {len(documents)} dashboards")
    if faults:
        sys.exit("\n".join(faults))
    for what, changed in planted(documents):
        if not list(faults_of(changed, known)):
            sys.exit(f"a mistake is not found: {what}")
    done = subprocess.run([sys.executable, ROOT / "dashboards/build", "--check"], capture_output=True, text=True, timeout=600)
    print(done.stdout, end="")
    if done.returncode == SKIPPED:
        print("NOT TESTED: whether dashboards/*.json are current")
        sys.exit(SKIPPED)
    if done.returncode != 0:
        sys.exit(done.stderr + "run dashboards/build and commit what it writes")


if __name__ == "__main__":
    main()
