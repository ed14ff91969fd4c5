#!/usr/bin/env python3
"""Manual pages out of what the programs say of themselves, so that they are never behind them.

usage: manual.py PROGRAM OUTPUT    asks PROGRAM and each of its commands for --help, and writes OUTPUT (NAME.1.gz)
"""

import gzip
import os
import pathlib
import re
import subprocess
import sys

SETTINGS = "/etc/fanfare/fanfare.yaml"
FILES = {SETTINGS: "The settings. $FANFARE_CONFIG or \\fB\\-\\-config\\fR names another file.",
         "/usr/share/fanfare": "Migrations, and systems and templates to begin with.",
         "/usr/share/doc/fanfare": "Where to read on."}


def escape(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


def ask(program, *words):
    # Nothing of this machine may get into a page.
    shown = subprocess.run([program, *words, "--help"], check=True, capture_output=True, text=True, timeout=600,
                           env={"PATH": os.environ["PATH"]})
    return shown.stdout.replace("config/fanfare.yaml", SETTINGS).replace(str(program), program.name)


def read(text):
    """What --help says: its first sentence, the usage, and titled lists of (term, text)."""
    about, _, rest = text.partition("\nUsage: ")
    usage, _, rest = rest.partition("\n")
    # A group of options is told with the others, after what it is for.
    rest = re.sub(r"^\[Option Group: .*\]\n  (.*?) *\n(?:  \[.*\]\n)?  Options:\n((?:    .*\n)*)",
                  lambda group: f"  {group[1]}\n" + re.sub(r"^  ", "", group[2], flags=re.M), rest, flags=re.M)
    lists, closing = {}, []
    for block in re.split(r"\n\n+", rest.strip("\n")):
        title, _, lines = block.partition("\n")
        if not re.fullmatch(r"[A-Z][A-Za-z]+:", title):
            closing.append(block)
            continue
        entries = lists.setdefault(title[:-1], [])
        for line in lines.split("\n"):
            term = re.match(r"  (\S.*?)(?:  +(.*))?$", line)
            if term:
                entries.append([term[1], term[2] or ""])
            elif entries:
                entries[-1][1] = (entries[-1][1] + " " + line.strip()).strip()
    return about.strip(), usage, lists, closing


def entries_of(entries):
    for term, text in entries:
        yield f".TP\n\\fB{escape(term)}\\fR\n{escape(text)}"


def command_page(program, words, known):
    """One command and those below it; what all commands have is told once."""
    about, usage, lists, _ = read(ask(program, *words))
    yield f".SS {escape(' '.join(words))}"
    yield escape(about) + f"\n.PP\n.B {escape(usage)}"
    for title in ("Positionals", "Options"):
        yield from entries_of([each for each in lists.get(title, []) if each[0] not in known])
    for name, _ in lists.get("Subcommands", []):
        yield from command_page(program, [*words, name], known)


def page(program):
    name = program.name
    version = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout.split()[0]
    about, usage, lists, closing = read(ask(program))
    yield f'.TH {name.upper()} 1 "" "Fanfare {version}" "Fanfare"'
    yield f".SH NAME\n{escape(name)} \\- {escape(about[0].lower() + about[1:].rstrip('.'))}"
    yield f".SH SYNOPSIS\n.B {escape(usage)}"
    yield ".SH OPTIONS"
    yield from entries_of(lists["Options"])
    commands = lists.get("Subcommands", [])
    if commands:
        yield ".SH COMMANDS"
        for command, _ in commands:
            yield from command_page(program, [command], {"-h,--help"})
    for block in closing:
        title, _, text = block.partition(": ")
        yield f".SH {escape(title.upper())}\n{escape(' '.join(text.split()))}"
    yield ".SH FILES"
    yield from (f".TP\n.I {escape(path)}\n{text}" for path, text in FILES.items())
    others = [each for each in ("fanfare", "fanfare-producer", "fanfare-worker") if each != name]
    yield ".SH SEE ALSO\n" + ",\n".join(f".BR {escape(each)} (1)" for each in others).replace(",\n", " ,\n")


def main():
    program, output = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    text = "\n".join(page(program)) + "\n"
    output.parent.mkdir(parents=True, exist_ok=True)
    # No time within: the same program makes the same bytes.
    output.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
