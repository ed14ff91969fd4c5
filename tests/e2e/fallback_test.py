#!/usr/bin/env python3
"""Who cannot be reached by push is told by e-mail; dead tokens leave the system's own table."""

from harness import EndToEnd, main, until

PEOPLE = 300
SYSTEM = """
audiences:
  followers: SELECT follower_id AS recipient_id FROM followers WHERE followed_id = :user_id
contacts:
  email: SELECT id AS recipient_id, email AS address, locale, time_zone, username AS name FROM users WHERE id = ANY(:recipients)
  push: |
    SELECT u.id AS recipient_id, t.token AS address, u.locale, u.time_zone, u.username AS name
      FROM users u LEFT JOIN push_tokens t ON t.user_id = u.id WHERE u.id = ANY(:recipients)
kinds:
  show.reminder:
    audience: followers
    channels: [push]
    fallback: {push: email}
    times: [starts_at]
    person_defaults: {name: there}
    collapse_key: "show-{{show_id}}"
write_backs:
  push: WITH gone AS (DELETE FROM push_tokens WHERE token = ANY(:addresses) RETURNING 1) SELECT count(*) FROM gone
"""


class Fallback(EndToEnd):
    def test_everyone_is_told_on_one_channel(self):
        run = self.new_run()
        run.people(PEOPLE)
        run.system(SYSTEM)
        run.tune("push", chunk=20)
        people = sorted(run.addresses("creator", "push"))
        without, dead = people[::10], people[3::10]
        names = ",".join(f"'{p}'" for p in without)
        run.db.psql(f"DELETE FROM push_tokens WHERE user_id IN ({names});")
        tokens = [token for p in dead for token in run.addresses("creator", "push")[p]]
        run.sim.control(fcm={"fail_addresses": {token: "UNREGISTERED" for token in tokens}})
        run.worker()
        job = run.publish(run.job(channels=["push"]))
        run.wait_settled(job)
        fates = self.assert_sound(run, job)
        mail = {p for (channel, p) in fates if channel == "email"}
        self.assert_same(mail, set(without) | set(dead), "served by e-mail")
        owner = {a: p for p, found in run.addresses("creator", "email").items() for a in found}
        mailed = run.accepted("email", job)
        self.assert_same({owner[a] for a in mailed}, mail, "told by e-mail")
        self.assertEqual(max(mailed.values()), 1)
        self.assertEqual(len(run.accepted("push", job)), PEOPLE - len(without) - len(dead))
        self.assertEqual({fates["push", p] for p in without}, {("no_address", "address_missing")})
        self.assertEqual({fates["push", p] for p in dead}, {("refused", "address_invalid")})

        def left():
            return {t for found in run.addresses("creator", "push").values() for t in found}
        until(lambda: not left() & set(tokens), lambda: f"dead tokens to leave the system's table: {left() & set(tokens)}", 30)
        self.assertEqual(len(left()), PEOPLE - len(without) - len(dead), "live tokens stay")


if __name__ == "__main__":
    main()
