#!/usr/bin/env python3
"""A gateway in between answers for the provider: a 5xx after the call was taken tells nobody twice and nobody is
falsely sent; what the gateway refused before is sent again."""

from gateway_proxy import GatewayProxy
from harness import ROOT, EndToEnd, main, merge, say

PEOPLE = 240
SERVER_ERRORS = (500, 502, 503, 504)


class Gateway(EndToEnd):
    def start(self, providers, on_doubt, sim=("--seed", "3")):
        run = self.new_run(sim=list(sim))
        for channel, provider in providers.items():
            run.use(channel, provider)
            merge(run.settings["worker"], {"channels": {channel: {"on_doubt": on_doubt}}})
        shows = (ROOT / "config/systems/shows/system.yaml").read_text()
        of_kind = "on_doubt: {push: resend}"  # What the kind says outweighs what the channel does.
        self.assertIn(of_kind, shows)
        run.system(shows.replace(of_kind, f"on_doubt: {{push: {on_doubt}}}"))
        run.people(PEOPLE)
        run.tune("email", chunk=10)
        run.settings["worker"]["attempts_max"] = 20
        return run

    def behind(self, run, channel, statuses, **options):
        proxy = GatewayProxy(run.sim.ports["http"], statuses, **options)
        self.addCleanup(proxy.stop)
        run.account(channel)["options"]["base_url"] = proxy.url
        return proxy

    def told(self, run, channels):
        run.worker()
        job = run.publish(run.job(channels=channels))
        run.wait_settled(job, timeout_s=150)
        # Sent means accepted, accepted means sent or unknown, and nobody is told twice.
        return self.assert_accounted(run, job, channels=channels, once=channels), job

    def lost_by_a_gateway(self, providers, on_doubt):
        run = self.start(providers, on_doubt)
        proxies = {channel: self.behind(run, channel, SERVER_ERRORS) for channel in providers}
        counts, job = self.told(run, list(providers))
        for channel, provider in providers.items():
            found = run.sim.summary(job)[provider]
            say(f"    {provider} {on_doubt}: {dict(counts[channel])}; replaced {proxies[channel].replaced}, "
                f"accepted {found['accepted']}, duplicated {found['duplicated']}")
            self.assertGreaterEqual(proxies[channel].replaced, len(SERVER_ERRORS))
            self.assertEqual((found["duplicated"], found["extra"]), (0, 0), f"{provider}: told twice")
            self.assertEqual(found["people"], PEOPLE, f"{provider}: everybody was told, whatever was answered")
            self.assertEqual(set(counts[channel]), {"sent", "unknown"}, provider)
            reasons = {why for (c, _), (outcome, why) in run.fates(job).items()
                       if c == channel and outcome == "unknown"}
            self.assertEqual(reasons, {"answer_lost"}, provider)

    def test_mailgun_and_twilio_under_hold(self):
        self.lost_by_a_gateway({"email": "mailgun", "sms": "twilio"}, "hold")

    def test_mailgun_and_twilio_under_reconcile(self):
        self.lost_by_a_gateway({"email": "mailgun", "sms": "twilio"}, "reconcile")

    def test_sendgrid_and_vonage_under_hold(self):
        self.lost_by_a_gateway({"email": "sendgrid", "sms": "vonage"}, "hold")

    def test_sendgrid_and_vonage_under_reconcile(self):
        self.lost_by_a_gateway({"email": "sendgrid", "sms": "vonage"}, "reconcile")

    def test_ses_under_hold(self):
        self.lost_by_a_gateway({"email": "ses"}, "hold")

    def test_ses_under_reconcile(self):
        self.lost_by_a_gateway({"email": "ses"}, "reconcile")

    def test_what_a_gateway_refused_is_sent_again(self):
        providers = {"email": "sendgrid", "sms": "twilio"}
        run = self.start(providers, "hold")
        proxies = [self.behind(run, channel, (400, 429, 411), after=False) for channel in providers]
        counts, _ = self.told(run, list(providers))
        for channel, proxy in zip(providers, proxies):
            self.assertGreater(proxy.replaced, 0)
            self.assertEqual(dict(counts[channel]), {"sent": PEOPLE}, "nobody is in doubt, nobody is lost")

    def lost_in_the_simulator(self, providers, on_doubt):
        run = self.start(providers, on_doubt)
        run.sim.control(**{provider: {"error_after_rate": 0.15, "script": ["error_after"]}
                           for provider in providers.values()})
        counts, job = self.told(run, list(providers))
        for channel, provider in providers.items():
            found = run.sim.summary(job)[provider]
            say(f"    {provider} {on_doubt}: {dict(counts[channel])}; errors after {found['errors_after']}, "
                f"duplicated {found['duplicated']}")
            self.assertGreater(found["errors_after"], 0)
            self.assertEqual((found["duplicated"], found["errors"]), (0, 0), provider)
            self.assertEqual(set(counts[channel]), {"sent", "unknown"}, provider)

    def test_all_eight_by_the_simulators_own_gateway(self):
        self.lost_in_the_simulator({"email": "mailgun", "sms": "twilio", "push": "fcm"}, "hold")
        self.lost_in_the_simulator({"email": "sendgrid", "sms": "vonage", "push": "apns"}, "reconcile")
        self.lost_in_the_simulator({"email": "smtp"}, "hold")
        self.lost_in_the_simulator({"email": "ses"}, "hold")

    def test_under_resend_only_what_was_in_doubt_is_repeated(self):
        run = self.start({"push": "fcm"}, "resend")
        run.sim.control(fcm={"error_after_rate": 0.15})
        run.worker()
        job = run.publish(run.job(channels=["push"]))
        run.wait_settled(job)
        counts = self.assert_accounted(run, job, channels=["push"], once=())
        found = run.sim.summary(job)["fcm"]
        self.assertGreater(found["errors_after"], 0)
        self.assertLessEqual(found["extra"], found["errors_after"])
        self.assertEqual(dict(counts["push"]), {"sent": PEOPLE})


if __name__ == "__main__":
    main(at_once=3)
