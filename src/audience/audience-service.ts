import type { Edges } from '../edges.ts';
import { AppError } from '../errors.ts';
import type { Keyring } from '../keyring.ts';
import { type Item, type ItemContent, noItem } from '../publishing/item.ts';
import { settingOf } from '../rules/arms.ts';
import type { Condition } from '../rules/condition.ts';
import { type RuleContent, type RuleVersion, ruleSource } from '../rules/rule.ts';
import type { RuleService } from '../rules/rule-service.ts';
import { itemHolds, leavesOf } from '../rules/selection.ts';
import type { Storage } from '../storage/storage.ts';
import { maskContact, openContact } from '../subscriptions/address.ts';
import type { ChannelName } from '../subscriptions/follow.ts';
import type { AudienceIndex } from './audience-index.ts';
import { type AudienceSource, always, type Question, type SelectedRule, type Selection } from './audience-matcher.ts';
import { both, nobody, type PeopleSet, sampleOf, setOf, union, without } from './people-set.ts';

export type Counted = { key: string; people: number };

/** Something that a publisher should look at twice: nobody is selected, or everybody whom a rule can reach. */
export const audienceWarnings = ['selects-nobody', 'selects-everybody'] as const;
export type AudienceWarning = (typeof audienceWarnings)[number];

/** A rule whose threshold is tuned: whom planning takes up (from the lowest arm on), and whom it tells with its own threshold. */
type TunedPart = {
  key: string;
  lowest: { threshold: number; people: number };
  current: { threshold: number; people: number };
};

/** An exact audience with its breakdown, as of one moment. `asOf` in ms. */
type AudiencePreview = {
  people: number;
  reachable: Record<ChannelName, number>;
  byRegion: Counted[];
  byLanguage: Counted[];
  bySource: Counted[];
  tuned: TunedPart[];
  sample: { subscriber: string; locale: string; region: string | null; addresses: string[] }[];
  warnings: AudienceWarning[];
  asOf: number;
  tookMs: number;
};

/** Whom a change of a rule would win and lose, among those whom it concerned over the items looked at. */
type DryRun = {
  gains: number;
  loses: number;
  stay: number;
  byRegion: { key: string; gains: number; loses: number; stay: number }[];
  /** Items that the rule was tried on, and how many of them each `when` wants. 0: tried without an item. */
  items: { tried: number; before: number; after: number };
  warnings: AudienceWarning[];
  asOf: number;
  tookMs: number;
};

/** How many people a rule selects today, over the newest items that its `when` wants (none: tried without an item). */
type RuleReach = {
  people: number;
  items: { tried: number; wanted: number };
  warnings: AudienceWarning[];
  asOf: number;
};

type Wording = Pick<RuleContent, 'when' | 'who'>;

type PreviewRequest = {
  item: { id: string } | { draft: ItemContent };
  who: Condition | null;
  rules: boolean;
  subscriptions: boolean;
};

export type AudienceService = {
  /** Throws `not-found` (unknown item), `index-building`. `sample`: how many people to show, masked. */
  preview(request: PreviewRequest, sample: number): Promise<AudiencePreview>;
  /** Throws `not-found` (unknown rule), `index-building`. A `when` that is left out stays as it is. */
  /** What a publisher is told when a rule begins to select. Throws `index-building`. */
  reach(rule: Pick<RuleVersion, 'rule' | 'content'>): Promise<RuleReach>;
  dryRun(rule: string, change: { who: Condition; when: Condition | null }): Promise<DryRun>;
};

export type AudienceStores = Pick<Storage, 'items' | 'subscriptions'>;
export type AudienceTools = {
  selection: Selection;
  source: AudienceSource;
  rules: Pick<RuleService, 'get'>;
  keyring: Keyring;
  edges: Pick<Edges, 'now' | 'monotonic'>;
};

/** A rule's change is tried on this many of the newest published items. */
const itemsTried = 100;

const counted = (counts: Map<string, number>): Counted[] =>
  [...counts].map(([key, people]) => ({ key, people })).sort((a, b) => b.people - a.people || (a.key < b.key ? -1 : 1));

