import type { CountingSink } from './counting-sink.ts';
import type { Service } from './start-service.ts';

/** What takes seconds on an idle machine takes minutes beside other work. */
const patienceMs = 150_000;

/** Asks again and again until the answer is yes; fails when it has waited too long. */
export const until = async (what: string, isSo: () => Promise<boolean> | boolean): Promise<void> => {
  for (const giveUp = Date.now() + patienceMs; !(await isSo()); ) {
    if (Date.now() > giveUp) throw new Error(`waited too long until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

export type PushBody = { id: string; state: string; counts: Record<string, number> };
type Row = { subscriber: string; state: string };
type Page = { deliveries: Row[]; next: string | null };

const email = (n: number): string => `person${n}@example.org`;

/** Imports so many people who follow one topic. */
export const importPeople = async (service: Service, people: number): Promise<void> => {
  const lines = Array.from({ length: people }, (_, n) =>
    JSON.stringify({ email: email(n), verified: true, follow: [{ topic: 'services' }] }),
  );
  const imported = await service.api('POST', '/subscribers/import', lines.join('\n'));
  expect(imported.body).toMatchObject({ failed: 0 });
};

/** Publishes a new item under that topic; answers the id of its push. */
export const publishItem = async (service: Service): Promise<string> => {
  const item = { title: 'Water is off', summary: 'On Wednesday.', language: 'en', topics: ['services'] };
  const { id } = (await service.api('POST', '/items', item)).body as { id: string };
  return ((await service.api('POST', `/items/${id}/publish`)).body as { push: PushBody }).push.id;
};

export const pushOf = async (service: Service, id: string): Promise<PushBody> =>
  (await service.api('GET', `/pushes/${id}`)).body as PushBody;

export const untilDone = (service: Service, id: string): Promise<void> =>
  until('the push is done', async () => (await pushOf(service, id)).state === 'done');

const allRows = async (service: Service, push: string): Promise<Row[]> => {
  const all: Row[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const path = `/pushes/${push}/deliveries?limit=200${cursor && `&cursor=${cursor}`}`;
    const page = (await service.api('GET', path)).body as Page;
    all.push(...page.deliveries);
    cursor = page.next;
  }
  return all;
};

/**
 * Nobody is missed and nobody is settled twice: the ledger holds one sent row a person, and whoever got more than one copy got
 * the same message. Answers how many extra copies the sink has received.
 */
export const expectEachToldOnce = async (
  service: Service,
  push: string,
  { sink, people }: { sink: CountingSink; people: number },
): Promise<number> => {
  const counts = { matched: people, sent: people, planned: 0, sending: 0, deferred: 0, failed: 0 };
  expect(await pushOf(service, push)).toMatchObject({ state: 'done', counts });
  const rows = await allRows(service, push);
  expect([rows.length, new Set(rows.map((row) => row.subscriber)).size]).toEqual([people, people]);
  expect(rows.filter((row) => row.state !== 'sent')).toEqual([]);
  const everybody = Array.from({ length: people }, (_, n) => email(n));
  expect([...sink.received.keys()].sort()).toEqual(everybody.sort());
  const ids = [...sink.received.values()].map((copies) => new Set(copies));
  expect(ids.filter((one) => one.size !== 1)).toEqual([]);
  expect(new Set(ids.flatMap((one) => [...one])).size).toBe(people);
  return sink.total() - people;
};
