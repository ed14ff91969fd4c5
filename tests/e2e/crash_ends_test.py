#!/usr/bin/env python3
"""As crash_points_test.py, of what a job's way has besides: people who sleep, a cancel, a pause, devices that are gone, and the
end of what is old."""

from datetime import datetime, timedelta, timezone

import crash_points_test
from api_client import Backend
from crash_points import CANCEL, DEAD, ENDED, PAUSE, RETENTION, SPLIT, around
from crash_points_test import ANY, Worlds, cases_of, publisher, spread
from crash_world import PEOPLE, SYSTEM, World
from harness import main, until

EMAIL = ["email"]
AWAKE, ASLEEP = "Etc/GMT+6", ("Etc/UTC", "Etc/GMT-1")  # While it is night in UTC; they wake one after the other.
NIGHTLY = """
  nightly:
    {{audience: followers, templates: show.reminder, times: [starts_at], person_defaults: {{name: there}}, channels: [email],
     quiet_hours: {{from: "{:%H:%M}", to: "{:%H:%M}", then: defer}}}}
"""
PER_SECOND = 2  # So slow that a job is still sent when somebody calls it off.


def night(world):
    """Of three people of a chunk one is awake."""
    now, half = datetime.now(timezone.utc), timedelta(hours=3)
    head, tail = SYSTEM.split("schedules:")
    world.run.system(f"{head.rstrip()}{NIGHTLY.format(now - half, now + half)}schedules:{tail}")
    world.run.tune("email", chunk=3)


def fall_asleep(world):
    world.session.rows(f"UPDATE users SET time_zone = (ARRAY['{AWAKE}', '{ASLEEP[0]}', '{ASLEEP[1]}'])[1 + right(id, 1)::int % 3] "
                       "WHERE id ~ '[0-9]$'")


def wait_asleep(world, jobs):
    """Until nobody is left but those who sleep."""
    ids = ",".join(f"'{job}'" for job in jobs)
    world.wait(f"SELECT (SELECT count(*) FROM job WHERE id IN ({ids}) AND planned_at IS NOT NULL) = {len(jobs)} AND NOT EXISTS ("
               "SELECT FROM chunk WHERE state = 'claimed' OR state = 'planned' AND next_at < app_now() + interval '1 hour')",
               lambda: "all but the sleepers to be told" + world.run.progress())


def wake(world):
    """Who sleeps has gone to where it is day."""
    world.session.rows(f"UPDATE users SET time_zone = '{AWAKE}'; UPDATE chunk SET next_at = app_now(), publish_at = app_now() "
                       "WHERE state = 'planned'")


class Splits(Worlds):
    """Who sleeps leaves their chunk for one of their own, which opens when they wake."""

    def test_each(self):
        cases, beside = cases_of(around(SPLIT), (1, 2)), cases_of(around(SPLIT), (2,))
        self.run_worlds(
            *(("split, one worker", lambda: World(ANY, prepare=night), self.split, part) for part in spread(cases, 3)),
            *(("split, two workers", lambda: World(ANY, workers=2, prepare=night), self.split, part)
              for part in spread(beside, 2)))

    @staticmethod
    def split(world, case):
        jobs = []
        fall_asleep(world)
        world.kill_at(*case[0], publisher(world, jobs, kind="nightly", channels=EMAIL))
        wait_asleep(world, jobs)
        awake = {p for (p,) in world.session.rows(f"SELECT id FROM users WHERE time_zone = '{AWAKE}'")}
        owners = world.people("email")
        woken = {owners[a] for job in jobs for a in world.run.accepted("email", job)} - awake
        wake(world)
        world.settle(jobs)
        return [f"woken: {woken}"] * bool(woken) + [each for job in jobs for each in world.judge(job, ANY, EMAIL)]


