#!/usr/bin/env python3
"""Completion as three shells do it, asked of real ones: completion_test.py PROGRAM

A shell that is not there is left out, loudly (exit code 77)."""

import contextlib
import os
import pathlib
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
SKIPPED = 77
ENVIRONMENT = {"PATH": f"{PROGRAM.parent}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8", "TERM": "dumb"}


def run(*command, folder, stdin=None):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=folder, input=stdin,
                          env={**ENVIRONMENT, "HOME": str(folder), "ZDOTDIR": str(folder)})


def by_bash(words, folder):
    """What readline is given; where that is nothing, it offers files itself."""
    script = """source <(fanfare completion bash)
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _fanfare fanfare "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\\n' "${COMPREPLY[@]}"; complete -p fanfare >&2"""
    done = run("bash", "--norc", "-c", script, "bash", "fanfare", *words, folder=folder)
    assert "-o default" in done.stderr, done.stderr
    return done.stdout.split() or sorted(path.name for path in folder.iterdir() if path.name.startswith(words[-1]))


def by_fish(words, folder):
    line = " ".join(["fanfare", *words])
    done = run("fish", "--no-config", "-c", f"fanfare completion fish | source; complete -C '{line}'", folder=folder)
    assert not done.stderr, done.stderr
    return [each.split("\t")[0] for each in done.stdout.splitlines()]


def by_zsh(words, folder):
    """The real line editor, in a terminal of its own: what its completion adds is written down."""
    (folder / ".zshrc").write_text("""
        autoload -U compinit; compinit -u -D
        source <(fanfare completion zsh)
        all=()
        compadd() {
            local -a asks got
            zparseopts -E -a asks O: A: D:
            if (( ! ${#asks} )); then builtin compadd -A got "$@"; all+=($got); fi
            builtin compadd "$@"
        }
        zle -C ask complete-word _main_complete
        zle-line-init() {
            BUFFER=$LINE_TO_COMPLETE; CURSOR=$#BUFFER
            zle ask
            print -rl -- $all >$ZDOTDIR/.found
            exit
        }
        zle -N zle-line-init""")
    line = " ".join(["fanfare", *words])
    ends, shell = pty.openpty()
    process = subprocess.Popen(["zsh", "-d", "-i"], stdin=shell, stdout=shell, stderr=shell, cwd=folder, start_new_session=True,
                               env={**ENVIRONMENT, "HOME": str(folder), "ZDOTDIR": str(folder), "LINE_TO_COMPLETE": line})
    os.close(shell)
    seen = b""
    with contextlib.suppress(OSError):  # Nobody is at the other end any more.
        while more := os.read(ends, 4096):
            seen += more
    os.close(ends)
    process.wait(60)
    found = folder / ".found"
    assert found.exists(), seen
    names = found.read_text().split()
    found.unlink()
    return names


def commands(*words):
    """Each command below, as --help tells them, with the names of its options."""
    text = subprocess.run([PROGRAM, *words, "--help"], capture_output=True, text=True, check=True, timeout=30).stdout
    yield words, set(re.findall(r"^ +(?:-\w,)?(--[\w-]+)", text, re.M))
    below = text.partition("\nSubcommands:\n")[2].partition("\n\n")[0]
    for name in re.findall(r"^  (\S+)", below, re.M):
        yield from commands(*words, name)


class Completion(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.all = dict(commands())

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fanfare-completion-"))
        self.addCleanup(shutil.rmtree, self.folder)
        (self.folder / "a-file").write_text("")

    def candidates(self, *words):
        done = subprocess.run([PROGRAM, "completion", "candidates", "--", *words], capture_output=True, text=True, timeout=30)
        self.assertEqual((done.returncode, done.stderr), (0, ""), words)
        return {line.split("\t")[0] for line in done.stdout.splitlines()}

    def test_every_command_and_option_is_known(self):
        self.assertGreater(len(self.all), 20)
        for words, options in self.all.items():
            self.assertLessEqual(options, self.candidates(*words, "--"), words)
            below = {each[-1] for each in self.all if each[:-1] == words and each}
            self.assertEqual(self.candidates(*words, ""), below, words)

    def test_shells(self):
        missing = [name for name in ("bash", "fish", "zsh") if shutil.which(name) is None]
        for name, ask in (("bash", by_bash), ("fish", by_fish), ("zsh", by_zsh)):
            if name in missing:
                continue
            with self.subTest(shell=name):
                self.assertEqual(ask(["pub"], self.folder), ["publish"])
                self.assertEqual(set(ask(["db", ""], self.folder)), {"migrate", "retention", "status"})
                self.assertEqual(set(ask(["publish", "--channel", ""], self.folder)), {"email", "sms", "push"})
                self.assertEqual(set(ask(["publish", "--no"], self.folder)), {"--no-check"})
                self.assertEqual(ask(["--config", "a-"], self.folder), ["a-file"], "a file is wanted")
        if missing:
            print(f"NOT TRIED: completion for {', '.join(missing)}, which is not installed", file=sys.stderr)
            global skipped
            skipped = True


skipped = False
if __name__ == "__main__":
    result = unittest.main(argv=sys.argv[:1], exit=False).result
    sys.exit(1 if not result.wasSuccessful() else SKIPPED if skipped else 0)
