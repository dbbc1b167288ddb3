import { demandOwn } from '../../access/departments.ts';
import type { Locale } from '../../catalogue/topic.ts';
import type { SharedContent, Slots } from '../../channels/channel.ts';
import type { Courier } from '../../channels/courier.ts';
import type { Config } from '../../config.ts';
import type { Edges } from '../../edges.ts';
import { AppError } from '../../errors.ts';
import type { Keyring } from '../../keyring.ts';
import type { Log } from '../../log.ts';
import type { Actor, Item } from '../../publishing/item.ts';
import type { Storage } from '../../storage/storage.ts';
import { reachOf } from '../../subscriptions/reach.ts';
import {
  answered,
  answerFaults,
  type Opinion,
  type OpinionKind,
  type OpinionOutcome,
  type OpinionState,
} from './opinion.ts';

/** An opinion as staff see it: with its words, and the title of its item. */
export type OpinionView = Opinion & { text: string | null; title: string };

/** A published pair, as everybody sees it: nothing of who wrote. */
type PublishedOpinion = {
  id: string;
  kind: OpinionKind;
  text: string;
  outcome: OpinionOutcome;
  reason: string;
  at: number;
};

export type OpinionService = {
  /**
   * Takes in what a person (by ordinal) wrote about an item, at a moment in ms; the same words again are the same opinion. Throws
   * `not-found` (no such item), `too-many` (ten in a day).
   */
  receive(wrote: { person: number; item: string; kind: OpinionKind; text: string; at: number }): Promise<Opinion>;
  get(id: string): Promise<OpinionView | null>;
  list(
    filter: { state: OpinionState | null; item: string | null },
    page: { cursor: string | null; limit: number },
  ): Promise<{ rows: OpinionView[]; next: string | null }>;
  /** What one person (by ordinal) wrote, newest first. */
  ofWriter(ordinal: number, limit: number): Promise<OpinionView[]>;
  /** Answers, once, and tells the writer. Throws `not-found`, `no-scope`, `wrong-state`, `invalid` (a reason is always due), `conflict`. */
  answer(id: string, answer: { outcome: OpinionOutcome; reason: string }, actor: Actor): Promise<OpinionView>;
  /**
   * Shows the pair on the item's page in `text`'s words (as they were written where left out), or with null no longer. Throws
   * `not-found`, `no-scope` (another department's item), `wrong-state` (no answer yet, an item that is not public, words that are forgotten), `conflict`.
   */
  publish(id: string, shown: { text?: string } | null, actor: Actor): Promise<OpinionView>;
  publishedOf(item: string): Promise<PublishedOpinion[]>;
  /** Posts the letters that a process left which died after an answer; answers how many. */
  settleOwed(): Promise<number>;
};

export type OpinionStores = Pick<Storage, 'opinions' | 'items' | 'subscriptions' | 'addresses'>;
export type OpinionTools = {
  keyring: Keyring;
  edges: Pick<Edges, 'now'>;
  courier: Courier;
  log: Pick<Log, 'error'>;
  templates: {
    opinionAnswer(input: { locale: Locale; link: string; title: string; outcome: OpinionOutcome; reason: string }): {
      content: SharedContent;
      slots: Partial<Slots>;
    };
  };
  config: Pick<Config, 'publicUrl'>;
};

const dayMs = 86_400_000;
const mostInADay = 10;
const letterMs = 7 * dayMs;
/** A change that is older and still owes was left by a process that died. */
const owedMs = 60_000;
const owedAtOnce = 50;
const shownOfItem = 50;

/** What the seal of an opinion is bound to. */
export const opinionContext = (id: string): string => `opinion:${id}`;

const titleIn = ({ content }: Item, locale: string): string => content.translations?.[locale]?.title ?? content.title;

const isPublic = ({ state, content }: Item): boolean =>
  content.visibility === 'public' && (state === 'published' || state === 'withdrawn');