class Ends(Worlds):
    """What ends a job, holds it back, or ends a device."""

    def test_each(self):
        gone = cases_of(["after dead.mark"], (5,)) + cases_of(around(DEAD), (1, 2))
        self.run_worlds(
            ("cancelled by day", lambda: World(ANY, producer=True, prepare=self.slow), self.cancelled, cases_of(around(CANCEL))),
            ("cancelled at night", lambda: World(ANY, producer=True, prepare=night), self.cancelled_at_night,
             cases_of([*around(CANCEL), *around(ENDED)])),
            ("ended by day", lambda: World(ANY, producer=True, prepare=self.slow), self.cancelled, cases_of(around(ENDED))),
            ("ended beside another", lambda: World(ANY, 2, producer=True, prepare=self.slow), self.cancelled,
             cases_of(around(ENDED), (1, 2))),
            ("paused", lambda: World(ANY, producer=True, prepare=self.slow), self.paused, cases_of(around(PAUSE))),
            *(("dead tokens", lambda: World(ANY, prepare=self.together), self.gone, part) for part in spread(gone, 2)))

    @staticmethod
    def slow(world):
        world.run.tune("email", per_second=PER_SECOND, chunks=1)

    @staticmethod
    def together(world):
        """Each mark tells of the request before it."""
        world.run.tune("push", chunk=PEOPLE, chunks=1)

    @staticmethod
    def call(world, method, path, body=None):
        """The status, or None where the producer is dead."""
        try:
            return Backend(world.run.front(), "admin").call(method, path, body)[0]
        except (OSError, ValueError):
            return None

    def insist(self, world, *request):
        """As a client does that had no answer. The job may be over meanwhile, or the pause lifted the first time."""
        status = until(lambda: (lambda said: said if said != 503 else None)(self.call(world, *request)), f"an answer to {request}",
                       60, 0.1)
        self.assertIn(status, (200, 201, 409, 404 if request[0] == "DELETE" else 200), request)

    @staticmethod
    def begin(world, jobs):
        """A job of which somebody was told, and others were not; or of which a program has died."""
        jobs.append(world.publish(channels=EMAIL))
        until(lambda: world.run.accepted("email", jobs[-1]) or not all(process.is_alive() for _, process in world.programs),
              "somebody to be told", 60, 0.02)
        return jobs[-1]

    @staticmethod
    def begin_at_night(world, jobs):
        """A job of which only those are left who sleep."""
        fall_asleep(world)
        jobs.append(world.publish(kind="nightly", channels=EMAIL))
        wait_asleep(world, jobs[-1:])
        return jobs[-1]

    def cancelled_at_night(self, world, case):
        return self.cancelled(world, case, self.begin_at_night)

    def cancelled(self, world, case, begin=None):
        jobs, waiting = [], []

        def call_off():
            """What waits is locked: nobody sends or settles it before the program is armed."""
            job = (begin or self.begin)(world, jobs)
            world.session.rows(f"BEGIN; SELECT FROM chunk WHERE job_id = '{job}' AND state = 'planned' FOR UPDATE")
            self.call(world, "POST", f"/v1/jobs/{job}/cancel")
            waiting.append(job)

        def provoke():
            if not waiting:
                call_off()
            world.session.rows("COMMIT")
            waiting.clear()
        if case[0][0].split()[1] in ENDED:
            call_off()
        world.kill_at(*case[0], provoke)
        for job in jobs:
            self.insist(world, "POST", f"/v1/jobs/{job}/cancel")
        world.settle(jobs, "NOT EXISTS (SELECT FROM job WHERE state = 'cancelled' AND settled_at IS NULL)")
        wrong = [each for job in jobs for each in world.judge(job, ANY, EMAIL, untold={"cancelled"})]
        over = [job for job in jobs if world.run.state(job) != "cancelled"]
        # By day everybody may have been told by then.
        return wrong + [f"not cancelled: {over}"] * bool(over and begin)

    def paused(self, world, case):
        jobs, lifts = [], case[0][0].endswith("lift")
        waiting = [self.begin(world, jobs)]

        def hold(job):
            return "POST", "/v1/pauses", {"job": job, "because": "a wrong text"}

        def let_go(job):
            return "DELETE", f"/v1/pauses?job={job}"

        def provoke():
            job = waiting.pop() if waiting else self.begin(world, jobs)
            self.call(world, *hold(job))
            if lifts:
                self.call(world, *let_go(job))
        world.kill_at(*case[0], provoke)
        wrong = [] if lifts else self.stand_still(world, jobs, hold)
        for job in jobs:
            self.insist(world, *let_go(job))
        world.settle(jobs)
        return wrong + [each for job in jobs for each in world.judge(job, ANY, EMAIL)]

    def stand_still(self, world, jobs, hold):
        """Others are told meanwhile."""
        for job in jobs:
            self.insist(world, *hold(job))
        world.wait("SELECT NOT EXISTS (SELECT FROM chunk WHERE state = 'claimed')", "what was claimed to be put back")
        told = {job: world.run.accepted("email", job) for job in jobs}
        other = world.publish(channels=EMAIL)
        world.wait(f"(SELECT state = 'done' FROM job WHERE id = '{other}')", "another job to be done")
        return ([f"{job} went on while it was paused" for job in jobs if told[job] != world.run.accepted("email", job)]
                + world.judge(other, ANY, EMAIL))

    @staticmethod
    def gone(world, case):
        """Half of the devices are gone, as their provider says. Whom the ledger calls refused for it is never tried again."""
        jobs, wrong = {}, []

        def provoke():
            creator = crash_points_test.Afterwards.of_their_own(world, push=True)
            world.session.rows(f"UPDATE push_tokens SET token = 'dead-' || token WHERE user_id ~ '^{creator}.*[135]$'")
            jobs[world.publish(creator, channels=["push"])] = creator

        def look():
            wrong.extend(f"{person} is refused, and their device is not suppressed" for (person,) in world.session.rows(
                "SELECT recipient FROM delivery JOIN push_tokens ON user_id = recipient WHERE outcome = 'refused' "
                "AND token NOT IN (SELECT address FROM suppression)"))
        world.kill_at(*case[0], provoke, look=look)
        world.settle(jobs)
        look()
        for job, creator in jobs.items():
            owners = {a: p for p, found in world.run.addresses(creator, "push").items() for a in found}
            dead = {p for a, p in owners.items() if a.startswith("dead-")}
            wrong += world.judge(job, ANY, ["push"], {"push": owners}, untold={"refused"}, dead=dead)
        left = world.session.rows("SELECT token FROM push_tokens WHERE token LIKE 'dead-%' AND token NOT IN "
                                  "(SELECT address FROM suppression)")
        return wrong + [f"not suppressed: {left}"] * bool(left)


