#!/usr/bin/env python3
"""The schedule changed from the command line: one moment or a whole subject, and what is on its way already."""

import json
import subprocess

from harness import BIN, EndToEnd, main, until

PEOPLE = 200


class NotificationsCommand(EndToEnd):
    def fanfare(self, run, *arguments, code=0):
        """The answers in JSON, or, with another exit code, what was said."""
        done = subprocess.run([BIN / "fanfare", "-c", run.dir / "fanfare.yaml", "--json", "notifications", *arguments],
                              capture_output=True, text=True, env=run.environment(), timeout=60)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        if code:
            self.assertTrue(done.stderr.strip())
            return done.stderr
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    def shows(self, run, *names, starts="40 minutes"):
        """Subject -> its notification, as the command lists it."""
        for name in names:
            run.db.psql(f"""INSERT INTO scheduled_shows (id, user_id, title, scheduled_at) VALUES ('{name}', 'creator',
                'Show', date_trunc('second', now() AT TIME ZONE 'UTC' + interval '{starts}'));""")
        return until(lambda: (lambda found: found if set(names) <= set(found) else None)(
            {n["subject"]: n for n in self.fanfare(run, "--all")}), f"the due query to find {names}", 30)

    def states(self, run):
        return dict(run.db.rows("SELECT subject, state FROM notification"))

    def test_one_moment_or_all_of_a_subject(self):
        run = self.new_run()
        run.people(PEOPLE)
        run.tune("email", chunk=20, chunks=2, concurrency=1, per_second=40)
        run.producer()
        run.worker()
        found = self.shows(run, "one", "whole", "moved", "now")

        def key(name):
            return [f"--{part}={found[name][part]}" for part in ("system", "kind", "subject", "occurrence")]

        # One by its key, one by its subject; both stay so though their query finds them again.
        answer, = self.fanfare(run, "cancel", *key("one"))
        self.assertEqual((answer["id"], answer["state"], answer["changed"]), (found["one"]["job"], "cancelled", True))
        answer, = self.fanfare(run, "cancel", "--system=shows", "--subject=whole")
        self.assertEqual((answer["subject"], answer["state"]), ("whole", "cancelled"))
        self.assertEqual(self.fanfare(run, "cancel", "--system=shows", "--subject=whole"), [])
        # One that no query has found yet.
        self.fanfare(run, "cancel", "--system=shows", "--kind=show.reminder", "--subject=far",
                     "--occurrence=2030-01-01T21:00:00+01:00")
        self.assertEqual(run.db.value("SELECT occurrence = '2030-01-01T20:00Z' FROM notification WHERE subject = 'far'"), "t")

        # Another moment; never one behind its expiry.
        moved = found["moved"]["job"]
        self.assertIn("expires-at", self.fanfare(run, "reschedule", moved, "--due-at=2030-01-01T00:00:00Z", code=65))
        answer, = self.fanfare(run, "reschedule", moved, "--due-at=2030-01-01T00:00:00Z", "--expires-at=2030-01-02T00:00:00Z")
        self.assertEqual(answer["due_at"], "2030-01-01T00:00:00.000000Z")
        self.assertEqual(run.db.value(f"SELECT moved_by FROM notification WHERE job_id = '{moved}'"), "cli")

        # At once, and stopped while it goes out: whoever was not told is not told any more.
        now = found["now"]["job"]
        self.fanfare(run, "send-now", now)
        until(lambda: run.told(now)["email"] > 0, "the first to be told", 60)
        run.sim.hold()
        until(lambda: self.states(run)["now"] == "published", "that to be noted", 30)
        self.fanfare(run, "send-now", now, code=65)
        answer, = self.fanfare(run, "cancel", now)
        self.assertEqual(answer["state"], "cancelled")
        run.sim.release()
        run.wait_settled(now)
        self.assertEqual(run.state(now), "cancelled")
        self.assertLess(run.told(now)["email"], PEOPLE)
        self.assert_sound(run, now)
        self.assertEqual(self.states(run), {"one": "cancelled", "whole": "cancelled", "far": "cancelled",
                                            "moved": "scheduled", "now": "cancelled"})

        # What is over stays; what is wrong is said, and changes nothing.
        done = self.shows(run, "done", starts="5 minutes")["done"]["job"]
        run.wait_settled(done)
        self.assertIn("published", self.fanfare(run, "cancel", done, code=65))
        for arguments, code in (([], 64), (["--subject=one"], 64), ([now, "--system=shows"], 64), (["one"], 64),
                                (["--system=nowhere", "--subject=one"], 65),
                                (["--system=shows", "--subject=one", "--kind=show.gone"], 65),
                                (["00000000-0000-0000-0000-000000000000"], 65)):
            self.fanfare(run, "cancel", *arguments, code=code)
        self.fanfare(run, "reschedule", moved, code=64)
        self.fanfare(run, "reschedule", moved, "--due-at=soon", code=64)


if __name__ == "__main__":
    main()
