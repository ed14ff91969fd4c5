#!/usr/bin/env python3
"""Two workers together stay within an account's limit, by the provider's own count."""

from harness import SLOW, EndToEnd, main, say

LIMIT, PEOPLE = 200, 1000


class RateLimit(EndToEnd):
    def test_two_workers_share_one_limit(self):
        run = self.new_run()
        run.people(PEOPLE)
        run.tune("sms", per_second=LIMIT)
        run.workers(2)
        job = run.publish(run.job(channels=["sms"]))
        run.wait_settled(job)
        self.assert_told_once(run, job, channels=["sms"])
        found = run.sim.summary()["twilio"]
        took = (run.sim.summary(job)["twilio"]["last_accept_ns"] -
                run.sim.summary(job)["twilio"]["first_accept_ns"]) / 1e9
        say(f"    at most {found['max_recipients_per_second']} in a second, {PEOPLE} in {took:.2f} s")
        self.assertLessEqual(found["max_recipients_per_second"], LIMIT * 1.01)
        self.assertLessEqual(took, 2 * PEOPLE / LIMIT * SLOW, "most of the limit is left unused")


if __name__ == "__main__":
    main()
