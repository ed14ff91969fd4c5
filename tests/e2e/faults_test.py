#!/usr/bin/env python3
"""Providers that refuse, throttle, fail, lose answers and mumble: the ledger still says what is true."""

from harness import CHANNELS, PROVIDERS, EndToEnd, main, say

PEOPLE, DEAD_EVERY = 2000, 50
RATES = {"lose_before_rate": 0.02, "throttle_rate": 0.004, "error_rate": 0.02, "lose_after_rate": 0.02,
         "malformed_rate": 0.02}


class Faults(EndToEnd):
    def test_every_outcome_agrees_with_the_provider(self):
        run = self.new_run(sim=["--seed", "7"])
        run.people(PEOPLE)
        run.tune("email", chunk=50, concurrency=4)
        code = {"email": None, "sms": "21211", "push": "UNREGISTERED"}
        dead = {}
        for channel in CHANNELS:
            people = run.addresses("creator", channel)
            dead[channel] = {r: a for i, r in enumerate(sorted(people)) if i % DEAD_EVERY == 7
                             for a in people[r]}
            addresses = list(dead[channel].values())
            run.sim.control(**{PROVIDERS[channel]: {**RATES, "fail_addresses": addresses if code[channel] is None
                                                   else {a: code[channel] for a in addresses}}})
        run.worker()
        job = run.publish(run.job())
        run.wait_settled(job, timeout_s=200)
        counts = self.assert_accounted(run, job)
        summary = run.sim.summary(job)
        fates = run.fates(job)
        for channel in CHANNELS:
            found = summary[PROVIDERS[channel]]
            say(f"    {channel}: {dict(counts[channel])}; the simulator: " + ", ".join(
                f"{k} {found[k]}" for k in ("accepted", "extra", "refused", "throttled", "errors", "lost_before",
                                            "lost_after", "malformed")))
            for fault in ("throttled", "errors", "lost_before", "lost_after", "malformed", "refused"):
                if fault != "throttled":
                    self.assertGreater(found[fault], 0, f"{channel}: no {fault} was planted")
            mine = {r: fate for (c, r), fate in fates.items() if c == channel}
            refused = {r for r, (o, _) in mine.items() if o == "refused"}
            self.assert_same(refused - set(dead[channel]), set(), f"refused on {channel} without cause")
            self.assertGreater(len(refused), 0)
            for r in dead[channel]:
                self.assertIn(mine[r][0], ("refused", "unknown", "failed"), f"{channel} {r}")
            # Whom the provider calls dead is suppressed, and nobody else.
            listed = {a for (a,) in run.db.rows(f"SELECT address FROM suppression WHERE channel = "
                                                f"{CHANNELS.index(channel)}")}
            wanted = {dead[channel][r] for r in refused if mine[r][1] == "address_invalid"}
            self.assert_same(wanted - listed, set(), f"dead but not suppressed on {channel}")
            self.assert_same(listed - set(dead[channel].values()), set(), f"suppressed alive on {channel}")
            self.assertGreater(len(wanted), 0, f"no address of {channel} counts as dead")
        for channel in ("email", "sms"):
            self.assertGreater(counts[channel]["unknown"], 0, f"lost answers of {channel}")
        push = summary["fcm"]
        self.assertLessEqual(push["extra"], push["lost_after"] + push["malformed"], "push repeated")
        self.second_job_skips_the_dead(run, fates, dead)

    def second_job_skips_the_dead(self, run, before, dead):
        calm = {**{name: 0 for name in RATES}}
        run.sim.control(all=calm)
        listed = {(CHANNELS[int(c)], a) for c, a in run.db.rows("SELECT channel, address FROM suppression")}
        job = run.publish(run.job())
        run.wait_settled(job)
        self.assert_accounted(run, job, once=CHANNELS)
        for (channel, r), (outcome, reason) in run.fates(job).items():
            address = dead[channel].get(r)
            if address is None:
                self.assertEqual(outcome, "sent", f"{channel} {r}")
            elif (channel, address) in listed:
                self.assertEqual((outcome, reason), ("suppressed", "on_suppression_list"), f"{channel} {r}")
            else:
                self.assertEqual(outcome, "refused", f"{channel} {r}, before: {before[channel, r]}")


if __name__ == "__main__":
    main()
