"""Every part dies, stops, is cut off and lies, as a seed has it, while jobs are sent; then everything must settle without a
hand, and the simulator knows who was really told what. `scripts/chaos` runs it."""

import contextlib
import heapq
import inspect
import signal
import subprocess
import time
from collections import Counter

import broker
import chaos_plan
from chaos_judge import Judge
from chaos_plan import BATCH
from chaos_world import CALM, REMINDER, SETTLE_S, SYSTEM, World
from harness import BIN, say, until

LYING = {"lose_before_rate": 0.01, "error_rate": 0.01, "lose_after_rate": 0.01, "malformed_rate": 0.01, "error_after_rate": 0.01}


class Chaos(World):
    """A run."""

    def runTest(self):
        self.plan = chaos_plan.plan(self.seed, self.minutes, self.workers, self.every_s, self.more)
        self.happened, self.spoilt = [], False
        self.start()
        try:
            self.rage()
        finally:
            self.stop_ordering()
        self.calm()
        self.raged_s, self.settled_s = self.now(), self.settle()
        self.judge()

    # The faults go their way.

    def rage(self):
        moments = [(fault.at_s, fault.number, fault, None) for fault in self.plan]
        while moments:
            at_s, number, fault, going = heapq.heappop(moments)
            self.tend_until(at_s)
            if going:
                next(going[0], None)
                going[1]["ended_s"] = self.now()
            else:
                lasting = self.bring(fault)
                if lasting:
                    heapq.heappush(moments, (at_s + fault.lasts_s, number, fault, lasting))
            self.doubtful = any(going for *_, going in moments)
            self.doubt.set()
        self.tend_until(self.minutes * 60)

    def bring(self, fault):
        """A fault begins; what is to be asked for its end, if it lasts, and how it is shown."""
        shown = {"name": fault.name, "part": fault.part, "begun_s": self.now(), "ended_s": self.now()}
        self.happened.append(shown)
        say(f"    {self.now():7.1f} s  {fault.name} of {fault.part}" + (f" for {fault.lasts_s} s" if fault.lasts_s else ""))
        done = getattr(self, fault.name)(fault)
        if inspect.isgenerator(done):
            next(done)
            return done, shown
        if done is not None:  # It is under way on the stage.
            def over(_):
                shown.update(ended_s=self.now())
                self.doubt.set()
            done.add_done_callback(over)
        return None

    def tend_until(self, at_s):
        while True:
            self.tend()
            self.mend()
            self.jump_when_all_know_the_time()
            left = at_s - self.now()
            if left <= 0:
                return
            time.sleep(min(left, 0.1))  # The faults come at moments of the seed's choice; nothing is awaited here.

    def slot(self, fault):
        return int(fault.part.split()[-1])

    def kill(self, fault):
        self.programs[self.slot(fault)].kill()
        self.begin_program(self.slot(fault))

    def stop(self, fault):
        slot = self.slot(fault)
        worker = self.programs[slot]
        if slot in self.ending:
            self.ending[slot] += fault.lasts_s
        worker.signal(signal.SIGSTOP)
        yield
        worker.signal(signal.SIGCONT)

    def terminate(self, fault):
        self.ask_to_end(self.slot(fault))

    def kill_producer(self, _):
        self.programs[0].kill()
        self.begin_program(0)

    def restart_postgres(self, _):
        return self.stage.ask(self.machinery, "restart", "postgres")

    def crash_postgres(self, _):
        return self.stage.ask(self.machinery, "restart", "postgres", "--immediate")

    def kill_postgres(self, _):
        return self.stage.ask(self.machinery, "restart", "postgres", "--kill")

    def postgres_away(self, _):
        self.stage.ask(self.machinery, "stop", "postgres", "--immediate")
        yield
        self.stage.ask(self.machinery, "start", "postgres")

    def restart_kafka(self, _):
        return self.stage.ask(self.machinery, "restart", "kafka")

    def kill_kafka(self, _):
        return self.stage.ask(self.machinery, "restart", "kafka", "--kill")

    def wipe_kafka(self, _):
        return self.stage.ask(self.machinery, "wipe", "kafka")

    def delete_topics(self, _):
        return self.stage.ask(self.unless_away, broker.delete_topics, self.run_.brokers, self.run_.topics)

    def repeat(self, fault):
        """Orders that are published once more, as they were."""
        def again():
            bodies = self.run_.db.rows("SELECT job_id, body FROM api_request WHERE body IS NOT NULL "
                                       f"ORDER BY md5(job_id || '{fault.number}') LIMIT 5")
            broker.publish(self.run_.brokers, self.run_.name + ".jobs",
                           [(job.encode(), body.encode()) for job, body in bodies], timeout_s=10)
        return self.stage.ask(self.unless_away, again)

    @staticmethod
    def unless_away(work, *arguments):
        try:
            work(*arguments)
        except RuntimeError:
            pass  # The broker, its topics or PostgreSQL are away at this moment.

    def cut_line(self, _):
        self.line.cut()

    def lose_answers(self, fault):
        self.line.lose_answers(1 + int(fault.die * 5))

    def silent_line(self, fault):
        """What was said meanwhile is lost with its connections, or arrives after all."""
        self.line.swallow()
        yield
        if fault.die < 0.5:
            self.line.cut()
        self.line.swallow(False)

    def slow_line(self, fault):
        self.line.delay(0.05 + fault.die * 0.2)
        yield
        self.line.delay(0)

    def refuse_line(self, _):
        self.line.refuse()
        yield
        self.line.refuse(False)

    def providers(self, settings):
        self.run_.sim.control(all=settings)
        yield
        self.run_.sim.control(all=CALM)

    def lying_providers(self, _):
        return self.providers(LYING)

    def slow_providers(self, fault):
        return self.providers({"latency_ms": int(300 + 400 * fault.die), "jitter_ms": 300})

    def throttling_providers(self, _):
        return self.providers({"throttle_rate": 0.3})

    def query(self, settings):
        self.unless_away(self.run_.db.psql, f"UPDATE chaos SET {settings};")
        yield
        self.spoilt = True

    def mend(self):
        with contextlib.suppress(RuntimeError):  # PostgreSQL is away: the next time.
            if self.spoilt:
                self.run_.db.psql("UPDATE chaos SET slow_s = 0, failing = false; "
                                  f"ALTER DATABASE {self.run_.name} CONNECTION LIMIT -1;")
                self.spoilt = False

    def slow_query(self, fault):
        return self.query(f"slow_s = {fault.lasts_s - 1}")

    def failing_query(self, _):
        return self.query("failing = true")

    def remove_kind(self, fault):
        """A worker, and whoever else begins meanwhile, does not know the kind of the jobs."""
        self.run_.system(SYSTEM)
        begun = time.monotonic()
        self.ask_to_end(1 + int(fault.die * self.workers))
        yield
        self.run_.system(SYSTEM + REMINDER)
        for slot, at in self.began_at.items():
            if at > begun:
                self.ask_to_end(slot)

    # The end.

    def calm(self):
        """Whatever lasts has ended with the plan; the machinery may still be busy."""
        self.stage.finish()
        for holder in self.holders:
            holder.wait(60)
        self.spoilt = True  # Whatever a failover has brought back.
        until(lambda: self.mend() or not self.spoilt, "PostgreSQL to be back", 60)
        self.run_.sim.control(all={**CALM, "latency_ms": 0})
        say(f"    {self.now():7.1f} s  calm: {len(self.jobs)} jobs until now")

    def judge(self):
        run, judge = self.run_, Judge(self.run_, self.policy, self.in_doubt, BATCH, self.requests_cut)
        found = judge.judge(self.jobs)
        verified = subprocess.run([BIN / "fanfare", "-c", run.dir / "fanfare.yaml", "verify"], text=True,
                                  capture_output=True, env=run.environment(), timeout=300)
        wrong = judge.wrong() + self.died
        if self.settled_s is None:
            wrong.append(f"not settled after {SETTLE_S} s")
        if verified.returncode != 0:
            wrong.append(f"fanfare verify: {verified.stdout}{verified.stderr}")
        for program in self.programs:
            if (code := program.end()) != 0:
                wrong.append(f"{program.name} ended with {code}")
        self.verdict = {
            "seed": self.seed, "minutes": self.minutes, "workers": self.workers, "policy": self.policy,
            "every_s": self.every_s, "more": self.more,
            "raged_s": round(self.raged_s, 1), "settled_s": self.settled_s and round(self.settled_s, 1),
            "jobs": len(self.jobs), **found, "outcomes": dict(judge.outcomes),
            "reasons": dict(judge.reasons), "started_again_without_kafka": self.started_again,
            "answers_kept_or_broken": judge.excused, "faults": dict(Counter(h["name"] for h in self.happened)),
            "wrong": wrong, "stories": judge.stories}
        run.processes[:] = [run.sim.process, *self.programs]  # Of these the logs are shown.
        self.assertEqual(wrong + judge.stories, [], f"seed {self.seed}")


if __name__ == "__main__":
    raise SystemExit("scripts/chaos runs this")
