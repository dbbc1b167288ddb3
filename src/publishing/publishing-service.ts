import { demandOwn } from '../access/departments.ts';
import { demandWriter } from '../access/rights.ts';
import { newId } from '../edges.ts';
import { AppError, type Fault } from '../errors.ts';
import type { Storage } from '../storage/storage.ts';
import { type ContentNames, checkContent, contentFaults } from './check-content.ts';
import { type ImportTools, importItems, readItems } from './import-items.ts';
import { type Actor, type Item, type ItemContent, type ItemVersion, newItem } from './item.ts';
import type { ItemFilter, Page } from './item-store.ts';
import * as workflow from './workflow.ts';

/** An item whose publication (or correction, withdrawal) is now public, and the version row that notifies, if any does. */
export type Published = { item: Item; version: ItemVersion | null };

export type ImportRequest = {
  format: 'rss' | 'atom' | 'cap' | 'govuk';
  content: string;
  topics: string[];
  publish: boolean;
  notify: boolean;
  /** Of a source that was polled: which it is, and what entries get that do not say it themselves (`departments`: all entries). */
  source?: { id: string; departments: string[]; language: string | null; regions: string[] };
};

/** What an entry would come to: an item that is new here, or one that is known. */
export type SeenEntry = { id: string; title: string; language: string; formedAt: string | null; known: boolean };

export type ItemImportReport = {
  created: number;
  updated: number;
  unchanged: number;
  failed: number;
  errors: { entry: number; id: string | null; message: string }[];
  /** Versions that are to be notified (only with `notify`). */
  notify: Published[];
};

export type PublishingService = {
  /** Every unknown topic and region in the sound part of content; whatever takes content refuses the same. */
  faultsIn(content: ContentNames): Promise<Fault[]>;
  /**
   * Throws `no-scope`, `conflict` (externalId or id taken), `invalid` naming every unknown topic and region. `id` is the caller's
   * where a form may be sent twice.
   */
  create(content: ItemContent, externalId: string | null, actor: Actor, id?: string): Promise<Item>;
  get(id: string): Promise<Item | null>;
  version(id: string, version: number): Promise<ItemVersion | null>;
  list(filter: ItemFilter, page: { cursor: string | null; limit: number }): Promise<Page<Item>>;
  /** Changes a draft; only its writer may. A field that is undefined is taken away. Throws `wrong-state`, `no-scope`, `invalid`. */
  revise(id: string, fields: Partial<ItemContent>, actor: Actor): Promise<Item>;
  submit(id: string, actor: Actor): Promise<Item>;
  /** Throws `own-work`, `no-scope` (not a member of `as`), `wrong-state`, `conflict` (that department has approved). The last approval of a correction applies it. */
  approve(id: string, as: string | null, actor: Actor): Promise<Published>;
  reject(id: string, reason: string, actor: Actor): Promise<Item>;
  schedule(id: string, at: number, actor: Actor): Promise<Item>;
  /** Makes the item public, the first time as version 1; of a published one it answers the present version, so that it may be repeated. */
  publish(id: string, actor: Actor): Promise<Published>;
  /** With REVIEW=on the change waits for review (`version` null); with REVIEW=off it is applied. A minor one has no `version`: it notifies nobody. */
  correct(
    id: string,
    change: { change: 'major' | 'minor'; note: string; fields: Partial<ItemContent> },
    actor: Actor,
  ): Promise<Published>;
  /** Repeating it with the same note answers the same, so that a crash before its push was written can be made good. */
  withdraw(id: string, note: string, actor: Actor): Promise<Published>;
  /** One broken entry never stops the others. Throws `invalid` when the whole cannot be read or a topic is unknown, `no-scope`. */
  importItems(input: ImportRequest, actor: Actor): Promise<ItemImportReport>;
  /** The first entries as an import would take them, storing nothing. Throws `invalid`, `no-scope` as an import does. */
  readItems(
    input: ImportRequest,
    actor: Actor,
    most: number,
  ): Promise<{ entries: SeenEntry[]; errors: ItemImportReport['errors'] }>;
  /** Items whose scheduled time has come. */
  due(now: number): Promise<Item[]>;
};

export type PublishingTools = ImportTools;

/** How often a step is tried anew when somebody else changed the item meanwhile. */
const tries = 8;
const dueAtOnce = 100;

const notFound = (): AppError => new AppError('not-found', 'there is no such item');

/** A minor correction changes its version's row, but only a row of a new version notifies. */
const notifying = ({ item, version }: workflow.Step, was: Item): Published => ({
  item,
  version: version && version.version > was.version ? version : null,
});

