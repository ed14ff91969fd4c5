#!/usr/bin/env python3
"""Replay: a provider refused a fifth of everybody; mended, exactly these are served again, whatever dies meanwhile."""

import json
import os
import subprocess
from collections import Counter

from harness import BIN, CHANNELS, PROVIDERS, ROOT, EndToEnd, main, say, until

PEOPLE, EVERY = 1500, 5
# Of a job on three channels: by hand with 16667, which are 50,000 messages.
AT_ONCE = int(os.environ.get("FANFARE_REPLAY_PEOPLE", "1000"))
OF_KIND = "on_doubt: {push: resend}"  # A push may come twice; here nobody may be told twice.
CODES = {"sms": "21408", "push": "SENDER_ID_MISMATCH"}


class Commands(EndToEnd):
    def fanfare(self, run, *arguments, code=0):
        done = subprocess.run([BIN / "fanfare", "--json", "-c", run.dir / "fanfare.yaml", *arguments],
                              env=run.environment(), text=True, capture_output=True, timeout=120)
        self.assertEqual(done.returncode, code, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")], done.stderr



class Replay(Commands):
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
        self.assertEqual({line["channel"]: line["people"] for line in counted if "outcome" in line},
                         {channel: len(people) for channel, people in dead.items()})
        self.assertEqual({line["if_served_now"]: line["messages"] for line in counted if "messages" in line},
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
        self.told_of_each_other(run, job, new)

    def told_of_each_other(self, run, job, new):
        lines, _ = self.fanfare(run, "status", job)
        self.assertEqual(set(lines[0]["replayed_by"]), set(new))
        lines, _ = self.fanfare(run, "status", new[0])
        self.assertEqual(lines[0]["replay_of"], job)
        ids = ",".join(f"'{one}'" for one in new)
        (told, person), = run.db.rows(f"SELECT job_id, recipient FROM delivery WHERE job_id IN ({ids}) AND channel = 'push' LIMIT 1")
        for asked in (job, told):
            chain, _ = self.fanfare(run, "delivery", asked, "-r", person)
            found = [(line["job"], line["outcome"]) for line in chain if line["channel"] == "push"]
            self.assertEqual(found, [(job, "replayed"), (told, "sent")])
        lines, _ = self.fanfare(run, "person", person, "--system", "shows")
        found = [(line["job"], line["outcome"]) for line in lines if line["channel"] == "push"]
        self.assertEqual(found, [(told, "sent"), (job, "replayed")])
        listed, _ = self.fanfare(run, "status", "--has-failures", "--system", "shows")
        self.assertEqual([line["job"] for line in listed if not line["failed"] + line["unknown"]], [])
        listed, _ = self.fanfare(run, "status", "--state", "done", "--kind", "show.reminder")
        self.assertIn((job, "Friday <Night> & Co"), [(line["job"], line["title"]) for line in listed])

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
        self.assertIn("--outcome: sent", said)
        _, said = self.fanfare(run, "replay", job, "--yes", code=64)
        self.assertIn("--because", said)
        _, said = self.fanfare(run, "replay", "00000000-0000-4000-8000-000000000000", code=65)
        self.assertIn("no job", said)
        keyed = ["replay", job, "--yes", "--because", "a test", "--key", "k1"]
        self.assertEqual(self.fanfare(run, *keyed)[0], [])
        self.assertEqual(self.fanfare(run, *keyed)[0], [])
        _, said = self.fanfare(run, *keyed, "--outcome", "refused", code=65)
        self.assertIn("another replay", said)
        self.assertEqual(len(self.fanfare(run, "replays")[0]), 1)


class ReplayAtOnce(Commands):
    """Three channels, a fifth refused, lost answers; mended; replayed twice at once while workers die."""

    def settled(self, run):
        for channel, code in (("email", None), *CODES.items()):
            people = run.addresses("creator", channel)
            addresses = [a for i, r in enumerate(sorted(people)) if i % EVERY == 3 for a in people[r]]
            run.sim.control(**{run.providers[channel]: {
                "lose_after_rate": 0.01,
                "fail_addresses": addresses if code is None else {a: code for a in addresses}}})
        job = run.publish(run.job(channels=CHANNELS))
        run.wait_settled(job, timeout_s=600)
        for channel in CHANNELS:
            run.sim.control(**{run.providers[channel]: {"lose_after_rate": 0, "fail_addresses": {}}})
        return job, run.fates(job)

    def counted(self, run, chosen):
        lines, _ = self.fanfare(run, *chosen)
        counts = {}
        for line in lines:
            if "outcome" in line:
                counts[line["channel"]] = counts.get(line["channel"], 0) + line["people"]
        return counts, {line["if_served_now"]: line["messages"] for line in lines if "messages" in line}

    def test_nobody_is_lost_and_nobody_is_told_twice(self):
        run = self.new_run(sim=["--seed", "5"])
        run.use("email", "ses")
        run.people(AT_ONCE)
        run.short_leases()
        run.tune("email", chunk=50)
        run.tune("sms", chunk=25, per_second=400)
        shows = (ROOT / "config/systems/shows/system.yaml").read_text()
        self.assertIn(OF_KIND, shows)
        run.system(shows.replace(OF_KIND, "on_doubt: {push: hold}"))
        workers = [run.worker(), run.worker()]
        job, before = self.settled(run)
        refused = {place for place, (outcome, _) in before.items() if outcome in ("refused", "failed")}
        # Of some the answer was lost.
        self.assertGreaterEqual(len(refused), 0.95 * 3 * (AT_ONCE // EVERY))
        chosen = ["replay", job, "--outcome", "refused,failed"]
        counts, messages = self.counted(run, chosen)
        self.assertEqual(counts, dict(Counter(channel for channel, _ in refused)))
        run.sim.control(all={"latency_ms": 20})
        command = [BIN / "fanfare", "-c", run.dir / "fanfare.yaml", *chosen, "--yes", "--because", "mended"]
        both = [subprocess.Popen(command, env=run.environment(), text=True, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE) for _ in range(2)]
        told = sum(run.told(job).values())
        for part in (0.05, 0.2, 0.4, 0.6):  # Of those who are told again.
            until(lambda: sum(run.told_in_all().values()) >= told + part * len(refused), "more to be told", 300)
            workers.pop(0).kill()
            workers.append(run.worker())
        for command in both:
            self.assertEqual(command.wait(120), 0, command.stderr.read())
        new = [j for (j,) in run.db.rows(f"SELECT id FROM job WHERE replay_of = '{job}'")]
        run.wait_settled(*new, timeout_s=600)
        self.judge(run, job, new, before, refused)
        self.assertEqual(messages, counts, "as the dry run said")

    def judge(self, run, job, new, before, refused):
        after = self.assert_sound(run, job)
        self.assertEqual({place for place, (o, _) in after.items() if o == "replayed"}, refused)
        self.assertEqual({p: f for p, f in after.items() if p not in refused},
                         {p: f for p, f in before.items() if p not in refused}, "the others are as they were")
        fates = {}
        for one in new:
            for place, fate in self.assert_sound(run, one).items():
                self.assertNotIn(place, fates, "taken over twice")
                fates[place] = fate[0]
        self.assertEqual(set(fates), refused, "lost or strangers")
        twice = 0
        for channel in CHANNELS:
            owner = {a: r for r, all_ in run.addresses("creator", channel).items() for a in all_}
            times = Counter()
            for one in (job, *new):
                for address, count in run.accepted(channel, one).items():
                    times[owner[address]] += count
            twice += sum(1 for count in times.values() if count > 1)
            again = {r for (c, r), outcome in fates.items() if c == channel and outcome == "sent"}
            self.assert_same({r for r in again if times[r] != 1}, set(), f"not told once on {channel}")
            unknown = {r for (c, r), outcome in fates.items() if c == channel and outcome == "unknown"}
            silent = {r for (c, r) in refused if c == channel} - again - unknown
            self.assert_same(silent, set(), f"neither told nor in doubt on {channel}")
        self.assertEqual(twice, 0)
        say(f"    {len(before)} messages, {len(refused)} replayed by {len(new)} jobs: {dict(Counter(fates.values()))}")
        done = subprocess.run([BIN / "fanfare", "-c", run.dir / "fanfare.yaml", "verify"], text=True,
                              capture_output=True, env=run.environment(), timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    main()
