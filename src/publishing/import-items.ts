import { demandWholeOffice } from '../access/departments.ts';
import { demandWriter } from '../access/rights.ts';
import { type Outline, regionsOf, regionsTouched } from '../catalogue/areas/outlines.ts';
import type { CatalogueService } from '../catalogue/catalogue-service.ts';
import type { ParentOf } from '../catalogue/topic.ts';
import { type Edges, newId } from '../edges.ts';
import { AppError } from '../errors.ts';
import type { Storage } from '../storage/storage.ts';
import { unknownTopics } from './check-content.ts';
import { readCap } from './import/cap.ts';
import type { ReadEntry, SourceEntry } from './import/entry.ts';
import { readAtom, readRss } from './import/feed.ts';
import { readGovuk } from './import/govuk.ts';
import { type Plan, planEntry } from './import/plan.ts';
import type { Actor, Item } from './item.ts';
import type { ItemStore } from './item-store.ts';
import type { ImportRequest, ItemImportReport, SeenEntry } from './publishing-service.ts';

export type ImportTools = {
  catalogue: CatalogueService;
  edges: Edges;
  review: boolean;
  /** The ground of regions, by which areas on the map find them; may be empty. */
  outlines: readonly Outline[];
};

const readers: Record<ImportRequest['format'], (content: string) => Iterable<ReadEntry>> = {
  rss: readRss,
  atom: readAtom,
  cap: readCap,
  govuk: readGovuk,
};

/** Entries are read and stored in portions of so many, or so many milliseconds; between them others have their turn. */
const portion = { entries: 40, ms: 15 };
/** How often an entry is planned anew because somebody else changed its item meanwhile. */
const tries = 5;

type Read = Extract<ReadEntry, { ok: true }>;

type Run = ImportTools & {
  items: ItemStore;
  input: ImportRequest;
  actor: Actor;
  report: ItemImportReport;
  /** What each id of this import stood for first. */
  seen: Map<string, string>;
};

function* portions(entries: Iterable<ReadEntry>, edges: Edges): Generator<ReadEntry[]> {
  let some: ReadEntry[] = [];
  let since = edges.monotonic();
  for (const entry of entries) {
    some.push(entry);
    if (some.length < portion.entries && edges.monotonic() - since < portion.ms) continue;
    yield some;
    some = [];
    since = edges.monotonic();
  }
  if (some.length > 0) yield some;
}

const othersTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const fail = ({ report }: Run, entry: number, id: string | null, message: string): void => {
  report.failed += 1;
  report.errors.push({ entry, id, message });
};

/** An id that stands for two different entries would change its item back and forth at every import. */
const isFirst = (run: Run, { entry, value }: Read): boolean => {
  const text = JSON.stringify(value);
  const before = run.seen.get(value.externalId);
  if (before === undefined) run.seen.set(value.externalId, text);
  else if (before === text) run.report.unchanged += 1;
  else fail(run, entry, value.externalId, 'another entry of this import has the same id');
  return before === undefined;
};

/**
 * The regions that an entry's areas on the map touch. One that draws its area where no region is known concerns nobody here, and
 * without regions it would concern everybody: somebody must look at it first.
 */
const onTheMap = (value: SourceEntry, outlines: readonly Outline[], parents: ParentOf): SourceEntry => {
  if (!value.content.areas || outlines.length === 0) return value;
  const touched = regionsTouched(value.content.areas, outlines, parents);
  const elsewhere = touched.length + (value.content.regions?.length ?? 0) === 0 && !value.withdrawn;
  return {
    ...value,
    tableRegions: [...value.tableRegions, ...touched.map(({ code }) => code)],
    newRegions: [...value.newRegions, ...regionsOf(touched, outlines, parents)],
    draftOnly: value.draftOnly || elsewhere,
  };
};

/** Adds the regions that are missing, and to each entry those of its codes that the table has. */
const withTableRegions = async ({ catalogue, outlines }: Run, all: Read[]): Promise<Read[]> => {
  const { regionParents: parents } = await catalogue.trees();
  const read = all.map((one) => ({ ...one, value: onTheMap(one.value, outlines, parents) }));
  await catalogue.addMissingRegions(read.flatMap(({ value }) => value.newRegions));
  const { regionParents } = await catalogue.trees();
  return read.map((one) => {
    const { content, tableRegions } = one.value;
    const more = tableRegions.filter((code) => regionParents.has(code));
    const regions = [...new Set([...(content.regions ?? []), ...more])];
    return more.length > 0 ? { ...one, value: { ...one.value, content: { ...content, regions } } } : one;
  });
};

/** What a source says of its entries: all belong to its departments; its language and regions are of those that name none. */
const ofSource = (value: SourceEntry, source: ImportRequest['source']): SourceEntry => {
  if (!source) return value;
  const { departments, language, regions } = source;
  const { content } = value;
  const noRegion = (content.regions ?? []).length + value.tableRegions.length === 0 && !content.areas;
  return {
    ...value,
    content: {
      ...content,
      ...(departments.length > 0 ? { departments } : {}),
      ...(language !== null && content.language === 'und' ? { language } : {}),
      ...(noRegion && regions.length > 0 ? { regions } : {}),
    },
  };
};

/** The items that an entry stands for: by its own id, or by those that it refers to; a cancellation ends all of them. */
const find = async (items: ItemStore, { externalId, references, withdrawn }: SourceEntry): Promise<Item[]> => {
  const own = await items.get({ externalId });
  const found = new Map<string, Item>(own ? [[own.id, own]] : []);
  for (const reference of own && !withdrawn ? [] : references) {
    const item = await items.get({ externalId: reference });
    if (item) found.set(item.id, item);
  }
  return [...found.values()];
};

