"""The few parts a discrete simulation needs: virtual time, processes, and what they wait for.

A process is a generator. It yields seconds to let them pass, or an Event to wait for it.
"""

import heapq
from collections import deque
from collections.abc import Generator
from typing import Any

Process = Generator[Any, None, None]
SLICE_S = 0.001  # How long a processor stays with one of several that want it.


class Event:
    """Happens once; whoever waits goes on then."""

    def __init__(self, world: "World") -> None:
        self.world, self.happened = world, False
        self.waiting: list[Process] = []

    def happen(self) -> None:
        self.happened = True
        for process in self.waiting:
            self.world.wake(process)
        self.waiting.clear()


class World:
    """Time, and who goes on when. What falls on the same moment goes in the order it was asked for."""

    def __init__(self) -> None:
        self.now, self.asked = 0.0, 0
        self.later: list[tuple[float, int, Process]] = []

    def wake(self, process: Process, seconds: float = 0.0) -> None:
        self.asked += 1
        heapq.heappush(self.later, (self.now + seconds, self.asked, process))

    def run(self, over: Event) -> None:
        """Until `over` happens."""
        while not over.happened:
            self.now, _, process = heapq.heappop(self.later)
            wants = next(process, None)
            if wants is None:
                continue
            if not isinstance(wants, Event):
                self.wake(process, wants)
            elif wants.happened:
                self.wake(process)
            else:
                wants.waiting.append(process)


class Places:
    """So many at a time, the others in order: threads, connections."""

    def __init__(self, world: World, count: int) -> None:
        self.world, self.free = world, count
        self.queue: deque[Event] = deque()

    def enter(self) -> Process:
        if self.free > 0 and not self.queue:
            self.free -= 1
            return
        turn = Event(self.world)
        self.queue.append(turn)
        yield turn

    def leave(self) -> None:
        if self.queue:
            self.queue.popleft().happen()
        else:
            self.free += 1


class Cores:
    """A host's processors, in slices, so that short work does not wait for long work to end."""

    def __init__(self, world: World, count: int) -> None:
        self.world, self.count, self.busy_s = world, count, 0.0
        self.places = Places(world, count)

    def use(self, seconds: float) -> Process:
        left = seconds
        while left > 1e-12:
            yield from self.places.enter()
            # Alone it goes on; only who keeps somebody waiting gives way.
            now = left if not self.places.queue and left < SLICE_S else min(left, SLICE_S)
            self.busy_s += now
            yield now
            self.places.leave()
            left -= now


class Disk:
    """The write-ahead log: one flush at a time, and one for all who wait for it."""

    def __init__(self, world: World, flush_s: float, bytes_per_s: float) -> None:
        self.world, self.flush_s, self.bytes_per_s = world, flush_s, bytes_per_s
        self.next: Event | None = None
        self.flushing = False
        self.waiting_bytes, self.busy_s, self.flushes, self.written = 0.0, 0.0, 0, 0.0

    def commit(self, size: float) -> Process:
        self.waiting_bytes += size
        if self.next is None:
            self.next = Event(self.world)
        mine = self.next
        if not self.flushing:
            self.flushing = True
            self.world.wake(self.flush())
        yield mine

    def flush(self) -> Process:
        while self.next is not None:
            done, size = self.next, self.waiting_bytes
            self.next, self.waiting_bytes = None, 0.0
            seconds = self.flush_s + size / self.bytes_per_s
            self.busy_s, self.flushes, self.written = self.busy_s + seconds, self.flushes + 1, self.written + size
            yield seconds
            done.happen()
        self.flushing = False
