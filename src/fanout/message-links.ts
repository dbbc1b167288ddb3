import type { Edges } from '../edges.ts';
import { AppError } from '../errors.ts';
import type { Signer } from '../keyring.ts';
import { ruleOfSource } from '../rules/rule.ts';
import { type LinkPurpose, readLink } from '../signed-link.ts';
import type { Storage } from '../storage/storage.ts';
import { presentPerson } from '../subscriptions/people.ts';
import { paceOfDigest } from './digest/digest-id.ts';
import type { FanoutService } from './fanout-service.ts';
import type { Message } from './ledger-store.ts';
import type { PushSource } from './push-store.ts';
import { explanationsOf } from './push-views.ts';

export type LinkStores = Pick<Storage, 'items' | 'ledger' | 'pushes' | 'subscriptions' | 'rules'>;
export type LinkTools = { keyring: Signer; edges: Pick<Edges, 'now'> };

/** The links that stand in a message: each token names the message, the message its push, the push its item and reasons. */
export const makeMessageLinks = (
  stores: LinkStores,
  { keyring, edges }: LinkTools,
): Pick<FanoutService, 'openTargeted' | 'unsubscribeView' | 'unsubscribe' | 'shown'> => {
  const messageOf = async (purpose: LinkPurpose, token: string): Promise<Message | null> => {
    const link = readLink(keyring, purpose, token, edges.now());
    return link.ok ? stores.ledger.message(link.subject) : null;
  };

  /**
   * The sources that a message was sent for. Its row may have moved to another channel since, or have lost its reasons; the
   * link must work for ever, so that then the person's other rows of the push speak for it.
   */
  const sourcesOf = async ({ id, kind, push, ordinal, channel, kept = [] }: Message): Promise<PushSource[]> => {
    if (kind === 'digest') return sourcesAmong([...kept, ...(await stores.ledger.rowsOfDigest(id))]);
    if (kept.length > 0) return sourcesAmong(kept);
    if (push === null) return [];
    const rows = await stores.ledger.deliveriesOf(push, [ordinal]);
    const own = rows.find((row) => row.channel === channel)?.reasons ?? [];
    const reasons = own.length > 0 ? own : [...new Set(rows.flatMap((row) => row.reasons))];
    const sources = await stores.pushes.sources(push);
    return reasons.flatMap((index) => sources[index] ?? []);
  };

  /** Each thing once that any of these rows was for. */
  const sourcesAmong = async (rows: { push: string; reasons: number[] }[]): Promise<PushSource[]> => {
    const found = new Map<string, PushSource>();
    for (const row of rows) {
      const sources = await stores.pushes.sources(row.push);
      for (const source of row.reasons.flatMap((index) => sources[index] ?? []))
        found.set(`${source.source} ${source.follow}`, source);
    }
    return [...found.values()];
  };

  /**
   * What else goes into the same digest: whoever stops it wants none tomorrow of what was silent today. Things the person
   * follows at its pace, and over its channel or the default ones.
   */
  const followsOfDigest = async (message: Message, ordinal: number): Promise<PushSource[]> => {
    const pace = paceOfDigest(message);
    if (pace === null) return [];
    const own = await stores.subscriptions.subscriptionsOf(ordinal);
    return own
      .filter((one) => one.stoppedAt === null && one.pace === pace)
      .filter((one) => one.channels === null || one.channels.includes(message.channel))
      .map(({ definition: { source, key } }) => ({ source, follow: key, facts: [], ordinals: new Uint8Array() }));
  };

  const behind = async (token: string) => {
    const message = await messageOf('unsubscribe', token);
    if (!message || (message.kind !== 'digest' && message.push === null))
      throw new AppError('bad-link', 'This link is not one of ours.');
    const person = await presentPerson(stores.subscriptions, { ordinal: message.ordinal });
    const named = await sourcesOf(message);
    const more = person ? await followsOfDigest(message, person.ordinal) : [];
    const sources = [...named, ...more.filter((one) => !named.some(({ follow }) => follow === one.follow))];
    const rules = sources.flatMap(({ source }) => ruleOfSource(source)?.rule ?? []);
    return { message, person, sources, rules, follows: sources.flatMap((one) => one.follow ?? []) };
  };

  return {
    openTargeted: async (id, token) => {
      const message = await messageOf('item', token);
      // what is targeted is named to people or decided for them, which is for now: no digest holds it
      const push = message?.push ? await stores.pushes.get(message.push) : null;
      const item = push?.item === id ? await stores.items.get({ id }) : null;
      if (!item || (item.state !== 'published' && item.state !== 'withdrawn')) return null;
      const { visibility: _visibility, ...content } = item.content;
      const { externalId, state, version, revision, changeNote, publishedAt, updatedAt } = item;
      return { id, externalId, state, version, revision, content, changeNote, publishedAt, updatedAt };
    },
    unsubscribeView: async (token) => {
      const { message, person, sources, follows } = await behind(token);
      const held = person ? await stores.subscriptions.holding(follows, [person.ordinal]) : [];
      const optOuts = person ? await stores.subscriptions.optOuts([person.ordinal]) : [];
      const follow = new Set(held.map((subscription) => subscription.follow));
      const stopped = new Set(optOuts.map(({ rule }) => rule));
      const explanations = await explanationsOf(stores.rules, sources);
      const isLive = ({ source, follow: key }: PushSource): boolean => {
        if (key !== null) return follow.has(key);
        const rule = ruleOfSource(source);
        return rule !== null && person !== null && !stopped.has(rule.rule);
      };
      return {
        subscriber: person?.id ?? '',
        message: message.id,
        locale: person?.locale ?? 'en',
        sources: sources.map((one) => ({
          source: one.source,
          follow: one.follow,
          explanation: explanations.get(one.source) ?? null,
          live: isLive(one),
        })),
      };
    },
    unsubscribe: async (token, everything) => {
      const { person, follows, rules } = await behind(token);
      if (!person) return 0;
      const opted = await stores.subscriptions.optOut(person.ordinal, rules, edges.now());
      return opted + (await stores.subscriptions.stop(person.ordinal, everything ? 'all' : { follows }, edges.now()));
    },
    shown: async (token) => {
      const message = await messageOf('report', token);
      if (!message) return;
      const attempt = { at: edges.now(), provider: 'service-worker', ok: true, response: 'shown', reference: null };
      await stores.ledger.receipt(message.id, 'delivered', attempt);
    },
  };
};