/**
 * Items on their way: draft -> review -> countersign -> published -> corrected or withdrawn. Each step reads the item,
 * asks the pure workflow, and writes by compare-and-set; who loses a race is asked anew against what now stands.
 */
export const makePublishingService = (stores: Pick<Storage, 'items'>, tools: PublishingTools): PublishingService => {
  const { items } = stores;
  const { catalogue, edges, review } = tools;
  const stepTools = (): workflow.StepTools => ({ now: edges.now(), review });

  const known = async (id: string): Promise<Item> => {
    const item = await items.get({ id });
    if (!item) throw notFound();
    return item;
  };

  const step = async (id: string, take: (item: Item) => workflow.Step | Promise<workflow.Step>): Promise<Published> => {
    for (let n = 0; n < tries; n++) {
      const was = await known(id);
      const next = await take(was);
      if (await items.replace(was, next.item, next.version ?? undefined)) return notifying(next, was);
    }
    throw new AppError('conflict', 'the item is being changed by others; try again');
  };

  const demandOwnItem = (actor: Actor, { departments }: ItemContent): void => demandOwn(actor, departments ?? []);

  /** A step that writes: the item must be the actor's, before it and after. Reviewers are judged by the workflow. */
  const write = (id: string, actor: Actor, take: (item: Item) => workflow.Step | Promise<workflow.Step>) =>
    step(id, async (item) => {
      demandOwnItem(actor, item.content);
      const next = await take(item);
      demandOwnItem(actor, next.item.pending?.content ?? next.item.content);
      return next;
    });

  const current = (item: Item): Promise<ItemVersion | null> => items.version(item.id, item.version);

  const merged = async (item: Item, fields: Partial<ItemContent>): Promise<ItemContent> => {
    const all = Object.entries({ ...item.content, ...fields }).filter(([, value]) => value !== undefined);
    const content = Object.fromEntries(all) as ItemContent;
    checkContent(content, await catalogue.trees());
    return content;
  };

  return {
    faultsIn: async (content) => contentFaults(content, await catalogue.trees()),
    create: async (content, externalId, actor, id = newId(edges)) => {
      demandWriter(actor);
      demandOwnItem(actor, content);
      checkContent(content, await catalogue.trees());
      const item = newItem({ id, externalId, content, writer: actor.staff }, edges.now());
      await items.insert(item);
      return item;
    },
    get: (id) => items.get({ id }),
    version: (id, version) => items.version(id, version),
    list: (filter, page) => items.list(filter, page),
    revise: async (id, fields, actor) =>
      (await write(id, actor, async (item) => workflow.revise(item, await merged(item, fields), actor, stepTools())))
        .item,
    submit: async (id, actor) => (await write(id, actor, (item) => workflow.submit(item, actor, stepTools()))).item,
    approve: (id, as, actor) =>
      step(id, async (item) => workflow.approve(item, as, actor, await current(item), stepTools())),
    reject: async (id, reason, actor) =>
      (await step(id, (item) => workflow.reject(item, reason, actor, stepTools()))).item,
    schedule: async (id, at, actor) =>
      (await write(id, actor, (item) => workflow.schedule(item, at, actor, stepTools()))).item,
    publish: async (id, actor) => {
      for (let n = 0; n < tries; n++) {
        const was = await known(id);
        demandOwnItem(actor, was.content);
        if (was.state === 'published') {
          demandWriter(actor);
          return { item: was, version: await current(was) };
        }
        const { item, version } = workflow.publish(was, actor, stepTools());
        if (await items.replace(was, item, version ?? undefined)) return { item, version };
      }
      throw new AppError('conflict', 'the item is being changed by others; try again');
    },
    correct: (id, { change, note, fields }, actor) =>
      write(id, actor, async (item) => {
        const correction = { kind: change, note, content: await merged(item, fields) };
        return workflow.correct(item, correction, actor, await current(item), stepTools());
      }),
    withdraw: async (id, note, actor) => {
      const was = await known(id);
      demandOwnItem(actor, was.content);
      const repeated = was.state === 'withdrawn' && was.changeNote === note && was.version > 0;
      if (repeated) {
        demandWriter(actor);
        return { item: was, version: await current(was) };
      }
      return write(id, actor, (item) => workflow.withdraw(item, note, actor, stepTools()));
    },
    importItems: (input, actor) => importItems(stores, tools, input, actor),
    readItems: (input, actor, most) => readItems(stores, tools, input, actor, most),
    due: (now) => items.due(now, dueAtOnce),
  };
};
