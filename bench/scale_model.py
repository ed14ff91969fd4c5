"""Fanfare as a discrete-event model: planner, chunks, workers, PostgreSQL, providers (docs/scale.md).

What is in it: who waits for whom. A planner writes chunks a fetch at a time. A worker has lanes, one event loop, a few
connections; its claims, marks and records are one statement of each kind at a time, shared by the chunks that wait.
Requests are marked in waves, as permits come back, and begin when their mark is flushed and a place in flight is free. Everything that computes needs a
core of its host. What is not in it: outages, retries, receipts, queries that become slower as tables grow.
"""

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from scale_engine import Cores, Disk, Event, Places, Process, World

STATEMENT_CHUNKS_MAX = 64  # worker/send/chunk_batcher.hpp
LANES_MAX = 64
GROUP_WAIT_MAX_S = 0.010  # worker/send/boarding.cpp: permits wait for others, at most so long ...
GROUP_WAIT_SHARE = 0.5  # ... and half of what the last wave took.
QUICK_ANSWER_S = 0.050  # worker/send/account.cpp: as many again are marked ahead where answers come so quickly.
RATE_USED = 0.98  # of a rate, by workers that stay: bench/rate --calm
WAL_SHARES = {"plan": 0.5, "claim": 0.1, "mark": 0.2, "record": 0.2}  # Roughly: a flush takes its time, hardly its bytes.
PARCELS = 8  # A wave's requests are followed in so many parts, not one by one.


@dataclass(frozen=True)
class Traffic:
    """One channel's work. Microseconds of CPU a person, by who spends them and for what."""

    chunk: int  # people
    in_flight: int  # chunks of full size
    request: int  # people
    permits: int  # requests at once, a worker
    plan_us: float  # PostgreSQL
    claim_us: float
    contacts_us: float
    mark_us: float
    record_us: float
    planner_us: float  # the worker's thread that plans
    pool_us: float  # its other threads: contacts, texts
    loop_us: float  # its event loop
    simulator_us: float
    kafka_us: float
    wal_bytes: float  # a person
    ledger_bytes: float
    lanes: int = 0  # where chunks are small; 0: `in_flight`
    fetch: int = 5_000  # people planned by one transaction

    @property
    def postgres_us(self) -> float:
        return self.plan_us + self.claim_us + self.contacts_us + self.mark_us + self.record_us

    @property
    def worker_us(self) -> float:
        return self.planner_us + self.pool_us + self.loop_us


@dataclass(frozen=True)
class Machines:
    """Where it runs. One host: all programs share `postgres_cores`, the simulator and Kafka too."""

    one_host: bool = True
    postgres_cores: int = 2
    workers: int = 1
    worker_cores: int = 2
    flush_s: float = 0.001
    disk_bytes_per_s: float = 200e6
    trip_s: float = 0.0001  # between a worker and PostgreSQL, there and back
    answer_s: float = 0.0002  # what a provider takes
    rate: float = 0.0  # people a second the provider permits, over all workers; 0: no bound
    speed: float = 1.0  # of a core, in cores of the machine that was measured
    before_s: float = 0.0  # from publishing until a planner begins
    announce_s: float = 0.0  # from a chunk's commit until workers have heard of it


class Statements:
    """One kind of statement of one worker: one at a time, for all chunks that wait."""

    def __init__(self, model: "Model", us: float, wal: float) -> None:
        self.model, self.us, self.wal = model, us, wal
        self.queue: deque[tuple[int, Event]] = deque()
        self.serving = False

    def ask(self, people: int) -> Event:
        done = Event(self.model.world)
        self.queue.append((people, done))
        if not self.serving:
            self.serving = True
            self.model.world.wake(self.serve())
        return done

    def serve(self) -> Process:
        while self.queue:
            taken = [self.queue.popleft() for _ in range(min(len(self.queue), STATEMENT_CHUNKS_MAX))]
            yield from self.model.write(self.us, self.wal, sum(people for people, _ in taken))
            for _, done in taken:
                done.happen()
        self.serving = False


@dataclass
class Sending:
    """A chunk whose people are being told."""

    unasked: int  # requests
    unanswered: int
    people: int  # a request
    over: Event


