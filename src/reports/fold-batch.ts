import type { Delivery } from '../fanout/ledger-store.ts';
import { type DeliveryState, rankOf } from '../fanout/push.ts';
import type { Feedback } from '../feedback/feedback.ts';
import { ruleOfSource } from '../rules/rule.ts';
import { rewardOf, rewardWindowMs } from '../tuning/reward.ts';
import { type Cells, codeMeasure, countOne, noKey, ratingMeasures } from './counters.ts';
import type { PersonGroup, Views } from './report-store.ts';

/** One person of a batch with all that is known of them: rows, what came back, group, and views where lift is measured. */
export type Member = { rows: Delivery[]; feedback: Feedback[]; group: PersonGroup | null; views: Views | null };

/** A source of a push: its label, and the share that its rule leaves out (0 for other sources). */
export type CountedSource = { source: string; holdout: number };

/** What is the same for all of a push. `drawnAt`: when it was planned. Times in ms. */
export type PushFacts = {
  item: string;
  /** The topics of the item: whoever views another item of one of them, or its page, has looked at a sibling. */
  topics: string[];
  sources: CountedSource[];
  year: number;
  drawnAt: number;
  now: number;
  hourOf: (at: number) => number;
};

/** How long a view counts towards lift (design D14). */
export const liftWindowMs = 7 * 86_400_000;

/** So long after a click it may still turn out to have been a machine's. */
const clickSettledMs = 70_000;

const leftStates: readonly DeliveryState[] = ['sent', 'delivered', 'bounced'];
/** States that say why: their reasons are counted. */
const saidStates: readonly DeliveryState[] = ['withheld', 'deferred', 'digested', 'failed', 'bounced'];
/** Whoever is not told for one of these is not owed it: they wished it so, another message told them, or they are measured. */
const notOwed = [
  'opted-out',
  'already-told',
  'taken-over',
  'superseded',
  'erased',
  'leaving',
  'holdout',
  'seen',
  'arm',
];

const ageBands = [
  [18, '0-17'],
  [35, '18-34'],
  [50, '35-49'],
  [65, '50-64'],
  [Number.POSITIVE_INFINITY, '65+'],
] as const;

/** The band of an age in whole years. */
export const ageBand = (age: number): string => ageBands.find(([below]) => age < below)?.[1] ?? noKey;

const wasSent = (row: Delivery): boolean => leftStates.includes(row.state);

/** What came back of one message or of all of a person's: the names of what it counts for. */
const reactions = (feedback: readonly Feedback[], sent: boolean): string[] => {
  if (feedback.length === 0) return [];
  const kinds = new Set(feedback.map(({ kind }) => kind));
  const rating = feedback.find(({ kind }) => kind === 'rating')?.rating ?? null;
  const counts: [string | undefined, boolean][] = [
    ['seen', sent],
    ['clicked', sent && kinds.has('click')],
    ['acted', sent && (kinds.has('useful') || (rating ?? 0) >= 4)],
    ['useful', kinds.has('useful')],
    ['notForMe', kinds.has('not-for-me')],
    ['tooMany', kinds.has('too-many')],
    ['stops', kinds.has('stop')],
    ['complaints', kinds.has('complaint')],
    [ratingMeasures[(rating ?? 0) - 1], rating !== null],
  ];
  return counts.flatMap(([name, holds]) => (holds && name !== undefined ? [name] : []));
};

/** What one person, or one message of theirs, counts for. */
const measuresOf = (row: Delivery | null, rows: readonly Delivery[], feedback: readonly Feedback[]): string[] => {
  const state = row?.state ?? 'planned';
  const sent = rows.some(wasSent);
  const names = ['matched', ...reactions(feedback, sent)];
  if (state !== 'sent' && state !== 'delivered') names.push(state);
  if (sent) names.push('sent');
  // whoever reacted has got it, receipt or not
  if (state === 'delivered' || (sent && feedback.length > 0)) names.push('delivered');
  if (row && saidStates.includes(row.state)) names.push(codeMeasure(row.state, row.code));
  const owed = row === null || row.state === 'bounced' || !notOwed.includes(row.code ?? '');
  if (owed) names.push('entitled');
  if (owed && rows.some(({ state: one }) => one === 'sent' || one === 'delivered')) names.push('reached');
  return names;
};

const bestOf = (rows: readonly Delivery[]): Delivery | null =>
  rows.reduce<Delivery | null>((best, row) => (best && rankOf(best.state) >= rankOf(row.state) ? best : row), null);

const rulesOf = (rows: readonly Delivery[], sources: readonly CountedSource[]): CountedSource[] => {
  const indexes = new Set(rows.flatMap(({ reasons }) => reasons));
  return [...indexes].flatMap((index) => {
    const source = sources[index];
    return source && ruleOfSource(source.source) ? [source] : [];
  });
};

