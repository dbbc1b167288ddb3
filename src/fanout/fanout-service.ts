import type { PublicItem } from '../catalogue/item-reader.ts';
import type { Bilingual } from '../catalogue/topic.ts';
import type { Actor, Item, ItemContent } from '../publishing/item.ts';
import type { Published } from '../publishing/publishing-service.ts';
import type { ChannelName } from '../subscriptions/follow.ts';
import type { Counts, Push, PushAudience } from './push.ts';

/** `estimatedEnd`: when nobody will be planned or sending any more, in ms; null where that cannot be said. */
export type PushView = Push & { counts: Counts; estimatedEnd: number | null };

/** A ledger row as people read it: its public id (its message's, or a derived one), codes as codes; text is the reader's. */
export type DeliveryView = {
  id: string;
  subscriber: string;
  channel: ChannelName | null;
  state: string;
  code: string | null;
  /** `explanation`: what the publisher of a rule says of it; null for what is no rule. */
  reasons: { source: string; explanation: Bilingual | null; facts: Record<string, string> }[];
  attempts: number;
  at: number;
  dueAt: number | null;
  provider: string | null;
};

/** A row of one person with what it was about, for My notifications. */
export type NotificationView = DeliveryView & {
  item: { id: string; title: string; targeted: boolean };
  /** The pace of the digest that it was part of, if it was. */
  digest: 'daily' | 'weekly' | null;
};

export type FanoutService = {
  /** Makes the item public, writes the push, wakes the workers. Publishing again answers with the same push. */
  publish(item: string, actor: Actor): Promise<{ published: Published; push: Push }>;
  approve(item: string, as: string | null, actor: Actor): Promise<{ published: Published; push: Push | null }>;
  correct(
    item: string,
    change: { change: 'major' | 'minor'; note: string; fields: Partial<ItemContent> },
    actor: Actor,
  ): Promise<{ published: Published; push: Push | null }>;
  /** `notify: false` only if nobody was told, nothing is in flight and nobody named is still owed word of it (else `wrong-state`). */
  withdraw(
    item: string,
    note: string,
    notify: boolean,
    actor: Actor,
  ): Promise<{ published: Published; push: Push | null }>;
  /** Notifies what an import published. */
  announce(published: Published[]): Promise<Push[]>;
  /**
   * A targeted push of a public or targeted item's present version. `id` is the caller's where a form may be sent twice: asking again
   * answers the same push. Throws `no-scope`, `wrong-state`, `invalid` (unknown people).
   */
  push(
    request: { id?: string; item: string; audience: PushAudience; channels: ChannelName[] | null; note: string },
    actor: Actor,
  ): Promise<Push>;
  /** Throws what `push` would: `not-found`, `no-scope`, `wrong-state`, `invalid`. */
  checkPush(item: string, audience: PushAudience, actor: Actor): Promise<Item>;
  /**
   * A published item's push to one person, by ordinal, who may be a contact. `id` is the caller's: asking again answers the same
   * push. Throws `not-found`, `wrong-state`.
   */
  answer(request: { id: string; item: string; ordinal: number; note: string }): Promise<Push>;
  get(id: string): Promise<PushView | null>;
  list(page: { cursor: string | null; limit: number }): Promise<{ rows: PushView[]; next: string | null }>;
  /**
   * These throw `not-found`, `no-scope` (the item is another department's), and `wrong-state` where the push is not on the way
   * there (push.ts). A push that is done can be paused or cancelled while people are deferred or digested under it, as last counted.
   */
  pause(id: string, actor: Actor): Promise<PushView>;
  resume(id: string, actor: Actor): Promise<PushView>;
  cancel(id: string, actor: Actor): Promise<PushView>;
  deliveries(
    push: string,
    state: string | null,
    page: { cursor: string | null; limit: number },
  ): Promise<{ rows: DeliveryView[]; next: string | null }>;
  notificationsOf(subscriber: string, limit: number): Promise<NotificationView[]>;
  /**
   * Makes failed rows due again: those of a push, or messages by id; answers how many. Throws `not-found`, `no-scope` (the push is
   * another department's; messages that no push is named of are the whole office's).
   */
  redrive(which: { push?: string; messages?: string[] }, actor: Actor): Promise<number>;
  /** Writes the pushes of versions that became public without being announced, because a process died between; answers how many. */
  announceLost(): Promise<number>;
  /**
   * A targeted item as it stands now (a withdrawn one says so), through the signed link in a message about it, which never
   * expires; null when the link is not for it.
   */
  openTargeted(item: string, token: string): Promise<PublicItem | null>;
  /** What an unsubscribe token stands for; throws `bad-link`. Never expires. */
  unsubscribeView(token: string): Promise<{
    subscriber: string;
    message: string;
    locale: string;
    sources: { source: string; follow: string | null; explanation: Bilingual | null; live: boolean }[];
  }>;
  /**
   * RFC 8058: stops every subscription and rule among the message's reasons, and with a digest whatever else the person follows
   * by it; `everything` stops all. Answers how many were live.
   */
  unsubscribe(token: string, everything: boolean): Promise<number>;
  /**
   * A provider's receipt for an SMS or a message in WeChat by its reference, or by our own id of the message, which is known before the outcome that
   * names the reference is recorded; unknown ones are ignored. `to` null: only the attempt is kept. Answers whether it was taken.
   */
  receipt(
    of: { provider: string; reference: string; message: string | null },
    to: 'delivered' | 'bounced' | null,
    response: string,
  ): Promise<boolean>;
  /** The service worker's report that a push was shown. Unknown tokens are ignored. */
  shown(token: string): Promise<void>;
};
