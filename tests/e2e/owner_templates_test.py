#!/usr/bin/env python3
"""Owners' own texts: who gets them, which version a job keeps, and what is refused when they are saved."""

import json

from api_case import ApiCase
from harness import ROOT, main, until

PATH = "/v1/templates/shows/show.reminder"
PEOPLE = 60
DATA = {"show_id": "s1", "username": "Mira", "title": "Friday", "starts_at": "2030-01-01T20:00:00Z"}


def texts(word):
    """A mail and an SMS in German, each with the word in it."""
    return {"email.de.subject": word + " {{title}}", "email.de.text": word + ": {{name}}, {{username}} {{starts_in}}",
            "sms.de.text": word + " {{title}}{{#link}} {{link}}{{/link}}"}


class OwnerTemplates(ApiCase):
    def save(self, client, word, version):
        answer = client.call("PUT", PATH, {"parts": texts(word)})
        self.assertEqual(answer[1].get("version"), version, answer[1])
        return answer[0]

    def ordered(self, client, run, **more):
        answer = client.post("/v1/jobs", self.order(run, channels=["email", "sms"], **more))
        self.assertEqual(answer[0], 202, answer[1])
        return answer[1]["id"]

    def words(self, run, job):
        """Channel and language -> the first words that people read, each kind of them once."""
        found = {}
        rows = run.db.rows("SELECT coalesce(locale, ''), email, phone FROM users WHERE email IS NOT NULL")
        for locale, *addresses in rows:
            for channel, address in zip(("email", "sms"), addresses):
                messages = json.loads(run.sim.call(
                    f"/oracle/messages?address={address.replace('+', '%2B')}&job={job}"))
                self.assertEqual(len(messages), 1, f"{channel} of a reader of {locale or 'no language'}")
                text = json.dumps(messages, ensure_ascii=False)
                own = {w for w in ("EINS", "ZWEI", "DREI") if w in text}
                found.setdefault((channel, locale == "de"), set()).add(",".join(sorted(own)))
        return found

    def assert_words(self, run, job, word):
        """Readers of German got this word, "" for the shipped text; everybody else the shipped one."""
        run.wait_settled(job)
        self.assert_told_once(run, job, channels=["email", "sms"])
        self.assertEqual(self.words(run, job), {
            ("email", True): {word}, ("sms", True): {word}, ("email", False): {""}, ("sms", False): {""}})

    def test_each_job_says_what_its_owner_had_written_when_it_was_planned(self):
        run, backend = self.start(worker=False, people=PEOPLE, sim=["--keep-messages", "20000"])
        for channel in ("email", "sms"):
            run.tune(channel, chunk=5, chunks=1, timeout_ms=50_000)  # Held for as long as it takes to begin a worker.
        first = run.worker()
        ann, bob = backend("shop"), backend("other")

        # Whoever has none sees the shipped ones, and cannot delete them.
        shipped = ann.get(PATH)[1]
        self.assertEqual((shipped["version"], shipped["parts"]), (None, {}))
        self.assertIn("{{title}}", shipped["defaults"]["sms.de.text"])
        self.refused(ann.call("DELETE", PATH), 409, "defaults_stay")

        # The same again is the same version; nobody else sees it.
        self.assertEqual(self.save(ann, "EINS", 1), 201)
        self.assertEqual(self.save(ann, "EINS", 1), 200)
        mine = ann.get(PATH)[1]
        self.assertEqual((mine["version"], mine["parts"], mine["saved_by"]), (1, texts("EINS"), "shop"))
        self.assertEqual(mine["defaults"], shipped["defaults"])
        self.alone(backend, bob, shipped)

        # A job that is under way keeps its version, whatever is saved meanwhile, and with another worker.
        run.sim.hold()
        under_way = self.ordered(ann, run)
        until(lambda: run.state(under_way) == "sending", "the job to be planned", 60)
        self.assertEqual(self.save(ann, "ZWEI", 2), 200)
        run.worker()
        run.sim.release()
        first.end()
        later, theirs = self.ordered(ann, run), self.ordered(bob, run)
        self.assert_words(run, under_way, "EINS")
        self.assert_words(run, later, "ZWEI")
        self.assert_words(run, theirs, "")
        self.assertEqual([who.get(f"/v1/jobs/{job}")[1]["template_version"] for who, job in
                          ((ann, under_way), (ann, later), (bob, theirs))], [1, 2, None])

        # A test send says what a job would say.
        sent = ann.post("/v1/test-sends", {"system": "shows", "kind": "show.reminder", "recipient": "p000001",
                                           "channels": ["sms"], "data": DATA})[1]["id"]
        run.wait_settled(sent)
        self.assertIn("ZWEI", run.sim.call(f"/oracle/messages?address=%2B15550000001&job={sent}"))

        # A deletion is for jobs that are planned from then on.
        run.sim.hold()
        before = self.ordered(ann, run)
        until(lambda: run.state(before) == "sending", "the job to be planned", 60)
        self.assertEqual(ann.call("DELETE", PATH)[1]["version"], None)
        self.refused(ann.call("DELETE", PATH), 409, "defaults_stay")
        run.sim.release()
        self.assert_words(run, before, "ZWEI")
        self.assert_words(run, self.ordered(ann, run, lane="bulk"), "")
        self.assertEqual(ann.get(PATH + "?version=1")[1]["parts"], texts("EINS"))
        self.assertEqual(self.save(ann, "DREI", 4), 201)

    def alone(self, backend, bob, shipped):
        """What the owner saved exists for nobody else."""
        self.assertEqual(bob.get(PATH)[1], shipped)
        self.refused(bob.get(PATH + "?version=1"), 404, "not_found")
        self.refused(bob.call("DELETE", PATH), 409, "defaults_stay")
        self.assertTrue(all(t["version"] is None for t in bob.get("/v1/templates")[1]["templates"]))
        self.assertEqual([t["kind"] for t in backend("shop").get("/v1/templates")[1]["templates"] if t["version"]],
                         ["show.reminder"])
        self.assertEqual(backend("admin").get(PATH, Fanfare_Owner="shop")[1]["version"], 1)
        self.assertEqual(backend("admin").get(PATH)[1]["version"], None)
        self.refused(backend("abroad").get(PATH), 403, "system_denied")
        self.assertEqual(backend("abroad").get("/v1/templates")[1]["templates"], [])
        self.refused(backend("reader").call("PUT", PATH, {"parts": texts("x")}), 403, "scope_missing")

    def test_mistakes_are_told_when_texts_are_saved(self):
        run, backend = self.start(worker=False, people=5)
        ann = backend("shop")
        bad = {"email.de.subject": "{{title}}", "email.de.html": "<p>\n<a href={{link}}>{{name}}</a>",
               "sms.text": "{{titel}}\n {{#link}}{{nmae}}{{/link}} {{link}}", "sms.de.text": "{{#title}} offen",
               "push.fr.title": "{{> part}}", "push.fr.body": "{{#name}}x{{/name}}", "fax.text": "x"}
        answer = ann.call("PUT", PATH, {"parts": bad})
        self.refused(answer, 422, "invalid_template")
        found = {(e["pointer"].removeprefix("/parts/"), e.get("line"), e.get("column")): e["detail"]
                 for e in answer[1]["errors"]}
        self.assertEqual(set(found), {
            ("email.de.text", None, None), ("email.de.html", 2, 9), ("sms.text", 1, 1), ("sms.text", 2, 11),
            ("sms.text", 2, 29), ("sms.de.text", 1, 1), ("push.fr.title", 1, 1), ("push.fr.body", 1, 1),
            ("fax.text", None, None)}, answer[1]["errors"])
        self.assertRegex(found["sms.text", 1, 1], r"\{\{titel\}\}: expected one of the known variables: .*title")
        self.assertIn("not every job has it", found["sms.text", 2, 29])
        self.assertIn("differs from person to person", found["push.fr.body", 1, 1])
        for parts, code in (({}, "invalid_value"), ({"sms.text": 1}, "wrong_type"), (None, "wrong_type"),
                            ({"sms.text": "x" * 262_145}, "invalid_value"),
                            ({"sms.text": "x" * 1_531}, "invalid_template")):
            self.refused(ann.call("PUT", PATH, {"parts": parts}), 422, code)
        self.refused(ann.call("PUT", "/v1/templates/shows/no.kind", {"parts": bad}), 404, "not_found")
        self.refused(ann.call("PUT", "/v1/templates/nowhere/x", {"parts": bad}), 404, "not_found")
        self.assertEqual(run.db.value("SELECT count(*) FROM own_templates"), "0")
        self.previewed(run, ann, backend("other"))

    def previewed(self, run, ann, bob):
        """Previews and estimates say what a job would say, and try texts that are not saved."""
        ask = {"system": "shows", "kind": "show.reminder", "channel": "sms", "locale": "de", "data": DATA}
        self.assertEqual(ann.call("PUT", PATH, {"parts": {"sms.de.text": "EINS", "sms.text": "x" * 200}})[0], 201)
        self.assertEqual(ann.post("/v1/preview", ask)[1]["text"], "EINS")
        self.assertIn("Friday", bob.post("/v1/preview", ask)[1]["text"])
        tried = ann.post("/v1/preview", {**ask, "parts": {"sms.de.text": "ZWEI {{title}}"}})
        self.assertEqual(tried[1]["text"], "ZWEI Friday")
        self.assertEqual(ann.post("/v1/preview", ask)[1]["text"], "EINS", "tried, not saved")
        self.refused(ann.post("/v1/preview", {**ask, "parts": {"sms.de.text": "{{#x}}"}}), 422, "invalid_template")
        job = {"system": "shows", "kind": "show.reminder", "channels": ["sms"], "data": DATA,
               "audience": {"params": {"user_id": "creator"}}}
        readers = run.db.value("SELECT count(*) FROM users WHERE phone IS NOT NULL AND locale IS DISTINCT FROM 'de'")
        for body, segments in (({"job": job}, 5 + int(readers)), ({"job": job, "people": 100}, 200)):
            self.assertEqual(ann.post("/v1/estimate", body)[1]["channels"]["sms"]["segments"], segments)
            self.assertLess(bob.post("/v1/estimate", body)[1]["channels"]["sms"]["segments"], segments)

    def test_a_job_that_cannot_be_written_is_refused_before_anybody_is_told(self):
        run, backend = self.start(people=5, sim=["--keep-messages", "1000"])
        ann = backend("shop")
        self.assertEqual(ann.call("PUT", PATH, {"parts": {"sms.de.text": "{{username}}: " + "{{title}}" * 500}})[0], 201)
        long_title = {**DATA, "title": "x" * 600}
        job = ann.post("/v1/jobs", self.order(run, channels=["sms"], data=long_title))[1]["id"]
        failure = until(lambda: ann.get(f"/v1/jobs/{job}")[1]["failure"], "the plan to fail", 30)
        self.assertRegex(failure, r"version 1 of the owner's templates, sms\.de\.text:1:\d+: \d+ bytes or more")
        self.assertEqual(sum(run.told(job).values()), 0)
        self.assertEqual(ann.call("DELETE", PATH)[0], 200)
        until(lambda: run.state(job) == "done", "the job to be planned with the shipped texts", 60)
        self.assert_told_once(run, job, channels=["sms"])

        # What due queries find is the scheduler's, for whom an admin may write.
        saved = backend("admin").call("PUT", PATH, {"parts": {"sms.de.text": "DREI"}}, Fanfare_Owner="scheduler")
        self.assertEqual(saved[0], 201, saved[1])
        run.db.psql("""INSERT INTO scheduled_shows (id, user_id, title, scheduled_at, status) VALUES ('due', 'creator',
            'Show', now() AT TIME ZONE 'UTC' + interval '5 minutes', 'scheduled');""")
        due = until(lambda: run.db.value("SELECT id FROM job WHERE subject = 'due'"), "the show to be found", 30)
        run.wait_settled(due)
        self.assertIn("DREI", run.sim.call(f"/oracle/messages?address=%2B15550000001&job={due}"))

    def test_what_a_due_query_finds_says_what_its_owner_wrote(self):
        text = (ROOT / "config/systems/shows/system.yaml").read_text()
        owned = text.replace("AS expires_at,", "AS expires_at, CASE s.id WHEN 'theirs' THEN 'tenant-a' END AS owner,", 1)
        run, backend = self.start(people=5, sim=["--keep-messages", "1000"], system=owned)
        words = {"theirs": "ZWEI", "nobodys": "DREI"}
        tenant, admin = backend("tenant"), backend("admin")
        self.assertEqual(tenant.call("PUT", PATH, {"parts": {"sms.de.text": "ZWEI"}})[0], 201)
        self.assertEqual(admin.call("PUT", PATH, {"parts": {"sms.de.text": "DREI"}}, Fanfare_Owner="scheduler")[0], 201)
        for show in words:
            run.db.psql(f"""INSERT INTO scheduled_shows (id, user_id, title, scheduled_at, status) VALUES ('{show}', 'creator',
                'Show', now() AT TIME ZONE 'UTC' + interval '5 minutes', 'scheduled');""")
        for show, word in words.items():
            job = until(lambda: run.db.value(f"SELECT id FROM job WHERE subject = '{show}'"), f"{show} to be found", 30)
            run.wait_settled(job)
            self.assertIn(word, run.sim.call(f"/oracle/messages?address=%2B15550000001&job={job}"))
            seen = {name: backend(name).get(f"/v1/jobs/{job}")[0] for name in ("tenant", "shop", "admin")}
            self.assertEqual(seen, {"tenant": 200 if show == "theirs" else 404,
                                    "shop": 404 if show == "theirs" else 200, "admin": 200}, show)


if __name__ == "__main__":
    main(at_once=3)
