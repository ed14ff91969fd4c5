#!/usr/bin/env python3
"""Metrics that are true: what the elected producer shows is what the ledger holds, whatever died; the page that lists them
lists exactly what is served; promtool finds nothing to complain of."""

import re
import shutil
import subprocess
import time
from datetime import datetime, timedelta, timezone

from api_client import clients, environment
from figures import SUFFIX, Figures, Scrape
from harness import BIN, ROOT, main, until

PEOPLE = 600


def documented():
    """Section of docs/metrics.md -> family -> (type, labels)."""
    found, section = {}, None
    for line in (ROOT / "docs/metrics.md").read_text().splitlines():
        heading = re.match(r"\| of (.+?) \| type \|", line)
        if heading:
            section = found.setdefault(heading.group(1), {})
        row = re.match(r"\| `(\w+)` \| (\w+) \|(.*?)\| .+ \|$", line)
        if row:
            name, kind, labels = row.groups()
            assert name not in section, f"{name} is listed twice"
            section[name] = (kind, frozenset(re.findall(r"`(\w+)`", labels)))
    return found


class Metrics(Figures):
    def test_what_is_counted_is_what_is_there_whoever_dies(self):
        run = self.new_run(sim=["--seed", "7"])
        run.people(PEOPLE)
        run.with_links()
        run.short_leases()
        run.tune("email", chunk=50, per_second=400)
        run.tune("sms", chunk=25, per_second=300)
        run.tune("push", chunk=40, per_second=300)
        first = run.producer()
        second = run.producer()
        before = self.elected(run, first, second)
        self.assertEqual(set(before.by("fanfare_outcomes_total", "outcome").values()), {0.0}, "all are there, as 0")
        self.assertIn(("shows", "show.reminder", "sms", "unknown"),
                      before.by("fanfare_outcomes_total", "system", "kind", "channel", "outcome"))
        run.sim.control(mailgun={"delivered_rate": 0.6, "hard_bounce_rate": 0.1, "lose_after_rate": 0.02,
                                 "webhook_url": "https://hooks.example.com/webhooks/e2e-mailgun",
                                 "webhook_connect": run.front()},
                        twilio={"error_rate": 0.1, "lose_after_rate": 0.02, "fail_addresses": {
                            min(a): "21408" for a in list(run.addresses("creator", "sms").values())[::7] if a}})
        workers = run.workers(2)
        job = run.publish(run.job())
        cancelled = run.publish(run.job())
        late = (datetime.now(timezone.utc) + timedelta(seconds=8)).strftime("%Y-%m-%dT%H:%M:%SZ")
        expiring = run.publish(run.job(expires_at=late))
        until(lambda: sum(run.told_in_all().values()) > 300, lambda: "sending to begin" + run.progress(), 60)
        workers[0].kill()
        run.db.psql(f"UPDATE job SET state = 'cancelled', finished_at = app_now() WHERE id = '{cancelled}';")
        workers.append(run.worker())
        until(lambda: sum(run.told_in_all().values()) > 600, lambda: "sending to go on" + run.progress(), 60)
        workers[1].kill()
        self.assert_moves_add_up(run)
        leader = until(lambda: next((p for p in (first, second) if
                                     Scrape(run.http(p, "/metrics")).samples["fanfare_elected", ()] == 1), None), "one to lead", 60)
        leader.kill()
        third = run.producer()
        run.sim.control(mailgun={"webhook_connect": run.front()})
        run.wait_settled(job, cancelled, expiring, timeout_s=180)
        for one in (job, cancelled, expiring):
            self.assert_sound(run, one)
        self.assert_shown(run, *(p for p in (first, second, third) if p.is_alive()))
        done = subprocess.run([BIN / "fanfare", "-c", run.dir / "fanfare.yaml", "replay", job, "--outcome", "refused",
                               "--yes", "--because", "to count"], env=run.environment(), text=True, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        new = [j for (j,) in run.db.rows(f"SELECT id FROM job WHERE replay_of = '{job}'")]
        self.assertEqual(len(new), 1, done.stdout)
        run.wait_settled(*new)
        scrape = self.assert_shown(run, *(p for p in (first, second, third) if p.is_alive()))
        self.assertEqual(scrape.samples["fanfare_replays_total", ()], 1)
        came = scrape.by("fanfare_outcomes_total", "outcome")
        for outcome in ("sent", "delivered", "refused", "cancelled", "replayed"):
            self.assertGreater(came[outcome,], 0, outcome)
        self.assertIn(f"job {job} (show.reminder of shows) is done after ", self.logs(run))
        run.db.psql(f"DELETE FROM job WHERE id = '{expiring}';")
        self.assert_shown(run, *(p for p in (first, second, third) if p.is_alive()))

    def logs(self, run):
        return "".join(file.read_text(errors="replace") for file in run.dir.glob("worker*.log"))

    def programs(self):
        """Every program with everything on that has metrics."""
        run = self.new_run()
        run.with_links()
        run.settings["producer"]["clients"] = clients()
        text = (ROOT / "config/systems/shows/system.yaml").read_text()
        run.system(text + "\noutbox: fanfare_outbox\n")
        run.db.psql((ROOT / "docs/examples/outbox.sql").read_text())
        run.environment = lambda environ=run.environment, **more: {**environ(**more), **environment()}
        run.people(3)
        producer, worker = run.producer(), run.worker()
        self.elected(run, producer)
        return run, {"producer": producer, "worker": worker}

    def test_the_page_lists_what_is_served_and_promtool_agrees(self):
        self.assertIsNotNone(shutil.which("promtool"), "promtool is missing: scripts/setup check (package prometheus)")
        run, programs = self.programs()
        texts = {name: run.http(process, "/metrics") for name, process in programs.items()}
        texts["simulator"] = run.sim.call("/metrics")
        page = documented()
        expected = {"producer": page["a producer"] | page["the elected producer"] | page["both"],
                    "worker": page["a worker"] | page["both"], "simulator": page["the simulator"]}
        for name, text in texts.items():
            with self.subTest(name):
                checked = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True)
                self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))
                scrape = Scrape(text)
                found = {family: (kind, frozenset(scrape.labels[family])) for family, kind in scrape.types.items()}
                self.assertEqual(found, expected[name])
                for family in found:
                    self.assertTrue(any(SUFFIX.sub("", n) == family or n == family for n, _ in scrape.samples),
                                    f"{family} has no series at the start")

    def test_no_series_comes_into_being_with_its_first_event(self):
        run, programs = self.programs()
        before = {name: set(Scrape(run.http(p, "/metrics")).samples) for name, p in programs.items()}
        job = run.publish(run.job())
        run.publish(b"rubbish")
        run.wait_settled(job)
        until(lambda: "_total{reason=\"not_json\"} 1" in run.http(programs["worker"], "/metrics"), "a dead letter", 30)
        for name, process in programs.items():
            self.assert_same(set(Scrape(run.http(process, "/metrics")).samples), before[name], f"series of the {name}")

    def test_a_scrape_is_quick(self):
        run, programs = self.programs()
        for name, process in programs.items():
            times = []
            for _ in range(20):
                begun = time.perf_counter()
                size = len(run.http(process, "/metrics"))
                times.append(time.perf_counter() - begun)
            print(f"{name}: {size} bytes, median {sorted(times)[10] * 1000:.1f} ms, best {min(times) * 1000:.1f} ms")


if __name__ == "__main__":
    main(at_once=2)
