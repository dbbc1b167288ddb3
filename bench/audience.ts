import { makeAudienceIndex } from '../src/audience/audience-index.ts';
import type { IndexedPerson } from '../src/audience/audience-store.ts';
import type { Condition } from '../src/rules/condition.ts';
import { context, item, mixedRules, threeConditions } from './audience/rules.ts';
import { follows, personOf, topicNumbers } from './audience/town.ts';
import { median, printTable } from './table.ts';

/**
 * The audience index beside other ways to answer the same question: whom does this rule select, of so many people?
 * Everything is made from one seed. `--huge` adds ten million people, `--quick` leaves out all above 100,000.
 */
const quick = process.argv.includes('--quick');
const huge = process.argv.includes('--huge');
const sizes = [10_000, 100_000, ...(quick ? [] : [1_000_000]), ...(huge ? [10_000_000] : [])];
const chunk = 5_000;

const round = (value: number, digits = 2): number => Number(value.toFixed(digits));
const percentile = (values: number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;
const timed = (work: () => void): number => {
  const start = performance.now();
  work();
  return performance.now() - start;
};
const rss = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().rss;
};

type Tools = ReturnType<typeof makeAudienceIndex>;

const build = (people: number): { tools: Tools; seconds: number; rssBytes: number } => {
  const before = rss();
  const tools = makeAudienceIndex();
  let ms = timed(() => {
    tools.addFollows([...follows()]);
    tools.setTopics(topicNumbers);
  });
  for (let at = 1; at <= people; at += chunk) {
    const some: IndexedPerson[] = [];
    for (let ordinal = at; ordinal < at + chunk && ordinal <= people; ordinal++) some.push(personOf(ordinal));
    ms += timed(() => some.forEach(tools.load));
  }
  ms += timed(tools.loaded);
  return { tools, seconds: ms / 1_000, rssBytes: rss() - before };
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
    for (let one = at; one < at + chunk; one++) some.push(personOf(1 + ((one * step) % people), 1));
    ms += timed(() => some.forEach(put));
  }
  return count / (ms / 1_000);
};

const main = (): void => {
  const rows: (string | number)[][] = [];
  for (const people of sizes) {
    const { tools, seconds, rssBytes } = build(people);
    const { total } = tools.index.memory();
    const rules = mixedRules();
    const selecting = rules.flatMap((who) =>
      repeated(11, () => tools.index.selectRule(rule(who), item, context)).slice(1),
    );
    const previewing = rules.flatMap((who) => repeated(4, () => preview(tools, who)).slice(1));
    const three = repeated(51, () => tools.index.selectRule(rule(threeConditions), item, context));
    const matching = repeated(11, () => tools.index.matchItem(item));
    const perSecond = updates(tools, people);
    const afterwards = tools.index.memory().total;
    const threeAfter = repeated(51, () => tools.index.selectRule(rule(threeConditions), item, context));
    rows.push([
      people.toLocaleString('en'),
      round(people / seconds, 0),
      round(total / people, 1),
      round(afterwards / people, 1),
      round(rssBytes / people, 0),
      round(median(three), 3),
      round(median(threeAfter), 3),
      round(median(selecting), 3),
      round(percentile(selecting, 0.99), 2),
      round(median(previewing), 2),
      round(percentile(previewing, 0.99), 2),
      round(median(matching), 2),
      round(perSecond, 0),
    ]);
  }
  printTable(
    [
      'people',
      'built/s',
      'B/person',
      'B/p changed',
      'RSS/p',
      '3 cond ms',
      'changed',
      '50 rules ms',
      'p99',
      'preview ms',
      'p99',
      'match ms',
      'updates/s',
    ],
    rows,
  );
};

main();
