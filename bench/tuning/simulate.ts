import { eventWeights } from '../../src/browsing/browsing-event.ts';
import { decide } from '../../src/fanout/policy.ts';
import { levelOf, scaledWeight, thresholdLevel } from '../../src/profiles/interest.ts';
import { type Arms, allowedValues, armAt, settingOf, withValue } from '../../src/rules/arms.ts';
import { dayOf } from '../../src/rules/evaluate.ts';
import type { RuleContent } from '../../src/rules/rule.ts';
import { rewardOf } from '../../src/tuning/reward.ts';
import { seededRandom } from '../../src/tuning/statistics/seeded-random.ts';
import { tuneRule } from '../../src/tuning/tune-rule.ts';
import type { Counts, Tally } from '../../src/tuning/tuning.ts';
import { checkAgainstOracle, recipientOf } from './oracle.ts';
import { dayMs, start, type Town } from './people.ts';
import { bestThreshold, react, sumFrom, truthOf } from './reactions.ts';
import type { World } from './world.ts';

/** Everything to all followers of its topic; rules as their publishers wrote them; the same rules, tuned every night. */
export type Policy = 'followers' | 'rules' | 'tuned';

/** What a policy came to: for each person over all days, but coverage (of those entitled) and regret (a person, by day). */
export type Outcome = {
  useful: number;
  unwanted: number;
  messages: number;
  stops: number;
  coverage: number;
  regret: number[];
  /** The smallest probability that any arm was drawn with. */
  leastArm: number;
  moves: number;
};

/** Feedback is in after three days, so a night knows of what was sent until then. */
const closingDays = 3;

const ruleOf = (world: World, topic: number, policy: Policy): RuleContent => {
  const { slug, first } = world.topics[topic] as World['topics'][number];
  const tuned = policy === 'tuned';
  return {
    name: slug,
    explanation: { en: slug, 'zh-CN': slug },
    when: { item: 'topics', has: [slug] },
    who: { person: 'interest', topic: slug, atLeast: world.threshold },
    deliver: {
      channels: first === 'email' ? ['email', 'webPush'] : ['webPush', 'email'],
      pace: 'immediate',
      priority: 5,
      hour: 'at-once',
    },
    holdout: 0,
    tune: tuned ? { threshold: world.thresholdBounds, channels: true, hour: true, apply: true } : {},
  };
};

/** One rule while it runs: its content, today's arms, what it says without them, and what came back. */
type Running = {
  content: RuleContent;
  own: { threshold: number; channels: string | null; hour: string | null };
  thresholds: number[];
  arms: Arms;
  tallies: Tally[];
  /** By parameter and arm, of the day that is running. */
  today: Map<Tally['parameter'], Map<string, Tally>>;
  /** Of the days whose feedback is not all in. */
  open: Tally[];
};

const ownOf = (content: RuleContent): Running['own'] => ({
  threshold: settingOf(content, 'threshold') ?? thresholdIn(content),
  channels: settingOf(content, 'channels'),
  hour: settingOf(content, 'hour'),
});

/** Of a rule that may not be tuned. */
const thresholdIn = ({ who }: RuleContent): number => ('person' in who && who.person === 'interest' ? who.atLeast : 0);

const countsOf = (rule: Running, day: number, parameter: Tally['parameter'], arm: string): Counts => {
  let byArm = rule.today.get(parameter);
  if (!byArm) {
    byArm = new Map();
    rule.today.set(parameter, byArm);
  }
  const known = byArm.get(arm);
  if (known) return known;
  const none = { eligible: 0, sent: 0, useful: 0, unwanted: 0 };
  const tally: Tally = { rule: rule.content.name, lineage: '', day, parameter, arm, channel: null, ...none };
  byArm.set(arm, tally);
  rule.open.push(tally);
  return tally;
};

