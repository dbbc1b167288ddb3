import type { PostOutcome } from '../../broadcasts/deliver-posts.ts';

type Refusal = Extract<PostOutcome, { ok: false }>;

/**
 * Weibo's error codes, by what they mean for a post (open.weibo.com/wiki/Error_code). Errors come as `{ error_code, error }` with HTTP
 * 400 or 403, at times with 200.
 */
const kinds: readonly [Refusal['kind'], readonly number[]][] = [
  ['repeated', [20017, 20019, 20032]],
  ['throttled', [10004, 10022, 10023, 10024, 20016]],
  ['permanent', [10008, 10016, 10017, 10018, 10020, 20008, 20012, 20013, 20015, 20018, 20020, 20021]],
  ['account', [10005, 10006, 10013, 10014, 20003, 20031]],
  ['original', [20101, 20201]],
];

/** The codes of what is at fault with posts, of which other calls say nothing by going well. */
export const postFaults: readonly string[] = kinds
  .filter(([kind]) => kind === 'throttled' || kind === 'account')
  .flatMap(([, codes]) => codes.map(String));

const hourMs = 3_600_000;
/** Posting too fast, not too much. */
const tooFast = 20016;
const tooFastMs = 600_000;

/** Sorts an answer; null: it was taken. Limits are by the hour. `now` in ms. */
export const classifyWeibo = (status: number, code: number | undefined, words: string, now: number): Refusal | null => {
  if (code === undefined && status >= 200 && status < 300) return null;
  const detail = `${code ?? `HTTP ${status}`} ${words}`.trim();
  if (code === undefined) return { ok: false, kind: 'transient', detail };
  // 21301 … 21332: the authorisation is wrong, has expired or was taken back
  const kind = code >= 21300 && code < 21400 ? 'account' : kinds.find(([, codes]) => codes.includes(code))?.[0];
  if (kind === 'throttled')
    return { ok: false, kind, detail, retryAfterMs: code === tooFast ? tooFastMs : hourMs - (now % hourMs) };
  return { ok: false, kind: kind ?? 'transient', detail };
};