/** Questions and opinions about items: taken in, answered (adopted, or why not), told, and published where staff choose to. */
export const makeOpinionService = (stores: OpinionStores, tools: OpinionTools): OpinionService => {
  const { opinions } = stores;
  const { keyring, edges, courier, log, templates, config } = tools;

  const known = async (id: string): Promise<Opinion> => {
    const opinion = await opinions.get(id);
    if (!opinion) throw new AppError('not-found', 'There is no such opinion.');
    return opinion;
  };

  /** An opinion is answered by the department whose item it is about. */
  const own = async (id: string, actor: Actor): Promise<Opinion> => {
    const opinion = await known(id);
    demandOwn(actor, (await stores.items.get({ id: opinion.item }))?.content.departments ?? []);
    return opinion;
  };

  const textOf = ({ id, written }: Opinion): string | null =>
    written === null ? null : keyring.open(written, opinionContext(id));

  const view = async (opinion: Opinion): Promise<OpinionView> => {
    const item = await stores.items.get({ id: opinion.item });
    return { ...opinion, text: textOf(opinion), title: item?.content.title ?? '' };
  };

  const change = async (next: Opinion): Promise<Opinion> => {
    if (!(await opinions.replace(next)))
      throw new AppError('conflict', 'Somebody else has just changed this; look again.');
    return { ...next, beat: next.beat + 1 };
  };

  const tellWriter = async ({ id, item: about, writer, answer }: Opinion): Promise<void> => {
    const reach = writer === null ? null : await reachOf(stores, keyring, writer);
    const item = await stores.items.get({ id: about });
    if (reach && item && answer) {
      const link = isPublic(item) ? `${config.publicUrl}/items/${about}` : `${config.publicUrl}/manage`;
      const { outcome, reason } = answer;
      const title = titleIn(item, reach.locale);
      const { content, slots } = templates.opinionAnswer({ locale: reach.locale, link, title, outcome, reason });
      await courier.post(reach.contact, content, slots, edges.now() + letterMs);
    }
    await opinions.paid(id);
  };

  return {
    receive: async ({ person, item, kind, text, at }) => {
      if (!(await stores.items.get({ id: item }))) throw new AppError('not-found', 'There is no such item.');
      const id = keyring.mac('opinion', `${person}:${item}:${kind}:${text}`, 16).toString('base64url');
      const before = await opinions.get(id);
      if (before) return before;
      if ((await opinions.countOf(person, at - dayMs)) >= mostInADay)
        throw new AppError('too-many', 'So many messages to the office are enough for a day.', {
          retryAfterSeconds: dayMs / 1000,
        });
      const opinion: Opinion = {
        ...{ id, beat: 1, state: 'open', kind, item, writer: person, at },
        written: keyring.seal(text, opinionContext(id)),
        ...{ answer: null, published: null, owes: null },
      };
      await opinions.insert(opinion);
      return opinion;
    },
    get: async (id) => {
      const opinion = await opinions.get(id);
      return opinion && view(opinion);
    },
    list: async (filter, page) => {
      const { rows, next } = await opinions.list(filter, page);
      return { rows: await Promise.all(rows.map(view)), next };
    },
    ofWriter: async (ordinal, limit) => Promise.all((await opinions.ofWriter(ordinal, limit)).map(view)),
    answer: async (id, { outcome, reason }, actor) => {
      const opinion = await own(id, actor);
      const faults = answerFaults(opinion.kind, { outcome, reason });
      if (faults.length > 0) throw new AppError('invalid', 'The answer does not fit.', { faults });
      if (opinion.state !== 'open') throw new AppError('wrong-state', 'This has been answered.');
      const next = await change(answered(opinion, { outcome, reason, at: edges.now(), by: actor.staff }));
      if (next.owes) await tellWriter(next);
      return view(await known(id));
    },
    publish: async (id, shown, actor) => {
      const opinion = await own(id, actor);
      if (shown === null) return view(await change({ ...opinion, published: null }));
      if (!opinion.answer) throw new AppError('wrong-state', 'Only what has been answered can be published.');
      const item = await stores.items.get({ id: opinion.item });
      if (!item || !isPublic(item)) throw new AppError('wrong-state', 'The item is not public.');
      const text = shown.text ?? textOf(opinion);
      if (text === null)
        throw new AppError('wrong-state', 'Whoever wrote this was forgotten, and so were their words.');
      const at = opinion.published?.at ?? edges.now();
      return view(await change({ ...opinion, published: { text, at } }));
    },
    publishedOf: async (item) =>
      (await opinions.publishedOf(item, shownOfItem)).flatMap(({ id, kind, published, answer }) =>
        published && answer
          ? [{ id, kind, text: published.text, outcome: answer.outcome, reason: answer.reason, at: answer.at }]
          : [],
      ),
    settleOwed: async () => {
      const owing = await opinions.owing(owedAtOnce);
      const left = owing.filter(({ answer }) => (answer?.at ?? 0) < edges.now() - owedMs);
      let told = 0;
      for (const opinion of left) {
        try {
          await tellWriter(opinion);
          told += 1;
        } catch (error) {
          log.error({ error, opinion: opinion.id }, 'the writer of an opinion could not be told');
        }
      }
      return told;
    },
  };
};
