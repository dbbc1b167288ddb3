import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeAudienceIndex } from '../src/audience/audience-index.ts';
import type { IndexedPerson } from '../src/audience/audience-store.ts';
import { type IndexKeeper, makeIndexKeeper } from '../src/audience/index-keeper.ts';
import { membersAmong } from '../src/audience/people-set.ts';
import { realEdges } from '../src/edges.ts';
import { makeLog } from '../src/log.ts';
import type { Condition } from '../src/rules/condition.ts';
import { sqliteAudienceStore } from '../src/storage/sqlite/audience-store.ts';
import { documentOf } from './audience/documents.ts';
import { type Rival, rivals } from './audience/rivals.ts';
import { context, item, mixedRules, threeConditions } from './audience/rules.ts';
import { changeInSqlite, townInSqlite } from './audience/sqlite-town.ts';
import { follows, personOf, searchesOf, topicNumbers } from './audience/town.ts';
import { median, percentile, printTable } from './table.ts';

/**
 * The audience index beside other ways to answer the same question: whom does this rule select, of so many people?
 * Everything is made from one seed. `--huge` adds ten million people, `--quick` leaves out all above 100,000.
 */
const quick = process.argv.includes('--quick');
const huge = process.argv.includes('--huge');
const sizes = [10_000, 100_000, ...(quick ? [] : [1_000_000]), ...(huge ? [10_000_000] : [])];
const comparedWith = quick ? 100_000 : 1_000_000;
const chunk = 5_000;

const round = (value: number, digits = 2): number => Number(value.toFixed(digits));
const timed = (work: () => void): number => {
  const start = performance.now();
  work();
  return performance.now() - start;
};
/** What the process holds after a collection: by the system's account (what was freed may still count), and in use. */
const held = (): { rss: number; used: number } => {
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, used: heapUsed + external };
};

type Tools = ReturnType<typeof makeAudienceIndex>;

const build = (people: number): { tools: Tools; seconds: number; rss: number; used: number } => {
  const searches = searchesOf(people);
  const definitions = [...follows(searches)];
  const before = held();
  const tools = makeAudienceIndex();
  let ms = timed(() => tools.addFollows(definitions));
  tools.setTopics(topicNumbers);
  for (let at = 1; at <= people; at += chunk) {
    const some: IndexedPerson[] = [];
    for (let ordinal = at; ordinal < at + chunk && ordinal <= people; ordinal++) some.push(personOf(ordinal, searches));
    ms += timed(() => some.forEach(tools.load));
  }
  ms += timed(tools.loaded);
  const after = held();
  return { tools, seconds: ms / 1_000, rss: after.rss - before.rss, used: after.used - before.used };
};

const rule = (who: Condition) => ({ when: { all: [] }, who });
const repeated = (times: number, work: () => void): number[] => Array.from({ length: times }, () => timed(work));

/** An exact count with its breakdowns, as the live preview shows it. */
const preview = ({ index }: Tools, who: Condition): number => {
  const set = index.selectRule(rule(who), item, context);
  index.countBy('region', set);
  index.countBy('language', set);
  index.countBy('channel', set);
  return set.size;
};

const updates = ({ put }: Tools, people: number): number => {
  const count = Math.min(people, 200_000);
  const step = 7_919;
  let ms = 0;
  for (let at = 0; at < count; at += chunk) {
    const some: IndexedPerson[] = [];
    for (let one = at; one < at + chunk; one++) some.push(personOf(1 + ((one * step) % people), searchesOf(people), 1));
    ms += timed(() => some.forEach(put));
  }
  return count / (ms / 1_000);
};

/** Milliseconds each rule takes over a million people, by what as many people take as ten seconds allow for all rules. */
const rivalMs = async (
  rival: Rival,
  rules: Condition[],
  { index }: Tools,
): Promise<{ ms: number[]; people: number }> => {
  const prepared = rules.map((who) => ({ who, count: rival.prepare(who) }));
  for (let people = 250; ; ) {
    const documents = Array.from({ length: people }, (_, at) => documentOf(personOf(at + 1, searchesOf(comparedWith))));
    const ms: number[] = [];
    const began = performance.now();
    for (const { who, count } of prepared) {
      const start = performance.now();
      const found = await count(documents);
      ms.push(((performance.now() - start) / people) * 1_000_000);
      const first = Array.from({ length: people }, (_, at) => at + 1);
      const expected = membersAmong(index.selectRule(rule(who), item, context), first).length;
      if (found !== expected) throw new Error(`${rival.name} finds ${found} people, the index ${expected}`);
    }
    const took = performance.now() - began;
    if (took > 5_000 || people >= 100_000) return { ms, people };
    people = Math.min(100_000, Math.ceil(people * Math.min(20, 9_000 / took)));
  }
};

