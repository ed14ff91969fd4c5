"""A run whose producer serves the HTTP API, and its clients."""

from api_client import Backend
from harness import EndToEnd

PEOPLE = 400


class ApiCase(EndToEnd):
    def start(self, worker=True, people=PEOPLE, sim=(), system=None, prepare=None, **settings):
        run = self.new_run(sim=sim)
        if system:
            run.system(system)
        run.people(people)
        run.with_links()
        run.with_clients()
        run.settings["producer"]["http"].update(settings)
        if prepare:
            prepare(run)
        run.producer()
        if worker:
            run.worker()
        return run, lambda name, **more: Backend(run.front(), name, **more)

    def order(self, run, **more):
        """A job as the API takes it."""
        job = run.job(**more)
        return {k: v for k, v in job.items() if k not in ("version", "id", "idempotency_key")}

    def refused(self, answer, status, code=None):
        self.assertEqual(answer[0], status, answer[1])
        self.assertEqual(answer[1]["status"], status)
        self.assertEqual(answer[2]["Content-Type"], "application/problem+json")
        if code:
            self.assertEqual(answer[1]["code"], code)
