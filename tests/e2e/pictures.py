#!/usr/bin/env python3
"""The pictures of README.md, of a real run against the simulator: run by scripts/pictures, which says where they go."""

import html
import json
import os
import pty
import re
import shutil
import subprocess
import threading
from pathlib import Path

import browser
from accounts import SENDER
from api_case import ApiCase
from api_client import TOKENS
from harness import BIN, CHANNELS, main, say, until

PEOPLE, PER_S = 12_000, 300
TITLE = "Friday Night Live"
REFUSAL = "21408"
BYTES_MAX = 1 << 20  # All together.
FRAME = re.compile(r"\x1b\[\d+A\x1b\[J")
TERMINAL = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; padding: 24px; background: #fff; width: max-content }}
pre {{ margin: 0; padding: 18px 22px; border-radius: 8px; background: #16181d; color: #d8dee9;
      font: 15px/1.5 "DejaVu Sans Mono", "Liberation Mono", monospace }}
b {{ color: #8fbcbb; font-weight: normal }}</style><pre><b>$ {command}</b>\n{screen}</pre>"""
MAIL = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; padding: 24px; background: #fff; width: 640px; font: 15px/1.5 "DejaVu Sans", "Liberation Sans", sans-serif }}
dl {{ margin: 0; padding: 14px 18px; border: 1px solid #ccd; border-bottom: 0; border-radius: 8px 8px 0 0;
     display: grid; grid-template-columns: 5em 1fr }} dt {{ color: #667 }} dd {{ margin: 0 }}
iframe {{ width: 100%; border: 1px solid #ccd; border-radius: 0 0 8px 8px; box-sizing: border-box }}</style>
<dl><dt>From</dt><dd>{sender}</dd><dt>To</dt><dd>{to}</dd><dt>Subject</dt><dd>{subject}</dd></dl>
<iframe srcdoc="{body}"></iframe>"""


class Pictures(ApiCase):
    def setUp(self):
        from playwright.sync_api import sync_playwright
        self.to = Path(os.environ.get("FANFARE_PICTURES", "docs/pictures")).resolve()
        self.to.mkdir(parents=True, exist_ok=True)
        playwright = sync_playwright().start()
        self.addCleanup(playwright.stop)
        self.browser = playwright.chromium.launch(executable_path=shutil.which(browser.BROWSER), args=["--no-sandbox"])
        self.addCleanup(self.browser.close)

    def begin(self):
        """A job that is on its way, with people who are refused and receipts that come in."""
        def prepare(run):
            for channel in CHANNELS:
                run.tune(channel, chunk=100, concurrency=16, per_second=PER_S)
        run, backend = self.start(people=PEOPLE, sim=["--keep-messages", "60000", "--seed", "7"], prepare=prepare)
        self.run_, self.shop = run, backend("shop")
        numbers = sorted(address for some in run.addresses("creator", "sms").values() for address in some)
        run.sim.control(mailgun={"latency_ms": 60, "delivered_rate": 0.95, "hard_bounce_rate": 0.01, "opened_rate": 0.2,
                                 "webhook_url": "https://hooks.example.com/webhooks/e2e-mailgun", "webhook_connect": run.front()},
                        twilio={"latency_ms": 40, "fail_addresses": dict.fromkeys(numbers[::40], REFUSAL)}, fcm={"latency_ms": 20})
        order = self.order(run, subject="s1")
        order["data"]["title"] = TITLE
        self.job = self.shop.post("/v1/jobs", order)[1]["id"]

    def share(self):
        """How much of all is told."""
        return sum(self.run_.told(self.job).values()) / (PEOPLE * len(CHANNELS))

    def shoot(self, page, name, **options):
        page.screenshot(path=self.to / f"{name}.png", **options)
        say(f"    {self.to / name}.png")

    def test_draw(self):
        self.begin()
        follower = Follower(self.run_, self.job)
        page = self.open_console()
        until(lambda: self.share() > 0.55, lambda: f"more than half to be told, {self.share():.0%} are", 120)
        screen = follower.screen()
        self.shoot(page, "console")
        self.draw(TERMINAL.format(command=f"fanfare status {self.job} --follow", screen=html.escape(screen)), "terminal", 1100)
        self.run_.wait_settled(self.job, timeout_s=240)
        follower.end()
        self.draw_mail()
        size = sum(file.stat().st_size for file in self.to.glob("*.png"))
        self.assertLess(size, BYTES_MAX, "together")

    def open_console(self):
        page = self.browser.new_context(base_url=self.run_.front(), viewport={"width": 1180, "height": 860}).new_page()
        page.goto("/console")
        page.get_by_label("API token").fill(TOKENS["shop"])
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/console/jobs")
        page.goto(f"/console/jobs/{self.job}")
        page.get_by_text("Live", exact=True).wait_for()
        page.locator("[data-chart]").wait_for()
        return page

    def draw(self, text, name, width):
        page = self.browser.new_context(viewport={"width": width, "height": 300}).new_page()
        page.set_content(text)
        self.shoot(page.locator("body"), name)
        page.context.close()

    def draw_mail(self):
        address = "p6@example.com"  # Who reads English.
        found = json.loads(self.run_.sim.call(f"/oracle/messages?address={address}&job={self.job}&limit=1"))
        mail, = found
        page = self.browser.new_context(viewport={"width": 700, "height": 300}).new_page()
        page.set_content(MAIL.format(sender=html.escape(SENDER), to=address, subject=html.escape(mail["subject"]),
                                     body=html.escape(mail["html"])))
        frame = page.locator("iframe")
        height = frame.element_handle().content_frame().evaluate("document.documentElement.scrollHeight")
        frame.evaluate("(frame, height) => frame.style.height = height + 'px'", height)
        self.shoot(page.locator("body"), "mail")


class Follower:
    """`fanfare status JOB --follow` on a terminal of its own, and what stands there just now."""

    def __init__(self, run, job):
        self.master, slave = pty.openpty()
        self.said = ""
        self.child = subprocess.Popen([BIN / "fanfare", "-c", run.dir / "fanfare.yaml", "status", job, "--follow"], stdin=slave,
                                      stdout=slave, stderr=subprocess.DEVNULL, env=run.environment(TERM="xterm"))
        os.close(slave)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        try:
            while piece := os.read(self.master, 4096):
                self.said += piece.decode(errors="replace")
        except OSError:  # Its other end is closed.
            pass

    def screen(self):
        """It draws everything anew each time: the last drawing that is whole."""
        drawings = FRAME.split(self.said)
        return drawings[-2 if len(drawings) > 1 else -1].replace("\r", "").rstrip()

    def end(self):
        self.child.wait(60)
        self.reader.join(10)
        os.close(self.master)


if __name__ == "__main__":
    browser.in_its_python(__file__)
    main()
