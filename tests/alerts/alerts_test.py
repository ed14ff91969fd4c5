#!/usr/bin/env python3
"""dashboards/alerts.yml, judged by Prometheus' own promtool: alerts_test.py ROOT BIN_DIR

Where promtool is missing only the names are looked at, and the exit code is 77."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT, BIN = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
RUNBOOKS = ROOT / "docs/runbooks.md"
RULES = ROOT / "dashboards/alerts.yml"
CASES = ROOT / "tests/alerts/alerts_test.yml"
SKIPPED = 77


def promtool(*arguments, folder):
    return subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=120, cwd=folder)


def faults_of_runbooks(text):
    """Each alert has its line, and what is typed there is a command."""
    lines = dict(re.findall(r'^\| <a id="(\w+)"></a>(.*)$', RUNBOOKS.read_text(), re.M))
    chapters = {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")
                for heading in re.findall(r"^#+ (.*)$", RUNBOOKS.read_text(), re.M)}
    names = {name.lower(): name for name in re.findall(r"^ +- alert: (\w+)$", text, re.M)}
    for name in sorted(set(names) ^ set(lines)):
        yield f"{names.get(name, name)}: stands in one of dashboards/alerts.yml and docs/runbooks.md"
    for name, line in lines.items():
        for chapter in re.findall(r"\]\(#([^)]*)\)", line):
            if chapter not in chapters:
                yield f"docs/runbooks.md: {name} names no chapter with #{chapter}"
        for command in re.findall(r"`fanfare ([a-z]+)", line):
            if (BIN / "fanfare").exists() and command not in subprocess.run(
                    [BIN / "fanfare", "completion", "candidates", "--", command], capture_output=True, text=True, timeout=60).stdout:
                yield f"docs/runbooks.md: {name} has no command: fanfare {command}"


def faults_by_name(text, cases):
    known = set()
    for folder in ("core", "worker", "producer"):
        for file in (ROOT / folder).rglob("*.?pp"):
            known |= set(re.findall(r'"(fanfare_[a-z_]+)"', file.read_text()))
    for name in sorted(set(re.findall(r"\bfanfare_[a-z_]+\b", text + cases))):
        if name not in known and re.sub(r"_(bucket|sum|count)$", "", name) not in known:
            yield f"{name}: no program has such a metric"
    for alert in re.split(r"\n +- alert: ", text)[1:]:
        name, body = alert.split("\n", 1)
        for wanted in ("severity: (page|ticket)", "summary: .", "description: .",
                       rf"runbook_url: docs/runbooks\.md#{name.lower()}\b"):
            if not re.search(wanted, body):
                yield f"{name}: has no {wanted}"
        if f'alertname="{name}"' not in cases:
            yield f"{name}: no case of {CASES.name} shows it firing"


def judge(rules, cases):
    """What promtool says of them, "" where all is well."""
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "alerts.yml").write_text(rules)
        (pathlib.Path(folder) / "cases.yml").write_text(cases)
        checked = promtool("check", "rules", "alerts.yml", folder=folder)
        tested = promtool("test", "rules", "cases.yml", folder=folder)
        return "" if checked.returncode == tested.returncode == 0 else \
            checked.stdout + checked.stderr + tested.stdout + tested.stderr


def main():
    text, cases = RULES.read_text(), CASES.read_text()
    faults = [*faults_by_name(text, cases), *faults_of_runbooks(text)]
    if faults:
        sys.exit("\n".join(faults))
    if shutil.which("promtool") is None:
        print("NOT TESTED: dashboards/alerts.yml, because there is no promtool (Debian: prometheus)")
        sys.exit(SKIPPED)
    found = judge(text, cases)
    if found:
        sys.exit(found)
    # Cases that pass whatever the rules say would tell nothing.
    for before, after in (("fanfare_account_paused) == 1", "fanfare_account_paused) == 2"), ("> 0.1\n", "> 1.1\n"),
                          ("up{job=~\".*worker\"}) == 0", "up{job=~\".*worker\"}) < 0"), ("for: 1m", "for: 99m")):
        if before not in text:
            sys.exit(f"the rules have no more {before!r} to be broken")
        if not judge(text.replace(before, after, 1), cases):
            sys.exit(f"a mistake is not found: {after!r}")


if __name__ == "__main__":
    main()
