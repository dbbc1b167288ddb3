import { createHash } from 'node:crypto';
import type { Request, Response } from 'express';
import { DateTime } from 'luxon';
import { type Edges, newId } from '../../edges.ts';
import { nearest } from '../../rules/nearest.ts';
import { queryText } from '../pages/request.ts';

/** What can be chosen by writing its name: a topic, a region. */
export type Choice = { value: string; names: string[] };

const folded = (text: string): string => text.normalize('NFKC').trim().toLowerCase();

/** Words as they were typed into one field. Names may hold commas themselves, so a whole segment is tried first. */
const segments = (text: string): string[] =>
  text
    .split(/[;；\n]+/)
    .map((part) => part.trim())
    .filter(Boolean);
const commas = (text: string): string[] =>
  text
    .split(/[,，、]+/)
    .map((part) => part.trim())
    .filter(Boolean);

/** A list of free words: one a line, or with commas between. */
export const wordsIn = (text: string): string[] => [...new Set(segments(text).flatMap(commas))];

/** The values that names stand for, and the names that stand for none, each with the nearest known one. */
export const valuesNamed = (
  text: string,
  choices: readonly Choice[],
): { values: string[]; unknown: { name: string; nearest: string | null }[] } => {
  const byName = new Map(
    choices.flatMap(({ value, names }) => [value, ...names].map((name) => [folded(name), value] as const)),
  );
  const values: string[] = [];
  const unknown: { name: string; nearest: string | null }[] = [];
  const known = choices.map(({ names: [first = ''], ...choice }, at) => ({
    name: first,
    also: [choice.value, ...(choices[at]?.names ?? [])],
  }));
  for (const name of segments(text).flatMap((one) => (byName.has(folded(one)) ? [one] : commas(one)))) {
    const value = byName.get(folded(name));
    if (value === undefined) unknown.push({ name, nearest: nearest(name, known) });
    else if (!values.includes(value)) values.push(value);
  }
  return { values, unknown };
};

/** Values as a field shows them: the first name of each, or the value itself. */
export const namesOf = (values: readonly string[], choices: readonly Choice[]): string =>
  values.map((value) => choices.find((one) => one.value === value)?.names[0] ?? value).join('; ');

/** A text field as it was typed, blanks at its ends included; empty where absent. */
export const typedField = (req: Request, name: string): string => {
  const value = (req.body as Record<string, unknown> | undefined)?.[name];
  return typeof value === 'string' ? value.replace(/\r\n?/g, '\n') : '';
};

/** Every value of a field that may come several times. */
export const typedFields = (req: Request, name: string): string[] =>
  [(req.body as Record<string, unknown> | undefined)?.[name] ?? []].flat().filter((one) => typeof one === 'string');

const onceShape = /^[\w-]{22}$/;

/**
 * The id of what a form makes: the same for the same member of staff and form, so that a double click or the way back makes
 * nothing twice. `once` is the random token that the form carries; null for what is none.
 */
export const idOfForm = (staff: string, once: string): string | null =>
  onceShape.test(once)
    ? createHash('sha256').update(['form', staff, once].join('\u0000')).digest('base64url').slice(0, 22)
    : null;

/**
 * The token of a form that makes something stands in the address of its page, where the way back finds it again; a page that is
 * asked for without one is sent on, and null is answered.
 */
export const onceOfPage = (req: Request, res: Response, edges: Pick<Edges, 'bytes'>): string | null => {
  const once = queryText(req, 'form') ?? '';
  if (onceShape.test(once)) return once;
  const { pathname, searchParams } = new URL(req.originalUrl, 'http://bellman.invalid');
  searchParams.set('form', newId(edges));
  res.redirect(303, `${pathname}?${searchParams}`);
  return null;
};

/** A day and time of the office's clock, in ms; null for what is none. */
export const timeOf = (text: string, zone: string): number | null => {
  const moment = DateTime.fromISO(text, { zone });
  return text !== '' && moment.isValid ? moment.toMillis() : null;
};