const compare = async (tools: Tools, ours: number[], people: number): Promise<void> => {
  const rules = mixedRules();
  const own = (median(ours) / people) * 1_000_000;
  const rows: (string | number)[][] = [['the index', people.toLocaleString('en'), round(own, 3), '']];
  for (const rival of rivals) {
    const { ms, people: tried } = await rivalMs(rival, rules, tools);
    rows.push([rival.name, tried.toLocaleString('en'), round(median(ms), 0), `${round(median(ms) / own, 0)} x`]);
  }
  printTable(['50 rules over 1,000,000 people', 'tried on', 'median ms', 'of the index'], rows);
};

type Reading = { seconds: number; longestTurnMs: number };

/** Follows until the index stands, and watches how long the process was busy at a time. */
const standing = async (keeper: IndexKeeper): Promise<Reading> => {
  let longestTurnMs = 0;
  let last = performance.now();
  const watch = setInterval(() => {
    longestTurnMs = Math.max(longestTurnMs, performance.now() - last);
    last = performance.now();
  }, 1);
  const start = performance.now();
  await keeper.follow();
  clearInterval(watch);
  return { seconds: (performance.now() - start) / 1_000, longestTurnMs };
};

/** The index read from SQLite (the best of three readings), then from its snapshot, then following changes. */
const fromSqlite = async (people: number): Promise<void> => {
  const directory = mkdtempSync(join(tmpdir(), 'bellman-bench-'));
  const db = await townInSqlite(join(directory, 'bench.db'), people);
  const snapshotFile = join(directory, 'audience.snapshot');
  const keep = (): IndexKeeper =>
    makeIndexKeeper({ audience: sqliteAudienceStore(db) }, { edges: realEdges, log: makeLog('silent'), snapshotFile });
  const readings: Reading[] = [];
  for (let turn = 0; turn < 3; turn++) {
    const keeper = keep();
    readings.push(await standing(keeper));
    if (turn === 2) await keeper.save();
    await keeper.close();
  }
  const best = readings.reduce((one, other) => (other.seconds < one.seconds ? other : one));
  const again = keep();
  const restart = await standing(again);
  const following = await changeInSqlite(db, people, again.follow);
  await again.close();
  db.close();
  rmSync(directory, { recursive: true });
  printTable(
    ['from SQLite', 'built/s', 'longest turn, ms', 'from snapshot, ms', 'changes followed/s'],
    [
      [
        people.toLocaleString('en'),
        round(people / best.seconds, 0),
        round(best.longestTurnMs, 1),
        round(restart.seconds * 1_000, 0),
        round(following, 0),
      ],
    ],
  );
};

const main = async (): Promise<void> => {
  const rows: (string | number)[][] = [];
  for (const people of sizes) {
    const { tools, seconds, rss, used } = build(people);
    const { total } = tools.index.memory();
    const rules = mixedRules();
    const asking = (who: Condition) => () => tools.index.selectRule(rule(who), item, context);
    repeated(20, asking(threeConditions));
    const three = repeated(51, asking(threeConditions));
    const selecting = rules.flatMap((who) => repeated(11, asking(who)).slice(1));
    const previewing = rules.flatMap((who) => repeated(4, () => preview(tools, who)).slice(1));
    const matching = repeated(11, () => tools.index.matchItem(item));
    const speed = [three, selecting, previewing].map((ms) => [round(median(ms), 2), round(percentile(ms, 0.99), 2)]);
    if (people === comparedWith) await compare(tools, selecting, people);
    const perSecond = updates(tools, people);
    rows.push([
      people.toLocaleString('en'),
      round(people / seconds, 0),
      round(total / people, 1),
      round(tools.index.memory().total / people, 1),
      round(used / people, 0),
      round(rss / people, 0),
      ...speed.map((both) => both.join(' / ')),
      round(median(matching), 2),
      round(perSecond, 0),
    ]);
  }
  printTable(
    [
      'people',
      'built/s',
      'bytes each',
      'with changes',
      'in use each',
      'RSS each',
      '3 conditions, ms',
      '50 rules, ms',
      'preview, ms',
      'item, ms',
      'changes/s',
    ],
    rows,
  );
  await fromSqlite(quick ? 20_000 : 100_000);
};

await main();
