import { setImmediate } from 'node:timers/promises';
import { byThePage, newId } from '../../edges.ts';
import type { Fault } from '../../errors.ts';
import type { LedgerStore } from '../../fanout/ledger-store.ts';
import type { ProfileStore } from '../../profiles/profile-store.ts';
import type { ItemStore } from '../../publishing/item-store.ts';
import { sealContact } from '../address.ts';
import { defineFollow, type FollowRequest } from '../follow.ts';
import { itemsNamed, wishFaultsIn } from '../follow-check.ts';
import { type PeopleTools, rulesOf } from '../sign-up-service.ts';
import type { FollowDefinition } from '../subscriber.ts';
import type { ImportReport } from '../subscription-service.ts';
import type { ImportedPerson, SubscriptionStore } from '../subscription-store.ts';
import { publicItems } from '../wishes.ts';
import { type Line, readLines } from './lines.ts';
import { type LineContext, type PersonLine, type ReadLine, readPersonLine } from './person-line.ts';

/** Checked, then written together: some 10 ms of work each, after which the event loop turns. */
const linesInOneChunk = 150;
const bytesInOneLine = 65_536;
const faultsListed = 1_000;
/** Distinct follows that are remembered while an import runs; most lines ask for the same few. */
const followsRemembered = 10_000;

export type ImportStores = {
  subscriptions: Pick<SubscriptionStore, 'importPeople' | 'putFollows'>;
  items: Pick<ItemStore, 'get'>;
  profiles: Pick<ProfileStore, 'forget'>;
  ledger: Pick<LedgerStore, 'hastenDigests'>;
};

type Report = {
  add(line: number, faults: Fault[]): void;
  count(what: 'imported' | 'updated'): void;
  end(): ImportReport;
};

/** Collects what became of the lines; of very many faults the first are listed, and how many more there are. */
const makeReport = (): Report => {
  const report: ImportReport = { imported: 0, updated: 0, failed: 0, errors: [] };
  let unlisted = 0;
  let from = 0;
  return {
    add: (line, faults) => {
      report.failed += 1;
      for (const fault of faults)
        if (report.errors.length < faultsListed) report.errors.push({ line, ...fault });
        else {
          from = from || line;
          unlisted += 1;
        }
    },
    count: (what) => {
      report[what] += 1;
    },
    end: () => {
      if (unlisted > 0)
        report.errors.push({
          line: from,
          path: '',
          message: `${unlisted} more faults from this line on are not listed`,
        });
      return report;
    },
  };
};

const inChunks = async function* (lines: AsyncIterable<Line>): AsyncGenerator<Line[]> {
  let chunk: Line[] = [];
  for await (const line of lines) {
    chunk.push(line);
    if (chunk.length < linesInOneChunk) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
};

/** Defines follows, each distinct one once, and says which are not stored yet. */
const makeDefiner = () => {
  const known = new Map<string, FollowDefinition>();
  return (follow: FollowRequest): { definition: FollowDefinition; fresh: boolean } => {
    const text = JSON.stringify([follow.target, follow.regions]);
    const there = known.get(text);
    if (there) return { definition: there, fresh: false };
    if (known.size >= followsRemembered) known.clear();
    const definition = defineFollow(follow);
    known.set(text, definition);
    return { definition, fresh: true };
  };
};

/** Reads NDJSON, one person a line, in chunks: bounded memory, short writes, each line judged by itself. */
export const makeImporter = (stores: ImportStores, tools: PeopleTools) => {
  const { keyring, edges, catalogue, config } = tools;
  const random = byThePage(edges);

  const toImported = (person: PersonLine, definitions: FollowDefinition[]): ImportedPerson => {
    const at = edges.now();
    return {
      id: newId(random),
      externalId: person.externalId,
      defaultLocale: config.locale,
      fields: person.fields,
      addresses: person.contacts.map((contact) => ({ ...sealContact(keyring, contact), verifiedAt: at })),
      follows: person.follow.map(({ pace, channels }, index) => ({
        ...{ id: newId(random), pace, channels },
        key: definitions[index]?.key ?? '',
      })),
      createdAt: at,
    };
  };

  const readChunk = async (lines: Line[], report: Report): Promise<PersonLine[]> => {
    const trees = await catalogue.trees();
    const attributes = await catalogue.attributes();
    const context: LineContext = { trees, attributes, rules: rulesOf(config), locale: config.locale };
    const read = lines.map((one): ReadLine => {
      if ('text' in one) return readPersonLine(one.line, one.text, context);
      return { line: one.line, person: null, faults: [{ path: '', message: one.fault }], follow: [] };
    });
    const items = new Set((await publicItems(stores, itemsNamed(read.flatMap(({ follow }) => follow)))).keys());
    return read.flatMap(({ line, person, faults, follow }) => {
      const all = [...faults, ...wishFaultsIn(follow, { trees, items })];
      if (all.length > 0) report.add(line, all);
      return person && all.length === 0 ? [person] : [];
    });
  };

  const pathOfTaken = (person: PersonLine, imported: ImportedPerson | undefined, lookup: string): string => {
    const index = imported?.addresses.findIndex((address) => address.lookup === lookup) ?? -1;
    const contact = person.contacts[index];
    return contact
      ? ({ email: 'email', sms: 'phone', webPush: 'webPush', wechat: 'wechat' } as const)[contact.channel]
      : '';
  };

  return async (source: AsyncIterable<Uint8Array>): Promise<ImportReport> => {
    const report = makeReport();
    const define = makeDefiner();
    for await (const lines of inChunks(readLines(source, bytesInOneLine))) {
      const people = await readChunk(lines, report);
      const defined = people.map(({ follow }) => follow.map(define));
      const fresh = defined.flat().filter((one) => one.fresh);
      if (fresh.length > 0) await stores.subscriptions.putFollows(fresh.map(({ definition }) => definition));
      const imported = people.map((person, n) =>
        toImported(
          person,
          (defined[n] ?? []).map(({ definition }) => definition),
        ),
      );
      await setImmediate();
      const outcomes = await stores.subscriptions.importPeople(imported);
      for (const one of outcomes)
        if (one.outcome === 'updated' && one.withdrawn !== undefined) await stores.profiles.forget(one.withdrawn);
      const moved = outcomes.flatMap((one) =>
        one.outcome === 'updated' && one.moved !== undefined ? [one.moved] : [],
      );
      if (moved.length > 0) await stores.ledger.hastenDigests(moved, edges.now());
      people.forEach((person, n) => {
        const outcome = outcomes[n];
        if (outcome?.outcome === 'imported' || outcome?.outcome === 'updated') report.count(outcome.outcome);
        else if (outcome?.outcome === 'taken')
          report.add(person.line, [
            { path: pathOfTaken(person, imported[n], outcome.lookup), message: 'belongs to another person' },
          ]);
      });
      await setImmediate();
    }
    return report.end();
  };
};
