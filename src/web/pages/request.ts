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

/** A path of this site, or the front page: nobody can send a visitor elsewhere through us. */
export const ownPath = (text: string | null): string => {
  const here = 'http://bellman.invalid';
  if (!text?.startsWith('/') || !URL.canParse(text, here)) return '/';
  const url = new URL(text, here);
  return url.origin === here ? `${url.pathname}${url.search}` : '/';
};

/**
 * What a follow form is for, from its address: `?topic=`, `?item=`, or `?q=` (words, with `topic` as a filter) for a saved
 * search. A search of several words follows items that carry the phrase or any of the words as a keyword. Null: nothing.
 */
export const targetOf = (req: Request): Pick<FollowInput, 'topic' | 'item' | 'search'> | null => {
  const [topic, item, q] = ['topic', 'item', 'q'].map((name) => queryText(req, name));
  if (q) {
    const words = q.split(/\s+/).filter((word) => word.length > 1);
    const keywords = [...new Set([q, ...words])].slice(0, 20);
    return { search: { ...(topic ? { all: { topics: [topic] } } : {}), any: { keywords } } };
  }
  if (item) return { item };
  return topic ? { topic } : null;
};

/** The query string by which a follow form is found again. */
export const targetQuery = (req: Request): string => {
  const query = new URLSearchParams();
  for (const name of ['topic', 'item', 'q']) {
    const value = queryText(req, name);
    if (value) query.set(name, value);
  }
  return query.toString();
};

/** A form's follow as the service takes it, or null when a hand-made request does not fit. */
export const followOf = (input: unknown): FollowRequest | null => {
  const parsed = followSchema.safeParse(input);
  return parsed.success ? toFollowRequest(parsed.data) : null;
};