/** Only a version of something that people may have been told is announced, and without `notify` none is, not by a later sweep either. */
const announcing = (plan: Plan, notify: boolean): Plan => {
  if (plan.outcome === 'unchanged') return plan;
  const last = plan.versions.at(-1);
  const tells = notify && (last?.kind !== 'withdrawal' || plan.was?.state === 'published');
  const before = plan.was?.version ?? 0;
  const versions = plan.versions.map((version) =>
    // a minor correction replaces the row of a version that may still wait for its push
    version.version > before ? { ...version, announce: tells && version === last } : version,
  );
  return { ...plan, versions };
};

const plansOf = async (run: Run, value: SourceEntry): Promise<Plan[]> => {
  const { items, edges, input, actor, review } = run;
  const order = { ...input, source: input.source?.id ?? null, review, actor, now: edges.now(), id: newId(edges) };
  const found = await find(items, value);
  if (found.length === 0) return [announcing(planEntry(value, null, order), input.notify)];
  // one update speaks for one item
  const meant = value.withdrawn ? found : found.slice(0, 1);
  const plans: Plan[] = [];
  for (const [n, item] of meant.entries()) {
    const current = item.version > 0 ? await items.version(item.id, item.version) : null;
    // the message's own id can be the name of one item only
    const named = n === 0 ? value : { ...value, externalId: item.externalId ?? value.externalId };
    plans.push(announcing(planEntry(named, { item, current }, order), input.notify));
  }
  return plans;
};

/** Counts an entry once, whatever number of items it ended. */
const count = (report: ItemImportReport, plans: Plan[]): void => {
  report[plans.find(({ outcome }) => outcome !== 'unchanged')?.outcome ?? 'unchanged'] += 1;
  for (const plan of plans) {
    if (plan.outcome === 'unchanged') continue;
    const version = plan.versions.at(-1);
    if (version?.announce && version.version > (plan.was?.version ?? 0))
      report.notify.push({ item: plan.item, version });
  }
};

/** Plans and stores entries; those whose item somebody else changed meanwhile are planned again. */
const store = async (run: Run, read: Read[], left: number): Promise<void> => {
  const planned: { from: Read; plans: Plan[] }[] = [];
  for (const from of read) {
    try {
      planned.push({ from, plans: await plansOf(run, from.value) });
    } catch (error) {
      if (!(error instanceof AppError) || error.code === 'store-unavailable') throw error;
      fail(run, from.entry, from.value.externalId, error.message);
    }
  }
  const changes = planned.flatMap(({ plans }) => plans).flatMap((plan) => (plan.outcome === 'unchanged' ? [] : [plan]));
  const done = await run.items.bring(changes);
  const lost = new Set<Plan>(changes.filter((_change, n) => !done[n]));
  const again: Read[] = [];
  for (const { from, plans } of planned) {
    if (plans.some((plan) => lost.has(plan))) again.push(from);
    else count(run.report, plans);
  }
  if (left > 0 && again.length > 0) return store(run, again, left - 1);
  for (const { entry, value } of again)
    fail(run, entry, value.externalId, 'the item is being changed by others; try again');
};

const demandImport = async ({ catalogue }: ImportTools, input: ImportRequest, actor: Actor): Promise<void> => {
  demandWriter(actor);
  // what a source brings belongs to its departments, and whose it is was asked when it was added
  if (!input.source) demandWholeOffice(actor);
  const faults = unknownTopics(input.topics, await catalogue.trees());
  if (faults.length > 0) throw new AppError('invalid', 'the import names topics that are not known here', { faults });
};

/** The first `most` entries as an import would take them; nothing is stored. See PublishingService.readItems. */
export const readItems = async (
  { items }: Pick<Storage, 'items'>,
  tools: ImportTools,
  input: ImportRequest,
  actor: Actor,
  most: number,
): Promise<{ entries: SeenEntry[]; errors: ItemImportReport['errors'] }> => {
  await demandImport(tools, input, actor);
  const entries: SeenEntry[] = [];
  const errors: ItemImportReport['errors'] = [];
  for (const one of readers[input.format](input.content)) {
    if (entries.length + errors.length >= most) break;
    if (!one.ok) {
      errors.push({ entry: one.entry, id: one.id, message: one.message });
      continue;
    }
    const value = ofSource(one.value, input.source);
    const { title, language, formedAt = null } = value.content;
    const known = (await find(items, value)).length > 0;
    entries.push({ id: value.externalId, title, language, formedAt, known });
  }
  return { entries, errors };
};

/**
 * Reads feeds, alerts and content items, and stores what is new or has changed. Safe to repeat: what is known by its
 * fingerprint is left as it is. See PublishingService.importItems.
 */
export const importItems = async (
  { items }: Pick<Storage, 'items'>,
  tools: ImportTools,
  input: ImportRequest,
  actor: Actor,
): Promise<ItemImportReport> => {
  await demandImport(tools, input, actor);
  const report: ItemImportReport = { created: 0, updated: 0, unchanged: 0, failed: 0, errors: [], notify: [] };
  const run: Run = { ...tools, items, input, actor, report, seen: new Map() };
  for (const some of portions(readers[input.format](input.content), tools.edges)) {
    for (const one of some) if (!one.ok) fail(run, one.entry, one.id, one.message);
    const read = some
      .flatMap((one) => (one.ok ? [{ ...one, value: ofSource(one.value, input.source) }] : []))
      .filter((one) => isFirst(run, one));
    await store(run, await withTableRegions(run, read), tries);
    await othersTurn();
  }
  return report;
};