const tunedPart = (key: string, { rule, people, arms, from }: SelectedRule): TunedPart | null => {
  const lowest = arms?.arms.threshold?.[0]?.value;
  const current = settingOf(rule.content, 'threshold');
  if (lowest === undefined || current === null) return null;
  return {
    key,
    lowest: { threshold: lowest, people: people.size },
    current: { threshold: current, people: from(current).size },
  };
};

/** Audiences for publishers: exact numbers before anything is sent. */
export const makeAudienceService = (stores: AudienceStores, tools: AudienceTools): AudienceService => {
  const { selection, source, edges } = tools;

  const itemOf = async (wanted: PreviewRequest['item']): Promise<{ id: string; content: ItemContent }> => {
    if ('draft' in wanted) return { id: '', content: wanted.draft };
    const item = await stores.items.get({ id: wanted.id });
    if (!item) throw new AppError('not-found', `There is no item ${wanted.id}.`);
    return { id: item.id, content: item.content };
  };

  const partsOf = async (request: PreviewRequest, question: Question, content: ItemContent) => {
    const parts: { source: string; people: PeopleSet; isAsked?: boolean; tuned?: TunedPart }[] = [];
    const { index, item, context } = question;
    if (request.who)
      parts.push({ source: 'who', people: index.selectRule({ when: always, who: request.who }, item, context) });
    if (content.visibility === 'targeted') return parts;
    if (request.subscriptions) parts.push(...selection.follows(question).map((one) => ({ ...one, isAsked: true })));
    if (request.rules)
      for (const selected of await selection.rules(question)) {
        const { rule, people } = selected;
        const source = ruleSource(rule.rule, rule.version);
        const tuned = tunedPart(source, selected);
        parts.push({ source, people, ...(tuned ? { tuned } : {}) });
      }
    return parts;
  };

  const sampled = async (people: PeopleSet, count: number): Promise<AudiencePreview['sample']> => {
    const found = await stores.subscriptions.recipients(sampleOf(people, count));
    return found.map((person) => ({
      subscriber: person.id,
      locale: person.locale,
      region: person.region,
      addresses: person.addresses.map((address) => maskContact(openContact(tools.keyring, address))),
    }));
  };

  /** The newest published items that the old or the new `when` wants; without any, the rule is tried without an item. */
  const triedOn = async (index: AudienceIndex, whens: Condition[]): Promise<{ tried: number; items: Item[] }> => {
    const { rows } = await stores.items.list({ state: 'published' }, { cursor: null, limit: itemsTried });
    const wanted: Item[] = [];
    for (const item of rows) {
      if (item.content.visibility === 'targeted') continue;
      const question = await selection.ask(index, item.id, item.content);
      if (whens.some((when) => itemHolds(when, question.item))) wanted.push(item);
    }
    return { tried: rows.length, items: wanted };
  };

  /** What wordings of a rule select over the items that at least one of them wants, without those who opted out of it. */
  const trial = async (index: AudienceIndex, rule: string, wordings: Wording[]) => {
    const { tried, items } = await triedOn(
      index,
      wordings.map(({ when }) => when),
    );
    const hasItems = items.length > 0;
    const questions = hasItems
      ? await Promise.all(items.map((item) => selection.ask(index, item.id, item.content)))
      : [await selection.ask(index, '', noItem)];
    const optedOut = setOf(await stores.subscriptions.optedOut(rule));
    return {
      tried,
      wanted: (when: Condition): number =>
        hasItems ? questions.filter((question) => itemHolds(when, question.item)).length : 0,
      reached: (wording: Wording): PeopleSet =>
        without(reachedBy(hasItems ? wording : { ...wording, when: always }, questions), optedOut),
    };
  };

  return {
    preview: async (request, sample) => {
      const began = edges.monotonic();
      const { id, content } = await itemOf(request.item);
      const question = await selection.ask(await source.caughtUp(), id, content);
      const parts = await partsOf(request, question, content);
      const people = union(parts.map((part) => part.people));
      const { index } = question;
      const channels = index.countBy('channel', people);
      const reach = (channel: ChannelName): number => channels.get(channel) ?? 0;
      return {
        people: people.size,
        reachable: { email: reach('email'), sms: reach('sms'), webPush: reach('webPush'), wechat: reach('wechat') },
        byRegion: counted(index.countBy('region', people)),
        byLanguage: counted(index.countBy('language', people)),
        bySource: counted(bySource(parts)),
        tuned: parts.flatMap(({ tuned }) => tuned ?? []),
        sample: sample > 0 ? await sampled(people, sample) : [],
        warnings: warningsOf(index, people, union(parts.filter(({ isAsked }) => !isAsked).map((one) => one.people))),
        asOf: edges.now(),
        tookMs: Math.round((edges.monotonic() - began) * 1000) / 1000,
      };
    },
    reach: async ({ rule, content }) => {
      const index = await source.caughtUp();
      const { tried, wanted, reached } = await trial(index, rule, [content]);
      const people = reached(content);
      return {
        people: people.size,
        items: { tried, wanted: wanted(content.when) },
        warnings: warningsOf(index, people, people),
        asOf: edges.now(),
      };
    },
    dryRun: async (id, change) => {
      const began = edges.monotonic();
      const view = await tools.rules.get(id);
      if (!view) throw new AppError('not-found', `There is no rule ${id}.`);
      const before = view.version.content;
      const after = { when: change.when ?? before.when, who: change.who };
      const index = await source.caughtUp();
      const { tried, wanted, reached } = await trial(index, id, [before, after]);
      const [old, fresh] = [reached(before), reached(after)];
      const [gains, loses, stay] = [without(fresh, old), without(old, fresh), both(old, fresh)];
      return {
        gains: gains.size,
        loses: loses.size,
        stay: stay.size,
        byRegion: byRegionOf(
          index.countBy('region', gains),
          index.countBy('region', loses),
          index.countBy('region', stay),
        ),
        items: { tried, before: wanted(before.when), after: wanted(after.when) },
        warnings: warningsOf(index, fresh, fresh),
        asOf: edges.now(),
        tookMs: Math.round((edges.monotonic() - began) * 1000) / 1000,
      };
    },
  };
};

