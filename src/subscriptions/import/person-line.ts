import { z } from 'zod';
import { readAttributes } from '../../catalogue/attribute.ts';
import type { Trees } from '../../catalogue/catalogue-service.ts';
import type { Attribute } from '../../catalogue/catalogue-store.ts';
import type { Locale } from '../../catalogue/topic.ts';
import type { Fault } from '../../errors.ts';
import { type AddressRules, normaliseContact } from '../address.ts';
import { type FollowRequest, followSchema, toFollowRequest } from '../follow.ts';
import { factFaults } from '../people.ts';
import type { Contact } from '../subscriber.ts';
import type { ImportedPerson } from '../subscription-store.ts';

const text = (most: number) => z.string().trim().min(1).max(most);
const attributeValue = z.union([z.string().max(200), z.array(z.string().max(200)).max(100), z.int()], {
  error: 'must be a text, a list of texts or a whole number',
});

/** One line of `POST /subscribers/import`. */
const lineSchema = z.strictObject({
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
  locale: z.enum(['en', 'zh-CN'] satisfies Locale[]).optional(),
  region: text(50).optional(),
  timeZone: text(100).optional(),
  attributes: z.record(z.string().max(50), attributeValue).optional(),
  consents: z.strictObject({ personalisation: z.boolean() }).optional(),
  quietHours: z.strictObject({ from: z.string(), to: z.string() }).optional(),
  follow: z.array(followSchema).max(100),
});
type PersonInput = z.infer<typeof lineSchema>;

/** A line that fits by itself; what its follows name is checked by the whole chunk. */
export type PersonLine = {
  line: number;
  externalId: string | null;
  contacts: Contact[];
  fields: ImportedPerson['fields'];
  follow: FollowRequest[];
};

export type LineContext = { trees: Trees; attributes: readonly Attribute[]; rules: AddressRules };

/** The faults that zod found, each unknown field under its own name. */
const schemaFaults = (error: z.ZodError): Fault[] =>
  error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ path: [...issue.path, key].join('.'), message: 'is not known here' }))
      : [{ path: issue.path.join('.'), message: issue.message }],
  );

const contactsOf = ({ email, phone, webPush }: PersonInput): Contact[] => [
  ...(email === undefined ? [] : [{ channel: 'email', email } as const]),
  ...(phone === undefined ? [] : [{ channel: 'sms', phone } as const]),
  ...(webPush ? [{ channel: 'webPush', endpoint: webPush.endpoint, keys: webPush.keys } as const] : []),
];

const fieldsOf = (
  input: PersonInput,
  attributes: ImportedPerson['fields']['attributes'],
): ImportedPerson['fields'] => ({
  ...(input.locale && { locale: input.locale }),
  ...(input.region && { region: input.region }),
  ...(input.timeZone && { timeZone: input.timeZone }),
  ...(input.quietHours && { quietHours: input.quietHours }),
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

/** Reads one line; names every fault by its path in the line's object ('' is the line itself). */
export const readPersonLine = (
  line: number,
  source: string,
  { trees, attributes, rules }: LineContext,
): { person: PersonLine } | { faults: Fault[] } => {
  const json = parseJson(source);
  if (!json) return { faults: [{ path: '', message: 'is not readable JSON' }] };
  const parsed = lineSchema.safeParse(json.value);
  if (!parsed.success) return { faults: schemaFaults(parsed.error) };
  const input = parsed.data;
  const told = input.attributes && readAttributes(input.attributes, attributes);
  const normal = contactsOf(input).map((contact) => normaliseContact(contact, rules));
  const nameless = input.externalId === undefined && normal.length === 0;
  const faults: Fault[] = [
    ...(nameless ? [{ path: '', message: 'must name externalId, email, phone or webPush' }] : []),
    ...normal.flatMap((one) => (one.ok ? [] : [one.fault])),
    ...factFaults(input, trees),
    ...(told?.faults ?? []),
  ];
  if (faults.length > 0) return { faults };
  const person = {
    line,
    externalId: input.externalId ?? null,
    contacts: normal.flatMap((one) => (one.ok ? [one.contact] : [])),
    fields: fieldsOf(input, told?.values),
    follow: input.follow.map(toFollowRequest),
  };
  return { person };
};
