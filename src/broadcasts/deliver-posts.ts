import { type Edges, newId } from '../edges.ts';
import type { Log } from '../log.ts';
import type { ItemVersion } from '../publishing/item.ts';
import type { Storage } from '../storage/storage.ts';
import type { AfterPosting, Post } from './post.ts';
import { postText } from './post-text.ts';

/**
 * What a provider made of a post. `repeated`: it stands there already, from an attempt of which we never heard; `account`: nothing can be
 * posted until somebody connects the account anew; `original`: what was to be reposted is gone.
 */
export type PostOutcome =
  | { ok: true; reference: string | null; response: string }
  | {
      ok: false;
      kind: 'permanent' | 'transient' | 'throttled' | 'account' | 'repeated' | 'original';
      detail: string;
      retryAfterMs?: number;
    };

/** Who posts. Neither throws. */
export type Poster = {
  share(text: string, signal: AbortSignal): Promise<PostOutcome>;
  repost(reference: string, text: string, signal: AbortSignal): Promise<PostOutcome>;
};

export type PostTools = {
  poster: Poster;
  edges: Pick<Edges, 'now' | 'random' | 'bytes'>;
  log: Log;
  publicUrl: string;
};

/** Longer than any attempt takes: who held a post for so long has died. */
const leaseMs = 60_000;
const firstPauseMs = 10_000;
const longestPauseMs = 3_600_000;
/** Somebody has to connect the account first; so often it is looked whether they did. */
const accountPauseMs = 5 * 60_000;
/** An earlier version is just being posted. */
const earlierPauseMs = 5_000;
const responseMost = 300;

const pauseAfter = (attempts: number, random: number): number =>
  Math.min(firstPauseMs * 2 ** Math.min(attempts, 20), longestPauseMs) * (0.5 + random / 2);

/** What comes of an attempt; a post that was not looked at has not been tried. */
const afterPosting = (post: Post, outcome: PostOutcome, now: number, random: number): AfterPosting => {
  const attempts = post.attempts + 1;
  const kept = { dueAt: post.dueAt, reference: post.reference };
  if (outcome.ok)
    return {
      ...kept,
      state: 'sent',
      attempts,
      reference: outcome.reference,
      response: outcome.response.slice(0, responseMost),
    };
  const response = outcome.detail.slice(0, responseMost);
  if (outcome.kind === 'repeated') return { ...kept, state: 'sent', attempts, response };
  if (outcome.kind === 'permanent' || outcome.kind === 'original' || now >= post.giveUpAt)
    return { ...kept, state: 'failed', attempts, response };
  const waits = outcome.kind === 'throttled' || outcome.kind === 'account';
  const pause =
    outcome.kind === 'account' ? accountPauseMs : (outcome.retryAfterMs ?? pauseAfter(post.attempts, random));
  const dueAt = Math.min(Math.ceil(now + pause), post.giveUpAt);
  return { ...kept, state: 'pending', attempts: waits ? post.attempts : attempts, dueAt, response };
};

type Stores = Pick<Storage, 'posts' | 'items'>;

/**
 * Posts what is due, one at a time, for the platform counts them; the answered function says how many there were. A post is written with
 * what the item says now. A process that dies with one under way leaves it to the next: the platform refuses the same text twice.
 */
export const makePostSender = ({ posts, items }: Stores, tools: PostTools) => {
  const { poster, edges, log, publicUrl } = tools;

  /** Why there is nothing to post any more, or the version and the post that it is a repost of. */
  const planOf = async (
    post: Post,
    now: number,
  ): Promise<{ over: AfterPosting } | { version: ItemVersion; earlier: Post | null }> => {
    const over = (state: Post['state'], response: string): { over: AfterPosting } => ({
      over: { state, attempts: post.attempts, dueAt: post.dueAt, reference: null, response },
    });
    const [version, head] = [
      await items.version(post.item, post.version),
      (await items.heads([post.item])).get(post.item),
    ];
    if (!version || !head || head.version > post.version) return over('superseded', 'a later version is there');
    if (await posts.isOff(post.item)) return over('off', 'switched off for this item');
    const { expiresAt } = version.content;
    if (expiresAt !== undefined && Date.parse(expiresAt) <= now) return over('off', 'the item has expired');
    await posts.supersede(post.item, post.version, now);
    const before = (await posts.ofItem(post.item)).filter((one) => one.version < post.version);
    if (before.some(({ state }) => state === 'pending')) {
      const wait = { state: 'pending' as const, attempts: post.attempts, dueAt: now + earlierPauseMs, reference: null };
      return { over: { ...wait, response: 'an earlier version is being posted' } };
    }
    const earlier = before.findLast(({ state }) => state === 'sent') ?? null;
    if (!earlier && version.kind === 'withdrawal') return over('off', 'nothing of it was posted');
    return { version, earlier };
  };

  const attempt = async (version: ItemVersion, earlier: Post | null, signal: AbortSignal): Promise<PostOutcome> => {
    const share = () => poster.share(postText(version, publicUrl, false), signal);
    if (earlier?.reference == null) return share();
    const outcome = await poster.repost(earlier.reference, postText(version, publicUrl, true), signal);
    return !outcome.ok && outcome.kind === 'original' ? share() : outcome;
  };

  const send = async (post: Post, token: string, signal: AbortSignal): Promise<void> => {
    const plan = await planOf(post, edges.now());
    if ('over' in plan) return void (await posts.settle(post, token, plan.over));
    const outcome = await attempt(plan.version, plan.earlier, signal);
    const to = afterPosting(post, outcome, edges.now(), edges.random());
    await posts.settle(post, token, to);
    if (to.state !== 'sent') log.warn({ item: post.item, version: post.version, ...to }, 'a post was not taken');
  };

  return async (signal: AbortSignal): Promise<number> => {
    const token = newId(edges);
    const [post] = await posts.claim(token, edges.now(), leaseMs, 1);
    if (!post) return 0;
    await send(post, token, signal);
    return 1;
  };
};
