// Orders notifications from a Node backend, 18 or later, without packages.
//
//     FANFARE_URL=https://fanfare.example.com FANFARE_TOKEN=... node notify.mjs SHOW CREATOR STARTS_AT
import { setTimeout as sleep } from 'node:timers/promises';

const { FANFARE_URL, FANFARE_TOKEN } = process.env;

class Refused extends Error {}

// POSTs until Fanfare has taken it. An answer may be lost after the order was taken: the key, or
// the event's source and id, say that the next try is the same order. Nobody is told twice.
async function post(path, headers, body, triesMax = 10) {
  for (let tries = 1; ; tries += 1) {
    let fault;
    let wait = Math.min(100 * 2 ** tries, 10_000);
    try {
      const answer = await fetch(FANFARE_URL + path, {
        method: 'POST',
        headers: { Authorization: `Bearer ${FANFARE_TOKEN}`, ...headers },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(10_000),
      });
      if (answer.ok) return await answer.json();
      const problem = await answer.text();
      fault = new Error(`${answer.status} ${problem}`);
      if (answer.status !== 429 && answer.status < 500) throw new Refused(fault.message);
      wait = Math.max(wait, 1000 * Number(answer.headers.get('Retry-After') ?? 0));
    } catch (caught) {
      if (caught instanceof Refused) throw caught;
      fault ??= caught;
    }
    if (tries === triesMax) throw fault;
    await sleep(wait);
  }
}

// One order: the same key is the same order, however often it is sent.
export const notify = (key, job) =>
  post('/v1/jobs', { 'Content-Type': 'application/json', 'Idempotency-Key': key }, job);

// The same as a CloudEvent; its source and id are the key.
export const notifyByEvent = (id, job) =>
  post('/v1/events', { 'Content-Type': 'application/cloudevents+json' }, {
    specversion: '1.0', type: 'fanfare.job.v1', source: '/backend/shows', id, data: job,
  });

const [show, creator, startsAt] = process.argv.slice(2);
const startingSoon = {
  system: 'shows',
  kind: 'show.reminder',
  subject: show,
  audience: { name: 'followers', params: { user_id: creator } },
  ttl_s: 900, // Later nobody is told.
  data: { show_id: show, username: 'Mira', title: 'Friday Night', starts_at: startsAt },
};
try {
  const { id } = await notify(`starting-soon/${show}`, startingSoon);
  const event = await notifyByEvent(`starting-soon/${show}`, { ...startingSoon, channels: ['sms'] });
  console.log(`${id} ${event.id}`);
} catch (fault) {
  console.error(fault.message);
  process.exitCode = 1;
}
