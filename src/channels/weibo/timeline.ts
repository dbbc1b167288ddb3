import type { PostsFound } from '../../broadcasts/deliver-posts.ts';

/** The page shows the newest five posts of the account, whatever is asked for (open.weibo.com/wiki/2/statuses/user_timeline). */
const shown = 5;
/** Weibo's clock and ours may differ by so much. */
const skewMs = 600_000;

const entities: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&amp;': '&' };

/** What a text says, but for what Weibo changes in it: links become short ones, spaces move, signs are escaped. */
const gist = (text: string): string =>
  text
    .replace(/https?:\/\/[\w\-.~:/?#[\]@!$&'()*+,;=%]+/g, '')
    .replace(/&(?:lt|gt|quot|amp);/g, (one) => entities[one] ?? one)
    .replace(/[\p{C}\s]+/gu, '')
    .normalize('NFC');

type Status = { id: string; at: number; text: string };

const statusOf = (value: unknown): Status | null => {
  const { idstr, mid, created_at: at, text } = (value ?? {}) as Record<string, unknown>;
  const id = idstr ?? mid;
  const created = typeof at === 'string' ? Date.parse(at) : Number.NaN;
  if (typeof id !== 'string' || typeof text !== 'string' || Number.isNaN(created)) return null;
  return { id, at: created, text };
};

/**
 * Which posts of a timeline say one of the texts and were made since `since` (ms), oldest first; null where the body is no timeline. `whole`:
 * it goes back so far that no such post can be below it.
 */
export const findInTimeline = (
  body: Record<string, unknown>,
  texts: readonly string[],
  since: number,
): Extract<PostsFound, { ok: true }> | null => {
  if (!Array.isArray(body.statuses)) return null;
  const statuses = body.statuses.map(statusOf);
  if (statuses.includes(null)) return null;
  const from = since - skewMs;
  const read = statuses.flatMap((status) => status ?? []).sort((a, b) => a.at - b.at);
  const gists = new Set(texts.map(gist));
  const ids = read.filter(({ at, text }) => at >= from && gists.has(gist(text))).map(({ id }) => id);
  return { ok: true, ids, whole: read.length < shown || (read[0]?.at ?? 0) < from };
};