class Worker:
    """One program that sends."""

    def __init__(self, model: "Model", cores: Cores) -> None:
        traffic, world = model.traffic, model.world
        self.model, self.world, self.traffic, self.cores = model, world, traffic, cores
        self.loop, self.contacts = Places(world, 1), Places(world, 4)
        wal = traffic.wal_bytes
        self.claims = Statements(model, traffic.claim_us, wal * WAL_SHARES["claim"])
        self.marks = Statements(model, traffic.mark_us, wal * WAL_SHARES["mark"])
        self.records = Statements(model, traffic.record_us, wal * WAL_SHARES["record"])
        is_ahead = traffic.request == 1 and model.machines.answer_s < QUICK_ANSWER_S
        self.most = traffic.permits * (2 if is_ahead else 1)
        self.part = max(1, traffic.permits // PARCELS)
        self.flying = 0  # requests
        self.free, self.free_since, self.wave_s = self.most, 0.0, 0.0
        self.queue: deque[Sending] = deque()
        self.changed = Event(world)
        for _ in range(traffic.lanes or traffic.in_flight):
            world.wake(self.lane())
        world.wake(self.board())

    def on_loop(self, us: float) -> Process:
        yield from self.loop.enter()
        yield from self.cores.use(us * self.model.second_us)
        self.loop.leave()

    def lane(self) -> Process:
        model, traffic = self.model, self.traffic
        while True:
            while not model.chunks:
                yield model.more
            people = model.chunks.popleft()
            yield self.claims.ask(people)
            yield from self.contacts.enter()
            yield from model.read(traffic.contacts_us, people)
            yield from self.cores.use(people * traffic.pool_us * model.second_us)
            self.contacts.leave()
            requests = -(-people // traffic.request)
            sending = Sending(requests, requests, min(people, traffic.request), Event(self.world))
            self.queue.append(sending)
            self.notify()
            yield sending.over
            yield self.records.ask(people)
            model.finish(people)

    def notify(self) -> None:
        changed, self.changed = self.changed, Event(self.world)
        changed.happen()

    def patience(self) -> float:
        """How long the permits that are free wait for others."""
        wanted = sum(sending.unasked for sending in self.queue)
        if self.free >= min(wanted, self.most):
            return 0.0
        return max(0.0, self.free_since + min(self.wave_s * GROUP_WAIT_SHARE, GROUP_WAIT_MAX_S) - self.world.now)

    def look_in(self, seconds: float) -> Process:
        yield seconds
        self.notify()

    def board(self) -> Process:
        """Wave after wave: permits to the chunks in order, one mark for all of them, then their requests."""
        while True:
            while not self.queue or not self.free:
                yield self.changed
            if (wait := self.patience()) > 0:
                self.world.wake(self.look_in(wait))
                yield self.changed
                continue
            wave = []
            while self.queue and self.free:
                sending = self.queue[0]
                count = min(sending.unasked, self.free)
                sending.unasked -= count
                self.free -= count
                wave.append((sending, count))
                if sending.unasked == 0:
                    self.queue.popleft()
            began = self.world.now
            marks = [self.marks.ask(count * sending.people) for sending, count in wave]
            for mark in marks:
                yield mark
            self.wave_s = self.world.now - began
            self.free_since = self.world.now
            for sending, count in wave:
                for first in range(0, count, self.part):
                    self.world.wake(self.request(sending, min(self.part, count - first)))

    def request(self, sending: Sending, count: int) -> Process:
        """Some requests at once: written by the loop, answered by the provider, read by the loop."""
        model, people = self.model, count * sending.people
        while self.flying + count > self.traffic.permits:
            yield self.changed
        self.flying += count
        yield from model.take_slot(people)
        yield from self.on_loop(people * self.traffic.loop_us / 2)
        yield from model.provider(people)
        yield from self.on_loop(people * self.traffic.loop_us / 2)
        self.flying -= count
        if self.free == 0:
            self.free_since = self.world.now
        self.free += count
        sending.unanswered -= count
        if sending.unanswered == 0:
            sending.over.happen()
        self.notify()


class Model:
    """Jobs of `traffic` through `machines`, from a seed."""

    def __init__(self, traffic: Traffic, machines: Machines, seed: int) -> None:
        self.traffic, self.machines = traffic, machines
        self.world, self.chance = World(), random.Random(seed)
        self.second_us = 1e-6 / machines.speed
        self.postgres = Cores(self.world, machines.postgres_cores)
        self.disk = Disk(self.world, machines.flush_s, machines.disk_bytes_per_s)
        self.chunks: deque[int] = deque()
        self.more, self.over = Event(self.world), Event(self.world)
        self.next_slot, self.left, self.planned_at = 0.0, 0, 0.0
        self.told: list[tuple[float, int, float]] = []
        hosts = [self.postgres if machines.one_host else Cores(self.world, machines.worker_cores)
                 for _ in range(machines.workers)]
        self.workers = [Worker(self, host) for host in hosts]

    def about(self, seconds: float) -> float:
        """What takes so long takes a little more or less."""
        return seconds * self.chance.uniform(0.9, 1.1)

    def read(self, us: float, people: int) -> Process:
        yield self.machines.trip_s
        yield from self.postgres.use(self.about(people * us * self.second_us))

    def write(self, us: float, wal: float, people: int) -> Process:
        yield from self.read(us, people)
        yield from self.disk.commit(people * wal)

    def take_slot(self, people: int) -> Process:
        """All workers' bucket."""
        if self.machines.rate <= 0:
            return
        slot = max(self.world.now, self.next_slot)
        self.next_slot = slot + people / (self.machines.rate * RATE_USED)
        yield slot - self.world.now

    def provider(self, people: int) -> Process:
        yield self.about(self.machines.answer_s)
        if self.machines.one_host:
            yield from self.postgres.use(people * self.traffic.simulator_us * self.second_us)

    def plan(self, worker: Worker, fetches: Iterator[list[int]]) -> Process:
        """One thread: a fetch is read, cut, written and flushed before the next."""
        traffic = self.traffic
        yield self.machines.before_s
        for sizes in fetches:
            people = sum(sizes)
            yield from worker.cores.use(people * traffic.planner_us * self.second_us)
            yield from self.write(traffic.plan_us, traffic.wal_bytes * WAL_SHARES["plan"], people)
            if self.machines.one_host:
                self.world.wake(self.postgres.use(people * traffic.kafka_us * self.second_us))
            self.world.wake(self.announce(sizes))
        self.planned_at = self.world.now

    def announce(self, sizes: list[int]) -> Process:
        yield self.machines.announce_s
        self.chunks.extend(sizes)
        more, self.more = self.more, Event(self.world)
        more.happen()

    def finish(self, people: int) -> None:
        self.left -= people
        self.told.append((self.world.now, people, self.postgres.busy_s))
        if self.left == 0:
            self.over.happen()

    def steady(self, people: int) -> dict[str, float]:
        """People a second, and how busy PostgreSQL was, between the first third and nine tenths of all."""
        first, last, count = (0.0, 0, 0.0), (self.world.now, people, self.postgres.busy_s), 0
        for moment, more, busy_s in self.told:
            count += more
            if count <= people * 0.33:
                first = moment, count, busy_s
            if count >= people * 0.9:
                last = moment, count, busy_s
                break
        seconds = last[0] - first[0]
        if seconds <= 0:  # All at once.
            first, seconds = (0.0, 0, 0.0), last[0]
        return {"steady_per_s": (last[1] - first[1]) / seconds,
                "steady_postgres_busy": (last[2] - first[2]) / seconds / self.postgres.count}

    def run(self, people: int, planners: int = 1) -> dict[str, float]:
        """One job of so many people, or small jobs of one chunk each that are planned together."""
        traffic = self.traffic
        sizes = [traffic.chunk] * (people // traffic.chunk)
        sizes += [people % traffic.chunk] if people % traffic.chunk else []
        step = max(1, traffic.fetch // traffic.chunk)
        fetches = iter([sizes[first:first + step] for first in range(0, len(sizes), step)])
        self.left = people
        for number in range(planners):
            self.world.wake(self.plan(self.workers[number % len(self.workers)], fetches))
        self.world.run(self.over)
        seconds = self.world.now
        cores = {id(worker.cores): worker.cores for worker in self.workers}.values()
        return {"told": sum(count for _, count, _ in self.told), "seconds": seconds, "per_s": people / seconds,
                **self.steady(people), "plan_per_s": people / (self.planned_at - self.machines.before_s),
                "postgres_busy": self.postgres.busy_s / seconds / self.postgres.count,
                "worker_busy": sum(each.busy_s / each.count for each in cores) / seconds / len(cores),
                "disk_busy": self.disk.busy_s / seconds, "flushes": self.disk.flushes, "wal_bytes": self.disk.written}