const asksOfItem = (who: Condition): boolean =>
  leavesOf(who).some(
    (leaf) => 'item' in leaf || Object.values(leaf).some((value) => String(value).startsWith('item.')),
  );

/** Whom a rule selects for at least one of the items; a `who` that asks nothing of the item is asked once. */
const reachedBy = (rule: Wording, questions: Question[]): PeopleSet => {
  const wanted = questions.filter((question) => itemHolds(rule.when, question.item));
  const urgent = wanted.some(({ item }) => item.facets.urgency.has('emergency'));
  const asked = asksOfItem(rule.who) || urgent ? wanted : wanted.slice(0, 1);
  if (asked.length === 0) return nobody;
  return union(asked.map(({ index, item, context }) => index.selectRule(rule, item, context)));
};

const bySource = (parts: { source: string; people: PeopleSet }[]): Map<string, number> => {
  const sets = new Map<string, PeopleSet[]>();
  for (const { source, people } of parts) sets.set(source, [...(sets.get(source) ?? []), people]);
  return new Map([...sets].map(([source, people]) => [source, union(people).size]));
};

const byRegionOf = (gains: Map<string, number>, loses: Map<string, number>, stay: Map<string, number>) =>
  [...new Set([...gains.keys(), ...loses.keys(), ...stay.keys()])].sort().map((key) => ({
    key,
    gains: gains.get(key) ?? 0,
    loses: loses.get(key) ?? 0,
    stay: stay.get(key) ?? 0,
  }));

/** `chosen`: those of the selected whom conditions select; that everybody follows something is nobody's slip. */
const warningsOf = (index: AudienceIndex, selected: PeopleSet, chosen: PeopleSet): AudienceWarning[] => {
  if (selected.size === 0) return ['selects-nobody'];
  const everybody = index.everybodyReached();
  return chosen.size > 0 && without(everybody, chosen).size === 0 ? ['selects-everybody'] : [];
};
