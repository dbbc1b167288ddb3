import type { Verdict } from '../result.ts';

/**
 * What an answer means. WeChat answers its errors with HTTP 200 and `{ errcode, errmsg }`
 * (developers.weixin.qq.com/doc/offiaccount/Getting_Started/Global_Return_Code.html). `token`: the access token counts no more;
 * `operator`: somebody at the office has to do something.
 */
export type Classified = { verdict: Verdict; token?: true; operator?: true };

/** WeChat's days end at midnight in Beijing, which has had no daylight saving since 1991. */
const beijingAheadMs = 8 * 3_600_000;
const dayMs = 86_400_000;

/** How long it is to the next midnight in Beijing (ms). */
export const untilMidnight = (now: number): number => dayMs - ((now + beijingAheadMs) % dayMs);

const tokenCodes: ReadonlySet<number> = new Set([40001, 40014, 42001]);
/** The receiver does not follow the account, is on its blacklist, or has switched its messages off. */
const goneCodes: ReadonlyMap<number, Verdict['reason']> = new Map([
  [40003, 'not-following'],
  [43004, 'not-following'],
  [43019, 'opted-out-at-provider'],
  [43101, 'opted-out-at-provider'],
]);
/** The template, its fields or its link. */
const templateCodes: ReadonlySet<number> = new Set([40036, 40037, 40039, 40048, 43116, 47001, 47003]);
/** The codes of what is at fault with messages, of which other calls say nothing by going well. */
export const messageFaults: readonly string[] = [...templateCodes, 45009].map(String);
/** App id or secret, the list of addresses that may call, rights, a blocked account. */
const accountCodes: ReadonlySet<number> = new Set([40002, 40013, 40125, 40164, 40243, 48001, 50002, 61004]);

/** Sorts an answer of WeChat's; null: it was taken. `now` in ms. */
export const classifyWechat = (status: number, errcode: number | undefined, now: number): Classified | null => {
  if (errcode === 0) return null;
  if (errcode === undefined) {
    const known = status >= 500 || status === 429 ? 'provider-error' : 'bad-answer';
    return { verdict: { kind: 'transient', reason: known } };
  }
  if (tokenCodes.has(errcode)) return { verdict: { kind: 'transient', reason: 'auth' }, token: true };
  const gone = goneCodes.get(errcode);
  if (gone) return { verdict: { kind: 'permanent', reason: gone } };
  if (errcode === 45009)
    return { verdict: { kind: 'throttled', reason: 'throttled', retryAfterMs: untilMidnight(now) }, operator: true };
  if (errcode === 45011) return { verdict: { kind: 'throttled', reason: 'throttled', retryAfterMs: 60_000 } };
  if (templateCodes.has(errcode)) return { verdict: { kind: 'permanent', reason: 'template-refused' }, operator: true };
  if (accountCodes.has(errcode)) return { verdict: { kind: 'transient', reason: 'auth' }, operator: true };
  return { verdict: { kind: 'transient', reason: 'provider-error' } };
};
