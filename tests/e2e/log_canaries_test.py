#!/usr/bin/env python3
"""Whatever people and strangers write, no log and no reason in the ledger repeats it: addresses, numbers, tokens,
values, subjects, keys that strangers chose, headers and bearer tokens, at the finest level and in every kind of fault."""

import json
import secrets
import subprocess
import urllib.error
import urllib.request

import broker
from api_client import Backend
from harness import BIN, ROOT, EndToEnd, main, until

MARK = secrets.token_hex(6)
DIGITS = "".join(secrets.choice("0123456789") for _ in range(9))
MAIL, WORD, TOKEN = f"kanari.{MARK}@example.com", f"Kanari{MARK}", f"kanaritoken{MARK}"
PHONE = f"+1{DIGITS}"
KEY = f"kanari key {MARK} \x1b[31m\u202e"  # As no field is named: it drives a terminal, and turns text around.
# What must not be found; also as JSON escapes it, since parts of it are plain.
CANARIES = (MARK, DIGITS)
CONTROLS = ("\x1b", "\u202e", "\x07", "\x9b")

SYSTEM = (ROOT / "config/systems/shows/system.yaml").read_text()
BROKEN = {  # An audience, and what its query does with a value.
    "cast": "SELECT username::uuid::text AS recipient_id FROM users WHERE id = :user_id",
    "moment": "SELECT id AS recipient_id FROM users WHERE id = :user_id AND username::timestamptz < now()",
    "raise": "SELECT kanari_raise(username) AS recipient_id FROM users WHERE id = :user_id",
    "argument": "SELECT id AS recipient_id FROM users WHERE length(id) = :user_id::int",
    "missing": "SELECT id AS recipient_id FROM users WHERE nickname = :user_id"}
FUNCTIONS = """
    CREATE FUNCTION kanari_raise(text) RETURNS text LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'no %', $1 USING DETAIL = $1, HINT = $1; END $$;
    CREATE TABLE due (subject text, occurrence text, data text);"""
# A row whose moment is none, and a query that fails at one.
SCHEDULES = """  loud: |
    SELECT subject, occurrence::timestamptz AS occurrence, now() AS due_at, now() + interval '1 h' AS expires_at,
           '{}'::json AS params, data::json AS data FROM due WHERE :horizon::timestamptz > now()
  quiet: |
    SELECT '%s' AS subject, now() AS occurrence, now() AS due_at, now() + interval '1 h' AS expires_at,
           '{"%s": 1}'::json AS params, '{"a b": "%s"}'::json AS data WHERE :horizon::timestamptz > now()
""" % (f"subject {WORD} {MAIL}", WORD, PHONE)
KINDS = """  loud: {audience: followers, channels: [email], templates: show.reminder}
  quiet: {audience: followers, channels: [email], templates: show.reminder}
"""


