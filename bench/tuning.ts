import { seededRandom } from '../src/tuning/statistics/seeded-random.ts';
import { printTable } from './table.ts';
import { interval95, relative } from './tuning/figures.ts';
import { makeTown } from './tuning/people.ts';
import { type Outcome, type Policy, simulate } from './tuning/simulate.ts';
import { noTastes, tastes, type World } from './tuning/world.ts';

/**
 * The closed loop: people with hidden tastes, their reactions, and every night the tuner that sees only those. Each seed is a town
 * of its own in which all policies are tried. `--quick`: three seeds. The world is fixed in tuning/world.ts.
 */
const seeds = process.argv.includes('--quick') ? 3 : 20;
const worlds: [string, World, Policy[]][] = [
  ['tastes', tastes, ['followers', 'rules', 'tuned']],
  ['null', noTastes, ['rules', 'tuned']],
];

const outcomes = new Map<string, Outcome[]>();
for (let seed = 1; seed <= seeds; seed++)
  for (const [name, world, policies] of worlds) {
    const town = makeTown(world, seededRandom(`town ${name} ${seed}`));
    for (const policy of policies) {
      const key = `${name}: ${policy}`;
      outcomes.set(key, [...(outcomes.get(key) ?? []), simulate(world, town, policy, `${name} ${seed}`)]);
    }
  }

const of = (key: string): Outcome[] => outcomes.get(key) ?? [];
const column = (key: string, figure: (one: Outcome) => number, digits = 2): string =>
  interval95(of(key).map(figure), digits);
const perMessage = ({ useful, messages }: Outcome): number => (100 * useful) / messages;
const regretIn =
  (from: number, to: number) =>
  ({ regret }: Outcome): number =>
    (1_000 * regret.slice(from, to).reduce((sum, day) => sum + day, 0)) / (to - from);

const rows = [...outcomes.keys()].map((key) => [
  key,
  column(key, ({ useful }) => useful),
  column(key, ({ unwanted }) => unwanted),
  column(key, perMessage, 1),
  column(key, ({ stops }) => 1_000 * stops, 0),
  column(key, ({ coverage }) => 100 * coverage, 1),
  ...[0, 10, 20, 30, 40, 50].map((day) => (key.endsWith('followers') ? '-' : column(key, regretIn(day, day + 10), 1))),
  key.endsWith('tuned') ? Math.min(...of(key).map(({ leastArm }) => leastArm)).toFixed(3) : '-',
  key.endsWith('tuned') ? column(key, ({ moves }) => moves, 0) : '-',
]);
const against = (name: string, base: Policy): (string | number)[] => [
  `${name}: tuned against ${base}`,
  relative(of(`${name}: tuned`), of(`${name}: ${base}`), ({ useful }) => useful),
  relative(of(`${name}: tuned`), of(`${name}: ${base}`), ({ unwanted }) => unwanted),
  relative(of(`${name}: tuned`), of(`${name}: ${base}`), perMessage),
  relative(of(`${name}: tuned`), of(`${name}: ${base}`), ({ stops }) => stops),
  ...new Array<string>(9).fill(''),
];

process.stdout.write(
  `${tastes.people} people, ${tastes.days} days, ${tastes.topics.length} topics, ${seeds} seeds; mean ± 95 %. A person: useful (wanted and seen) and unwanted messages; ` +
    `useful of 100; of 1,000 people: stops; must-deliver coverage in %; regret a day and 1,000 people in tens of days; least probability of an arm; moves.\n`,
);
printTable(
  [
    '',
    'useful',
    'unwanted',
    'of 100',
    'stops',
    'must %',
    'd 1-10',
    'd 11-20',
    'd 21-30',
    'd 31-40',
    'd 41-50',
    'd 51-60',
    'floor',
    'moves',
  ],
  [...rows, against('tastes', 'followers'), against('tastes', 'rules'), against('null', 'rules')],
);
