import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { AppError } from '../../errors.ts';
import { type Actor, type Item, type ItemContent, type ItemVersion, newItem } from '../item.ts';
import { applyCorrection, asPublished, asWithdrawn, type Step, touched, waitingCorrection } from '../workflow.ts';
import { cut, type SourceEntry } from './entry.ts';

/** What an import asks for, and who asks. `now` in ms; `id` for an item that is new. */
export type ImportOrder = {
  topics: string[];
  publish: boolean;
  notify: boolean;
  review: boolean;
  actor: Actor;
  now: number;
  id: string;
  /** The source that was polled; null: somebody imports. */
  source: string | null;
};

/** What an entry comes to: nothing, or an item to be stored with the version rows that belong to it. */
export type Plan =
  | { outcome: 'unchanged' }
  | { outcome: 'created' | 'updated'; was: Item | null; item: Item; versions: ItemVersion[] };

/**
 * What an import last brought of an item: its fingerprint, whether the source had withdrawn it, when it was sent (CAP,
 * ms), the change notes known by then (short hashes), and the source that was polled for it, if one was.
 */
type Mark = { hash: string; withdrawn: boolean; sentAt: number | null; notes: string[]; source?: string };

const digest = (text: string, length: number): string =>
  createHash('sha256').update(text).digest('base64url').slice(0, length);

const markOf = (entry: SourceEntry, topics: string[]): Mark => {
  const { newRegions, ...told } = entry;
  return {
    hash: digest(JSON.stringify([told, topics]), 22),
    withdrawn: entry.withdrawn,
    sentAt: entry.sentAt,
    notes: entry.notes.map(({ key }) => digest(key, 8)),
  };
};

const readMark = (item: Item): Mark | null => (item.importMark === null ? null : (JSON.parse(item.importMark) as Mark));

/** The source's content; what only people here can have given (topics, audiences, a deadline) stays where it gives none. */
const contentOf = (entry: SourceEntry, order: ImportOrder, existing: Item | null): ItemContent => {
  const kept = existing?.content;
  const topics = order.topics.length > 0 ? order.topics : (kept?.topics ?? []);
  return {
    ...(kept?.audiences ? { audiences: kept.audiences } : {}),
    ...(kept?.deadline ? { deadline: kept.deadline } : {}),
    ...entry.content,
    topics,
  };
};

const noteOf = (entry: SourceEntry): string => cut(entry.notes[0]?.text ?? entry.content.title, 2_000);

/** How far an item that is not public goes now. */
const advance = (item: Item, entry: SourceEntry, order: ImportOrder): { item: Item; versions: ItemVersion[] } => {
  const { now, review, publish } = order;
  if (entry.withdrawn) {
    const hidden = { ...touched(item, now), scheduledFor: null, pending: null, changeNote: noteOf(entry) };
    if (!publish || review) return { item: { ...hidden, state: 'withdrawn' }, versions: [] };
    const shown = asPublished(item, now);
    return withVersions([shown, asWithdrawn(shown.item, noteOf(entry), now)]);
  }
  if (!publish || entry.draftOnly) return { item: touched(item, now), versions: [] };
  if (!review) return withVersions([asPublished({ ...item, changeNote: entry.notes[0]?.text ?? null }, now)]);
  return { item: { ...touched(item, now), state: 'in-review', approvals: [], rejection: null }, versions: [] };
};

const withVersions = (steps: Step[]): { item: Item; versions: ItemVersion[] } => {
  const last = steps.at(-1);
  if (!last) throw new Error('no step');
  return { item: last.item, versions: steps.flatMap(({ version }) => version ?? []) };
};

/** Nothing is new where it is not known what was there before. */
const hasNewNote = (entry: SourceEntry, mark: Mark | null): boolean =>
  mark !== null && markOf(entry, []).notes.some((note) => !mark.notes.includes(note));

type Known = { item: Item; current: ItemVersion | null; mark: Mark | null };

/** A public item: withdrawn, or corrected by the ways a publisher has too. */
const changePublic = (known: Known, entry: SourceEntry, content: ItemContent, order: ImportOrder) => {
  const { item, current, mark } = known;
  const { now, review, actor } = order;
  if (entry.withdrawn) return withVersions([asWithdrawn(item, noteOf(entry), now)]);
  if (item.pending && item.pending.writer !== actor.staff)
    throw new AppError('conflict', 'another correction of this item waits for its review');
  const kind = entry.update || hasNewNote(entry, mark) || item.pending?.kind === 'major' ? 'major' : 'minor';
  const change = { kind, content, note: noteOf(entry) } as const;
  if (review) return { item: waitingCorrection(item, change, actor, now), versions: [] };
  return withVersions([applyCorrection(item, change, current, now)]);
};