class LogCanaries(EndToEnd):
    def start(self):
        run = self.new_run()
        run.db.psql(FUNCTIONS)
        run.db.psql((ROOT / "docs/examples/outbox.sql").read_text())
        text = SYSTEM.replace("audiences:\n", "audiences:\n" + "".join(
            f"  {name}: |\n    {query}\n" for name, query in BROKEN.items()), 1)
        text = text.replace("\nkinds:\n", "\nkinds:\n" + KINDS, 1)
        text = text.replace("\nschedules:\n", "\nschedules:\n" + SCHEDULES, 1)
        # A contact query that fails at one person's data.
        text = text.replace("  sms: |\n    SELECT id AS recipient_id, phone AS address,",
                            "  sms: |\n    SELECT id AS recipient_id, CASE WHEN phone LIKE '%!' THEN phone::int::text "
                            "ELSE phone END AS address,", 1)
        run.system(text + "\noutbox: fanfare_outbox\n")
        run.settings["observe"]["log_level"] = "trace"
        run.settings["kafka"]["client"].update({"debug": "cgrp,topic,msg,protocol,security,admin,eos,conf"})
        run.with_links()
        run.with_clients()
        run.people(20)
        run.db.psql(f"""
            INSERT INTO users (id, username, email, phone) VALUES ('odd', '{WORD} {MAIL}', '{MAIL}', '{PHONE}'),
                ('bad', '{WORD}', 'not {MAIL} "at all', '{PHONE}!'), ('casts', '{WORD}', 'k{MAIL}', '{PHONE}!'), ('other', '{WORD}', NULL, NULL), ('third', '', NULL, NULL);
            INSERT INTO push_tokens (user_id, token) VALUES ('odd', '{TOKEN}'), ('bad', 'bad {TOKEN}');
            INSERT INTO followers (follower_id, followed_id) VALUES ('odd', 'creator'), ('bad', 'other'), ('odd', 'other'),
                ('casts', 'third');
            INSERT INTO due VALUES ('subject {WORD}', 'when {WORD}', '{{}}');""")
        return run

    def fanfare(self, run, *arguments, stdin=None):
        """What a person does; only what it says on standard error is a log."""
        done = subprocess.run([BIN / "fanfare", "-c", run.dir / "fanfare.yaml", *arguments], input=stdin, timeout=60,
                              capture_output=True, env=run.environment())
        with open(run.dir / "cli.log", "ab") as log:
            log.write(done.stderr)
        return done.returncode

    def jobs(self, run):
        """Records of fanfare.jobs: what is no job, and jobs that cannot be planned."""
        good = run.job(data={**run.job()["data"], "title": f"{WORD} {MAIL}"})
        value = {"username": WORD, "title": f"{WORD} \x1b[2J", "starts_at": run.job()["data"]["starts_at"]}

        def job(**changes):
            return json.dumps({**run.job(data=value), **changes}).encode()

        refused = [
            f"{WORD} {MAIL}".encode(), json.dumps([MAIL]).encode(), job(**{KEY: MAIL}), job(surprise=MAIL),
            job(data={KEY: PHONE}), job(data={MAIL: WORD}), job(data={PHONE: {}}), job(data={f"k{MARK}": None}),
            job(audience={"name": "followers", "params": {MAIL: "x"}}),
            job(audience={"name": "followers", "params": {"user_id": "a", f"k_{MARK}": MAIL}}),
            job(audience={"name": f"kanari-{MARK}"}), job(audience={"recipients": [MAIL, "\x07" + PHONE]}),
            job(kind=f"kanari.{MARK}"), job(system=f"kanari-{MARK}"), job(kind=MAIL), job(subject="\x1b" + MAIL),
            job(expires_at=f"on {WORD}"), job(idempotency_key=MAIL * 40), job(id=MAIL), job(lane=WORD),
            b'{"' + MAIL.encode() + b'":1,"' + MAIL.encode() + b'":2}', job(data={WORD: "a\x00" + MAIL})]
        planned = [{**run.job(creator=WORD, subject=f"{WORD} {MAIL}", data=value), "audience":
                    {"name": name, "params": {"user_id": "odd"}}} for name in BROKEN if name != "argument"]
        # People whose rows make the contact query fail.
        planned.append(run.job(creator="third", channels=["sms"], ttl_s=20))
        # What only the system's database knows: a parameter of another type, a variable that the texts speak of and the
        # job does not have, a link that is a script.
        refused += [json.dumps(record).encode() for record in (
            {**run.job(creator=WORD, data=value), "audience": {"name": "argument", "params": {"user_id": f"u {WORD}"}}},
            run.job(data={"username": WORD, f"kanari_{MARK}": MAIL, "show_id": TOKEN}),
            {**run.job(), "kind": "generic", "channels": ["email"], "audience": {"recipients": ["odd"]},
             "data": {"title": WORD, "body": MAIL, "link": f"javascript:{WORD}"}})]
        return good, refused, planned

    def events(self, run):
        """CloudEvents with strange attributes and headers."""
        headers = {"ce_specversion": "1.0", "ce_id": MAIL, "ce_source": f"/{WORD}", "ce_type": f"kanari.{MARK}",
                   "content-type": "application/json", f"ce_{MARK}": PHONE}
        broker.publish(run.brokers, run.name + ".jobs", [
            (MAIL.encode(), b"{}", headers),
            (MAIL.encode(), f'"{MAIL}'.encode(), {**headers, "ce_type": "fanfare.job.v1"})])

    def call(self, url, method="GET", body=None, **headers):
        request = urllib.request.Request(url, data=body, method=method,
                                         headers={name.replace("_", "-"): value for name, value in headers.items()})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status
        except urllib.error.HTTPError as fault:
            return fault.code

    def callers(self, run):
        """Requests to the producer's door."""
        base = run.front()
        shop = Backend(base, "shop")
        for path in (f"/v1/jobs/{WORD}", f"/v1/jobs?cursor={WORD}", f"/v1/people/shows/generic?email={MAIL}", f"/{MAIL}",
                     f"/u/{WORD}.{TOKEN}", f"/v1/subjects/shows/{WORD}%20{MAIL.replace('@', '%40')}"):
            for token in (f"Bearer {TOKEN}", f"Bearer {shop.token}", f"Basic {TOKEN}"):
                self.call(base + path, Authorization=token, X_Request_Id=MAIL, User_Agent=PHONE)
        for body in ({KEY: MAIL}, {"system": "shows", "kind": MAIL}, [WORD],
                     {"system": "shows", "kind": "generic", "audience": {"recipients": ["odd"]}, "data": {MAIL: {}}}):
            for path in ("/v1/notify", "/v1/estimate", "/v1/preview", "/v1/notifications", "/v1/cron"):
                shop.post(path, body)
        shop.call("PUT", "/v1/templates/shows/generic", {"parts": {f"email.{MARK}": MAIL, "sms.text": "{{%s}}" % MAIL}})
        for account in [a["name"] for a in run.settings["accounts"]] + [WORD]:
            self.call(f"{base}/webhooks/{account}", "POST", json.dumps({KEY: MAIL, "event": WORD}).encode(),
                      Content_Type="application/json", X_Twilio_Signature=TOKEN, Authorization=f"Bearer {TOKEN}")
            self.call(f"{base}/webhooks/{account}", "POST", f"To={PHONE.replace('+', '%2B')}&Body={WORD}".encode(),
                      Content_Type="application/x-www-form-urlencoded", X_Twilio_Signature=TOKEN)

    def people_of_ours(self, run):
        """What is typed, and files that are imported."""
        hostile = run.dir / "hostile.json"
        hostile.write_text(json.dumps({**run.job(), KEY: MAIL}))
        self.assertEqual(self.fanfare(run, "publish", "--file", hostile), 65)
        hostile.write_text(json.dumps({**run.job(), "kind": MAIL, "data": {MAIL: PHONE}}))
        self.assertEqual(self.fanfare(run, "publish", hostile), 65)
        self.fanfare(run, "publish", "--system", "shows", "--kind", "generic", "--data", f"{WORD} {MAIL}")
        self.fanfare(run, "publish", "--system", "shows", "--kind", "generic", "--data", f"title={MAIL}",
                     "--expires-at", f"on {WORD}")
        self.fanfare(run, "suppress", "add", "email", MAIL)
        self.fanfare(run, "suppress", "import", "-", stdin=f"email,{MAIL}\n{MAIL},{PHONE}\n".encode())
        self.fanfare(run, "suppress", "import", "-", stdin=f'email,"{MAIL}\n'.encode())
        self.fanfare(run, "config", "check", "--database")
        self.fanfare(run, "dead", "list")
        self.fanfare(run, "status")

    def test_no_log_repeats_what_others_wrote(self):
        run = self.start()
        run.sim.control(mailgun={"error_rate": 0.3, "fail_addresses": {MAIL: "400"}},
                        twilio={"fail_addresses": {PHONE: "21211"}, "error_rate": 0.3},
                        fcm={"fail_addresses": {TOKEN: "UNREGISTERED"}, "lose_after_rate": 0.3})
        worker = run.worker()
        producer = run.producer(ready_s=0)  # One of its due queries fails.
        until(lambda: (run.dir / "front.port").exists(), "the producer's door", 60)
        good, refused, planned = self.jobs(run)
        # One a minute is told of: the first shall be one whose field nobody knows.
        first = next(record for record in refused if b'"surprise"' in record)
        run.publish(first)
        until(lambda: "refused a job of partition" in (run.dir / "worker0.log").read_text(), "the first refusal", 60)
        run.publish(*(record for record in refused if record is not first), *planned)
        self.events(run)
        for lane in ("urgent", "normal", "bulk"):
            broker.publish(run.brokers, f"{run.name}.chunks.{lane}", [(MAIL.encode(), MAIL.encode())] * 3)
        broker.publish(run.brokers, run.name + ".receipts", [(b"", MAIL.encode()), (b"", b'{"' + MAIL.encode() + b'":1}')])
        row = json.dumps({**run.job(), KEY: MAIL}).replace("'", "''")
        run.db.psql(f"INSERT INTO fanfare_outbox (job) VALUES ('{row}'), ('[\"{MAIL}\"]');")
        run.publish(good)
        self.callers(run)
        run.wait_settled(good["id"])
        ids = ",".join(f"'{job['id']}'" for job in planned)
        until(lambda: run.db.value(f"SELECT count(*) FROM job WHERE id IN ({ids}) AND (failure IS NOT NULL OR state <> "
                                   "'planning')") == str(len(planned)), lambda: "plans to fail" + run.progress(), 90)
        # Tried again while the database is away, a plan has that for its reason.
        failures = run.db.value("SELECT string_agg(failure, ' ') FROM job")
        until(lambda: run.db.value("SELECT count(*) FROM fanfare_outbox WHERE rejected IS NULL") == "0", "the outbox", 60)
        dead = broker.read(run.brokers, run.name + ".dead", 3, len(refused) + 2)
        self.assertEqual(len(dead), len(refused) + 2, "each is on the dead letters")
        self.assertLessEqual({"invalid_parameter", "missing_variable", "unrenderable"},
                             {headers["fanfare-reason"] for _, headers in dead})
        self.people_of_ours(run)
        run.maintenance.psql(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{run.name}' "
                             "AND pid <> pg_backend_pid();")
        again = run.publish(run.job())
        run.wait_settled(again)
        self.assertEqual((worker.end(), producer.end()), (0, 0))
        self.judge(run, failures)

    def judge(self, run, failures):
        found, lines = [], 0
        logs = [p.log for p in run.processes if p.name != "sim0"] + [run.dir / "cli.log"]
        for log in logs:
            for line in log.read_text(errors="replace").splitlines():
                lines += 1
                if any(c in line for c in CANARIES) or any(c in line for c in CONTROLS):
                    found.append(f"{log.name}: {line[:300]!r}")
        for (failure,) in run.db.rows("SELECT replace(failure, E'\\n', ' ') FROM job WHERE failure IS NOT NULL"):
            lines += 1
            if any(c in failure for c in CANARIES):
                found.append(f"job.failure: {failure[:300]!r}")
        self.assertEqual(found[:10], [], f"{len(found)} of {lines} lines hold a canary")
        # It was a hostile run, not a silent one.
        text = (run.dir / "worker0.log").read_text()
        for said in ("22P02", "P0001", "42703", "unknown_field at /*", "refused a job of partition"):
            self.assertTrue(said in text, said)
        self.assertTrue("more: jobs refused" in text, "and not a warning for each")
        for said in ("22P02", "P0001", "42703"):
            self.assertIn(said, failures)
        final = run.db.value("SELECT string_agg(failure, ' ') FROM job WHERE failure IS NOT NULL")
        self.assertNotRegex(failures + final, r"\.cpp:\d")


if __name__ == "__main__":
    main()
