#!/usr/bin/env python3
"""docs/openapi.yaml and docs/asyncapi.yaml, judged by a linter that others keep (Redocly's, from npm).

usage: lint_docs.py SOURCES FOLDER

It is fetched once into FOLDER, as tests/lint/package-lock.json pins it. Where that cannot be done nothing is tested, and
the exit code is 77: scripts/test says so loudly."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
NODE_MIN = 20
# JSON Schema 2020-12, which this linter takes for AsyncAPI's own: tests/unit/settings/schema_test.py judges it.
OF_OTHERS = "job.schema.json"


def skip(why):
    print(f"NOT LINTED: {why}")
    sys.exit(SKIPPED)


def fetch(sources, folder):
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        skip("there is no node with npm")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=60).stdout
    major = re.match(r"v(\d+)", version)
    if major is None or int(major[1]) < NODE_MIN:
        skip(f"node is {version.strip()}, and the linter needs {NODE_MIN}")
    program = folder / "node_modules/.bin/redocly"
    pins = sources / "tests/lint"
    known = folder / "package-lock.json"
    if program.exists() and known.read_bytes() == (pins / "package-lock.json").read_bytes():
        return program
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(pins / name, folder / name)
    done = subprocess.run([npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder, capture_output=True,
                          text=True, timeout=240)
    if done.returncode != 0 or not program.exists():
        skip("npm cannot fetch the linter: " + done.stderr.strip()[-300:])
    return program


def problems_of(program, sources, document):
    config = sources / "docs/redocly.yaml"
    done = subprocess.run([program, "lint", "--config", config, "--format=json", document], capture_output=True, text=True,
                          timeout=120, env={**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "1"})
    try:
        found = json.loads(done.stdout)["problems"]
    except (ValueError, KeyError):
        sys.exit(f"{document}: the linter gave no answer: {done.stderr.strip()[-600:]}")
    problems = []
    for problem in found:
        place = problem["location"][0] if problem.get("location") else {}
        file = pathlib.Path(place.get("source", {}).get("ref", str(document))).name
        if file != OF_OTHERS:
            problems.append(f"{file}{place.get('pointer', '')}: {problem['message']} ({problem['ruleId']})")
    return problems


def main():
    sources, folder = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    program = fetch(sources, folder)
    problems = []
    for name in ("openapi.yaml", "asyncapi.yaml"):
        problems += problems_of(program, sources, sources / "docs" / name)
    print("\n".join(problems))
    if problems:
        sys.exit(f"{len(problems)} problems")
    # A linter that finds nothing anywhere would pass all the same: a text with commas in braces becomes keys.
    with tempfile.TemporaryDirectory() as scratch:
        for name, before, after in (("openapi.yaml", "{type: string, format: uuid, description: Also the id of its job.}",
                                     "{type: string, format: uuid, description: Also, the id, of its job.}"),
                                    ("asyncapi.yaml", "  title: Fanfare\n", "  titel: Fanfare\n")):
            text = (sources / "docs" / name).read_text()
            if before not in text:
                sys.exit(f"{name} has no more {before!r} to be broken")
            broken = pathlib.Path(scratch) / name
            broken.write_text(text.replace(before, after, 1))
            shutil.copy(sources / "docs" / OF_OTHERS, scratch)
            if not problems_of(program, sources, broken):
                sys.exit(f"a mistake in {name} is not found")


if __name__ == "__main__":
    main()
