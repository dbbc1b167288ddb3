import { z } from 'zod';
import type { Locale } from '../../catalogue/topic.ts';
import { AppError } from '../../errors.ts';
import type { ProfileService } from '../../profiles/profile-service.ts';
import type { PersonView, SubscriptionService } from '../../subscriptions/subscription-service.ts';
import { bestLocale } from '../../text.ts';
import { type Route, route } from '../contract/route.ts';
import { presentPerson } from '../present.ts';
import { digestHour, personShape, quietHours } from './shapes.ts';
import { locale, regionCode, timeZone } from './subscriptions.ts';

/** `locale`: of people whose own language is not spoken here. */
type Deps = {
  subscriptions: SubscriptionService;
  profiles: Pick<ProfileService, 'interestsOf' | 'habitsOf'>;
  locale: Locale;
};

const attributeValue = z.union([z.string().max(200), z.array(z.string().max(200)).max(100), z.int()], {
  error: 'must be a text, a list of texts or a whole number',
});

const changeBody = z.strictObject({
  attributes: z.record(z.string().max(50), attributeValue.nullable()).optional(),
  consents: z.strictObject({ personalisation: z.boolean() }).optional(),
  locale: locale.optional(),
  region: regionCode.nullish(),
  timeZone: timeZone.nullish(),
  quietHours: quietHours.nullish(),
  digestHour: digestHour.nullish(),
});

const reportShape = z.object({
  imported: z.int(),
  updated: z.int(),
  failed: z.int(),
  errors: z.array(z.object({ line: z.int(), path: z.string(), message: z.string() })),
});

const found = (view: PersonView | null): PersonView => {
  if (!view) throw new AppError('not-found', 'There is no such person.');
  return view;
};

/** The person with what was concluded about them, in the reader's language. */
const shown = async ({ profiles }: Deps, view: PersonView, locale: Locale) => {
  const { id } = view.person;
  const interests = await profiles.interestsOf(id, locale);
  const body = presentPerson(view, { interests, habits: await profiles.habitsOf(id) });
  return { status: 200, body, subject: id };
};

const importRoute = ({ subscriptions }: Deps): Route =>
  route({
    method: 'post',
    path: '/subscribers/import',
    operationId: 'importPeople',
    tag: 'People',
    scope: 'admin',
    summary: 'Imports people, one JSON object a line; a bad line never stops the others.',
    stream: [
      'application/x-ndjson',
      'application/ndjson',
      'application/jsonl',
      'application/json',
      'application/octet-stream',
      'text/plain',
    ],
    responses: { 200: reportShape },
    handler: async ({ req }) => ({ status: 200, body: await subscriptions.importPeople(req) }),
  });

const readRoutes = (deps: Deps): Route[] => [
  route({
    method: 'get',
    path: '/subscribers',
    operationId: 'findPerson',
    tag: 'People',
    scope: 'admin',
    summary: 'The person whom another system knows under that externalId.',
    query: z.strictObject({ externalId: z.string().min(1).max(500) }),
    responses: { 200: personShape },
    audited: true,
    handler: async ({ query, locale }) =>
      shown(deps, found(await deps.subscriptions.person({ externalId: query.externalId })), locale),
  }),
  route({
    method: 'get',
    path: '/subscribers/{id}',
    operationId: 'getPerson',
    tag: 'People',
    scope: 'admin',
    summary: 'One person, addresses masked.',
    responses: { 200: personShape },
    audited: true,
    handler: async ({ params, locale }) =>
      shown(deps, found(await deps.subscriptions.person({ id: params.id })), locale),
  }),
];

const writeRoutes = (deps: Deps): Route[] => [
  route({
    method: 'patch',
    path: '/subscribers/{id}',
    operationId: 'changePerson',
    tag: 'People',
    scope: 'admin',
    summary: 'Changes what is named; null clears.',
    body: changeBody,
    responses: { 200: personShape },
    check: (fields) => deps.subscriptions.faultsIn(fields),
    handler: async ({ params, body, locale }) => {
      const { locale: tag, ...fields } = definedOnly(body);
      const spoken = tag === undefined ? {} : { locale: bestLocale(tag, deps.locale) };
      return shown(deps, await deps.subscriptions.change(params.id, { ...fields, ...spoken }), locale);
    },
  }),
  route({
    method: 'delete',
    path: '/subscribers/{id}',
    operationId: 'erasePerson',
    tag: 'People',
    scope: 'admin',
    summary: 'Erases a person at once; the ledger keeps its rows without personal data.',
    responses: { 204: null },
    handler: async ({ params }) => {
      await deps.subscriptions.erase(params.id);
      return { status: 204 };
    },
  }),
];

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Only what was sent: an absent field stays as it is. */
const definedOnly = <T extends object>(fields: T): Defined<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;

/** People: import, read, change, erase. */
export const peopleRoutes = (deps: Deps): Route[] => [importRoute(deps), ...readRoutes(deps), ...writeRoutes(deps)];
