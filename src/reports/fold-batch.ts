import type { Delivery } from '../fanout/ledger-store.ts';
import { type DeliveryState, rankOf } from '../fanout/push.ts';
import type { Feedback } from '../feedback/feedback.ts';
import { ruleOfSource } from '../rules/rule.ts';
import { rewardOf, rewardWindowMs } from '../tuning/reward.ts';
import { addTo, type Cells, codeMeasure, type Measures, noKey, ratingMeasures } from './counters.ts';
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

const leftStates: readonly DeliveryState[] = ['sent', 'delivered', 'bounced'];
/** States that say why: their reasons are counted. */
const saidStates: readonly DeliveryState[] = ['withheld', 'deferred', 'digested', 'failed', 'bounced'];
/** Whoever is not told for one of these is not owed it: they wished it so, another message told them, or they are measured. */
const notOwed = ['opted-out', 'already-told', 'taken-over', 'superseded', 'erased', 'holdout', 'seen', 'arm'];

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

/** What came back of one message or of all of a person's, by people. */
const reactions = (feedback: readonly Feedback[], sent: boolean): Measures => {
  const measures: Measures = {};
  const has = (...kinds: Feedback['kind'][]) => feedback.some(({ kind }) => kinds.includes(kind));
  const rating = feedback.find(({ kind }) => kind === 'rating')?.rating ?? null;
  const useful = has('useful');
  if (sent && feedback.length > 0) measures.seen = 1;
  if (sent && has('click')) measures.clicked = 1;
  if (sent && (useful || (rating ?? 0) >= 4)) measures.acted = 1;
  if (useful) measures.useful = 1;
  if (has('not-for-me')) measures.notForMe = 1;
  if (has('too-many')) measures.tooMany = 1;
  if (has('stop')) measures.stops = 1;
  if (has('complaint')) measures.complaints = 1;
  const rated = rating === null ? undefined : ratingMeasures[rating - 1];
  if (rated) measures[rated] = 1;
  return measures;
};

/** The measures of one person or of one message of theirs. */
const measuresOf = (row: Delivery | null, rows: readonly Delivery[], feedback: readonly Feedback[]): Measures => {
  const state = row?.state ?? 'planned';
  const sent = rows.some(wasSent);
  const measures: Measures = { matched: 1, ...reactions(feedback, sent) };
  if (state !== 'sent' && state !== 'delivered') measures[state] = 1;
  if (sent) measures.sent = 1;
  // whoever reacted has got it, receipt or not
  if (measures.seen || state === 'delivered') measures.delivered = 1;
  if (row && saidStates.includes(row.state)) measures[codeMeasure(row.state, row.code)] = 1;
  const owed = row === null || row.state === 'bounced' || !notOwed.includes(row.code ?? '');
  if (owed) {
    measures.entitled = 1;
    if (rows.some(({ state: one }) => one === 'sent' || one === 'delivered')) measures.reached = 1;
  }
  return measures;
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
const judgement = (rows: readonly Delivery[], feedback: readonly Feedback[], now: number): Measures => {
  const row = rows.find(wasSent);
  if (!row || now < row.at + rewardWindowMs) return {};
  const { reward, unwanted } = rewardOf(feedback, row.at);
  return { judged: 1, ...(reward ? { rewarded: 1 } : {}), ...(unwanted ? { unwanted: 1 } : {}) };
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

const liftMeasures = (heldOut: boolean, { viewed }: Views, { item, topics }: PushFacts): Measures => {
  const looked = viewed.some((one) => one.item === item || one.topics.some((topic) => topics.includes(topic)));
  const arm = heldOut ? 'heldOut' : 'told';
  return { [arm]: 1, ...(looked ? { [`${arm}Viewed`]: 1 } : {}) };
};

const addRules = (cells: Cells, member: Member, measures: Measures, facts: PushFacts): void => {
  const rules = rulesOf(member.rows, facts.sources);
  const judged = rules.length > 0 ? judgement(member.rows, member.feedback, facts.now) : {};
  for (const { source } of rules) addTo(cells, 'rule', source, { ...measures, ...judged });
  if (rules.length === 0) addTo(cells, 'rule', noKey, measures);
  const arm = rules.length > 0 ? armOf(member, facts) : null;
  if (arm && member.views) addTo(cells, 'rule', arm.rule, liftMeasures(arm.heldOut, member.views, facts));
};

const addChannels = (cells: Cells, { rows, feedback }: Member): void => {
  if (rows.length === 0) addTo(cells, 'channel', noKey, measuresOf(null, [], []));
  for (const row of rows) {
    const own = row.channel === null ? [] : feedback.filter(({ channel }) => channel === row.channel);
    addTo(cells, 'channel', row.channel ?? noKey, measuresOf(row, [row], own));
  }
};

const addRatings = (cells: Cells, measures: Measures, item: string): void => {
  const rated = ratingMeasures.find((name) => measures[name]);
  if (rated) addTo(cells, 'item', item, { [rated]: 1 });
};

const addMember = (cells: Cells, member: Member, facts: PushFacts): void => {
  const { rows, feedback, group } = member;
  const best = bestOf(rows);
  const measures = measuresOf(best, rows, feedback);
  const left = rows.find(wasSent);
  addTo(cells, 'total', '', measures);
  for (const topic of facts.topics) addTo(cells, 'topic', topic, measures);
  addTo(cells, 'region', group?.region ?? noKey, measures);
  addTo(cells, 'hour', left ? String(facts.hourOf(left.at)).padStart(2, '0') : noKey, measures);
  addTo(cells, 'age', group?.birthYear == null ? noKey : ageBand(facts.year - group.birthYear), measures);
  addTo(cells, 'language', group?.locale ?? noKey, measures);
  addChannels(cells, member);
  addRules(cells, member, measures, facts);
  addRatings(cells, measures, facts.item);
};

/**
 * What a batch counts now, and when it has to be counted again because time alone changes it: when the youngest message has
 * had its 72 hours, when the views of 7 days are in (null: not again). Pure.
 */
export const foldBatch = (members: readonly Member[], facts: PushFacts): { cells: Cells; again: number | null } => {
  const cells: Cells = {};
  for (const member of members) addMember(cells, member, facts);
  const sentAt = members.flatMap(({ rows }) => rows.filter(wasSent).map(({ at }) => at));
  const youngest = sentAt.reduce((latest, at) => Math.max(latest, at), 0);
  const moments = [
    ...(facts.sources.some(({ source }) => ruleOfSource(source)) ? [youngest + rewardWindowMs] : []),
    ...(facts.sources.some(({ holdout }) => holdout > 0) ? [facts.drawnAt + liftWindowMs] : []),
  ].filter((at) => at > facts.now);
  return { cells, again: moments.length > 0 ? Math.min(...moments) : null };
};
