import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowsingEvent } from '../src/browsing/browsing-event.ts';
import { seedCatalogue } from '../src/catalogue/catalogue-service.ts';
import type { Topic } from '../src/catalogue/topic.ts';
import { foldUnder } from '../src/profiles/profile-fold.ts';
import { newItem } from '../src/publishing/item.ts';
import { openSqliteStorage } from '../src/storage/sqlite/sqlite-storage.ts';
import type { Storage } from '../src/storage/storage.ts';
import { type Service, startService } from '../test/helpers/start-service.ts';
import { percentile, printTable } from './table.ts';

/**
 * Browsing events end to end: batches of 100 over HTTP into a started service, through checks, profiles and the disk, while
 * somebody reads a topic page. People have twenty interests each, items one or two topics of the third level. Events are
 * counted as they are answered, once batches are under way. `cores`: processor time of the web process; `events/core-s`: what
 * one undisturbed core would take, from that time alone.
 */
const quick = process.argv.includes('--quick');
const people = quick ? 2_000 : 20_000;
const items = 500;
const topicsAbove = 20;
const topicsBelow = 180;
const interests = 20;
const batchSize = 100;
const seconds = quick ? 4 : 21;
/** Until batches are under way. */
const runUp = 1;
const pagesASecond = 20;
const wanted = 5_000;

/** mulberry32: the same numbers in every run. */
const makeRandom = (seed: number) => {
  let state = seed;
  return (below: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
};
const random = makeRandom(4_711);

/** A made-up word of two or three syllables. */
const wordOf = (n: number): string => {
  const syllables = ['ba', 'do', 'fe', 'gu', 'ki', 'lo', 'me', 'nu', 'pa', 'ri', 'so', 'tu'];
  return [n % 12, Math.floor(n / 12) % 12, Math.floor(n / 144) + 3].map((at) => syllables[at % 12]).join('');
};

const topics: Topic[] = Array.from({ length: topicsAbove + topicsBelow }, (_, n) => ({
  slug: `topic-${n}`,
  title: { en: `${wordOf(n)} and ${wordOf(n + 500)}`, 'zh-CN': `第${n}号事项` },
  parent: n < topicsAbove ? 'services' : `topic-${n % topicsAbove}`,
}));
const someTopic = (): string => topics[topicsAbove + random(topicsBelow)]?.slug ?? '';

const seedItems = async (stores: Storage): Promise<void> => {
  for (let n = 0; n < items; n += 1) {
    const content = {
      title: `Notice ${n} of the office`,
      summary: 'What changes, from when on, and for whom. '.repeat(5),
      body: 'Please read all of it before you come to the counter. '.repeat(60),
      language: 'en',
      topics: [...new Set(random(2) === 0 ? [someTopic()] : [someTopic(), someTopic()])],
      urgency: 'routine' as const,
      visibility: 'public' as const,
    };
    const draft = newItem({ id: `item-${n}`, externalId: `/notices/${n}`, content, writer: 'bench' }, Date.now() - n);
    await stores.items.insert({ ...draft, state: 'published', version: 1, publishedAt: Date.now() - n });
  }
};

const seedPeople = async (stores: Storage): Promise<void> => {
  const fold = foldUnder(new Map(topics.map(({ slug, parent }) => [slug, parent])));
  const fields = { consents: { personalisation: true }, region: '310000' };
  for (let from = 0; from < people; from += 1_000) {
    const part = Array.from({ length: 1_000 }, (_, n) => from + n);
    await stores.subscriptions.importPeople(
      part.map((n) => ({
        id: `person-${n}`,
        externalId: `citizen-${n}`,
        defaultLocale: 'en',
        fields,
        addresses: [],
        follows: [],
        createdAt: Date.now(),
      })),
    );
    const read = (ordinal: number): BrowsingEvent[] =>
      Array.from({ length: interests }, () => ({
        ordinal,
        kind: 'view',
        at: Date.now() - random(80 * 86_400_000),
        item: `item-${random(items)}`,
        query: null,
        topics: [someTopic()],
        hour: null,
        channel: null,
      }));
    await stores.profiles.absorb(
      part.flatMap((n) => read(n + 1)),
      fold,
    );
  }
};

const seed = async (dataDir: string): Promise<void> => {
  const stores = await openSqliteStorage(join(dataDir, 'bellman.db'));
  await seedCatalogue(stores.catalogue);
  for (const topic of topics) await stores.catalogue.insertTopic(topic);
  await seedItems(stores);
  await seedPeople(stores);
  await stores.close();
};

const someEvent = () => {
  const subscriber = { externalId: `citizen-${random(people)}` };
  const kind = random(10);
  if (kind < 7) return { subscriber, type: 'view', item: { externalId: `/notices/${random(items)}` } };
  if (kind < 9) return { subscriber, type: 'search', query: `${wordOf(random(topics.length))} for families` };
  return { subscriber, type: 'download', item: { externalId: `/notices/${random(items)}` } };
};
const bodies = Array.from({ length: 500 }, () =>
  JSON.stringify({ events: Array.from({ length: batchSize }, someEvent) }),
);

// a connection is left before the service ends it for idling, which it may do as the next request comes
const agent = new Agent({ keepAlive: true, timeout: 3_000 });

type Answer = { status: number; text: string; ms: number };
const call = (url: string, body?: string): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const headers = { authorization: 'Bearer an-admin-key-for-tests', 'content-type': 'application/json' };
    const sent = request(url, { agent, method: body ? 'POST' : 'GET', headers: body ? headers : {} }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text, ms: performance.now() - startedAt }));
    });
    sent.on('error', reject);
    sent.end(body);
  });