/** Runs one policy through one town. */
export const simulate = (world: World, town: Town, policy: Policy, seed: string): Outcome => {
  const random = seededRandom(`${seed} ${policy}`);
  const width = world.topics.length;
  const sums = town.sums.slice();
  const stopped = new Uint8Array(sums.length);
  const weekly = new Uint16Array(world.people);
  const daily = new Uint16Array(world.people);
  const rules = world.topics.map((_, topic): Running => {
    const content = ruleOf(world, topic, policy);
    const thresholds = allowedValues(ruleOf(world, topic, 'tuned'), 'threshold');
    return { content, own: ownOf(content), thresholds, arms: {}, tallies: [], today: new Map(), open: [] };
  });
  const truth = truthOf(world);
  const bandTruth = rules.map(({ thresholds }) =>
    Array.from({ length: world.days }, () => new Float64Array(thresholds.length)),
  );
  const earned = rules.map(() => new Float64Array(world.days));
  const total = { useful: 0, unwanted: 0, messages: 0, stops: 0, entitled: 0, covered: 0, leastArm: 1, moves: 0 };

  const tell = (person: number, topic: number, band: string, now: number): void => {
    const rule = rules[topic] as Running;
    const at = person * width + topic;
    const { own, arms } = rule;
    const drawn = {
      channels: arms.channels ? armAt(arms.channels, random()) : -1,
      hour: arms.hour ? armAt(arms.hour, random()) : -1,
    };
    const channel = arms.channels?.[drawn.channels]?.value ?? own.channels;
    const hour = arms.hour?.[drawn.hour]?.value ?? own.hour;
    const byMail = channel === 'email';
    const isOwn = byMail === (town.readsMail[person] === 1);
    const seen = random() < (isOwn ? world.seen.own : world.seen.other) * (hour === 'preferred' ? 1 : world.wrongHour);
    const wants = random() < (world.wantsAtRandom ?? world.likings[town.liking[at] ?? 0]?.wants ?? 0);
    total.messages++;
    if (!wants) total.unwanted++;
    else if (seen) total.useful++;
    const said = react(world, wants, seen, byMail, now, random);
    for (const { kind, machine } of said) {
      if (machine !== null) continue;
      if (kind === 'stop') {
        stopped[at] = 1;
        total.stops++;
      } else if (kind === 'useful' || kind === 'click' || kind === 'not-for-me')
        sums[at] = (sums[at] ?? 0) + scaledWeight(eventWeights[kind], now);
    }
    if (policy !== 'tuned') return;
    const { reward, unwanted } = rewardOf(said, now);
    const count = (parameter: Tally['parameter'], arm: string): void => {
      const counts = countsOf(rule, dayOf(now), parameter, arm);
      counts.sent += 1;
      counts.useful += reward;
      counts.unwanted += unwanted ? 1 : 0;
    };
    count('all', '');
    count('threshold', band);
    if (drawn.channels >= 0) count('channels', String(channel));
    if (drawn.hour >= 0) count('hour', String(hour));
  };

  const suggest = (day: number, topic: number, now: number): void => {
    const rule = rules[topic] as Running;
    const { thresholds, arms, content } = rule;
    const cuts = thresholds.map((threshold) => thresholdLevel(threshold, now));
    const own = rule.own.threshold;
    const names = thresholds.map(String);
    const truths = bandTruth[topic]?.[day] as Float64Array;
    const got = earned[topic] as Float64Array;
    const eligible = names.map((name) => (policy === 'tuned' ? countsOf(rule, dayOf(now), 'threshold', name) : null));
    for (let person = 0; person < world.people; person++) {
      const at = person * width + topic;
      if (stopped[at]) continue;
      const level = levelOf(sums[at] ?? 0);
      let band = -1;
      if (level !== null) while (band + 1 < cuts.length && level >= (cuts[band + 1] ?? 0)) band++;
      if (band < 0) continue;
      if (random() < 1 / 5_000)
        checkAgainstOracle(content, world, topic, level, [thresholds[band] ?? 0, thresholds[band + 1]], now);
      const value = truth[town.liking[at] ?? 0] ?? 0;
      truths[band] = (truths[band] ?? 0) + value;
      const counts = eligible[band];
      if (counts) counts.eligible += 1;
      const threshold = arms.threshold ? (arms.threshold[armAt(arms.threshold, random())]?.value ?? own) : own;
      if ((thresholds[band] ?? 0) < threshold) continue;
      got[day] = (got[day] ?? 0) + value;
      if ((weekly[person] ?? 0) >= world.caps.week || (daily[person] ?? 0) >= world.caps.day) continue;
      weekly[person] = (weekly[person] ?? 0) + 1;
      daily[person] = (daily[person] ?? 0) + 1;
      tell(person, topic, names[band] ?? '', now);
    }
  };

  const deliverMust = (named: Uint32Array, now: number): void => {
    for (const person of named) {
      total.entitled++;
      const decision = decide({
        person: recipientOf(person),
        item: { urgency: 'routine' },
        reasons: [{ kind: 'named', source: 0, channels: null }],
        tried: [],
        draw: 0,
        kept: null,
        preferredHour: null,
        now,
        defaults: { timeZone: 'UTC', caps: world.caps, fallbackMs: 0 },
      });
      if (decision.kind === 'send') total.covered++;
    }
  };

  const night = (day: number): void => {
    const known = dayOf(start + day * dayMs) - closingDays;
    for (const rule of rules) {
      rule.today.clear();
      rule.tallies.push(...rule.open.filter((tally) => tally.day <= known));
      rule.open = rule.open.filter((tally) => tally.day > known);
      const nightly = seededRandom(`${seed} ${rule.content.name} ${day}`);
      const dawn = tuneRule({
        content: rule.content,
        held: [],
        tallies: rule.tallies,
        today: dayOf(start + day * dayMs),
        random: nightly,
      });
      rule.arms = dawn.arms;
      for (const arms of Object.values(dawn.arms))
        for (const { probability } of arms) total.leastArm = Math.min(total.leastArm, probability);
      for (const { parameter, to } of dawn.moves) {
        rule.content = withValue(rule.content, parameter, to as never);
        total.moves++;
      }
      rule.own = ownOf(rule.content);
    }
  };

  for (let day = 0; day < world.days; day++) {
    const now = start + day * dayMs;
    const weight = scaledWeight(eventWeights.view, now);
    for (const at of town.views[day] ?? []) sums[at] = (sums[at] ?? 0) + weight;
    if (day % 7 === 0) weekly.fill(0);
    daily.fill(0);
    for (const item of town.items) {
      if (item.day !== day) continue;
      if (item.must) deliverMust(item.must, now);
      else if (policy === 'followers') {
        for (let person = 0; person < world.people; person++) {
          const at = person * width + item.topic;
          if (town.follows[at] && !stopped[at]) tell(person, item.topic, '', now);
        }
      } else suggest(day, item.topic, now);
    }
    if (policy === 'tuned') night(day);
  }

  const best = bandTruth.map((days) => bestThreshold(days));
  const regret = Array.from(
    { length: world.days },
    (_, day) =>
      rules.reduce((sum, _rule, topic) => {
        const bands = bandTruth[topic]?.[day] as Float64Array;
        return sum + sumFrom(bands, best[topic] ?? 0) - (earned[topic]?.[day] ?? 0);
      }, 0) / world.people,
  );
  const each = (value: number): number => value / world.people;
  return {
    useful: each(total.useful),
    unwanted: each(total.unwanted),
    messages: each(total.messages),
    stops: each(total.stops),
    coverage: total.covered / total.entitled,
    regret,
    leastArm: total.leastArm,
    moves: total.moves,
  };
};
