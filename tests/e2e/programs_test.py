#!/usr/bin/env python3
"""What every program says of itself and of a mistake: exit codes, unknown commands, missing files, versions, ledgers that do
not fit. Needs PostgreSQL for the last only."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import broker
from harness import BIN, ROOT, EndToEnd, main, until

PROGRAMS = ("fanfare", "fanfare-worker", "fanfare-producer", "fanfare-sim")
NOWHERE = "postgresql://nobody:hunter2secret@127.0.0.1:1/none"
SOURCE_PLACE = re.compile(r"\w+\.[ch]pp:\d+")


class Programs(unittest.TestCase):
    def setUp(self):
        self.dir = Path(tempfile.mkdtemp(prefix="fanfare-programs-"))
        self.addCleanup(shutil.rmtree, self.dir)
        self.config = self.dir / "fanfare.yaml"
        self.config.write_text(f"""
database: {{url: {{env: FANFARE_DATABASE_URL}}}}
systems_dir: {ROOT}/config/systems
templates_dir: {ROOT}/templates
kafka: {{brokers: "127.0.0.1:1"}}
""")

    def run_it(self, code, *words, config=True, **environment):
        """What was said, on an exit with `code`."""
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=60, cwd=self.dir, env={
            "PATH": os.environ["PATH"], "FANFARE_DATABASE_URL": NOWHERE,
            **({"FANFARE_CONFIG": str(self.config)} if config else {}), **environment})
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, code, (words, said))
        self.assertNotRegex(said, SOURCE_PLACE)
        self.assertNotIn("hunter2secret", said)
        return said

    def test_versions_name_the_commit(self):
        git = shutil.which("git")
        known = git and subprocess.run([git, "-C", ROOT, "rev-parse", "HEAD"], capture_output=True, text=True).stdout
        for program in PROGRAMS:
            said = self.run_it(0, BIN / program, "--version")
            self.assertRegex(said, r"^\d+\.\d+\.\d+")
            if known:
                self.assertRegex(said, r"\(([0-9a-f]{7,40})\+?\)")

    def test_mistakes_of_the_command_line(self):
        for program in PROGRAMS:
            self.run_it(64, BIN / program, "--no-such-option")
            self.run_it(0, BIN / program, "--help")
        self.run_it(64, BIN / "fanfare-sim", "--fault", "nonsense")
        for words, meant in ((["stauts"], "fanfare status"), (["help"], "fanfare --help"), (["resend"], "fanfare replay"),
                             (["repaly"], "fanfare replay"),
                             (["-c", "x.yaml", "delivry"], "fanfare delivery"), (["db", "migrat"], "fanfare db migrate"),
                             (["config", "chekc"], "fanfare config check"), (["--json", "topic"], "fanfare topics")):
            said = self.run_it(64, BIN / "fanfare", *words)
            self.assertIn("unknown command", said)
            self.assertIn(f"did you mean {meant}", said)

    def test_no_moment_is_told_alike_everywhere(self):
        an_id = "00000000-0000-4000-8000-000000000000"
        for words, flag in ((["status"], "--since"), (["notifications", "reschedule", an_id], "--due-at"),
                            (["notifications", "reschedule", an_id], "--expires-at")):
            for text in ("soon", "2026-11-28T09:30:00", "2026-02-30T09:30:00Z"):
                said = self.run_it(64, BIN / "fanfare", *words, flag, text)
                self.assertIn(f"{flag} {text}: no moment", said)
                self.assertIn("write ISO 8601 with a zone, such as 2026-11-28T09:30:00Z", said)

    def test_a_missing_file_is_one_mistake(self):
        none = self.dir / "none"
        for words in (["config", "check", "-c", none], ["status", "-c", none], ["publish", none], ["publish", self.dir],
                      ["suppress", "import", none], ["suppress", "import", self.dir], ["db", "migrate", "--migrations", none],
                      ["publish", "--system", "shows", "--kind", "generic", "--recipients", "people"],
                      ["publish", "--system", "shows", "--kind", "generic", "--recipients", none]):
            self.run_it(66, BIN / "fanfare", *words)
        for program in PROGRAMS[1:3]:
            self.run_it(66, BIN / program, "-c", none)
            self.run_it(66, BIN / program, FANFARE_CONFIG=str(none))
            self.run_it(66, BIN / program, config=False)
        self.run_it(66, BIN / "fanfare-sim", "--fcm-public-key", none)

    def test_an_id_is_marked_as_such(self):
        publish = (BIN / "fanfare", "publish", "--dry-run", "--system", "shows", "--kind", "generic", "--data", "title=a",
                   "--data", "body=b", "--data", "link=https://example.com/", "--channel", "push", "--subject", "s1")
        for words, ids in ((["--recipient", "people"], '"people"'), (["--recipients", "a,b"], '"a","b"'),
                           (["--recipients", "a,"], '"a"'), (["--recipient", "a", "--recipient", "b,c"], '"a","b,c"')):
            said = self.run_it(0, *publish, *words)
            self.assertIn(f'"recipients":[{ids}]', said)
            self.assertIn('"subject":"s1"', said)
        self.assertIn("--recipient ", self.run_it(66, *publish, "--recipients", "people"))

    def test_what_is_given_and_empty_is_never_everybody(self):
        publish = ["publish", "--dry-run", "--system", "shows", "--kind", "show.reminder", "--param", "user_id=u"]
        for words in (["--recipients", ""], ["--recipients", ","], ["--recipients="], ["--recipient", ""], ["--audience", ""],
                      ["--channel", ""], ["--channel", ","], ["--ttl-s", "0"], ["--ttl-s", ""], ["--expires-at", ""],
                      ["--lane", ""], ["--key", ""], ["--subject", ""], ["--file", "x.json"]):
            self.run_it(64, BIN / "fanfare", *publish, *words)
        for words in (["suppress", "export", "--channel", ""], ["notifications", "cancel", "--system", "shows", "--subject", "s", "--kind", ""],
                      ["notifications", "cancel", "", "--system", "shows", "--subject", "s"], ["replay", "--reason", ""],
                      ["replay", "--outcome", ","], ["pause", "--channel", "", "--because", "x"],
                      ["pause", "--channel", "sms", "--because", "x", "--until", ""], ["cancel", ""]):
            self.assertRegex(self.run_it(64, BIN / "fanfare", *words), "empty|missing")

    def test_what_is_away_is_named_with_its_host(self):
        said = self.run_it(69, BIN / "fanfare", "status")
        self.assertIn("127.0.0.1:1", said)
        self.assertIn("nobody listens there", said)
        commands = [(BIN / "fanfare", "topics"), (BIN / "fanfare", "dead", "list"), *((BIN / name,) for name in PROGRAMS[1:3])]
        with ThreadPoolExecutor(len(commands)) as at_once:  # Each waits for Kafka as long as it may.
            for said in at_once.map(lambda words: self.run_it(69, *words), commands):
                self.assertIn("127.0.0.1:1", said)

    def test_a_check_tells_all_in_one_go(self):
        for name in ("systems", "templates"):
            (self.dir / name).mkdir()
        shutil.copytree(ROOT / "config/systems/shows", self.dir / "systems/shows")
        shutil.copytree(ROOT / "templates", self.dir / "templates", dirs_exist_ok=True)
        system = self.dir / "systems/shows/system.yaml"
        system.write_text(system.read_text().replace("lane: normal", "lane: slow", 1))
        (self.dir / "templates/generic/email.text.mustache").write_text("{{#title}}never closed")
        self.config.write_text("""
