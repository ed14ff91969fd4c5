"""The machines of a run and their lines to the providers: clocks that jump, names that are not found, certificates that
have expired."""

import mmap
import os
import re
import shutil
import struct
import urllib.request
from pathlib import Path

from chaos_plan import BATCH, LEASE_S
from harness import BIN
from listener import Listener, expired_certificate
from tcp_proxy import TcpProxy

LIBRARY = BIN.parent / "crash/machine.so"
NAME = "providers.test"  # Whatever ends so is 127.0.0.1 to a program that the library is loaded into.
DAY_S = 86_400
# A little, as an hour that a time zone is wrong, and until certificates, leases and tokens are of another age.
JUMPS_S = (-400 * DAY_S, -DAY_S, -3600, -30, 30, 3600, DAY_S, 400 * DAY_S)
LEDGER_JUMPS_S = (-3600, -30, 30, 3600)


class Machine:
    """A folder that the library reads (tests/crash/machine.cpp)."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(mode=0o755)
        clock = folder / "clock"
        clock.write_bytes(bytes(8))
        clock.chmod(0o644)
        with open(clock, "r+b") as file:
            self._clock = mmap.mmap(file.fileno(), 8)

    def set_clock(self, ahead_s):
        self._clock[:] = struct.pack("q", int(ahead_s * 1000))

    def find_names(self, yes):
        flag = self.folder / "no-names"
        if yes:
            flag.unlink(missing_ok=True)
        else:
            flag.touch()

    def environment(self):
        return {"LD_PRELOAD": str(LIBRARY), "FANFARE_MACHINE": str(self.folder)}


class Machines:
    """Its methods that are named in chaos_plan.MORE are faults. `more` has the options of the run, `requests_cut` of how many
    people the requests were, at most, that ended with their connections."""

    more, requests_cut, ledger_jump_s, wrong_until = (), 0, None, 0.0
    machines = ()

    def begin(self):
        """Before the servers are: PostgreSQL is on a machine of its own."""
        if "clocks" in self.more:
            self.ledger_machine = Machine(Path(f"{self.dir}-machine"))
            self.addCleanup(shutil.rmtree, self.ledger_machine.folder, True)
            os.environ["FANFARE_MACHINE_LIBRARY"] = str(LIBRARY)
            os.environ["FANFARE_MACHINE"] = str(self.ledger_machine.folder)
        super().begin()

    def simulator_options(self):
        return ("--certificate-name", NAME) if self.has_lines() else ()

    def has_lines(self):
        return "names" in self.more or "certificates" in self.more

    def prepare_machines(self):
        """Before programs begin."""
        run, self.knowing = self.run_, set()
        if self.has_lines() or "clocks" in self.more:
            self.machines = [Machine(run.dir / f"machine{slot}") for slot in range(self.workers + 1)]
        if not self.has_lines():
            return
        self.provider_line = TcpProxy(run.sim.ports["https"])
        self.addCleanup(self.provider_line.stop)
        trusted = run.sim.ca.read_text()
        if "certificates" in self.more:
            context, authority = expired_certificate(run.dir, NAME)
            self.stale = Listener(lambda connection: connection.recv(1), context)
            self.addCleanup(self.stale.stop)
            trusted += authority  # Nothing is wrong with the certificate but its age.
        (run.dir / "trusted.pem").write_text(trusted)
        for account in run.settings["accounts"]:
            account["ca_file"] = str(run.dir / "trusted.pem")
            for name, value in account["options"].items():
                if isinstance(value, str):
                    account["options"][name] = re.sub(r"https?://(127.0.0.1|localhost):\d+",
                                                      f"https://{NAME}:{self.provider_line.port}", value)

    def environment_of(self, slot):
        return self.machines[slot].environment() if self.machines else {}

    def cut_providers(self, _=None):
        """Whoever is in a request may have been told."""
        self.provider_line.cut()
        self.requests_cut += self.people_in_requests()

    def people_in_requests(self):
        """At most, of all workers."""
        return self.workers * sum(self.run_.account(channel)["rate"]["concurrency"] * size for channel, size in BATCH.items())

    # Faults.

    def machine_clock(self, fault):
        machine = self.machines[self.slot(fault)]
        machine.set_clock(fault.pick(JUMPS_S))
        yield
        machine.set_clock(0)

    def ledger_clock(self, fault):
        """Whoever begins while it is wrong, or within a lease after it was ahead, has no other one to go by: nobody does."""
        self.ledger_jump_s = fault.pick(LEDGER_JUMPS_S)
        self.wrong_until = float("inf")
        yield
        self.ledger_machine.set_clock(0)
        self.ledger_jump_s, self.wrong_until = None, self.now() + LEASE_S

    def jump_when_all_know_the_time(self):
        """Called all the time: the ledger's clock jumps when whoever lives has read it."""
        if self.ledger_jump_s is not None and all(self.knows_time(program) for program in self.programs if program.is_alive()):
            self.ledger_machine.set_clock(self.ledger_jump_s)
            self.ledger_jump_s = None

    def knows_time(self, program):
        if program not in self.knowing:
            try:
                port = int(program.port_file.read_text())
                urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=0.2).close()
                self.knowing.add(program)
            except (OSError, ValueError):
                return False
        return True

    def no_names(self, _):
        for machine in self.machines:
            machine.find_names(False)
        self.cut_providers()
        yield
        for machine in self.machines:
            machine.find_names(True)

    def expired_certificate(self, _):
        self.provider_line.lead_to(self.stale.port)
        self.requests_cut += self.people_in_requests()
        yield
        self.provider_line.lead_to(self.run_.sim.ports["https"])
