import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Edges } from '../edges.ts';
import { makeFolder } from '../make-folder.ts';
import { plainContact } from '../subscriptions/address.ts';
import type { ChannelName } from '../subscriptions/follow.ts';
import type { Contact } from '../subscriptions/subscriber.ts';
import type { Channel, OutgoingMessage } from './channel.ts';
import { failure } from './result.ts';
import { escapeHtml, fillSlots } from './slots.ts';

/** One message as it would have left. `to` is in the clear: the outbox is for development. `at` in ms. */
export type OutboxEntry = {
  /** Names the entry, and is the cursor of `readOutbox`. */
  id: string;
  channel: ChannelName;
  to: string;
  at: number;
  messageId: string;
  title: string;
  text: string;
  /** Mail only. */
  html: string | null;
  url: string;
  unsubscribe: string;
  manage: string;
  data: Record<string, string>;
};

/** A folder holds ten seconds, so that writing and listing cost the same however many messages there are. */
const folderMs = 10_000;
const digits = (value: number, width: number): string => String(value).padStart(width, '0');
const rootOf = (dataDir: string): string => join(dataDir, 'outbox');

/** Stands in the name of a message's file, so that what one address got is found without reading the rest. */
const markOf = (to: string): string => createHash('sha256').update(to).digest('hex').slice(0, 12);

const textOf = ({ to, content }: OutgoingMessage): string =>
  to.channel === 'email' ? content.text : to.channel === 'sms' ? content.sms : content.short;

const entryOf = (message: OutgoingMessage, channel: ChannelName, at: number): Omit<OutboxEntry, 'id'> => {
  const { id, to, content, slots } = message;
  return {
    channel,
    to: plainContact(to),
    at,
    messageId: id,
    title: fillSlots(content.title, slots),
    text: fillSlots(textOf(message), slots),
    html: to.channel === 'email' ? fillSlots(content.html, slots, escapeHtml) : null,
    url: slots.item,
    unsubscribe: slots.unsubscribe,
    manage: slots.manage,
    data: Object.fromEntries(Object.entries(content.data ?? {}).map(([key, value]) => [key, fillSlots(value, slots)])),
  };
};

/** Messages in flight at once: the disk takes them one by one anyway. */
const concurrency = 32;

/**
 * The channel where no provider is configured (design D7): each message is one JSON file in `<dataDir>/outbox`. Processes may
 * share the folder. A disk that refuses is a transient failure.
 */
export const makeOutboxChannel = (
  name: ChannelName,
  dataDir: string,
  { edges }: { edges: Pick<Edges, 'now' | 'bytes'> },
): Channel => {
  const writer = edges.bytes(3).toString('hex');
  let count = 0;
  let folder = '';

  const write = (message: OutgoingMessage): void => {
    const at = edges.now();
    const into = digits(Math.floor(at / folderMs), 10);
    if (into !== folder) {
      makeFolder(join(rootOf(dataDir), into));
      folder = into;
    }
    count += 1;
    const entry = entryOf(message, name, at);
    const file = `${digits(at, 14)}-${digits(count, 9)}-${writer}-${markOf(entry.to)}.${name}.json`;
    writeFileSync(join(rootOf(dataDir), into, file), JSON.stringify(entry), { mode: 0o600 });
  };

  return {
    name,
    limits: { concurrency },
    send: async (message) => {
      try {
        write(message);
        return { ok: true, provider: 'outbox', reference: null, response: 'written to the outbox' };
      } catch (error) {
        folder = '';
        return failure('outbox', { kind: 'transient', reason: 'storage' }, String(error));
      }
    },
    close: async () => undefined,
  };
};

const namesIn = async (folder: string): Promise<string[]> => {
  try {
    return (await readdir(folder)).sort().reverse();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
};

/** Null for a file that a stopped process left unfinished. */
const readEntry = async (dataDir: string, id: string): Promise<OutboxEntry | null> => {
  try {
    return { id, ...JSON.parse(await readFile(join(rootOf(dataDir), id), 'utf8')) } as OutboxEntry;
  } catch {
    return null;
  }
};

export type OutboxPage = { limit: number; channel?: ChannelName; after?: string };

/** The newest messages first, those older than `after` (an entry's id); an outbox that nobody wrote to is empty. */
export const readOutbox = async (dataDir: string, page: OutboxPage): Promise<OutboxEntry[]> => {
  const { limit, channel, after = '~' } = page;
  const entries: OutboxEntry[] = [];
  for (const folder of await namesIn(rootOf(dataDir))) {
    if (folder > after) continue;
    for (const file of await namesIn(join(rootOf(dataDir), folder))) {
      const id = `${folder}/${file}`;
      if (id >= after || !file.endsWith(channel ? `.${channel}.json` : '.json')) continue;
      const entry = await readEntry(dataDir, id);
      if (entry) entries.push(entry);
      if (entries.length === limit) return entries;
    }
  }
  return entries;
};

/** Deletes every message to these contacts: whoever was erased is not in the outbox either. */
export const forgetInOutbox = async (dataDir: string, contacts: Contact[]): Promise<void> => {
  const marks = contacts.map((to) => `-${markOf(plainContact(to))}.`);
  if (marks.length === 0) return;
  for (const folder of await namesIn(rootOf(dataDir)))
    for (const file of await namesIn(join(rootOf(dataDir), folder)))
      if (marks.some((mark) => file.includes(mark))) await rm(join(rootOf(dataDir), folder, file), { force: true });
};
