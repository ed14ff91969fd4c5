// A queue in PostgreSQL with a job for each person. usage: node main.mjs fill|work
import { Logger, makeWorkerUtils, run } from "graphile-worker";
import pg from "pg";
import * as undici from "undici";
import { filler, sender, settings } from "../send.mjs";

const silent = new Logger(() => (level, message) => {
  if (level === "error") console.error(message);
});

async function fill() {
  const utils = await makeWorkerUtils({ connectionString: settings.database, logger: silent });
  await utils.migrate();
  const client = new pg.Client(settings.database);
  await client.connect();
  // One statement reads the audience and writes the jobs.
  const text = `SELECT count(*) FROM (SELECT graphile_worker.add_jobs(array_agg(
      json_populate_record(null::graphile_worker.job_spec, json_build_object(
        'identifier', 'tell', 'payload', json_build_object('address', address), 'max_attempts', 5))))
    FROM (${settings.audience}) everybody) added`;
  await filler((creator) => client.query(text, [creator]), async () => {
    const { rows } = await client.query("SELECT EXISTS (SELECT FROM graphile_worker._private_jobs) AS open");
    return !rows[0].open;
  });
  await client.end();
  await utils.release();
}

async function work() {
  const send = sender(undici);
  const runner = await run({
    preset: {
      worker: {
        connectionString: settings.database, logger: silent, concurrentJobs: settings.concurrency,
        maxPoolSize: settings.pool, pollInterval: 2000, localQueue: { size: settings.local },
        completeJobBatchDelay: settings.delay_ms, failJobBatchDelay: settings.delay_ms,
      },
    },
    taskList: { tell: async ({ address }) => { await send(address); } },
  });
  console.log("ready");
  await runner.promise;
}

await { fill, work }[process.argv[2]]();
