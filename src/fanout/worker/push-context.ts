import type { CatalogueService, Trees } from '../../catalogue/catalogue-service.ts';
import type { Bilingual, Locale, Topic } from '../../catalogue/topic.ts';
import type { SharedContent } from '../../channels/channel.ts';
import { makeLru } from '../../lru.ts';
import type { ItemVersion } from '../../publishing/item.ts';
import type { PublishedArms } from '../../rules/arms.ts';
import { type RuleVersion, ruleOfSource, ruleSource } from '../../rules/rule.ts';
import { needsNoConsent } from '../../rules/selection.ts';
import type { Storage } from '../../storage/storage.ts';
import type { ChannelName } from '../../subscriptions/follow.ts';
import { factsOfItem } from '../../subscriptions/matching.ts';
import { type Text, textIn } from '../../text.ts';
import type { Push } from '../push.ts';
import type { PushSource } from '../push-store.ts';
import { reasonLine, toldSource } from '../reasons.ts';

/** The words of a message: a first publication, a correction to somebody told before, a withdrawal. */
export type Wording = 'publication' | 'correction' | 'withdrawal';

/** Renders what all recipients of a version, language and wording share (message-templates.ts). */
type RenderNotification = (input: {
  item: string;
  version: ItemVersion;
  wording: Wording;
  locale: Locale;
  topic: Topic | null;
  tracked: boolean;
  survey: boolean;
  answers: string | null;
}) => SharedContent;

/**
 * Forms of one message: with links that are counted; with the question how satisfied its reader is; as the answer to the
 * application of a number.
 */
type MessageForm = { tracked: boolean; survey: boolean; answers: string | null };

/**
 * A source that only suggests: a rule's version (null: the condition of a publisher's own push), whether consent is needed, and
 * the arms of the day that it is tuned by (null: it is not).
 */
export type Suggestion = { rule: RuleVersion | null; needsConsent: boolean; arms: PublishedArms | null };

/**
 * All that is the same for every person of a push at one revision: its frozen sources, the version's content, whom an
 * earlier version reached and how, rendered messages by language, reason lines by the sources they name.
 */
export type PushContext = {
  push: Push;
  version: ItemVersion;
  sources: PushSource[];
  toldSource: number;
  /** The item's first topic. */
  topic: Topic | null;
  /** Sources that suggest, by their index. */
  suggestions: ReadonlyMap<number, Suggestion>;
  told: ReadonlyMap<number, ChannelName>;
  /** Numbers of the applications that the item answers, by who applied. */
  answers: ReadonlyMap<number, string>;
  shared(locale: Locale, wasTold: boolean, form: MessageForm): SharedContent;
  reasonLine(locale: Locale, sources: number[]): string;
};

export type ContextStores = Pick<Storage, 'pushes' | 'items' | 'ledger' | 'rules' | 'tuning' | 'applications'>;
export type ContextTools = { catalogue: CatalogueService; render: RenderNotification };

const keptContexts = 8;

/** How all rows of a push are settled that is cancelled or of an old version, or null. */
export const endOfPush = async (
  stores: Pick<Storage, 'items'>,
  push: Push,
): Promise<{ kind: 'cancel' } | { kind: 'withhold'; code: 'superseded' } | null> => {
  if (push.state === 'cancelled') return { kind: 'cancel' };
  const head = (await stores.items.heads([push.item])).get(push.item);
  return head && head.version > push.version ? { kind: 'withhold', code: 'superseded' } : null;
};

