// What every peer does for one person: the request that Fanfare's worker sends, with this person's address in it.
// The queue's own folder brings undici, so that each installs by itself.
import { readFileSync } from "node:fs";

export const settings = JSON.parse(readFileSync(process.env.PEER_SETTINGS, "utf8"));

export function sender({ Pool }) {
  const { request, concurrency, connections, h2 } = settings;
  const pool = new Pool(request.origin, {
    connections: connections || concurrency,
    pipelining: h2 ? Math.ceil(concurrency / connections) : 1,
    allowH2: h2,
    connect: request.ca ? { ca: readFileSync(request.ca) } : {},
  });
  const [before, after] = request.body.split(request.hole);
  const encode = request.encoded ? encodeURIComponent : (address) => address;
  return async (address) => {
    const answer = await pool.request({
      method: "POST", path: request.path, headers: request.headers, body: before + encode(address) + after,
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${answer.statusCode}: ${text.slice(0, 200)}`);
    const told = JSON.parse(text);
    return told.sid ?? told.name;
  };
}

// A page of the audience at a time, by key.
export async function* audience(client, creator, size = 5000) {
  let last = "";
  for (;;) {
    const { rows } = await client.query({
      name: "page", text: `SELECT person, address FROM (${settings.audience}) everybody
        WHERE person > $2 ORDER BY person LIMIT $3`, values: [creator, last, size],
    });
    if (rows.length === 0) return;
    yield rows;
    last = rows.at(-1).person;
  }
}

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// The measurer's side: fills for the warm-up, says so, waits for a word, fills for the job, tells how long it took.
export async function filler(fill, isEmpty) {
  const run = async (creator) => {
    const begun = process.hrtime.bigint();
    await fill(creator);
    const filled = process.hrtime.bigint();
    while (!(await isEmpty())) await sleep(20);
    const seconds = (until) => Number(until - begun) / 1e9;
    return { seconds: seconds(process.hrtime.bigint()), filled_s: seconds(filled) };
  };
  await run("warm");
  console.log("warm");
  await new Promise((said) => process.stdin.once("data", said));
  console.log(JSON.stringify(await run("creator")));
}
