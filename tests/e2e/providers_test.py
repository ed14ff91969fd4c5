#!/usr/bin/env python3
"""Every provider under the same mix of faults: 5 % refused, 2 % throttled, 2 % failing, 1 % of the
answers lost. Everyone's outcome and reason are right by what the simulator knows, and the account's
limit is never exceeded."""

from harness import CHANNELS, EndToEnd, main, say

PEOPLE = 600
REFUSED_EVERY = 20
# What each provider says of a dead address, and what the ledger must make of it.
DEAD = {"mailgun": (None, "address_invalid"), "sendgrid": (None, "address_invalid"),
        "ses": (None, "recipient_refused"), "smtp": (None, "address_invalid"),
        "twilio": ("21211", "address_invalid"), "vonage": (None, "recipient_refused"),
        "fcm": ("UNREGISTERED", "address_invalid"), "apns": ("Unregistered", "address_invalid")}
# The account's limit: a second, and what it counts.
LIMITS = {"mailgun": (2000, "recipient"), "sendgrid": (100, "request"), "ses": (2000, "recipient"),
          "smtp": (800, "recipient"), "twilio": (2000, "request"), "vonage": (800, "request"),
          "fcm": (1000, "request"), "apns": (1000, "request")}


class Providers(EndToEnd):
    def serve(self, *providers, **options):
        run = self.new_run(sim=["--seed", "11"])
        served = [(channel, provider) for channel, provider in zip(CHANNELS, providers) if provider]
        for channel, provider in served:
            run.use(channel, provider)
            run.tune(channel, per_second=LIMITS[provider][0])
            run.account(channel)["options"].update(options)
        run.people(PEOPLE)
        run.tune("email", chunk=10)
        channels = [channel for channel, _ in served]
        dead = {}
        for channel, provider in served:
            people = run.addresses("creator", channel)
            dead[channel] = {p for i, p in enumerate(sorted(people)) if i % REFUSED_EVERY == 3}
            addresses = [a for p in dead[channel] for a in people[p]]
            code = DEAD[provider][0]
            limit, unit = LIMITS[provider]
            run.sim.control(**{provider: {
                "throttle_rate": 0.02, "error_rate": 0.02, "retry_after_s": 1,
                # Once for sure; a script overrules who is refused, so push, which is sent again, has
                # no lost answer in it, but more of them by chance.
                "lose_after_rate": 0.02 if channel == "push" else 0.01,
                "script": ["error", "throttle"] + ([] if channel == "push" else ["lose_after"]),
                "limit_per_second": limit, "limit_unit": unit,
                "fail_addresses": addresses if code is None else {a: code for a in addresses}}})
        run.worker()
        job = run.publish(run.job(channels=channels))
        run.wait_settled(job, timeout_s=150)
        counts = self.assert_accounted(run, job, channels=channels)
        fates = run.fates(job)
        summary = run.sim.summary(job)
        totals = run.sim.summary()
        for channel, provider in served:
            found = summary[provider]
            say(f"    {provider}: {dict(counts[channel])}; the simulator: " + ", ".join(
                f"{k} {found.get(k, 0)}" for k in ("accepted", "extra", "refused", "throttled", "errors",
                                                   "lost_after", "violations")))
            for fault in ("throttled", "errors", "lost_after", "refused"):
                self.assertGreater(found[fault], 0, f"{provider}: no {fault} were planted")
            self.assertEqual(totals[provider]["violations"], 0, f"{provider}: faster than its limit")
            self.assertEqual(totals[provider]["bad_requests"], 0, f"{provider}: malformed requests")
            self.assertEqual(totals[provider].get("leaks", 0), 0, f"{provider}: recipients saw each other")
            mine = {p: fate for (c, p), fate in fates.items() if c == channel}
            for p in dead[channel]:
                if mine[p][0] != "unknown":
                    self.assertEqual(mine[p], ("refused", DEAD[provider][1]), f"{provider} {p}")
            alive = {p: fate for p, fate in mine.items() if p not in dead[channel]}
            wrong = {p: f for p, f in alive.items() if f[0] not in ("sent", "unknown")}
            self.assertEqual(wrong, {}, provider)
            if channel == "push":
                self.assertLessEqual(found["extra"], found["lost_after"], "push repeated")

    def test_mailgun_twilio_fcm(self):
        self.serve("mailgun", "twilio", "fcm")

    def test_sendgrid_vonage_apns(self):
        self.serve("sendgrid", "vonage", "apns")

    def test_fcm_by_libcurl(self):
        self.serve(None, None, "fcm", http2="libcurl")

    def test_ses(self):
        self.serve("ses")

    def test_smtp(self):
        self.serve("smtp")


if __name__ == "__main__":
    main(at_once=3)
