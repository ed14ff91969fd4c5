#!/usr/bin/env python3
"""What is decided before anything is sent: links in the headers of mails, and messages that no vendor would take."""

from collections import Counter

from harness import EndToEnd, main

PEOPLE = 60
LINKS = ("https://u.example.org/", "mailto:stop@example.org?", "https://x/a b", "https://x/\u00e9", "", "http://x/")
SYSTEM = """
audiences:
  followers: SELECT follower_id AS recipient_id FROM followers WHERE followed_id = :user_id
contacts:
  email: SELECT id AS recipient_id, email AS address, locale, time_zone, username AS name, link AS unsubscribe_url FROM users WHERE id = ANY(:recipients)
kinds:
  show.reminder:
    audience: followers
    channels: [email]
    times: [starts_at]
    person_defaults: {name: there}
"""


class Headers(EndToEnd):
    def links(self, provider):
        run = self.new_run(sim=["--keep-messages", "500"])
        run.use("email", provider)
        run.people(PEOPLE, sms=False, push=False)
        run.db.psql("ALTER TABLE users ADD link text; UPDATE users SET link = (ARRAY[" + ",".join(
            f"'{link}'" for link in LINKS) + f"])[1 + right(id, 6)::int % {len(LINKS)}] || "
            f"CASE WHEN right(id, 6)::int % {len(LINKS)} = 0 THEN id ELSE '' END WHERE id LIKE 'p%';")
        run.system(SYSTEM)
        run.worker()
        job = run.publish(run.job(channels=["email"]))
        run.wait_settled(job)
        self.assert_told_once(run, job, channels=["email"])
        self.assertEqual(run.sim.count(provider, "bad_requests"), 0)
        for number in range(1, PEOPLE + 1):
            message = run.sim.call(f"/oracle/messages?address=p{number}@example.com&job={job}")
            if number % len(LINKS) == 0:
                self.assertIn(f"<https://u.example.org/p{number:06}>", message)
                self.assertIn("List-Unsubscribe=One-Click", message)
            else:
                self.assertNotIn("List-Unsubscribe", message, LINKS[number % len(LINKS)])

    def test_mailgun(self):
        self.links("mailgun")

    def test_sendgrid(self):
        self.links("sendgrid")

    def test_ses(self):
        self.links("ses")

    def test_smtp(self):
        self.links("smtp")

    def too_large(self, provider):
        run = self.new_run()
        run.use("push", provider)
        run.people(PEOPLE, email=False, sms=False)
        # Half of them have a second device.
        run.db.psql("INSERT INTO push_tokens (user_id, token) SELECT user_id, md5(token) || md5(user_id) "
                    "FROM push_tokens WHERE right(user_id, 1)::int % 2 = 0;")
        run.worker()
        large, small = run.job(channels=["push"]), run.job(channels=["push"])
        large["data"]["title"] = "x" * 4200
        run.publish(large, small)
        run.wait_settled(large["id"], small["id"])
        fates = Counter(run.fates(large["id"]).values())
        self.assertEqual(fates, {("failed", "content_too_large"): PEOPLE})
        self.assertEqual(run.sim.summary(large["id"]).get(provider, {}).get("requests", 0), 0, "not sent even once")
        self.assertEqual(run.sim.count(provider, "bad_requests"), 0)
        self.assert_told_once(run, small["id"], channels=["push"])

    def test_a_push_that_is_too_large_is_not_sent_by_fcm(self):
        self.too_large("fcm")

    def test_a_push_that_is_too_large_is_not_sent_by_apns(self):
        self.too_large("apns")


if __name__ == "__main__":
    main(at_once=3)
