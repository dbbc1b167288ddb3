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

/** The provider's ids of posts that say what was asked for, oldest first; `whole`: there can be no others. */
export type PostsFound = { ok: true; ids: string[]; whole: boolean } | Extract<PostOutcome, { ok: false }>;

/** Who posts. None throws. */
export type Poster = {
  share(text: string, signal: AbortSignal): Promise<PostOutcome>;
  repost(reference: string, text: string, signal: AbortSignal): Promise<PostOutcome>;
  /** Looks for posts on the account that say one of the texts, made since `since` (ms). */
  find(texts: readonly string[], since: number, signal: AbortSignal): Promise<PostsFound>;
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
/** What is in doubt for longer holds up no later version. */
const doubtMostMs = 600_000;
/** By then the account shows what it took. */
const doubtPauseMs = 60_000;
const responseMost = 300;

const pauseAfter = (attempts: number, random: number): number =>
  Math.min(firstPauseMs * 2 ** Math.min(attempts, 20), longestPauseMs) * (0.5 + random / 2);

/** What somebody must know before they post it again. */
const lookFirst = 'it may stand there already, so look before you post it again';

/** What an attempt came to; `doubtSince`: since when the provider may hold the post for all that is known (ms). */
type Attempt = { outcome: PostOutcome; doubtSince: number | null };

/** What comes of an attempt; a post that was not looked at has not been tried. */
const afterPosting = (post: Post, { outcome, doubtSince }: Attempt, now: number, random: number): AfterPosting => {
  const attempts = post.attempts + 1;
  const kept = { dueAt: post.dueAt, reference: post.reference, doubtSince };
  if (outcome.ok)
    return {
      ...kept,
      state: 'sent',
      attempts,
      reference: outcome.reference,
      response: outcome.response.slice(0, responseMost),
    };
  const said = outcome.detail.slice(0, responseMost);
  if (outcome.kind === 'repeated') return { ...kept, state: 'sent', attempts, response: said };
  if (outcome.kind === 'permanent' || outcome.kind === 'original' || now >= post.giveUpAt) {
    const response = doubtSince === null ? said : `${said}; ${lookFirst}`;
    return { ...kept, state: 'failed', attempts, response };
  }
  const waits = outcome.kind === 'throttled' || outcome.kind === 'account';
  const pause =
    outcome.kind === 'account' ? accountPauseMs : (outcome.retryAfterMs ?? pauseAfter(post.attempts, random));
  const dueAt = Math.min(Math.ceil(now + Math.max(pause, doubtSince === null ? 0 : doubtPauseMs)), post.giveUpAt);
  return { ...kept, state: 'pending', attempts: waits ? post.attempts : attempts, dueAt, response: said };
};

type Stores = Pick<Storage, 'posts' | 'items'>;

/** What is to be posted, and the post that it is a repost of. */
type Plan = { version: ItemVersion; earlier: Post | null };

/**
 * Posts what is due, one at a time, for the platform counts them; the answered function says how many there were. A post is written with
 * what the item says now. Whoever finds a post of which it is not known whether an earlier attempt was taken looks for it on the account
 * first; where that cannot be found out it waits, or fails, and is never posted on the off chance.
 */
export const makePostSender = ({ posts, items }: Stores, tools: PostTools) => {
  const { poster, edges, log, publicUrl } = tools;

  /** Why there is nothing to post any more, or the version and the post that it is a repost of. */
  const planOf = async (post: Post, now: number): Promise<{ over: AfterPosting } | Plan> => {
    const over = (state: Post['state'], response: string): { over: AfterPosting } => ({
      over: { ...post, state, reference: null, doubtSince: null, response },
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
    const inDoubt = before.filter(({ state, doubtSince }) => state !== 'sent' && doubtSince !== null);
    const stale = inDoubt.filter(({ doubtSince }) => now - (doubtSince ?? now) >= doubtMostMs);
    if (before.some((one) => one.state === 'pending' && !stale.includes(one)))
      return { over: { ...post, dueAt: now + earlierPauseMs, response: 'an earlier version is being posted' } };
    const earlier = before.findLast(({ state }) => state === 'sent') ?? null;
    if (!earlier && inDoubt.length === 0 && version.kind === 'withdrawal')
      return over('off', 'nothing of it was posted');
    return { version, earlier };
  };

  const attempt = async (version: ItemVersion, earlier: Post | null, signal: AbortSignal): Promise<PostOutcome> => {
    const share = () => poster.share(postText(version, publicUrl, false), signal);
    if (earlier?.reference == null) return share();
    const outcome = await poster.repost(earlier.reference, postText(version, publicUrl, true), signal);
    return !outcome.ok && outcome.kind === 'original' ? share() : outcome;
  };

  /** The post on the account that an earlier attempt may have made; `whole`: there is none. */
  const lookFor = async (version: ItemVersion, since: number, signal: AbortSignal) => {
    const texts = [postText(version, publicUrl, false), postText(version, publicUrl, true)];
    const found = await poster.find(texts, since, signal);
    if (!found.ok) return found;
    // another post may say the same
    const others = await posts.known(found.ids);
    return { ...found, id: found.ids.find((id) => !others.has(id)) };
  };

  /** Why there is no new attempt, where an earlier one may have been taken; null: none was. Also of what has been overtaken since. */
  const settledBefore = async (post: Post, signal: AbortSignal): Promise<Attempt | null> => {
    const { doubtSince: since } = post;
    const version = since === null ? null : await items.version(post.item, post.version);
    if (since === null || !version) return null;
    const found = await lookFor(version, since, signal);
    if (!found.ok) return { outcome: found, doubtSince: since };
    if (found.id !== undefined)
      return { outcome: { ok: true, reference: found.id, response: 'posted by an earlier attempt' }, doubtSince: null };
    if (found.whole) return null;
    const detail = 'the account shows too few of its posts to tell whether this is one of them';
    return { outcome: { ok: false, kind: 'permanent', detail }, doubtSince: since };
  };

  const makeAttempt = async (plan: Plan, since: number, signal: AbortSignal): Promise<Attempt> => {
    const outcome = await attempt(plan.version, plan.earlier, signal);
    if (outcome.ok) return { outcome, doubtSince: null };
    // whoever did not say no may have taken it
    if (outcome.kind !== 'repeated') return { outcome, doubtSince: outcome.kind === 'transient' ? since : null };
    const there = await lookFor(plan.version, since, signal);
    const reference = there.ok ? (there.id ?? null) : null;
    return { outcome: { ok: true, reference, response: outcome.detail }, doubtSince: null };
  };

  const send = async (post: Post, token: string, signal: AbortSignal): Promise<void> => {
    const before = await settledBefore(post, signal);
    const plan = before ?? (await planOf(post, edges.now()));
    if ('over' in plan) return void (await posts.settle(post, token, plan.over));
    const since = post.doubtSince ?? edges.now();
    if ('version' in plan && !(await posts.beginAsking(post, token, since))) return;
    const made = 'version' in plan ? await makeAttempt(plan, since, signal) : plan;
    const to = afterPosting(post, made, edges.now(), edges.random());
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
