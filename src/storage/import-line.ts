import { type Consents, giveConsent, withdrawConsent } from '../subscriptions/consent.ts';
import { movesDigests } from '../subscriptions/people.ts';
import type { ImportedPerson, ImportOutcome } from '../subscriptions/subscription-store.ts';

/** Somebody whom an imported line is about, as they are now. */
export type LinePerson = {
  ordinal: number;
  externalId: string | null;
  stoppedAll: boolean;
  timeZone: string | null;
  digestHour: number | null;
  consents: Consents;
  /** They said no themselves. */
  refused: boolean;
};

/**
 * Whom a line is about (null: somebody new), or the address that keeps it from being written; and everybody whom that leaned
 * on, since a line that changes one of them changes the answer.
 */
export type FoundPerson = { person: LinePerson | null; taken: string | null; leansOn: number[] };

/** Who has an address: the ordinal that it names, and the person that this is now, after merges. */
export type AddressOwner = { owner: number; present: () => LinePerson | null };

/** Whom a line is about: by externalId (`own`), else by an address. */
export const findPerson = (
  { externalId, addresses }: ImportedPerson,
  own: LinePerson | null,
  ownerOf: (lookup: string) => AddressOwner | undefined,
): FoundPerson => {
  let person = own;
  const leansOn = own ? [own.ordinal] : [];
  for (const { lookup } of addresses) {
    const there = ownerOf(lookup);
    if (!there) continue;
    person ??= there.present();
    leansOn.push(there.owner, ...(person ? [person.ordinal] : []));
    const strange = own === null && externalId !== null && person?.externalId != null;
    if (strange || person?.ordinal !== there.owner) return { person, taken: lookup, leansOn };
  }
  return { person, taken: null, leansOn };
};

/** Consents after a line; what the person refused themselves stays refused, and what the line leaves out as it is. */
export const consentsAfter = (
  { fields, createdAt }: ImportedPerson,
  there: Pick<LinePerson, 'consents' | 'refused'> | null,
): Consents => {
  const before = there?.consents ?? { personalisation: false };
  const said = fields.consents?.personalisation;
  if (said === undefined || there?.refused) return before;
  return said ? giveConsent(before, { how: 'import', wording: null }, createdAt) : withdrawConsent(before, createdAt);
};

/** What became of a line that was written; `withdrawn`: whose consent it took back; `moved`: whose digests come at another moment. */
export const writtenOutcome = (line: ImportedPerson, person: LinePerson | null): ImportOutcome => {
  if (!person) return { outcome: 'imported' };
  const withdrew = person.consents.personalisation && line.fields.consents?.personalisation === false;
  const moved = movesDigests(person, line.fields);
  return {
    outcome: 'updated',
    ...(withdrew ? { withdrawn: person.ordinal } : {}),
    ...(moved ? { moved: person.ordinal } : {}),
  };
};
