#!/usr/bin/env python3
"""Suppressions by the file: imported whole or not at all, honoured by the next job, exported again."""

import subprocess

from harness import BIN, EndToEnd, main

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
            "channel,address,reason\r\nemail,p1@EXAMPLE.com,left\r\nemail,\"p2@example.com\"\r\nsms,15550000003\r\n")
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


if __name__ == "__main__":
    main()
