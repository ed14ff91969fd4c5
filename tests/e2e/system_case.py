"""What the tests of the five systems share: from a row in their tables to what a person reads."""

import json
import subprocess
from collections import Counter

from harness import BIN, EndToEnd, until


def utc(shift="0 s"):
    """SQL: now and some more, as a timestamp without zone in UTC."""
    return f"(now() AT TIME ZONE 'UTC' + interval '{shift}')"


class SystemCase(EndToEnd):
    SYSTEM = ""

    def begin(self, programs=True, **producer):
        """The system's own tables and folder, and the programs."""
        run = self.new_run(system=self.SYSTEM, sim=["--keep-messages", "20000"])
        run.settings["producer"].update(producer)
        run.with_links()
        if programs:
            run.producer()
            run.worker()
        return run

    def states(self, run, kind):
        """(subject, state) of every notification of a kind, earliest first."""
        return [tuple(row) for row in run.db.rows(
            f"SELECT subject, state FROM notification WHERE kind = '{kind}' ORDER BY due_at, subject")]

    def jobs(self, run, kind, subject):
        """The jobs that were published for it, in order of occurrence."""
        return [job for (job,) in run.db.rows(
            f"SELECT job_id FROM notification WHERE kind = '{kind}' AND subject = '{subject}' "
            "AND state = 'published' ORDER BY occurrence")]

    def published(self, run, kind, subject, count=1):
        """Waits until `subject` was published `count` times; the job of the latest occurrence."""
        found = until(lambda: (lambda jobs: jobs if len(jobs) >= count else None)(
            self.jobs(run, kind, subject)), lambda: f"{kind} {subject}: {self.states(run, kind)}", 40)
        self.assertEqual(len(found), count, f"{kind} {subject}")
        return found[-1]

    def settled(self, run, kind, subject, count=1):
        job = self.published(run, kind, subject, count)
        run.wait_settled(job)
        self.assert_sound(run, job)
        return job

    def state(self, run, kind, subject, state):
        """Waits until a notification is in a state."""
        until(lambda: (subject, state) in self.states(run, kind),
              lambda: f"{kind} {subject} to be {state}: {self.states(run, kind)}", 20)

    def assert_told(self, run, job, channel, addresses):
        """Exactly these addresses were told by the job, each once."""
        self.assertEqual(run.accepted(channel, job), Counter(addresses), f"told on {channel}")

    def ask(self, run, *arguments):
        """What the command line answers."""
        done = subprocess.run([BIN / "fanfare", "-c", run.dir / "fanfare.yaml", *arguments],
                              env=run.environment(), capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def message(self, run, address, job):
        """All that a person reads, as one text."""
        found = json.loads(run.sim.call(f"/oracle/messages?address={address.replace('+', '%2B')}&job={job}"))
        self.assertTrue(found, f"{address} got nothing of {job}")
        return json.dumps(found, ensure_ascii=False)

    def assert_nothing_else(self, run, jobs):
        """Only these jobs have told anybody anything, and all that was asked was well-formed."""
        known = {row["job"] for row in json.loads(run.sim.call("/oracle/jobs")) if row["accepted"]}
        self.assert_same(known, set(jobs), "jobs that told somebody")
        for provider, counts in run.sim.summary().items():
            for name in ("duplicated", "bad_requests", "leaks", "unfilled"):
                self.assertEqual(counts.get(name, 0), 0, f"{provider} {name}")
