import { demandOwn } from '../access/departments.ts';
import { demandWriter } from '../access/rights.ts';
import type { AccountHealth, AccountStore } from '../accounts/account-store.ts';
import type { Edges } from '../edges.ts';
import { AppError } from '../errors.ts';
import type { Actor, ItemVersion } from '../publishing/item.ts';
import type { Storage } from '../storage/storage.ts';
import type { Post } from './post.ts';
import { postMost, postText, weiboLength } from './post-text.ts';

/** What an account says of itself when it is asked. Times in ms. */
export type AccountCheck = { ok: true; endsAt: number; left: number; of: number } | { ok: false; fault: string };

/** The provider's side of an account (channels/weibo/weibo-client.ts). */
export type AccountApi = {
  connectUrl(back: string, state: string): string;
  /** Exchanges a code and keeps the key; answers why not, or null. */
  connect(code: string, back: string): Promise<string | null>;
  check(): Promise<AccountCheck>;
};

/** What would be, or was, posted of an item; `length` as the platform counts, of `most`. */
export type PostPreview = { text: string; length: number; most: number; on: boolean; posts: Post[] };

export type BroadcastService = AccountApi & {
  /** Hands a version over to be posted; repeating it changes nothing. */
  tell(version: ItemVersion): Promise<void>;
  /** Throws `not-found`; also before an item is public. */
  preview(item: string): Promise<PostPreview>;
  /** Switches posts of an item off or on. Throws `not-found`, `no-scope` (another department's item). */
  switchItem(item: string, on: boolean, actor: Actor): Promise<void>;
  list(page: {
    cursor: string | null;
    limit: number;
  }): Promise<{ rows: (Post & { title: string })[]; next: string | null }>;
  /** Posts again what failed or was off. Throws `not-found`, `no-scope`, `wrong-state`. */
  again(item: string, version: number, actor: Actor): Promise<void>;
  /** Whether the account is connected, until when, and how it fares. */
  account(): Promise<{ connectedUntil: number | null } & AccountHealth>;
  disconnect(): Promise<void>;
};

export type BroadcastTools = { edges: Pick<Edges, 'now'>; publicUrl: string; api: AccountApi; wake: () => void };

/** What could not be posted for so long is no news any more. */
const triedForMs = 7 * 86_400_000;

/** The office's public account: a post for each public version of an item. */
export const makeBroadcastService = (
  stores: Pick<Storage, 'posts' | 'items'> & { accounts: AccountStore },
  tools: BroadcastTools,
): BroadcastService => {
  const { posts, items, accounts } = stores;
  const { edges, publicUrl, api, wake } = tools;

  const itemOf = async (id: string) => {
    const item = await items.get({ id });
    if (!item) throw new AppError('not-found', `There is no item ${id}.`);
    return item;
  };

  const demandItem = async (id: string, actor: Actor): Promise<void> => {
    demandWriter(actor);
    demandOwn(actor, (await itemOf(id)).content.departments ?? []);
  };

  return {
    ...api,
    tell: async (version) => {
      if (version.content.visibility !== 'public') return;
      const now = edges.now();
      const earlier = version.kind === 'withdrawal' ? await posts.ofItem(version.item) : [];
      if (version.kind === 'withdrawal' && earlier.length === 0) return;
      const isOff = await posts.isOff(version.item);
      const { item, version: no, kind } = version;
      const first = { attempts: 0, dueAt: now, giveUpAt: now + triedForMs, reference: null, doubtSince: null };
      await posts.enqueue({
        item,
        version: no,
        kind,
        state: isOff ? 'off' : 'pending',
        ...first,
        response: null,
        at: now,
      });
      wake();
    },
    preview: async (id) => {
      const item = await itemOf(id);
      const version = item.version > 0 ? await items.version(id, item.version) : null;
      const blank = { item: id, kind: 'publication' as const, content: item.content, note: null };
      const all = await posts.ofItem(id);
      const earlier = all.some((post) => post.version < item.version && post.state === 'sent');
      const text = postText(version ?? blank, publicUrl, earlier);
      return { text, length: weiboLength(text), most: postMost, on: !(await posts.isOff(id)), posts: all };
    },
    switchItem: async (id, on, actor) => {
      await demandItem(id, actor);
      await posts.switchItem(id, on);
    },
    list: async (page) => {
      const { rows, next } = await posts.page(page);
      const titled = await Promise.all(
        rows.map(async (post) => ({
          ...post,
          title: (await items.version(post.item, post.version))?.content.title ?? '',
        })),
      );
      return { rows: titled, next };
    },
    again: async (item, version, actor) => {
      await demandItem(item, actor);
      const now = edges.now();
      if (!(await posts.again({ item, version }, now, now + triedForMs)))
        throw new AppError('wrong-state', 'Only what failed or was off can be posted again.');
      wake();
    },
    account: async () => {
      const [token, health] = [await accounts.token('weibo'), await accounts.health('weibo')];
      return { connectedUntil: token?.expiresAt ?? null, ...health };
    },
    disconnect: () => accounts.disconnect('weibo'),
  };
};