/** Messages are judged when the time in which they can earn something is over (tuning's reward). */
const judgement = (rows: readonly Delivery[], feedback: readonly Feedback[], now: number): string[] => {
  const row = rows.find(wasSent);
  if (!row || now < row.at + rewardWindowMs) return [];
  const { reward, unwanted } = rewardOf(feedback, row.at);
  return ['judged', ...(reward ? ['rewarded'] : []), ...(unwanted ? ['unwanted'] : [])];
};

/**
 * Which arm of a rule's holdout a person is in, or null: everybody whom rules alone matched, exactly one of them with a
 * holdout, so that both arms were drawn with the same share; tied to a browser before the draw; told by nothing else.
 */
const armOf = ({ rows, views }: Member, facts: PushFacts): { rule: string; heldOut: boolean } | null => {
  const best = bestOf(rows);
  if (best?.noticeClass !== 'suggestion' || views?.tiedAt == null || views.tiedAt >= facts.drawnAt) return null;
  const heldOut = best.state === 'withheld' && best.code === 'holdout';
  if ((best.state === 'withheld' && !heldOut) || best.state === 'cancelled') return null;
  const sources = best.reasons.flatMap((index) => facts.sources[index] ?? []);
  const measured = sources.filter(({ holdout }) => holdout > 0);
  const [rule] = measured;
  return rule && measured.length === 1 && sources.every(({ source }) => ruleOfSource(source))
    ? { rule: rule.source, heldOut }
    : null;
};

const liftMeasures = (heldOut: boolean, { viewed }: Views, { item, topics }: PushFacts): string[] => {
  const looked = viewed.some((one) => one.item === item || one.topics.some((topic) => topics.includes(topic)));
  const arm = heldOut ? 'heldOut' : 'told';
  return [arm, ...(looked ? [`${arm}Viewed`] : [])];
};

const addRules = (cells: Cells, member: Member, measures: string[], facts: PushFacts): void => {
  const rules = rulesOf(member.rows, facts.sources);
  const judged = rules.length > 0 ? judgement(member.rows, member.feedback, facts.now) : [];
  for (const { source } of rules) countOne(cells, 'rule', source, [...measures, ...judged]);
  if (rules.length === 0) countOne(cells, 'rule', noKey, measures);
  const arm = rules.length > 0 ? armOf(member, facts) : null;
  if (arm && member.views) countOne(cells, 'rule', arm.rule, liftMeasures(arm.heldOut, member.views, facts));
};

const addChannels = (cells: Cells, { rows, feedback }: Member): void => {
  if (rows.length === 0) countOne(cells, 'channel', noKey, measuresOf(null, [], []));
  for (const row of rows) {
    const own = row.channel === null ? [] : feedback.filter(({ channel }) => channel === row.channel);
    countOne(cells, 'channel', row.channel ?? noKey, measuresOf(row, [row], own));
  }
};

const addRatings = (cells: Cells, measures: string[], item: string): void => {
  const rated = ratingMeasures.find((name) => measures.includes(name));
  if (rated) countOne(cells, 'item', item, [rated]);
};

const addMember = (cells: Cells, member: Member, facts: PushFacts): void => {
  const { rows, feedback, group } = member;
  const best = bestOf(rows);
  const measures = measuresOf(best, rows, feedback);
  const left = rows.find(wasSent);
  countOne(cells, 'total', '', measures);
  for (const topic of facts.topics) countOne(cells, 'topic', topic, measures);
  countOne(cells, 'region', group?.region ?? noKey, measures);
  countOne(cells, 'hour', left ? String(facts.hourOf(left.at)).padStart(2, '0') : noKey, measures);
  countOne(cells, 'age', group?.birthYear == null ? noKey : ageBand(facts.year - group.birthYear), measures);
  countOne(cells, 'language', group?.locale ?? noKey, measures);
  addChannels(cells, member);
  addRules(cells, member, measures, facts);
  addRatings(cells, measures, facts.item);
};

const latest = (moments: readonly number[]): number => moments.reduce((last, at) => Math.max(last, at), 0);

/**
 * What a batch counts now, and when it has to be counted again because time alone changes it: when the newest click is surely a
 * person's, when the youngest message has had its 72 hours, when the views of 7 days are in (null: not again). Pure.
 */
export const foldBatch = (members: readonly Member[], facts: PushFacts): { cells: Cells; again: number | null } => {
  const cells: Cells = {};
  for (const member of members) addMember(cells, member, facts);
  const sentAt = members.flatMap(({ rows }) => rows.filter(wasSent).map(({ at }) => at));
  const clicks = members.flatMap(({ feedback }) => feedback.filter(({ kind }) => kind === 'click').map(({ at }) => at));
  const moments = [
    latest(clicks) + clickSettledMs,
    ...(facts.sources.some(({ source }) => ruleOfSource(source)) ? [latest(sentAt) + rewardWindowMs] : []),
    ...(facts.sources.some(({ holdout }) => holdout > 0) ? [facts.drawnAt + liftWindowMs] : []),
  ].filter((at) => at > facts.now);
  return { cells, again: moments.length > 0 ? Math.min(...moments) : null };
};