/** Processor seconds of a process so far (proc(5): utime and stime, in ticks of 10 ms). */
const cpuSeconds = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
};

type Load = { name: string; connections: number; eventsASecond: number | null };

/** Sends batches for a while, paced or as fast as they are answered, and reads the topic page meanwhile. */
const run = async (service: Service, { name, connections, eventsASecond }: Load): Promise<string[]> => {
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1_000;
  const countedFrom = startedAt + runUp * 1_000;
  const pages: number[] = [];
  const batches: number[] = [];
  let accepted = 0;
  let sent = 0;
  let cpu = 0;

  const pause = (until: number) =>
    new Promise((resolve) => setTimeout(resolve, Math.max(0, until - performance.now())));
  const post = async (): Promise<void> => {
    while (performance.now() < endsAt) {
      const dueAt = eventsASecond === null ? 0 : startedAt + (sent * batchSize * 1_000) / eventsASecond;
      const body = bodies[sent % bodies.length] ?? '';
      sent += 1;
      await pause(dueAt);
      const { status, text, ms } = await call(`${service.url}/api/v1/events`, body);
      if (status !== 202) throw new Error(`the service answered ${status}: ${text}`);
      const answeredAt = performance.now();
      if (answeredAt >= countedFrom && answeredAt < endsAt)
        accepted += (JSON.parse(text) as { accepted: number }).accepted;
      batches.push(ms);
    }
  };
  // each page is asked for at its time, whether or not the last one has come
  const readPages = async (): Promise<void> => {
    const reading: Promise<void>[] = [];
    for (let n = 0; n < seconds * pagesASecond; n += 1) {
      await pause(startedAt + (n * 1_000) / pagesASecond);
      const page = call(`${service.url}/topics/topic-${random(topicsAbove)}`).then(({ ms, status }) => {
        if (status !== 200) throw new Error(`the topic page answered ${status}`);
        pages.push(ms);
      });
      reading.push(page);
    }
    await Promise.all(reading);
  };
  const readClock = async (): Promise<void> => {
    await pause(countedFrom);
    const before = cpuSeconds(service.process.pid ?? 0);
    await pause(endsAt);
    cpu = cpuSeconds(service.process.pid ?? 0) - before;
  };
  await Promise.all([...Array.from({ length: connections }, post), readPages(), readClock()]);

  const took = seconds - runUp;
  const ms = (value: number): string => (Number.isNaN(value) ? '-' : value.toFixed(1));
  const times = [percentile(batches, 0.5), percentile(batches, 0.99), percentile(pages, 0.5), percentile(pages, 0.99)];
  const rates = [accepted / took, accepted / cpu].map((rate) => Math.round(rate).toLocaleString('en'));
  return [name, ...rates, ...times.map(ms), (cpu / took).toFixed(2)];
};

const dataDir = mkdtempSync(join(tmpdir(), 'bellman-bench-'));
try {
  await seed(dataDir);
  // no worker: what is measured is the process that takes events in and shows pages
  const service = await startService({ dataDir, env: { ROLE: 'web' } });
  try {
    const loads: Load[] = [
      { name: 'topic page alone', connections: 0, eventsASecond: null },
      { name: `${wanted.toLocaleString('en')} events/s asked for`, connections: 16, eventsASecond: wanted },
      { name: 'as many as 2 senders can', connections: 2, eventsASecond: null },
      { name: 'as many as 16 senders can', connections: 16, eventsASecond: null },
    ];
    const rows: string[][] = [];
    for (const load of loads) rows.push(await run(service, load));
    process.stdout.write(
      `${people.toLocaleString('en')} people with ${interests} interests each, batches of ${batchSize}, ${pagesASecond} pages/s, ${seconds - runUp} s a row\n\n`,
    );
    printTable(
      ['load', 'events/s', 'events/core-s', 'batch p50 ms', 'batch p99 ms', 'page p50 ms', 'page p99 ms', 'cores'],
      rows,
    );
  } finally {
    agent.destroy();
    await service.stop({ keep: true });
  }
} finally {
  rmSync(dataDir, { recursive: true, force: true });
}
