"""How a commit is named. Looked at where there is history; a tree without is as good."""

import re
from pathlib import Path

import history

SUBJECT_MAX = 72
SUBJECT = re.compile(r"[a-z][a-z0-9_./, -]*: \S")

# The commits behind this one keep the law.
BASE = "508d2a76"


def subject_fault(subject: str) -> str:
    """What is wrong with a subject; empty if nothing is."""
    if not SUBJECT.match(subject):
        return "a commit is named `area: what changes`"
    if len(subject) > SUBJECT_MAX:
        return f"a commit's subject has at most {SUBJECT_MAX} characters, the body says the rest"
    return ""


def subjects(root: Path):
    """Yields (commit, subject) since BASE; none without git, or in a clone that does not reach so far back."""
    for line in history.ask(root, "log", "--no-merges", "--format=%h%x09%s", f"{BASE}..HEAD", "--").splitlines():
        yield line.split("\t", 1)


def check(root: Path):
    for commit, subject in subjects(root):
        if fault := subject_fault(subject):
            yield commit, "subject", fault