/** Loads contexts and keeps the last few, by push and revision. */
export const makePushContexts = (stores: ContextStores, tools: ContextTools) => {
  const kept = makeLru<Promise<PushContext>>(keptContexts);

  /** The arms that the plan's tuned sources name, by the place of the source. */
  const armsOf = async (sources: PushSource[]): Promise<Map<number, PublishedArms>> => {
    const found = new Map<number, PublishedArms>();
    for (const [index, { source, arms }] of sources.entries()) {
      const rule = arms && ruleOfSource(source);
      const [published] = rule ? await stores.tuning.armsOf([rule], arms.day, arms.day) : [];
      if (published) found.set(index, published);
    }
    return found;
  };

  const suggestionsOf = async (
    push: Push,
    version: ItemVersion,
    sources: PushSource[],
    trees: Trees,
  ): Promise<Map<number, Suggestion>> => {
    const item = factsOfItem(push.item, version.content, trees);
    if (push.audience.kind === 'condition') {
      // one source, and one more for each time that people joined late
      const suggestion = { rule: null, needsConsent: !needsNoConsent(push.audience.who, item), arms: null };
      return new Map(sources.map((_, index) => [index, suggestion]));
    }
    const named = sources.map(({ source }) => ruleOfSource(source));
    const versions = await stores.rules.versions(named.flatMap((one) => one ?? []));
    const arms = await armsOf(sources);
    return new Map(
      named.flatMap((one, index): [number, Suggestion][] => {
        const rule = versions.find((known) => known.rule === one?.rule && known.version === one.version);
        const suggestion = (of: RuleVersion): Suggestion => ({
          rule: of,
          needsConsent: !needsNoConsent(of.content.who, item),
          arms: arms.get(index) ?? null,
        });
        return rule ? [[index, suggestion(rule)]] : [];
      }),
    );
  };

  const load = async (push: Push, version: ItemVersion): Promise<PushContext> => {
    const sources = await stores.pushes.sources(push.id);
    const told = version.version > 1 ? await stores.ledger.toldOf(push.item, version.version - 1) : [];
    const trees = await tools.catalogue.trees();
    const suggestions = await suggestionsOf(push, version, sources, trees);
    const explanations = explanationsOf(suggestions);
    const bySlug = new Map(trees.topics.map((topic) => [topic.slug, topic]));
    const topic = bySlug.get(version.content.topics[0] ?? '') ?? null;
    const rendered = new Map<string, SharedContent>();
    const lines = new Map<string, string>();
    const texts = new Map<Locale, Text>();
    return {
      push,
      version,
      sources,
      topic,
      toldSource: sources.findIndex((source) => source.source === toldSource(push.item)),
      suggestions,
      told: new Map(told.map((one) => [one.ordinal, one.channel])),
      answers: await answersOf(stores, version),
      shared: (locale, wasTold, form) => {
        const wording = wordingOf(version, wasTold);
        const key = `${locale} ${wording} ${form.tracked} ${form.survey} ${form.answers}`;
        const content =
          rendered.get(key) ?? tools.render({ item: push.item, version, wording, locale, topic, ...form });
        rendered.set(key, content);
        return content;
      },
      reasonLine: (locale, indexes) => {
        const key = `${locale} ${indexes.join()}`;
        const text = texts.get(locale) ?? textIn(locale);
        texts.set(locale, text);
        const labels = indexes.map((index) => sources[index]?.source ?? '');
        const line = lines.get(key) ?? reasonLine(labels, { text, locale, topics: bySlug, explanations });
        lines.set(key, line);
        return line;
      },
    };
  };

  return {
    /**
     * The context of a push at its version's present revision; null when there is no such push or version. `fresh` reads
     * anew whom an earlier version reached: it grows while that version's last messages settle.
     */
    of: async (pushId: string, options: { fresh?: boolean } = {}): Promise<PushContext | null> => {
      const push = await stores.pushes.get(pushId);
      const version = push && (await stores.items.version(push.item, push.version));
      if (!push || !version) return null;
      const key = `${push.id} ${push.plan} ${version.revision}`;
      const known = (options.fresh ? undefined : kept.get(key)) ?? load(push, version);
      kept.set(key, known);
      known.catch(() => kept.delete(key));
      return { ...(await known), push };
    },
  };
};

/** Only what is targeted answers anybody; corrections of it go to the applicant as such, too. */
const answersOf = async (
  stores: Pick<Storage, 'applications'>,
  { item, content }: ItemVersion,
): Promise<Map<number, string>> => {
  if (content.visibility !== 'targeted') return new Map();
  const answered = await stores.applications.answeredBy(item);
  return new Map(
    answered.flatMap(({ applicant, number }): [number, string][] => (applicant === null ? [] : [[applicant, number]])),
  );
};

export type PushContexts = ReturnType<typeof makePushContexts>;

const explanationsOf = (suggestions: ReadonlyMap<number, Suggestion>): Map<string, Bilingual> =>
  new Map(
    [...suggestions.values()].flatMap(({ rule }): [string, Bilingual][] =>
      rule ? [[ruleSource(rule.rule, rule.version), rule.content.explanation]] : [],
    ),
  );

/** In which words a version is told to somebody who was told an earlier one, or was not. */
export const wordingOf = (version: ItemVersion, wasTold: boolean): Wording => {
  if (version.kind === 'withdrawal') return 'withdrawal';
  return version.kind === 'correction' && wasTold ? 'correction' : 'publication';
};
