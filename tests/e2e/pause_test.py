#!/usr/bin/env python3
"""What operators hold back stands still within a second, on every worker; what they let go is told once."""

import json
import subprocess
import time
from datetime import datetime, timedelta, timezone

from harness import BIN, PROVIDERS, EndToEnd, Lag, main, say, until

PEOPLE, WORKERS = 3000, 4
FAST, SLOW = 400, 40


def fanfare(case, run, *arguments, code=0):
    done = subprocess.run([BIN / "fanfare", "--json", "-c", run.dir / "fanfare.yaml", *arguments],
                          env=run.environment(), text=True, capture_output=True, timeout=120)
    case.assertEqual(done.returncode, code, done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


class Pause(EndToEnd):
    def loaded(self, **tuned):
        run = self.new_run()
        run.people(PEOPLE)
        run.tune("sms", chunk=20, chunks=4, per_second=FAST)
        run.tune("push", chunk=20, chunks=8, **tuned)
        run.workers(WORKERS)
        return run

    def nobody_lost_an_attempt(self, run, *jobs):
        ids = ",".join(f"'{job}'" for job in jobs)
        self.assertEqual(run.db.value(f"SELECT coalesce(max(attempts), 0) FROM delivery WHERE job_id IN ({ids})"), "0")

    def since(self, run, what):
        """When it was written, by the clock that the simulator has too."""
        return float(run.db.value(f"SELECT extract(epoch FROM since) FROM pause WHERE what = '{what}'"))

    def last_accepted(self, run, channel, job):
        return run.sim.summary(job)[PROVIDERS[channel]]["last_accept_ns"] / 1e9

    def test_a_channel_stands_still_within_a_second(self):
        run = self.loaded(per_second=300)
        job = run.publish(run.job(channels=["sms", "push"]))
        until(lambda: run.told(job)["push"] >= 100, lambda: "sending to begin" + run.progress(), 60)
        with Lag() as lag:
            fanfare(self, run, "pause", "--channel", "push", "--because", "the provider asked us to")
            since = self.since(run, "channel")
            # The other channel goes on to its end meanwhile.
            until(lambda: run.told(job)["sms"] == PEOPLE, lambda: "all texts" + run.progress(), 60)
            until(lambda: time.time() > since + lag.allows(2), "two seconds to pass", 60)
        told = run.told(job)["push"]
        self.assertLess(told, PEOPLE, "there was something left to hold back")
        last = self.last_accepted(run, "push", job)
        say(f"    the last request came {last - since:+.3f} s from the pause; {told} of {PEOPLE} were told")
        self.assertLessEqual(last, since + lag.allows(1), "a request began more than a second after the pause")
        # Long before its lease of a minute is over.
        until(lambda: run.db.value("SELECT count(*) FROM chunk WHERE channel = 2 AND state = 'claimed'") == "0",
              lambda: "what was claimed to be released" + run.progress(), within_s=40)
        status = fanfare(self, run, "status", job)[0]
        self.assertRegex(status["paused"][0], r"^channel push since 20\S+Z by \S+@\S+: the provider asked us to$")
        paused = fanfare(self, run, "pauses")
        self.assertEqual([(p["what"], p["name"]) for p in paused], [("channel", "push")])
        health = {line["account"]: line["health"] for line in fanfare(self, run, "accounts")}
        self.assertEqual(health["e2e-fcm"], "paused", health)
        self.assertEqual(run.told(job)["push"], told)
        fanfare(self, run, "resume", "--channel", "push")
        run.wait_settled(job)
        self.assert_told_once(run, job, channels=["sms", "push"])
        self.nobody_lost_an_attempt(run, job)
        fanfare(self, run, "resume", "--channel", "push", code=65)

    def test_a_job_waits_and_others_of_its_lane_do_not(self):
        run = self.loaded(per_second=300)
        held = run.publish(run.job(channels=["push"]))
        until(lambda: run.told(held)["push"] >= 50, lambda: "sending to begin" + run.progress(), 60)
        with Lag() as lag:
            fanfare(self, run, "pause", "--job", held, "--because", "a wrong text")
            since = self.since(run, "job")
            other = run.publish(run.job(channels=["push"]))
            run.wait_settled(other)
        self.assert_told_once(run, other, channels=["push"])
        self.assertLess(run.told(held)["push"], PEOPLE)
        self.assertLessEqual(self.last_accepted(run, "push", held), since + lag.allows(1))
        fanfare(self, run, "resume", "--job", held)
        run.wait_settled(held)
        self.assert_told_once(run, held, channels=["push"])
        self.nobody_lost_an_attempt(run, held, other)

    def test_what_expires_meanwhile_is_expired_and_a_pause_ends_by_itself(self):
        run = self.loaded(per_second=0)
        fanfare(self, run, "pause", "--kind", "shows/show.reminder", "--because", "a freeze", "--for", "8s")
        soon = (datetime.now(timezone.utc) + timedelta(seconds=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
        expires = run.publish(run.job(channels=["push"], expires_at=soon))
        job = run.publish(run.job(channels=["push"]))
        run.wait_settled(expires)
        self.assertEqual({o for o, _ in self.assert_sound(run, expires).values()}, {"expired"})
        run.wait_settled(job)  # Nobody resumes it.
        self.assert_told_once(run, job, channels=["push"])
        ended = float(run.db.value("SELECT extract(epoch FROM until) FROM pause"))
        first = run.sim.summary(job)["fcm"]["first_accept_ns"] / 1e9
        self.assertGreaterEqual(first, ended)
        self.assertEqual(fanfare(self, run, "pauses"), [])

    def test_mistakes_are_named(self):
        run = self.new_run()
        (run.dir / "fanfare.yaml").write_text(json.dumps(run.settings))
        because = ("--because", "x")
        fanfare(self, run, "pause", "--channel", "pigeon", *because, code=64)
        fanfare(self, run, "pause", "--account", "nobody", *because, code=65)
        fanfare(self, run, "pause", "--kind", "shows/none", *because, code=65)
        fanfare(self, run, "pause", "--job", "0b54b6a8-93d5-5a3b-9d1e-6f2f6b0f3c11", *because, code=65)
        fanfare(self, run, "pause", "--channel", "sms", "--account", "e2e-fcm", *because, code=64)
        fanfare(self, run, "pause", "--channel", "sms", code=64)
        fanfare(self, run, "pause", "--channel", "sms", "--for", "soon", *because, code=64)
        fanfare(self, run, "pause", "--channel", "sms", "--until", "2020-01-01T00:00:00Z", *because, code=65)
        self.assertEqual(fanfare(self, run, "pauses"), [])


class Accounts(EndToEnd):
    def most_a_second(self, run, job, limit):
        """Fails where more are told in a few seconds than the limit allows."""
        begun, before = time.monotonic(), run.told(job)["sms"]
        until(lambda: time.monotonic() > begun + 3, "three seconds to pass", 10)
        told, took = run.told(job)["sms"] - before, time.monotonic() - begun
        say(f"    {told} in {took:.2f} s at {limit} a second")
        self.assertLessEqual(told, limit * took * 1.02 + 1)

    def set(self, run, *arguments):
        fanfare(self, run, "accounts", "set", "e2e-twilio", *arguments)
        now = time.time()
        until(lambda: time.time() > now + 1, "a second to pass", 5)

    def line(self, run):
        return next(line for line in fanfare(self, run, "accounts") if line["account"] == "e2e-twilio")

    def test_a_rate_by_hand_is_obeyed_kept_and_taken_back(self):
        run = self.new_run()
        run.people(PEOPLE)
        run.tune("sms", chunk=20, chunks=4, per_second=FAST)
        workers = run.workers(WORKERS)
        job = run.publish(run.job(channels=["sms"]))
        until(lambda: run.told(job)["sms"] >= 100, lambda: "sending to begin" + run.progress(), 60)
        self.set(run, "--rate", str(SLOW))
        self.most_a_second(run, job, SLOW)
        self.assertEqual(self.line(run)["rate"], SLOW)
        self.assertRegex(self.line(run)["rate_set_by"], "@")
        until(lambda: self.line(run)["used"] > 0, "a worker to tell of its use", 60)
        self.assertEqual(self.line(run)["health"], "ok")
        for worker in workers:
            self.assertEqual(worker.end(), 0)
        workers = run.workers(WORKERS)
        self.most_a_second(run, job, SLOW)
        self.set(run, "--clear")
        until(lambda: all("the settings' rate again" in w.log.read_text() for w in workers), "all to hear of it", 30)
        self.assertEqual((self.line(run)["rate"], self.line(run)["rate_set_by"]), (FAST, ""))
        run.wait_settled(job)
        self.assert_told_once(run, job, channels=["sms"])
        fanfare(self, run, "accounts", "set", "nobody", "--rate", "5", code=65)
        fanfare(self, run, "accounts", "set", "e2e-twilio", code=64)

    def nothing_is_claimed_while_the_only_account_is_held(self, run, worker, producer):
        """Lanes that wait for it have claimed nothing, and who waits is paused: neither pages nor wants more workers."""
        fanfare(self, run, "pause", "--account", "e2e-twilio", "--because", "a check")
        held = 'fanfare_account_held{account="e2e-twilio"} 1'
        until(lambda: held in run.http(worker, "/metrics"), "the worker to know", 30)
        job = run.publish(run.job(channels=["sms"]))
        until(lambda: run.db.value(f"SELECT state FROM job WHERE id = '{job}'") == "sending", "it to be planned", 60)
        run.wait_settled(run.publish(run.job(channels=["email"])))  # What was published before it is read.
        self.assertIn('fanfare_chunks_in_flight{channel="sms"} 0', run.http(worker, "/metrics"))
        people = 'fanfare_backlog_recipients{channel="sms",lane="normal",waiting="%s"} %d\n'
        until(lambda: people % ("paused", 60) in run.http(producer, "/metrics"), "them to count as paused", 30)
        self.assertIn(people % ("due", 0), run.http(producer, "/metrics"))
        fanfare(self, run, "resume", "--account", "e2e-twilio")
        run.wait_settled(job)
        self.assert_told_once(run, job, channels=["sms"])

    def test_what_goes_wrong_is_told(self):
        run = self.new_run()
        run.people(60)
        run.sim.control(twilio={"error_rate": 1.0})
        worker, producer = run.worker(), run.producer()
        job = run.publish(run.job(channels=["sms"]))
        failing = until(lambda: (line := self.line(run))["health"] in ("failing", "shut") and line, "it to fail", 60)
        self.assertIn("twilio 50", failing["last_error"])
        self.assertEqual(failing["breaker"], "open")
        self.assertNotIn("+1555", failing["last_error"])
        run.sim.control(twilio={"error_rate": 0})
        run.wait_settled(job)
        until(lambda: self.line(run)["health"] == "ok", "it to be well again", 60)
        self.nothing_is_claimed_while_the_only_account_is_held(run, worker, producer)

    def test_limits_and_weights_are_read_again(self):
        run = self.new_run()
        run.people(PEOPLE)
        run.tune("sms", chunk=20, chunks=4, per_second=SLOW)
        worker = run.worker()
        job = run.publish(run.job(channels=["sms"]))
        until(lambda: run.told(job)["sms"] >= 20, lambda: "sending to begin" + run.progress(), 60)
        file = run.dir / "fanfare.yaml"
        run.tune("sms", per_second=1000, concurrency=16)
        run.account("sms")["weight"] = 7
        changed = json.dumps(run.settings)
        file.write_text("accounts: [")
        until(lambda: "the settings are not read again" in worker.log.read_text(), "the mistake to be told", 30)
        file.write_text(changed)
        said = "account e2e-twilio: 1000 a second, 16 requests at once, weight 7 from now on"
        until(lambda: said in worker.log.read_text(), "the change to be seen", 30)
        run.tune("sms", per_second=900)
        file.write_text(json.dumps(run.settings))
        worker.signal(1)
        until(lambda: "SIGHUP" in worker.log.read_text() and "account e2e-twilio: 900 a second" in worker.log.read_text(),
              "SIGHUP to be heard", 30)
        run.wait_settled(job)
        self.assert_told_once(run, job, channels=["sms"])
        self.assertEqual(worker.end(), 0)


if __name__ == "__main__":
    main(at_once=2)