class Old(Worlds):
    """What is older than the ledger keeps goes, and nothing else."""

    def test_each(self):
        def begin():
            return self.begin_with(World(ANY, producer=True, prepare=night))
        self.run_worlds(*(("retention", begin, self.drop, part) for part in spread(cases_of(around(RETENTION)), 3)))

    @classmethod
    def begin_with(cls, world):
        """With a job that stays because it is young, and an old one that stays because it is open."""
        fall_asleep(world)
        world.waiting = world.publish(kind="nightly", channels=EMAIL)
        wait_asleep(world, [world.waiting])
        world.young = cls.told(world)
        cls.grow_old(world, world.waiting)
        world.stay, world.at_last = cls.kept(world), lambda: cls.last(world)
        return world

    @staticmethod
    def told(world):
        job = world.publish(channels=EMAIL)
        world.wait(f"(SELECT state = 'done' FROM job WHERE id = '{job}')", lambda: "a job to be done" + world.run.progress())
        return job

    @staticmethod
    def grow_old(world, job):
        world.session.rows(f"UPDATE job SET day = day - 100, created_at = created_at - interval '100 days', "
                           f"finished_at = finished_at - interval '100 days' WHERE id = '{job}'")

    @staticmethod
    def kept(world):
        return world.session.rows("SELECT job_id, channel, recipient, outcome FROM delivery WHERE job_id IN "
                                  f"('{world.young}', '{world.waiting}') ORDER BY 1, 2, 3")

    def drop(self, world, case):
        old = []

        def another_round():
            """A producer begins with one; in the name of the dead nobody else drops anything until their lease is over."""
            world.session.rows("UPDATE lease SET until = app_now() WHERE name = 'retention'")
            world.begin_anew(next(i for i, (name, _) in enumerate(world.programs) if name == "producer"))
            until(lambda: world.dead() is not None or world.is_ready(), "the producer to be ready, or dead", 60, 0.1)

        def provoke():
            old.append(self.told(world))
            self.grow_old(world, old[-1])
            another_round()
        world.kill_at(*case[0], provoke)
        until(world.is_ready, "the producer to be ready", 60, 0.1)
        ids = ",".join(f"'{job}'" for job in old)
        over = f"(SELECT count(*) FROM job WHERE id IN ({ids}) AND dropped_at IS NOT NULL) = {len(old)}"
        if world.session.value(f"SELECT {over}") != "t":
            another_round()
        world.wait(f"SELECT {over} AND NOT EXISTS (SELECT FROM chunk WHERE job_id IN ({ids}))", "what is old to go")
        told = [f"{address} was told {n} times" for job in old for address, n in world.run.accepted("email", job).items() if n > 1]
        return told + [f"what is kept has changed: {self.kept(world)}"] * (self.kept(world) != world.stay)

    @staticmethod
    def last(world):
        """Who was asleep in the old job is told all the same."""
        wake(world)
        world.settle([world.waiting, world.young])
        return [each for job in (world.waiting, world.young) for each in world.judge(job, ANY, EMAIL)]


if __name__ == "__main__":
    main()
