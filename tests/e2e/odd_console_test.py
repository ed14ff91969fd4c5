#!/usr/bin/env python3
"""Odd words in every field and path of the console: each is answered by a page that shows them as text, none by a 5xx; forms of
nobody, of another session or of another site do nothing; what others own is not there."""

import http.client
import json
import re
import urllib.parse

import broker
from api_case import ApiCase
from api_client import TOKENS
from harness import main, until

MARK = "<script>document.title='owned'</script>"
ODD = ("", " ", "'", '"', MARK, "\x00", "%00", "../../x", "a" * 1500, "é" * 300, "🎟" * 60, "\u202eabc", "{{form_word}}", "{{{form_word}}}",
       "{{> frame.html}}", "-1", "0", "1e9", "99999999999999999999", "NaN", "2026-99-99T99:99", "2026-11-29T25:61", "0001-01-01T00:00",
       "x\r\nSet-Cookie: stolen=1", "null", "true", "[]", "a&b=c", "a;b", "$1", "\\", "' OR 1=1 --", b"\xff\xfe")
EVERYBODY = "shop"
LOOKED_AT = {  # Path -> its fields; {} is a place in the path for odd words.
    "jobs": ("system", "kind", "state", "has_failures", "cursor"), "jobs/{}": ("done",), "jobs/{}/reasons": (), "jobs/{}/person": ("recipient",),
    "jobs/JOB/person": ("recipient",), "schedule": ("system", "kind", "subject", "state", "cursor", "done"),
    "people": ("id", "system"), "people?id=p000001": ("system", "cursor"), "templates": (), "templates/{}/{}": (), "templates/shows/{}": (),
    "templates/shows/show.reminder": ("v.title", "v.username", "v.starts_at", "v.none"),
    "templates/shows/show.reminder/email": ("locale", "v.title", "v.starts_at"), "templates/{}/show.reminder/email": (),
    "accounts": ("done",), "dead-letters": ("all", "cursor", "done"), "dead-letters/{}": (), "suppressions": ("search", "channel", "cursor"),
    "suppressions/people": ("of",), "suppressions/people?of=shows/followers": ("param.user_id", "standing", "cursor", "param.none"),
    "suppressions/people?of=shows/followers&param.user_id=creator": ("standing", "cursor"),
    "replay": ("job",), "replays": ("cursor",), "replays/{}": (), "sign-in": ("next",), "{}": (), "{}/{}": (), "{}/{}/{}/{}": ()}
DONE = {
    "accounts/{}/rate": {"per_second": "5"}, "accounts/e2e-mailgun/rate": {"per_second": None}, "accounts/{}/rate/clear": {},
    "accounts/{}/pause": {"because": "why"}, "accounts/e2e-mailgun/pause": {"because": None}, "accounts/{}/resume": {},
    "jobs/{}/pause": {"because": "why"}, "jobs/JOB/pause": {"because": None}, "jobs/{}/cancel": {}, "jobs/{}/resume": {},
    "schedule/{}/move": {"due_at": "2030-01-01T10:00"}, "schedule/MOMENT/move": {"due_at": None}, "schedule/{}/cancel": {},
    "schedule/{}/send-now": {}, "dead-letters/{}/requeue": {"is_mended": "true", "payload": "{}"},
    "dead-letters/LETTER/requeue": {"is_mended": "true", "payload": None, "none": "x"}, "dead-letters/{}/drop": {},
    "replay": {"job": None, "outcome": None, "channel": None, "ttl_min": None, "step": None, "because": None, "key": None}}


def quoted(word):
    return urllib.parse.quote(word, safe="")


class Browser:
    """One that does what it is told to, whatever a real one would."""

    def __init__(self, base):
        self.host, self.cookie = urllib.parse.urlsplit(base).netloc, None

    def ask(self, method, path, form=None, **headers):
        """Status, headers, text; the first bytes only of what does not end."""
        connection = http.client.HTTPConnection(self.host, timeout=60)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookie:
            sent["Cookie"] = self.cookie
        body = None
        if method == "POST":
            body = urllib.parse.urlencode(form or {}, quote_via=urllib.parse.quote)
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, "/console/" + path, body, sent)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, answer.headers, text.decode(errors="surrogateescape")

    def sign_in(self, token, **fields):
        status, headers, _ = self.ask("POST", "sign-in", {"token": token, **fields})
        if "Set-Cookie" in headers:
            self.cookie = headers["Set-Cookie"].split(";")[0]
        return status

    def form_word(self):
        return re.search(r'name="form_word" value="([^"]+)"', self.ask("GET", "accounts")[2]).group(1)


