#!/usr/bin/env python3
"""What providers say afterwards: signed webhooks, repeated and out of order, become the ledger's
outcomes and suppressions; forged ones become nothing; people who unsubscribe get no more."""

import json
import re
import urllib.error
import urllib.request
from collections import Counter

from harness import EndToEnd, main, say, until

PEOPLE = 400
OUTCOME = {"delivered": ("delivered", "none"), "opened": ("opened", "none"), "clicked": ("clicked", "none"),
           "complained": ("delivered", "none"), "none": ("sent", "none"),
           "hard_bounced": ("refused", "address_invalid"), "soft_bounced": ("refused", "recipient_refused")}
RATES = {"hard_bounce_rate": 0.06, "soft_bounce_rate": 0.06, "delivered_rate": 0.9, "duplicate_rate": 0.2,
         "reorder_rate": 0.2, "deferred_rate": 0.1, "progress_events": True}
SMS_RATES = {"unsubscribed_rate": 0.06}
MAIL_RATES = {"complaint_rate": 0.05, "unsubscribed_rate": 0.05, "clicked_rate": 0.1, "opened_rate": 0.3}


def post(url, body=b"", headers=None):
    request = urllib.request.Request(url, data=body, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as fault:
        return fault.code, fault.read().decode()


class Receipts(EndToEnd):
    def start(self, *providers):
        channels = ("email", "sms")[:len(providers)]
        run = self.new_run(sim=["--seed", "5", "--keep-messages", "2000"])
        run.people(PEOPLE, push=False, sms=len(providers) > 1)
        for channel, provider in zip(channels, providers):
            run.use(channel, provider)
        run.with_links()
        run.tune("email", chunk=50)
        run.producer()
        run.worker()
        for channel, provider in zip(channels, providers):
            run.sim.control(**{provider: {
                **RATES, **(MAIL_RATES if channel == "email" else SMS_RATES),
                "webhook_url": f"https://hooks.example.com/webhooks/e2e-{provider}",
                "webhook_connect": run.front(), "await_confirmation": provider == "ses"}})
        return run, channels

    def all_posted(self, run, providers):
        def counts():
            found = json.loads(run.sim.call("/oracle/webhooks"))
            return {p: found.get("providers", found)[p] for p in providers}
        until(lambda: all(c["pending"] == 0 for c in counts().values()),
              lambda: f"webhooks to be posted: {counts()}", 90, 0.2)
        for provider, found in counts().items():
            self.assertEqual((found["given_up"], found["skipped"]), (0, 0), f"{provider}: {found}")

    def expected(self, channel, state):
        if state == "unsubscribed":
            return ("delivered", "none") if channel == "email" else ("refused", "consent_withdrawn")
        return OUTCOME[state]

    def check(self, *providers):
        run, channels = self.start(*providers)
        job = run.publish(run.job(channels=channels))
        run.wait_settled(job)
        self.all_posted(run, providers)
        for channel, provider in zip(channels, providers):
            states = run.sim.events(provider, job)
            say(f"    {provider}: {dict(Counter(states.values()))}")
            owner = {a: p for p, found in run.addresses("creator", channel).items() for a in found}
            self.assert_same(set(owner), set(states), f"{provider}: everyone has a later fate")
            wanted = {owner[a]: self.expected(channel, state) for a, state in states.items()}

            def differences():
                fates = run.fates(job)
                return [(p, fates[channel, p], fate) for p, fate in wanted.items() if fates[channel, p] != fate]
            until(lambda: not differences(), lambda: f"{provider}: {len(differences())} differ, "
                  f"(person, ledger, provider) {differences()[:5]}", 30, 0.2)
            def listed(channel=channel):
                return {a for (a,) in run.db.rows("SELECT address FROM suppression WHERE channel = "
                                                  f"{('email', 'sms').index(channel)}")}
            dead = {a for a, s in states.items() if s in ("hard_bounced", "complained")
                    or (channel == "sms" and s == "unsubscribed")}
            # A complaint, or the wish to leave, may come after the delivery that the outcome says.
            left = str(sum(s == "unsubscribed" for s in states.values()) if channel == "email" else 0)
            until(lambda: listed() == dead and run.db.value("SELECT count(*) FROM opt_out WHERE channel = "
                  f"{('email', 'sms').index(channel)}") == left, lambda: f"{provider}: {sorted(listed() ^ dead)[:5]} or opt-outs", 30)
            self.assert_same(dead, listed(), f"{provider}: suppressed")
        self.assert_sound(run, job)
        self.next_job_spares_them(run, channels, providers, job)
        return run, job

    def next_job_spares_them(self, run, channels, providers, before):
        for provider in providers:
            run.sim.control(**{provider: {"webhook_url": "", "webhooks": False}})
        job = run.publish(run.job(channels=channels))
        run.wait_settled(job)
        fates = run.fates(job)
        for channel, provider in zip(channels, providers):
            owner = {a: p for p, found in run.addresses("creator", channel).items() for a in found}
            for address, state in run.sim.events(provider, before).items():
                outcome = fates[channel, owner[address]][0]
                if state in ("hard_bounced", "complained") or (channel == "sms" and state == "unsubscribed"):
                    self.assertEqual(outcome, "suppressed", f"{provider} {state}")
                elif state == "unsubscribed":
                    self.assertEqual(outcome, "opted_out", f"{provider} {state}")
                else:
                    self.assertEqual(outcome, "sent", f"{provider} {state}")

    def test_mailgun_and_twilio(self):
        run, job = self.check("mailgun", "twilio")
        self.forged_ones_change_nothing(run, job)

    def test_sendgrid_and_vonage(self):
        self.check("sendgrid", "vonage")

    def test_ses(self):
        self.check("ses")

    def forged_ones_change_nothing(self, run, job):
        before = run.fates(job)
        body = json.dumps({"signature": {"timestamp": "1767225600", "token": "x" * 50, "signature": "0" * 64},
                           "event-data": {"event": "clicked", "id": "1", "recipient": "p1@example.com",
                                          "user-variables": {"fanfare": job + ".0", "person": "0.AAAAAAAAAAA"}}})
        status, _ = post(run.front() + "/webhooks/e2e-mailgun", body.encode(), {"Content-Type": "application/json"})
        self.assertIn(status, (401, 403))
        status, _ = post(run.front() + f"/webhooks/e2e-twilio?ref={job}.0.0.AAAAAAAAAAA",
                         b"MessageSid=SM1&MessageStatus=delivered", {"X-Twilio-Signature": "AAAA"})
        self.assertIn(status, (401, 403))
        self.assertEqual(post(run.front() + "/webhooks/nobody", b"{}")[0], 404)
        self.assertEqual(run.fates(job), before)

    def test_unsubscribing_is_one_post_and_holds(self):
        run, _ = self.start("mailgun")
        run.sim.control(mailgun={"webhook_url": "", "webhooks": False})
        job = run.publish(run.job(channels=["email"]))
        run.wait_settled(job)
        message = run.sim.call(f"/oracle/messages?address=p7@example.com&job={job}")
        link = re.search(r"https://hooks\.example\.com(/u/[A-Za-z0-9._-]+)", message)
        self.assertIsNotNone(link, message[:2000])
        self.assertIn("List-Unsubscribe=One-Click", message)
        place = run.front() + link.group(1)
        with urllib.request.urlopen(place, timeout=20) as page:
            self.assertIn("text/html", page.headers["Content-Type"])
        self.assertEqual(run.db.value("SELECT count(*) FROM opt_out"), "0", "a look unsubscribes nobody")
        status, _ = post(place[:-1] + ("A" if place[-1] != "A" else "B"), b"List-Unsubscribe=One-Click")
        self.assertEqual(status, 404, "a changed link")
        for _ in range(2):
            status, _ = post(place, b"List-Unsubscribe=One-Click",
                             {"Content-Type": "application/x-www-form-urlencoded"})
            self.assertEqual(status, 200)
        job = run.publish(run.job(channels=["email"]))
        run.wait_settled(job)
        fates = run.fates(job)
        out = {p for (_, p), fate in fates.items() if fate == ("opted_out", "consent_withdrawn")}
        self.assertEqual(out, {"p000007"})
        self.assertEqual(len(run.accepted("email", job)), PEOPLE - 1)


if __name__ == "__main__":
    main(at_once=4)
