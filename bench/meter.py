"""CPU of processes, for what measures."""

import os
from pathlib import Path

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def ticks_of(pid):
    """What a process has used, without its children; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


def reaped_by(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[13]) + int(fields[14])


def children_of(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Meter:
    """CPU seconds of each program since it was made."""

    def __init__(self, run):
        self.programs = {}  # The ids of its processes.
        for process in run.processes:
            self.programs.setdefault(process.name.rstrip("0123456789"), []).append(process.child.pid)
        data = Path(run.maintenance.value("SHOW data_directory"))
        self.postmaster = int((data / "postmaster.pid").read_text().splitlines()[0])
        kafka = Path(os.environ.get("FANFARE_STACK_DIR", ""), "kafka.pid")
        if kafka.is_file():
            self.programs["kafka"] = [int(kafka.read_text().split()[0])]
        self.before = self.read()

    def read(self):
        found = {name: sum(ticks_of(pid) for pid in pids) for name, pids in self.programs.items()}
        # A thread like any other, and the one that all of a worker's state is on.
        if "worker" in self.programs:
            found["worker_loop"] = sum(ticks_of(f"{pid}/task/{pid}") for pid in self.programs["worker"])
        # Of those that have ended the postmaster knows.
        found["postgres"] = (ticks_of(self.postmaster) + reaped_by(self.postmaster) +
                             sum(ticks_of(child) for child in children_of(self.postmaster)))
        return found

    def seconds(self):
        return {name: (ticks - self.before[name]) / TICKS_A_SECOND for name, ticks in self.read().items()}