/** An item that is not public takes the source's content; what had been approved must be approved anew. */
const changeHidden = (known: Known, entry: SourceEntry, content: ItemContent, order: ImportOrder) => {
  const { item } = known;
  // its page is public still, and shows what was withdrawn
  if (entry.withdrawn && item.state === 'withdrawn' && item.version > 0)
    return { item: touched(item, order.now), versions: [] };
  const fresh: Item = { ...item, content, writer: order.actor.staff, approvals: [], rejection: null };
  if (entry.withdrawn || item.state === 'draft' || item.state === 'withdrawn')
    return advance({ ...fresh, state: 'draft' }, entry, order);
  const state = order.review ? 'in-review' : item.state;
  const scheduledFor = order.review ? null : item.scheduledFor;
  return { item: { ...touched(fresh, order.now), state, scheduledFor }, versions: [] };
};

const planNew = (entry: SourceEntry, mark: string, order: ImportOrder): Plan => {
  const made = { id: order.id, externalId: entry.externalId, writer: order.actor.staff };
  const item: Item = {
    ...newItem({ ...made, content: contentOf(entry, order, null) }, order.now),
    // the alert that a message refers to may still come; it must not come to life then
    ...(entry.references.length > 0 ? { aliases: entry.references } : {}),
    importMark: mark,
  };
  return { outcome: 'created', was: null, ...advance(item, entry, order) };
};

const planUnchanged = (item: Item, entry: SourceEntry, order: ImportOrder): Plan => {
  const waits = item.state === 'draft' && item.rejection === null && !entry.withdrawn && !entry.draftOnly;
  if (!order.publish || !waits) return { outcome: 'unchanged' };
  return { outcome: 'updated', was: item, ...advance(item, entry, order) };
};

/** Whether an import leaves an item that it knows as it is: an older message, or people here have withdrawn it. */
const isLeft = (item: Item, entry: SourceEntry, mark: Mark | null): boolean => {
  const older = mark !== null && mark.sentAt !== null && entry.sentAt !== null && entry.sentAt < mark.sentAt;
  return older || (item.state === 'withdrawn' && mark?.withdrawn !== true);
};

/**
 * What one entry does to the item that it stands for (`existing`: null for a new one; `current`: the row of its present
 * version). An update is major only with a new change note or where the source calls it an update. Throws AppError
 * `conflict` (somebody else's correction waits) or `wrong-state` (a test cannot change what is public).
 */
export const planEntry = (
  entry: SourceEntry,
  existing: { item: Item; current: ItemVersion | null } | null,
  order: ImportOrder,
): Plan => {
  const brought = existing && readMark(existing.item);
  // a feed can name any entry as its own: it changes what it brought itself, and nothing else
  if (existing && order.source !== null && brought?.source !== order.source) return { outcome: 'unchanged' };
  const source = order.source ?? brought?.source;
  const fresh = { ...markOf(entry, order.topics), ...(source === undefined ? {} : { source }) };
  if (!existing) return planNew(entry, JSON.stringify(fresh), order);
  const { item } = existing;
  const mark = brought;
  if (mark?.hash === fresh.hash) return planUnchanged(item, entry, order);
  if (isLeft(item, entry, mark)) return { outcome: 'unchanged' };
  if (entry.draftOnly && item.state !== 'draft')
    throw new AppError(
      'wrong-state',
      `an item that is ${item.state} cannot be changed by a test or a restricted message`,
    );

  // a cancellation's own words are about the cancelling: the item keeps its content
  const content = entry.references.length > 0 && entry.withdrawn ? item.content : contentOf(entry, order, item);
  const step = { ...existing, mark };
  const says = mark?.withdrawn !== entry.withdrawn || hasNewNote(entry, mark) || item.pending !== null;
  if (!says && isDeepStrictEqual(content, item.content)) return planUnchanged(item, entry, order);
  const { item: next, versions } =
    item.state === 'published' ? changePublic(step, entry, content, order) : changeHidden(step, entry, content, order);
  const own = item.externalId === entry.externalId ? [] : [entry.externalId];
  const aliases = [...new Set([...(item.aliases ?? []), ...own])];
  const named = aliases.length > 0 ? { ...next, aliases } : next;
  return { outcome: 'updated', was: item, item: { ...named, importMark: JSON.stringify(fresh) }, versions };
};
