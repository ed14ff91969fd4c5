#!/usr/bin/env python3
"""The console in a real browser, on a real run: what it shows, what it lets whom do, and that it loads nothing from elsewhere.

With FANFARE_CONSOLE_SHOTS=FOLDER each page is drawn there, light, dark and on a phone."""

import json
import statistics
import time
import urllib.request
from datetime import datetime, timedelta, timezone

import broker
import browser
from api_case import ApiCase
from api_client import TOKENS
from harness import main, say, until

PEOPLE, MANY = 200, 10_000  # A job by e-mail takes them 200 s, at one a second.
SUPPRESSED = 120  # Numbers of nobody: more than two pages.
ODD = "<script>document.title='owned'</script>@example.com"
REFUSAL = "21408"
TITLE = "<script>document.title='owned'</script> Friday"


class Console(ApiCase):
    def setUp(self):
        from playwright.sync_api import sync_playwright
        self.playwright = sync_playwright().start()
        self.addCleanup(self.playwright.stop)
        self.faults = []

    def begin(self):
        """A job with people who were refused, a letter nobody could read, something due later, somebody who left."""
        run, backend = self.start(people=PEOPLE, prepare=lambda run: run.tune("email", chunk=5, concurrency=1))
        self.run_, self.shop = run, backend("shop")
        numbers = run.addresses("creator", "sms")
        self.dead = sorted(numbers)[::4]
        run.sim.control(twilio={"fail_addresses": {next(iter(numbers[r])): REFUSAL for r in self.dead}})
        order = self.order(run, subject="s1")
        order["data"]["title"] = TITLE
        self.job = self.shop.post("/v1/jobs", order)[1]["id"]
        run.wait_settled(self.job)
        run.sim.control(twilio={"fail_addresses": {}})
        broker.publish(run.brokers, run.name + ".jobs", [(b"the-key", json.dumps({**run.job(), "channels": ["pigeon"]}).encode())])
        later = datetime.now(timezone.utc) + timedelta(hours=2)
        moment = {"system": "shows", "kind": "show.reminder", "params": {"user_id": "creator"}, "data": order["data"]}
        for subject in ("s8", "s9"):
            at = (later + timedelta(minutes=30)).isoformat()
            self.assertEqual(self.shop.post("/v1/notifications", {**moment, "subject": subject, "occurrence": at,
                                                                  "due_at": later.isoformat(), "expires_at": at})[0], 201)
        nothing_seen = {**moment, "subject": "s" * 190, "data": {**order["data"], "title": " "}}
        self.assertEqual(self.shop.post("/v1/notifications", {**nothing_seen, "occurrence": at, "due_at": later.isoformat(), "expires_at": at})[0], 201)
        self.shop.post("/v1/systems/shows/recipients/p000002/unsubscribe", {"channel": "email"})
        run.db.psql("INSERT INTO suppression (channel, address, compared, reason, source) SELECT c, a, a, 'stop', 'test' FROM ("
                    f"VALUES (0, 'p3@example.com'), (0, $${ODD}$$)) v(c, a) UNION ALL "
                    f"SELECT 1, a, a, 'stop', 'test' FROM (SELECT '+' || 15559000000 + n FROM generate_series(1, {SUPPRESSED}) n) w(a)")
        until(lambda: self.shop.get("/v1/dead-letters")[1]["dead_letters"], "the dead letter")
        self.eyes = browser.Eyes(self.playwright, run.front())

    def sign_in(self, name, **options):
        page = self.eyes.context(**options).new_page()
        page.goto("/console")
        page.get_by_label("API token").fill(TOKENS[name])
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/console/jobs")
        return page

    def look(self, page, name):
        self.faults += self.eyes.look(page, name)

    def test_pages(self):
        self.begin()
        self.strangers()
        page = self.sign_in("shop")
        self.looked_at(page)
        self.title_is_text(page)
        self.live_and_held(page)
        self.replayed(page)
        self.schedule_moved(page)
        self.letter_dropped(page)
        self.templates_and_people(page)
        self.suppressed_addresses(page)
        self.only_those_who_may()
        self.many_jobs(page)
        self.nothing_there(page)
        self.signed_out(page)
        self.assertEqual(self.faults, [], "\n".join(self.faults))
        elsewhere = [u for u in self.eyes.loaded if not u.startswith((self.run_.front(), "about:", "blob:"))]
        self.assertEqual(elsewhere, [])
        self.assertFalse([u for u in self.eyes.loaded if any(token in u for token in TOKENS.values())])

    def strangers(self):
        page = self.eyes.context().new_page()
        page.goto("/console/accounts")
        self.assertIn("/console/sign-in", page.url)
        self.look(page, "sign-in")
        page.get_by_label("API token").fill("no token at all")
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("alert").wait_for()
        self.assertEqual(page.context.cookies(), [])
        page.get_by_label("API token").fill(TOKENS["shop"])
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/console/accounts")
        cookie = page.context.cookies()[0]
        self.assertEqual((cookie["httpOnly"], cookie["sameSite"], cookie["path"]), (True, "Strict", "/console"))
        self.assertNotIn(TOKENS["shop"], cookie["value"])
        page.context.close()
        self.eyes.complaints.clear()  # The refusal of the wrong token is one.

    def looked_at(self, page):
        """Each page by its entry, by keyboard from the first link on."""
        page.keyboard.press("Tab")
        self.assertEqual(page.evaluate("document.activeElement.textContent"), "Skip to the page")
        page.keyboard.press("Enter")
        self.assertEqual(page.evaluate("document.activeElement.id"), "main")
        for name in ("Jobs", "Schedule", "People", "Templates", "Accounts", "Dead letters", "Suppressions", "Replays"):
            page.get_by_role("navigation").get_by_role("link", name=name, exact=True).click()
            page.get_by_role("heading", level=1).wait_for()
            self.look(page, name.lower().replace(" ", "-"))
        self.assertEqual(self.eyes.complaints, [])

    def title_is_text(self, page):
        page.goto("/console/jobs")
        page.get_by_role("link", name=TITLE).click()
        self.assertEqual(page.get_by_role("heading", level=1).inner_text(), TITLE)
        self.assertNotEqual(page.title(), "owned")
        page.get_by_role("cell", name="recipient refused").wait_for()
        self.look(page, "job")
        page.get_by_label("Recipient id").fill(self.dead[0])
        page.get_by_role("button", name="Why, or why not").click()
        page.get_by_text("refused", exact=True).wait_for()
        self.look(page, "person-in-job")

    def live_and_held(self, page):
        """A job that is slow: its numbers move by themselves; it is held back, let go and cancelled."""
        page.goto("/console/accounts")
        mailgun = page.get_by_role("region", name="e2e-mailgun")
        mailgun.get_by_text("Rate…").click()
        mailgun.get_by_label("A second, over all workers").fill("1")
        mailgun.get_by_role("button", name="Set the rate").click()
        page.get_by_text("Rate set by").wait_for()
        self.look(page, "accounts-rate")
        job = self.shop.post("/v1/jobs", self.order(self.run_, channels=["email"]))[1]["id"]
        until(lambda: self.run_.state(job) == "sending", "the slow job to be sent")
        page.goto(f"/console/jobs/{job}")
        page.get_by_text("Live", exact=True).wait_for()
        settled = page.locator("#progress .sum .soft").first
        before = settled.inner_text()
        page.wait_for_function("before => document.querySelector('#progress .sum .soft').textContent !== before", arg=before)
        page.locator("[data-chart]").wait_for()
        self.look(page, "job-live")
        self.refuses_without_word(page, job)
        page.get_by_text("Pause…").click()
        page.get_by_label("Because").fill("<b>hold</b> on")
        page.get_by_role("button", name="Pause this job").click()
        page.get_by_text("Held back by shop").wait_for()
        self.assertIn("<b>hold</b> on", page.locator("main").inner_text())
        self.look(page, "job-held")
        page.get_by_role("button", name="Resume").click()
        page.get_by_text("The job goes on.").wait_for()
        page.get_by_text("Cancel…").click()
        page.get_by_role("button", name="Cancel this job").click()
        page.get_by_text("The job is cancelled.").wait_for()
        self.assertEqual(self.run_.state(job), "cancelled")
        page.goto("/console/accounts")
        mailgun.get_by_text("Rate…").click()
        mailgun.get_by_role("button", name="Take it back").click()
        page.get_by_text("Done.").wait_for()

    def refuses_without_word(self, page, job):
        """As a page of somebody else would post it, with the cookie."""
        for form in ({}, {"form_word": "guessed"}):
            answer = page.context.request.post(f"/console/jobs/{job}/cancel", form=form)
            self.assertEqual(answer.status, 403)
        self.assertEqual(self.run_.state(job), "sending")

    def replayed(self, page):
        page.goto(f"/console/jobs/{self.job}")
        page.get_by_role("link", name="Replay…").click()
        page.get_by_label("failed", exact=True).uncheck()
        page.get_by_role("button", name="Try it: dry run").click()
        page.get_by_role("alert").get_by_text("Tick at least one outcome").wait_for()
        self.assertEqual(page.get_by_role("button", name="Replay these").count(), 0)
        page.get_by_label("failed", exact=True).check()
        page.get_by_role("button", name="Try it: dry run").click()
        page.get_by_role("heading", name="0 would be served once more").wait_for()
        self.look(page, "replay-nobody")
        page.get_by_label("refused", exact=True).check()
        page.get_by_label("failed", exact=True).uncheck()
        page.get_by_role("button", name="Try it: dry run").click()
        page.get_by_role("heading", name=f"{len(self.dead)} would be served once more").wait_for()
        self.assertEqual(self.shop.get("/v1/replays")[1]["replays"], [], "a dry run does nothing")
        self.look(page, "replay-told")
        page.get_by_label("Because").fill("refused by mistake")
        page.get_by_role("button", name=f"Replay these {len(self.dead)}").click()
        page.wait_for_url("**/console/replays/*")
        self.look(page, "replay-done")
        new = self.shop.get("/v1/replays/" + page.url.rsplit("/", 1)[1])[1]["new_jobs"][0]["job"]
        self.run_.wait_settled(new)
        everybody = [n for one in (self.job, new) for n in self.run_.accepted("sms", one).values()]
        self.assertEqual((len(everybody), max(everybody)), (PEOPLE, 1), "each was told once")
        page.goto(f"/console/jobs/{self.job}")
        page.get_by_role("heading", name="Replayed by").wait_for()
        page.goto("/console/replays")
        page.get_by_role("link", name="refused by mistake").wait_for()
        self.look(page, "replays-one")

    def schedule_moved(self, page):
        page.goto("/console/schedule?subject=s9")
        page.get_by_text("Move…").click()
        to = (datetime.now(timezone.utc) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")
        page.get_by_label("Due at (UTC)").fill(to)
        self.look(page, "schedule-move")
        page.get_by_role("button", name="Move it").click()
        page.get_by_text("It is moved.").wait_for()
        page.get_by_text("Moved or changed by shop").wait_for()
        moved = self.shop.get("/v1/notifications?subject=s9")[1]["notifications"][0]
        self.assertTrue(moved["due_at"].startswith(to), moved)
        page.goto("/console/schedule?subject=s9")
        page.get_by_text("Cancel…").click()
        page.get_by_role("button", name="Cancel this moment").click()
        page.get_by_text("That moment is cancelled for good.").wait_for()
        page.goto("/console/schedule?state=cancelled")
        page.get_by_text("Cancelled by shop").wait_for()

    def letter_dropped(self, page):
        page.goto("/console/dead-letters")
        page.locator(".list .what a").first.click()
        self.assertIn("pigeon", page.get_by_role("textbox", name="Payload").input_value())
        self.look(page, "dead-letter")
        page.get_by_text("Drop…").click()
        page.get_by_role("button", name="Drop this letter").click()
        page.get_by_text("The letter is dropped.").wait_for()
        page.get_by_text("No dead letter is open.").wait_for()

    def templates_and_people(self, page):
        page.goto("/console/templates/shows/show.reminder")
        mail = page.frame_locator("iframe.narrow-frame").first
        mail.get_by_text("Friday").last.wait_for()  # The first is what a list of mails shows.
        self.look(page, "template")
        page.goto("/console/people?system=shows&id=p000002")
        page.get_by_role("heading", name="What they left").wait_for()
        self.look(page, "person")
        page.goto("/console/suppressions/people?of=shows/followers&param.user_id=creator&standing=suppressed")
        page.get_by_text("p3@example.com").wait_for()
        self.look(page, "suppressed-people")

    def suppressed_addresses(self, page):
        """Whoever's they are: page by page, and by how they begin or are written."""
        page.goto("/console/suppressions")
        self.look(page, "suppressed")
        self.assertIn(ODD, page.get_by_role("table").inner_text())
        self.assertNotEqual(page.title(), "owned")
        seen = set()
        while True:
            seen |= set(page.locator("tbody code").all_inner_texts())
            if not page.get_by_role("link", name="More").count():
                break
            page.get_by_role("link", name="More").click()
            page.get_by_role("link", name="First").wait_for()
        self.assertEqual(len(seen), SUPPRESSED + 2)
        for search, found in (("P3@Example.com", ["p3@example.com"]), ("+1 (555) 900-000", [f"+1555900000{n}" for n in range(1, 10)]),
                              ("<script", [ODD]), ("nobody@example.com", [])):
            page.get_by_label("Address, or how it begins").fill(search)
            page.get_by_role("button", name="Search").click()
            page.wait_for_url("**search=*")
            self.assertEqual(page.get_by_label("Address, or how it begins").input_value(), search)
            self.assertEqual(page.locator("tbody code").all_inner_texts(), found, search)
        self.look(page, "suppressed-none")
        page.get_by_role("link", name="All addresses").click()
        page.wait_for_url("**/console/suppressions")

    def only_those_who_may(self):
        page = self.sign_in("reader")
        names = page.get_by_role("navigation").get_by_role("link").all_inner_texts()
        self.assertNotIn("Dead letters", names)
        page.goto("/console/accounts")
        page.get_by_role("heading", name="e2e-mailgun").wait_for()
        self.assertEqual(page.get_by_text("Pause…").count(), 0)
        word = page.locator("input[name=form_word]").first.input_value()
        answer = page.context.request.post("/console/accounts/e2e-mailgun/pause", form={"form_word": word, "because": "mine"})
        self.assertEqual(answer.status, 403)
        self.assertIn("lacks the scope operate", answer.text())
        self.assertEqual(self.shop.get("/v1/pauses")[1]["pauses"], [])
        stranger = self.sign_in("tenant")
        stranger.goto(f"/console/jobs/{self.job}")
        stranger.get_by_text("There is no such job.").wait_for()
        stranger.goto("/console/suppressions")
        stranger.get_by_label("Audience").wait_for()
        self.assertTrue(stranger.url.endswith("/console/suppressions/people"), stranger.url)
        for one in (page, stranger):
            one.context.close()

    def many_jobs(self, page):
        """A list over many jobs, as long as the server takes for it."""
        self.run_.db.psql(f"""
            INSERT INTO job SELECT (jsonb_populate_record(j, jsonb_build_object('id', gen_random_uuid(),
                'idempotency_key', 'many-' || n, 'created_at', j.created_at - n * interval '1 second'))).*
            FROM job j, generate_series(1, {MANY}) n WHERE j.id = '{self.job}';
            INSERT INTO chunk SELECT (jsonb_populate_record(c, jsonb_build_object('job_id', j.id))).* FROM job j, chunk c
            WHERE j.idempotency_key LIKE 'many-%' AND c.ctid = (SELECT min(ctid) FROM chunk WHERE job_id = '{self.job}');
            ANALYZE job, chunk;""")
        cookie = page.context.cookies()[0]
        took = []
        for _ in range(15):
            request = urllib.request.Request(self.run_.front() + "/console/jobs", headers={"Cookie": f"{cookie['name']}={cookie['value']}"})
            began = time.perf_counter()
            with urllib.request.urlopen(request, timeout=30) as answer:
                body = answer.read()
            took.append(time.perf_counter() - began)
            self.assertEqual(body.count(b"data-key="), 50)
        say(f"the list over {MANY} jobs: {1000 * statistics.median(took):.0f} ms, at most {1000 * max(took):.0f} ms")
        page.goto("/console/jobs?state=done")
        self.look(page, "jobs-many")
        page.get_by_role("link", name="Older").click()
        page.get_by_role("link", name="Newest").wait_for()

    def nothing_there(self, page):
        for path in ("jobs/no-such-job", "no/such/page", "replays/x", "dead-letters/x", "templates/shows/none"):
            answer = page.goto(f"/console/{path}")
            self.assertEqual(answer.status, 404, path)
            page.get_by_role("navigation").get_by_role("link", name="Schedule").wait_for()
        self.look(page, "nothing-there")
        self.eyes.complaints.clear()  # Each of them.

    def signed_out(self, page):
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/console/sign-in")
        page.goto("/console/jobs")
        self.assertIn("/console/sign-in", page.url)


if __name__ == "__main__":
    browser.in_its_python(__file__)
    main()