database: {url: {env: FANFARE_DATABASE_URL}}
systems_dir: systems
templates_dir: templates
worker: {lease_ms: soon}
""")
        said = self.run_it(78, BIN / "fanfare", "config", "check")
        for word in ("worker.lease_ms", "kinds.show.reminder.lane", "generic/email.text.mustache"):
            self.assertIn(word, said)
        # Sound, but for a slip of the pen: a warning.
        shutil.copy(ROOT / "config/systems/shows/system.yaml", system)
        (self.dir / "templates/generic/email.text.mustache").write_text("{{title}} {{body}} {{nmae}} {{link}}")
        self.config.write_text(self.config.read_text().replace("worker: {lease_ms: soon}", ""))
        said = self.run_it(78, BIN / "fanfare", "config", "check")
        self.assertNotIn("email.text.mustache:1: template = {{nmae}}: expected a known", said)
        self.assertRegex(said, r"(?m)^time zones: tzdata 20\d\d[a-z]+ of /usr/share/zoneinfo$")
        said = self.run_it(78, BIN / "fanfare", "config", "check", "--json")
        self.assertRegex(said, r'"level":"info".*"key":"tzdata","value":"20\d\d[a-z]+"')
        said = self.run_it(78, BIN / "fanfare", "config", "check")
        self.assertRegex(said, r"warning: .*generic/email\.text\.mustache:1.*nmae.*did you mean \{\{name\}\}")


class Ledgers(EndToEnd):
    def test_a_ledger_that_does_not_fit(self):
        run = self.new_run()
        run.worker().end()
        run.producer().end()
        ends = (("fanfare-worker",), ("fanfare-producer",), ("fanfare", "status"), ("fanfare", "verify"), ("fanfare", "suppress", "list"))

        def expect(code, *words):
            for program, *arguments in ends:
                done = subprocess.run([BIN / program, "-c", run.dir / "fanfare.yaml", *arguments], capture_output=True, text=True,
                                      timeout=60, env=run.environment())
                self.assertEqual(done.returncode, code, (program, done.stdout, done.stderr))
                for word in words:
                    self.assertIn(word, done.stdout + done.stderr, program)
                self.assertNotRegex(done.stdout + done.stderr, SOURCE_PLACE)

        run.db.psql("UPDATE ledger_compat SET oldest_program = 99")
        expect(78, "incompatible", "fanfare db migrate")
        run.db.psql("UPDATE ledger_compat SET oldest_program = 1; DELETE FROM schema_migration WHERE name = '012_taken'")
        expect(78, "older", "012_taken", "fanfare db migrate")
        run.db.psql("DROP TABLE schema_migration")
        expect(78, "no tables", "fanfare db migrate")


class Topics(EndToEnd):
    def warned(self, run):
        """Topic -> what a check says of it."""
        run.write_settings()
        done = subprocess.run([BIN / "fanfare", "-c", run.dir / "fanfare.yaml", "config", "check", "--kafka"], capture_output=True,
                              text=True, timeout=60, env=run.environment())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return dict(re.findall(r"^warning: .*topic (\S+) = (.*)$", done.stderr, re.MULTILINE))

    def test_a_check_names_topics_that_others_made(self):
        run = self.new_run()
        said = self.warned(run)
        self.assertEqual(set(said), set(run.topics))
        for text in said.values():
            self.assertIn("fanfare topics creates it", text)
        # Told so, and as a broker makes them by itself.
        small = f"{run.name}.chunks.normal"
        theirs = {f"{run.name}.jobs": {"message_timestamp_type": "CreateTime"}, f"{run.name}.chunks.bulk": {},
                  small: {"message_timestamp_type": "LogAppendTime", "max_message_bytes": "60000"}}
        for topic, config in theirs.items():
            broker.create_topics(run.brokers, [topic], **config)
        run.worker().end()  # Makes the others.
        said = until(lambda: (found := self.warned(run)).keys() == theirs.keys() and found, "the other topics to be there", 30)
        self.assertIn("60000: expected at least 1048588", said.pop(small))
        for text in said.values():
            self.assertIn("CreateTime: expected LogAppendTime", text)
        run.settings["kafka"]["topic_prefix"] = f"{run.name}.own"
        run.topics += [topic.replace(run.name, f"{run.name}.own") for topic in run.topics]
        run.worker().end()
        until(lambda: self.warned(run) == {}, "nothing to be said of our own", 30)


if __name__ == "__main__":
    main(at_once=4)
