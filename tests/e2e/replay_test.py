#!/usr/bin/env python3
"""Replay: a provider refused a fifth of everybody; mended, exactly these are served again, whatever dies meanwhile."""

import json
import subprocess

from harness import BIN, CHANNELS, PROVIDERS, EndToEnd, main, until

PEOPLE, EVERY = 1500, 5
CODES = {"sms": "21408", "push": "SENDER_ID_MISMATCH"}


class Replay(EndToEnd):
    def fanfare(self, run, *arguments, code=0):
        done = subprocess.run([BIN / "fanfare", "--json", "-c", run.dir / "fanfare.yaml", *arguments],
                              env=run.environment(), text=True, capture_output=True, timeout=120)
        self.assertEqual(done.returncode, code, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")], done.stderr

    def refused(self, run):
        """A job of which every fifth was refused, by channel."""
        dead = {}
        for channel, refusal in CODES.items():
            people = run.addresses("creator", channel)
            dead[channel] = {r: a for i, r in enumerate(sorted(people)) if i % EVERY == 3 for a in people[r]}
            run.sim.control(**{PROVIDERS[channel]: {"fail_addresses": {a: refusal for a in dead[channel].values()}}})
        job = run.publish(run.job(channels=list(CODES)))
        run.wait_settled(job)
        fates = run.fates(job)
        for channel in CODES:
            self.assert_same({r for (c, r), (o, _) in fates.items() if c == channel and o == "refused"},
                             set(dead[channel]), f"refused on {channel}")
            run.sim.control(**{PROVIDERS[channel]: {"fail_addresses": {}}})
        return job, dead

    def test_the_refused_are_told_once_by_two_replays_and_dying_workers(self):
        run = self.new_run()
        run.people(PEOPLE)
        run.short_leases()
        run.tune("sms", chunk=25, per_second=300)
        worker = run.worker()
        job, dead = self.refused(run)
        chosen = ["replay", job, "--outcome", "refused"]
        counted, said = self.fanfare(run, *chosen)
        self.assertEqual({line["channel"]: line["people"] for line in counted},
                         {channel: len(people) for channel, people in dead.items()})
        self.assertIn("Nothing was changed", said)
        self.assertEqual(run.fates(job), run.fates(job))
        both = [subprocess.Popen([BIN / "fanfare", "--json", "-c", run.dir / "fanfare.yaml", *chosen, "--yes",
                                  "--because", "refused by mistake"], env=run.environment(), text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
        for command in both:
            self.assertEqual(command.wait(60), 0, command.stderr.read())
        until(lambda: sum(run.told_in_all().values()) > sum(run.told(job).values()), "somebody to be told again", 60)
        worker.kill()
        worker = run.worker()
        new = [j for (j,) in run.db.rows(f"SELECT id FROM job WHERE replay_of = '{job}'")]
        run.wait_settled(*new)
        self.assertEqual({o for o, _ in run.fates(job).values()}, {"sent", "replayed"})
        self.assert_sound(run, job)
        for channel, people in dead.items():
            told = {}
            for one in new:
                for address, times in run.accepted(channel, one).items():
                    told[address] = told.get(address, 0) + times
            doubted = {r for one in new for (c, r), (o, _) in run.fates(one).items() if c == channel and o == "unknown"}
            self.assert_same(set(told) | {people[r] for r in doubted}, set(people.values()), f"told again on {channel}")
            if channel == "sms":
                self.assertEqual({a: n for a, n in told.items() if n > 1}, {}, "told twice")
        people = 0
        for one in new:
            people += len(self.assert_sound(run, one))
        self.assertEqual(people, sum(map(len, dead.values())))
        listed, _ = self.fanfare(run, "replays")
        self.assertEqual(sum(line["people"] for line in listed), people)
        self.assertEqual({line["because"] for line in listed}, {"refused by mistake"})
        again, _ = self.fanfare(run, *chosen)
        self.assertEqual(again, [], "nobody is left")

    def test_who_may_have_been_told_is_asked_for_by_name(self):
        run = self.new_run()
        run.people(3)
        run.worker()
        job = run.publish(run.job(channels=["sms"]))
        run.wait_settled(job)
        _, said = self.fanfare(run, "replay", job, "--outcome", "unknown", code=64)
        self.assertIn("told twice", said)
        _, said = self.fanfare(run, "replay", code=64)
        self.assertIn("of which jobs?", said)
        _, said = self.fanfare(run, "replay", job, "--outcome", "sent", code=64)
        self.assertIn("--outcome sent", said)
        _, said = self.fanfare(run, "replay", job, "--yes", code=64)
        self.assertIn("--because", said)


if __name__ == "__main__":
    main()
