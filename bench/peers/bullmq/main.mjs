// A queue in Redis with a job for each person. usage: node main.mjs fill|work
import { Queue, Worker } from "bullmq";
import IORedis from "ioredis";
import pg from "pg";
import * as undici from "undici";
import { audience, filler, sender, settings } from "../send.mjs";

const connection = new IORedis(settings.redis, { maxRetriesPerRequest: null });
const queue = new Queue("people", { connection });
const options = { removeOnComplete: true, removeOnFail: true, attempts: 5, backoff: { type: "exponential", delay: 1000 } };

async function fill() {
  const client = new pg.Client(settings.database);
  await client.connect();
  await filler(async (creator) => {
    for await (const page of audience(client, creator, 1000)) {
      await queue.addBulk(page.map(({ address }) => ({ name: "tell", data: { address }, opts: options })));
    }
  }, async () => {
    const open = await queue.getJobCounts("waiting", "active", "delayed", "prioritized", "paused");
    return Object.values(open).every((count) => count === 0);
  });
  await client.end();
  await queue.close();
  await connection.quit();
}

async function work() {
  const send = sender(undici);
  const worker = new Worker("people", (job) => send(job.data.address), { connection, concurrency: settings.concurrency });
  worker.on("error", (fault) => console.error(fault.message));
  worker.on("failed", (_, fault) => console.error(fault.message));
  await worker.waitUntilReady();
  console.log("ready");
}

await { fill, work }[process.argv[2]]();
