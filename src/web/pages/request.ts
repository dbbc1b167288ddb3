import type { Request } from 'express';
import { type FollowInput, type FollowRequest, followSchema, toFollowRequest } from '../../subscriptions/follow.ts';

/** A named part of the path. */
export const pathPart = (req: Request, name: string): string => {
  const value = req.params[name];
  return typeof value === 'string' ? value : '';
};

const single = (value: unknown): string | null => (typeof value === 'string' && value.trim().slice(0, 300)) || null;

/** A single value of the query string, trimmed and bounded; null where absent or empty. */
export const queryText = (req: Request, name: string): string | null => single(req.query[name]);

/** A single field of a form, trimmed and bounded; empty where absent. */
export const field = (req: Request, name: string): string =>
  single((req.body as Record<string, unknown> | undefined)?.[name]) ?? '';

/** Every value of a field that may be there several times (checkboxes), trimmed and bounded. */
export const fields = (req: Request, name: string): string[] =>
  [(req.body as Record<string, unknown> | undefined)?.[name] ?? []].flat().flatMap((one) => single(one) ?? []);

/** A single field that may be long, trimmed and whole: whoever takes it says how long it may be. Empty where absent. */
export const longField = (req: Request, name: string): string => {
  const value = (req.body as Record<string, unknown> | undefined)?.[name];
  return typeof value === 'string' ? value.trim().replace(/\r\n?/g, '\n') : '';
};

/** What is wrong with a text that has to be there and may be so many characters long, by the key of the words for it. */
export const textFault = (text: string, most: number, keys: { missing: string; long: string }): string | null => {
  if (text === '') return keys.missing;
  return text.length > most ? keys.long : null;
};

/** A path of this site, or the front page: nobody can send a visitor elsewhere through us. */
export const ownPath = (text: string | null): string => {
  const here = 'http://bellman.invalid';
  if (!text?.startsWith('/') || !URL.canParse(text, here)) return '/';
  const url = new URL(text, here);
  return url.origin === here ? `${url.pathname}${url.search}` : '/';
};

type NamedTarget = Pick<FollowInput, 'topic' | 'item' | 'search'>;

/** Topics that may be followed beside a search in one form. */
const alsoMost = 20;

/** A search of several words finds what carries the phrase or any of the words as a keyword. */
export const searchOf = (q: string, topic: string | null): NamedTarget => {
  const words = q.split(/\s+/).filter((word) => word.length > 1);
  const keywords = [...new Set([q, ...words])].slice(0, 20);
  return { search: { ...(topic ? { all: { topics: [topic] } } : {}), any: { keywords } } };
};

const alsoOf = (req: Request): string[] =>
  [...new Set([req.query.also ?? []].flat().map(single))].flatMap((slug) => slug ?? []).slice(0, alsoMost);

/**
 * What a follow form is for, from its address: `?topic=`, `?item=`, or `?q=` (words; `topic` or `within` is where they were
 * looked for) for a saved search; each `?also=` is one topic more. Empty: nothing.
 */
export const targetsOf = (req: Request): NamedTarget[] => {
  const [topic, item, q, within] = ['topic', 'item', 'q', 'within'].map((name) => queryText(req, name));
  const also = alsoOf(req).map((slug) => ({ topic: slug }));
  if (q) return [searchOf(q, topic ?? within ?? null), ...also];
  if (item) return [{ item }, ...also];
  return topic ? [{ topic }, ...also.filter((one) => one.topic !== topic)] : also;
};

/** The query string by which a page or follow form of these targets is found again. */
export const targetQuery = (req: Request): string => {
  const query = new URLSearchParams();
  for (const name of ['topic', 'item', 'q', 'within']) {
    const value = queryText(req, name);
    if (value) query.set(name, value);
  }
  for (const slug of alsoOf(req)) query.append('also', slug);
  return query.toString();
};

/** A form's follow as the service takes it, or null when a hand-made request does not fit. */
export const followOf = (input: unknown): FollowRequest | null => {
  const parsed = followSchema.safeParse(input);
  return parsed.success ? toFollowRequest(parsed.data) : null;
};
