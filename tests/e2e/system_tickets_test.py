#!/usr/bin/env python3
"""Ticketed events: holders at their moments, people at moments of their own, revoked tickets never."""

from harness import main, until
from system_case import SystemCase, utc

HOLDERS = 24


class SystemTickets(SystemCase):
    SYSTEM = "tickets"

    def person(self, run, name, tokens=1):
        """A person with a mailbox, a phone and devices; the id."""
        user = run.db.value(f"""
            INSERT INTO users (username, email, phone, locale, time_zone) VALUES
            ('{name}', '{name}@example.com', '+1555' || lpad(abs(hashtext('{name}') % 10000000)::text, 7, '0'),
             'en', 'America/New_York') RETURNING id;""")
        for n in range(tokens):
            run.db.psql(f"INSERT INTO push_tokens (user_id, token) VALUES ('{user}', 'token-{name}-{n}');")
        return user

    def show(self, run, title, starts, created="-2 days"):
        return run.db.value(f"""
            INSERT INTO shows (creator_id, title, scheduled_start, created_at, updated_at, ticket_price)
            VALUES ('{self.creator}', '{title}', {utc(starts)}, {utc(created)}, {utc(created)}, 50) RETURNING id;""")

    def ticket(self, run, show, user, coins=50, valid=True, bought="-1 day"):
        return run.db.value(f"""
            INSERT INTO show_tickets (show_id, user_id, coins_paid, is_valid, purchased_at)
            VALUES ('{show}', '{user}', {coins}, {valid}, {utc(bought)}) RETURNING id;""")

    def reminder(self, run, show, user, minutes):
        return run.db.value(f"""
            INSERT INTO show_reminders (show_id, user_id, remind_before_minutes, created_at)
            VALUES ('{show}', '{user}', {minutes}, {utc("-1 day")}) RETURNING id;""")

    def mails(self, names):
        return [f"{name}@example.com" for name in names]

    def tokens(self, names):
        return [f"token-{name}-0" for name in names]

    def assert_holders(self, run, job, names):
        self.assert_told(run, job, "email", self.mails(names))
        self.assert_told(run, job, "push", self.tokens(names))

    def people(self, run):
        self.creator = self.person(run, "ella")
        self.names = [f"holder{n:02d}" for n in range(HOLDERS)]
        self.users = {name: self.person(run, name) for name in self.names}

    def test_from_a_row_to_every_holder(self):
        run = self.begin()
        self.people(run)
        told = []
        show = self.show(run, "Gala", "1 hour 8 seconds")
        for n, name in enumerate(self.names):
            self.ticket(run, show, self.users[name], coins=0 if n % 3 == 0 else 50, valid=name != "holder05")
        valid = [n for n in self.names if n != "holder05"]

        # Personal: at the holders' own moment only who holds no ticket; nobody whose ticket is revoked.
        self.refuse_writing(run)
        alone = self.person(run, "alone")
        mine = self.reminder(run, show, alone, 60)
        same = self.reminder(run, show, self.users["holder01"], 60)
        gone = self.reminder(run, show, self.users["holder05"], 60)
        told.append(self.settled(run, "ticket.reminder", f"{show}:1h"))
        self.assert_holders(run, told[-1], valid)
        self.assertIn("Gala starts in 1 hour", self.message(run, "holder01@example.com", told[-1]))
        told.append(self.settled(run, "personal.reminder", mine))
        self.assert_holders(run, told[-1], ["alone"])
        self.assertEqual(self.jobs(run, "personal.reminder", same) + self.jobs(run, "personal.reminder", gone), [])

        # That it is done stands in their table as soon as that takes it.
        log = run.processes[-1].log
        until(lambda: "write back that a job is done" in log.read_text(), "the write-back to be refused", 20)
        self.assertEqual(self.reminded(run), [])
        run.db.psql("DROP TRIGGER closed ON show_reminders;")
        until(lambda: self.reminded(run) == [mine], "reminded_at in their table", 20)

        # At a moment that is nobody else's a holder is reminded, too.
        other = self.show(run, "Encore", "40 minutes 3 seconds", created="-10 minutes")
        self.ticket(run, other, self.users["holder02"])
        own = self.reminder(run, other, self.users["holder02"], 40)
        told.append(self.settled(run, "personal.reminder", own))
        self.assert_holders(run, told[-1], ["holder02"])
        self.assertIn("Encore starts in 40 minutes", self.message(run, "token-holder02-0", told[-1]))

        # Revoked after the first moment: nothing more. Moved near: the new time, once.
        run.db.psql(f"UPDATE show_tickets SET is_valid = false WHERE show_id = '{show}' "
                    f"AND user_id = '{self.users['holder03']}';")
        valid.remove("holder03")
        run.db.psql(f"UPDATE shows SET scheduled_start = {utc('15 minutes')}, updated_at = {utc()} "
                    f"WHERE id = '{show}';")
        told.append(self.settled(run, "ticket.reminder", f"{show}:15m"))
        self.assert_holders(run, told[-1], valid)
        self.assertIn("Gala starts in 15 minutes", self.message(run, "token-holder01-0", told[-1]))
        until(lambda: len(self.jobs(run, "personal.reminder", mine)) == 2, "the new time, personally", 30)
        told.append(self.jobs(run, "personal.reminder", mine)[0])
        run.wait_settled(told[-1])
        self.assert_holders(run, told[-1], ["alone"])

        # Live, urgent; a producer that comes later repeats nothing.
        run.db.psql(f"UPDATE shows SET status = 'live', actual_start = {utc()}, updated_at = {utc()} "
                    f"WHERE id = '{show}';")
        told.append(self.settled(run, "ticket.live", show))
        self.assert_holders(run, told[-1], valid)
        self.assertEqual(run.db.value(f"SELECT lane FROM job WHERE id = '{told[-1]}'"),
                         run.db.value("SELECT min(lane) FROM job"))
        run.producer()
        run.db.psql(f"UPDATE shows SET tickets_sold = 24, updated_at = {utc()} WHERE id = '{show}';")
        late = self.show(run, "Late", "30 minutes", created="0 s")
        self.state(run, "ticket.reminder", f"{late}:15m", "scheduled")
        self.assertNotIn(f"{late}:1h", dict(self.states(run, "ticket.reminder")), "over when it was created")
        self.assertEqual(len(self.jobs(run, "ticket.live", show)), 1)

        # One ticket, one confirmation.
        bought = self.ticket(run, late, self.users["holder04"], coins=75, bought="0 s")
        told.append(self.settled(run, "ticket.purchased", bought))
        self.assert_holders(run, told[-1], ["holder04"])
        text = self.message(run, "holder04@example.com", told[-1])
        self.assertIn("75 coins", text)
        self.assertIn("Your ticket for Late", text)
        self.assert_nothing_else(run, told)

    def refuse_writing(self, run):
        run.db.psql("""CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'closed'; END $$;
            CREATE TRIGGER closed BEFORE UPDATE ON show_reminders EXECUTE FUNCTION refuse();""")

    def reminded(self, run):
        return [r for (r,) in run.db.rows("SELECT id FROM show_reminders WHERE reminded_at IS NOT NULL")]

    def test_a_cancelled_show_gives_the_coins_back(self):
        run = self.begin()
        self.people(run)
        show = self.show(run, "Gala", "3 hours 2 seconds")
        # Reminded three hours before: one with a ticket, and one without. Another would be later.
        alone, later = self.person(run, "alone"), self.person(run, "later")
        personal = [self.reminder(run, show, user, minutes) for user, minutes in
                    ((alone, 180), (self.users["holder01"], 180), (later, 30))]
        prices = {name: 30 * (n % 2) for n, name in enumerate(self.names)}
        for name, coins in prices.items():
            self.ticket(run, show, self.users[name], coins=coins, valid=name != "holder07")
        dead = "token-holder09-0"
        run.sim.control(fcm={"fail_addresses": {dead: "UNREGISTERED"}})
        reminded = [self.settled(run, "personal.reminder", each) for each in personal[:2]]
        run.db.psql(f"UPDATE shows SET status = 'cancelled', updated_at = {utc()} WHERE id = '{show}';")
        jobs = {coins: self.settled(run, "ticket.cancelled", f"{show}:{coins}") for coins in (0, 30)}
        for coins, job in jobs.items():
            names = [n for n in self.names if prices[n] == coins and n != "holder07"]
            self.assert_told(run, job, "email", self.mails(names))
            self.assert_told(run, job, "push", [t for t in self.tokens(names) if t != dead])
            self.assertEqual(len(run.accepted("sms", job)), len(names))
            text = self.message(run, f"{names[0]}@example.com", job)
            self.assertIn("Cancelled: Gala", text)
            self.assertEqual("30 coins" in text, coins == 30)
        until(lambda: run.db.value(f"SELECT count(*) FROM push_tokens WHERE token = '{dead}'") == "0",
              "the dead token to leave their table", 20)
        self.assertEqual(run.db.value("SELECT count(*) FROM push_tokens"), str(HOLDERS + 2), "the live ones stay")

        # Without a ticket, but reminded: hears of it, too.
        heard = self.settled(run, "personal.cancelled", personal[0])
        self.assert_holders(run, heard, ["alone"])
        self.assertIn("because you set a reminder", self.message(run, "alone@example.com", heard))
        self.assertEqual(run.fates(self.settled(run, "personal.cancelled", personal[2])), {})
        self.assertEqual(self.jobs(run, "personal.cancelled", personal[1]), [])
        self.assert_nothing_else(run, [*jobs.values(), *reminded, heard])


if __name__ == "__main__":
    main(at_once=2)
