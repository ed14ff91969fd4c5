#!/usr/bin/env python3
"""Suppressions by the file: imported whole or not at all, honoured by the next job, exported again."""

import json
import subprocess

from harness import BIN, ROOT, EndToEnd, main

PEOPLE = 60


class Suppress(EndToEnd):
    def fanfare(self, run, *arguments, stdin=""):
        return subprocess.run([BIN / "fanfare", "-c", run.dir / "fanfare.yaml", *arguments], input=stdin,
                              capture_output=True, text=True, env=run.environment(), timeout=60)

    def test_a_list_goes_in_and_comes_out(self):
        run = self.new_run()
        run.people(PEOPLE, push=False)
        run.worker()
        bad = self.fanfare(run, "suppress", "import", "-", stdin="email,p1@example.com\nfax,1\n")
        self.assertEqual(bad.returncode, 65)
        self.assertIn("line 2", bad.stderr)
        self.assertEqual(run.db.value("SELECT count(*) FROM suppression"), "0", "all lines or none")
        (run.dir / "list.csv").write_text(
            "channel,address,reason\r\nemail,p1@EXAMPLE.com,left\r\nemail,\"p2@example.com\"\r\nsms,+15550000003\r\n")
        good = self.fanfare(run, "--json", "suppress", "import", run.dir / "list.csv")
        self.assertEqual((good.returncode, good.stderr), (0, ""))
        self.assertIn('"added":3', good.stdout)
        again = self.fanfare(run, "--json", "suppress", "import", run.dir / "list.csv")
        self.assertIn('"added":0', again.stdout)
        job = run.publish(run.job(channels=["email", "sms"]))
        run.wait_settled(job)
        fates = run.fates(job)
        spared = {key for key, fate in fates.items() if fate == ("suppressed", "on_suppression_list")}
        self.assertEqual(spared, {("email", "p000001"), ("email", "p000002"), ("sms", "p000003")})
        out = self.fanfare(run, "suppress", "export")
        self.assertEqual(out.returncode, 0)
        lines = out.stdout.splitlines()
        self.assertEqual(lines[0], "channel,address,reason,source,since")
        self.assertTrue(lines[1].startswith("email,p1@example.com,left,import,"), lines)
        self.assertEqual(len(lines), 4)
        run.db.psql("TRUNCATE suppression;")
        back = self.fanfare(run, "--json", "suppress", "import", "-", stdin=out.stdout)
        self.assertIn('"added":3', back.stdout, "what was exported can be imported")
        self.assertEqual(self.fanfare(run, "suppress", "remove", "sms", "+15550000003").returncode, 0)
        self.assertEqual(run.db.value("SELECT count(*) FROM suppression"), "2")

    def test_an_address_is_one_however_it_is_written(self):
        run = self.new_run()
        run.people(PEOPLE, push=False)
        run.worker()
        for channel, address in (("email", " P1@Example.COM"), ("sms", "+1 (555) 000-0002"), ("sms", "tel:1-555-000-0003")):
            self.assertEqual(self.fanfare(run, "suppress", "add", channel, address).returncode, 0)
        for channel, address in (("sms", "not a number"), ("sms", "+1 555"), ("email", "nobody"), ("email", "a@b@c.de"),
                                 ("push", "no token"), ("sms", "(312) 555-0100"), ("sms", "512-555-0100")):
            refused = self.fanfare(run, "suppress", "add", channel, address)
            self.assertEqual(refused.returncode, 65, (channel, address))
            self.assertIn("the address ", refused.stderr)
        formats = ROOT / "tests/fixtures/cases/suppress_phone_formats.csv"
        self.assertIn('"added":3', self.fanfare(run, "--json", "suppress", "import", formats).stdout)
        bad = self.fanfare(run, "suppress", "import", "-", stdin="email,p4@example.com\nsms,not a number\n")
        self.assertEqual(bad.returncode, 65)
        self.assertIn("line 2: the address is no phone number", bad.stderr)
        national = self.fanfare(run, "suppress", "import", "-", stdin="sms,206.555.0100\n")
        self.assertEqual(national.returncode, 65)
        self.assertIn("line 1: the address is no phone number: write +", national.stderr)
        job = run.publish(run.job(channels=["email", "sms"]))
        run.wait_settled(job)
        spared = {key for key, fate in run.fates(job).items() if fate == ("suppressed", "on_suppression_list")}
        self.assertEqual(spared, {("email", "p000001"), ("sms", "p000002"), ("sms", "p000003")})
        self.assertEqual(self.fanfare(run, "suppress", "remove", "sms", "555 000 0002").returncode, 65)
        self.assertEqual(self.fanfare(run, "suppress", "remove", "email", "p1@EXAMPLE.com").returncode, 0)
        self.assertEqual(self.fanfare(run, "suppress", "remove", "sms", "1 555 000 0002").returncode, 0)

    def test_rows_of_older_programs_hold_for_every_spelling(self):
        run = self.new_run()
        run.people(PEOPLE, push=False)
        run.db.psql("UPDATE users SET email = 'P1@Example.com' WHERE email = 'p1@example.com';"
                    "INSERT INTO suppression (channel, address, reason, source) VALUES "
                    "(0, 'P1@example.com', 'left', 'cli'), (1, '+1 (555) 000-0002', 'STOP', 'cli');")
        (run.dir / "fanfare.yaml").write_text(json.dumps(run.settings))
        migrated = self.fanfare(run, "db", "migrate", "--migrations", self.no_migrations(run))
        self.assertEqual(migrated.returncode, 0, migrated.stderr)
        run.worker()
        job = run.publish(run.job(channels=["email", "sms"]))
        run.wait_settled(job)
        spared = {key for key, fate in run.fates(job).items() if fate == ("suppressed", "on_suppression_list")}
        self.assertEqual(spared, {("email", "p000001"), ("sms", "p000002")})
        out = self.fanfare(run, "suppress", "export").stdout
        self.assertEqual([line.split(",")[1] for line in out.splitlines()[1:]], ["p1@example.com", "'+15550000002"])

    def no_migrations(self, run):
        """The tables are there already: what is left is to read the rows."""
        folder = run.dir / "no-migrations"
        folder.mkdir()
        return folder


if __name__ == "__main__":
    main(at_once=3)