class OddConsole(ApiCase):
    def begin(self):
        run, backend = self.start(people=5)
        self.run_, self.shop = run, backend(EVERYBODY)
        self.job = self.shop.post("/v1/jobs", self.order(run, channels=["email"]))[1]["id"]
        run.wait_settled(self.job)
        moment = {"system": "shows", "kind": "show.reminder", "subject": "far", "params": {"user_id": "creator"},
                  "data": self.order(run)["data"], "occurrence": "2031-01-01T10:00:00Z", "due_at": "2031-01-01T10:00:00Z"}
        self.moment = self.shop.post("/v1/notifications", {**moment, "expires_at": "2031-01-01T11:00:00Z"})[1]["id"]
        broker.publish(run.brokers, run.name + ".jobs", [(b"k", json.dumps({**run.job(), "channels": ["pigeon"]}).encode())])
        self.letter = until(lambda: self.shop.get("/v1/dead-letters")[1]["dead_letters"], "the dead letter")[0]["letter"]
        self.browser = Browser(run.front())
        self.assertEqual(self.browser.sign_in(TOKENS[EVERYBODY]), 303)

    def named(self, path):
        return path.replace("JOB", self.job).replace("MOMENT", self.moment).replace("LETTER", quoted(self.letter))

    def judge(self, what, answer):
        """A page, or the way to one; or why not."""
        status, headers, text = answer
        kind = headers.get("Content-Type", "")
        with self.subTest(what):
            self.assertLess(status, 500)
            self.assertNotIn("stolen", headers.get("Set-Cookie", ""))
            self.assertNotIn("json", kind)
            self.assertNotIn(MARK, text)
            self.assertFalse(re.search("[\udc80-\udcff]", text), "bytes that are no text")
            self.assertTrue(headers.get("Content-Security-Policy", "").startswith("default-src 'none'"), (status, kind))
            self.assertTrue(headers.get("Location", "/console/").startswith("/console/"), headers.get("Location"))
            self.assertEqual(headers.get("X-Content-Type-Options"), "nosniff")

    def test_whatever_is_asked_is_a_page(self):
        self.begin()
        for path, fields in LOOKED_AT.items():
            for odd in ODD:
                shown = self.named(path).replace("{}", quoted(odd))
                if "{}" in path and odd != "":
                    self.judge((path, odd), self.browser.ask("GET", shown))
                for field in fields:
                    asked = f"{shown}{'&' if '?' in path else '?'}{field}={quoted(odd)}"
                    if "{}" not in path:
                        self.judge((path, field, odd), self.browser.ask("GET", asked))
        self.judge("a query that is none", self.browser.ask("GET", "jobs?%zz=%"))
        self.judge("many fields", self.browser.ask("GET", "jobs?" + "&".join(f"f{n}=1" for n in range(500))))

    def test_whatever_a_form_says(self):
        self.begin()
        word = self.browser.form_word()
        for path, fields in DONE.items():
            for odd in ODD:
                form = {name: odd if value is None else value for name, value in fields.items()}
                if path == "replay":
                    self.each_field_of_a_replay(word, odd)
                if "{}" in path and odd == "":
                    continue
                self.judge((path, odd), self.browser.ask("POST", self.named(path).replace("{}", quoted(odd)), {"form_word": word, **form}))
        for odd in ODD:
            self.judge(("token", odd), Browser(self.run_.front()).ask("POST", "sign-in", {"token": odd, "next": odd}))
            stranger = Browser(self.run_.front())
            self.judge(("next", odd), stranger.ask("POST", "sign-in", {"token": TOKENS[EVERYBODY], "next": "/console/" + str(odd)}))
        self.assertEqual({each["people"] for each in self.shop.get("/v1/replays")[1]["replays"]}, {0}, "nobody of the job had failed")
        self.assertEqual(self.run_.state(self.job), "done")

    def each_field_of_a_replay(self, word, odd):
        sound = {"job": self.job, "outcome": "failed", "channel": "", "ttl_min": "", "step": "try", "because": "", "key": "k"}
        for name in sound:
            for step in ("try", "order"):
                form = {**sound, "form_word": word, "step": step, name: odd}
                self.judge(("replay", name, step, odd), self.browser.ask("POST", "replay", form))

    def test_only_its_own_forms_act(self):
        """A form without a word, with another session's, or from another site; a cookie that was touched."""
        self.begin()
        mine, other = self.browser, Browser(self.run_.front())
        other.sign_in(TOKENS["other"])
        word = mine.form_word()
        because = {"because": "of no word"}
        for form, headers in (({}, {}), ({"form_word": other.form_word()}, {}), ({"form_word": ""}, {}), ({"form_word": word[:-1]}, {}),
                              ({"form_word": word}, {"Sec_Fetch_Site": "cross-site"}), ({"form_word": word}, {"Sec_Fetch_Site": "same-site"})):
            with self.subTest(form=form, headers=headers):
                answer = mine.ask("POST", "accounts/e2e-mailgun/pause", {**because, **form}, **headers)
                self.assertEqual(answer[0], 403)
                self.judge("refused", answer)
        self.assertEqual(self.shop.get("/v1/pauses")[1]["pauses"], [])
        for at in (18, len(mine.cookie) // 2, len(mine.cookie) - 2):
            forger = Browser(self.run_.front())
            forger.cookie = mine.cookie[:at] + ("A" if mine.cookie[at] != "A" else "B") + mine.cookie[at + 1:]
            status, headers, _ = forger.ask("GET", "jobs")
            self.assertEqual((status, headers["Location"]), (303, "/console/sign-in?next=%2Fconsole%2Fjobs"))
        plain = mine.ask("POST", "accounts/e2e-mailgun/pause", {**because, "form_word": word})
        self.assertEqual(plain[0], 303, "or nothing was tried")

    def test_what_others_have_is_not_there(self):
        self.begin()
        stranger = Browser(self.run_.front())
        self.assertEqual(stranger.sign_in(TOKENS["tenant"]), 303)
        word = stranger.form_word()
        for path in ("jobs/JOB", "jobs/JOB/person?recipient=p000001", "dead-letters/LETTER", "replays/JOB"):
            status, _, text = stranger.ask("GET", self.named(path))
            self.assertIn(status, (403, 404), path)
            self.assertNotIn("example.com", text)
        for path in ("jobs", "schedule?state=", "people?id=p000001", "suppressions/people?of=shows/followers&param.user_id=creator"):
            _, _, text = stranger.ask("GET", path)
            for theirs in (self.job, self.moment, "p1@example.com"):
                self.assertNotIn(theirs, text, path)
        for path, form in (("jobs/JOB/cancel", {}), ("jobs/JOB/pause", {"because": "x"}), ("schedule/MOMENT/cancel", {}),
                           ("schedule/MOMENT/move", {"due_at": "2030-01-01T10:00"}), ("dead-letters/LETTER/drop", {}),
                           ("replay", {"job": self.job, "outcome": "failed", "step": "order", "because": "x", "key": "k"})):
            answer = stranger.ask("POST", self.named(path), {"form_word": word, **form})
            self.assertIn(answer[0], (403, 404, 422), path)
            self.judge(path, answer)
        self.assertEqual(self.shop.get(f"/v1/notifications/{self.moment}")[1]["state"], "scheduled")
        self.assertEqual(len(self.shop.get("/v1/dead-letters")[1]["dead_letters"]), 1)

    def test_a_client_that_asks_too_often_is_told_so_on_a_page(self):
        self.begin()
        slow = Browser(self.run_.front())
        slow.sign_in(TOKENS["slow"])
        answers = [slow.ask("GET", "jobs") for _ in range(20)]
        refused = [answer for answer in answers if answer[0] == 429]
        self.assertTrue(refused)
        for answer in refused:
            self.judge("too often", answer)
            self.assertIn("Retry-After", answer[1])


if __name__ == "__main__":
    main()
