import { z } from 'zod';
import { readAttributes } from '../../catalogue/attribute.ts';
import type { Trees } from '../../catalogue/catalogue-service.ts';
import type { Attribute } from '../../catalogue/catalogue-store.ts';
import type { Locale } from '../../catalogue/topic.ts';
import type { Fault } from '../../errors.ts';
import { faultsOf, type Sound, soundPart } from '../../reading.ts';
import { bestLocale, languageTag } from '../../text.ts';
import { textFaults } from '../../text-faults.ts';
import { type AddressRules, contactFaults, normaliseContact } from '../address.ts';
import { type FollowRequest, followSchema, toFollowRequest } from '../follow.ts';
import type { FollowParts } from '../follow-check.ts';
import { factFaults } from '../people.ts';
import type { Contact } from '../subscriber.ts';
import type { ImportedPerson } from '../subscription-store.ts';

const text = (most: number) => z.string().trim().min(1).max(most);
const attributeValue = z.union([z.string().max(200), z.array(z.string().max(200)).max(100), z.int()], {
  error: 'must be a text, a list of texts or a whole number',
});

const hourFault = 'must be an hour from 0 to 23';
const hourOfDay = z.int(hourFault).min(0, hourFault).max(23, hourFault);

const names = ['externalId', 'email', 'phone', 'webPush'] as const;

const namesSomebody = (line: unknown): boolean =>
  line === null || typeof line !== 'object' || Array.isArray(line) || names.some((name) => name in line);

/** One line of `POST /subscribers/import`. */
const lineSchema = z
  .strictObject({
    externalId: text(500).optional(),
    email: text(320).optional(),
    phone: text(40).optional(),
    webPush: z
      .strictObject({
        endpoint: z.string(),
        keys: z.strictObject({ p256dh: z.string().max(200), auth: z.string().max(200) }),
        expirationTime: z.number().nullish(),
      })
      .optional(),
    verified: z.literal(true, 'must be true: addresses that nobody has verified are not imported'),
    locale: languageTag.optional(),
    region: text(50).optional(),
    timeZone: text(100).optional(),
    attributes: z.record(z.string().max(50), attributeValue).optional(),
    consents: z.strictObject({ personalisation: z.boolean() }).optional(),
    quietHours: z.strictObject({ from: z.string(), to: z.string() }).optional(),
    digestHour: hourOfDay.optional(),
    follow: z.array(followSchema).max(5_000),
  })
  // said beside the other faults, not only once they are mended
  .refine(namesSomebody, { message: 'must name externalId, email, phone or webPush', when: () => true });
type PersonInput = z.infer<typeof lineSchema>;

/** A line that fits by itself; what its follows name is checked by the whole chunk. */
export type PersonLine = {
  line: number;
  externalId: string | null;
  contacts: Contact[];
  fields: ImportedPerson['fields'];
  follow: FollowRequest[];
};

/** A line as far as it can be read: who it tells of (null: refused), the faults found, the follows whose names are still to be checked. */
export type ReadLine = {
  line: number;
  person: PersonLine | null;
  faults: Fault[];
  follow: readonly (FollowParts | undefined)[];
};

/** `locale`: of people whose own language is not spoken here. */
export type LineContext = { trees: Trees; attributes: readonly Attribute[]; rules: AddressRules; locale: Locale };

const contactsOf = ({ email, phone, webPush }: PersonInput): Contact[] => [
  ...(email === undefined ? [] : [{ channel: 'email', email } as const]),
  ...(phone === undefined ? [] : [{ channel: 'sms', phone } as const]),
  ...(webPush ? [{ channel: 'webPush', endpoint: webPush.endpoint, keys: webPush.keys } as const] : []),
];

const fieldsOf = (
  input: PersonInput,
  attributes: ImportedPerson['fields']['attributes'],
  locale: Locale,
): ImportedPerson['fields'] => ({
  ...(input.locale && { locale: bestLocale(input.locale, locale) }),
  ...(input.region && { region: input.region }),
  ...(input.timeZone && { timeZone: input.timeZone }),
  ...(input.quietHours && { quietHours: input.quietHours }),
  ...(input.digestHour !== undefined && { digestHour: input.digestHour }),
  ...(attributes && { attributes }),
  ...(input.consents && { consents: input.consents }),
});

const parseJson = (source: string): { value: unknown } | null => {
  try {
    return { value: JSON.parse(source) };
  } catch {
    return null;
  }
};

const meaningFaults = (input: Sound<typeof lineSchema>, { trees, attributes, rules }: LineContext): Fault[] => [
  ...contactFaults(input, rules),
  ...factFaults(input, trees),
  ...readAttributes(input.attributes ?? {}, attributes).faults,
];

const personOf = (line: number, input: PersonInput, { attributes, rules, locale }: LineContext): PersonLine => ({
  line,
  externalId: input.externalId ?? null,
  contacts: contactsOf(input)
    .map((contact) => normaliseContact(contact, rules))
    .flatMap((one) => (one.ok ? [one.contact] : [])),
  fields: fieldsOf(input, input.attributes && readAttributes(input.attributes, attributes).values, locale),
  follow: input.follow.map(toFollowRequest),
});

/** Reads one line; names every fault by its path in the line's object ('' is the line itself). */
export const readPersonLine = (line: number, source: string, context: LineContext): ReadLine => {
  const json = parseJson(source);
  if (!json) return { line, person: null, faults: [{ path: '', message: 'is not readable JSON' }], follow: [] };
  const parsed = lineSchema.safeParse(json.value);
  const input = parsed.success ? parsed.data : (soundPart(lineSchema, json.value) ?? {});
  const faults = [
    // only an escape can hold what no database keeps: the bytes of a line are valid UTF-8
    ...(source.includes('\\u') ? textFaults(json.value) : []),
    ...(parsed.success ? [] : faultsOf(parsed.error)),
    ...meaningFaults(input, context),
  ];
  const person = parsed.success && faults.length === 0 ? personOf(line, parsed.data, context) : null;
  return { line, person, faults, follow: input.follow ?? [] };
};
