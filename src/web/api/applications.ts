import { z } from 'zod';
import { applicationMost, applicationStates, reasonMost } from '../../applications/application.ts';
import type { ApplicationService, ApplicationView } from '../../applications/application-service.ts';
import { answerDeliveries, type ProofDelivery } from '../../applications/proof.ts';
import type { CalendarService } from '../../calendar/calendar-service.ts';
import { endOf, startOf } from '../../calendar/working-day.ts';
import { AppError } from '../../errors.ts';
import { deliveryStates } from '../../fanout/push.ts';
import { channelNames } from '../../subscriptions/follow.ts';
import { locales } from '../../text.ts';
import { keyed, pageOf, pageQuery, type Route, route } from '../contract/route.ts';
import { time, timeOrNull } from '../present.ts';
import { instant, next, orNull } from './shapes.ts';

type Deps = { applications: ApplicationService; calendar: Pick<CalendarService, 'timeZone' | 'dayOf'> };

const id = z.string().min(1).max(100);
const day = z.iso.date();
const moment = z.iso.datetime({ offset: true });
const dayOrMoment = z.union([moment, day], { error: 'must be a time as 2025-01-24T09:00:00+08:00, or a day' });

const applyBody = z.strictObject({
  applicant: z.union(
    [id, z.strictObject({ email: z.string().trim().min(1).max(320), locale: z.enum(locales).optional() })],
    {
      error: 'must be the id of a subscriber, or { email, locale? }: locale is en or zh-CN',
    },
  ),
  text: z.string().trim().min(1).max(applicationMost),
  receivedAt: dayOrMoment,
});

const applicationShape = z
  .object({
    id: z.string(),
    number: z.string().describe('What applicant and office call it by, as 20260608-7KX2MQ; messages name it.'),
    state: z.enum(applicationStates),
    applicant: orNull(z.union([z.object({ subscriber: z.string() }), z.object({ contact: z.string() })])).describe(
      'A subscriber by id, or a contact by its masked address; null once they were forgotten.',
    ),
    text: orNull(z.string()),
    receivedAt: instant,
    dueOn: day.describe('The day on which it is due, in the time zone of the office.'),
    dueAt: moment.describe('The last moment of that day.'),
    workingDaysLeft: orNull(z.int()).describe('Negative when late; null once nothing is due any more.'),
    postponement: orNull(
      z.object({
        until: day,
        reason: orNull(z.string()),
        at: instant,
        told: z.boolean().describe('False: there is no address to write to, the office has to.'),
      }),
    ),
    answer: orNull(
      z.object({
        item: z.string(),
        push: z.string(),
        at: instant,
        openedAt: orNull(instant),
        delivery: z
          .enum(answerDeliveries)
          .describe('undelivered: it came back, or could not be sent; the office has to find another way.'),
      }),
    ),
    createdAt: instant,
  })
  .meta({ id: 'Application' });

const attemptShape = z.object({
  at: instant,
  provider: z.string(),
  ok: z.boolean(),
  response: z.string().describe('The words of the server that took or refused it.'),
});

const detailShape = applicationShape
  .extend({
    postponableUntil: day,
    proof: z.array(
      z.object({
        channel: orNull(z.enum(channelNames)),
        version: z.int().describe('The version of the item that it told.'),
        state: z.enum(deliveryStates),
        code: orNull(z.string()),
        attempts: z.array(attemptShape),
      }),
    ),
  })
  .meta({ id: 'ApplicationWithProof' });

const present = (application: ApplicationView, timeZone: string): z.output<typeof applicationShape> => {
  const { postponement, answer } = application;
  return {
    id: application.id,
    number: application.number,
    state: application.state,
    applicant: application.applicantView,
    text: application.text,
    receivedAt: time(application.receivedAt),
    dueOn: application.dueOn,
    dueAt: endOf(timeZone, application.dueOn),
    workingDaysLeft: application.daysLeft,
    postponement: postponement && {
      until: postponement.until,
      reason: application.reason,
      at: time(postponement.at),
      told: postponement.told,
    },
    answer: answer && {
      item: answer.item,
      push: answer.push,
      at: time(answer.at),
      openedAt: timeOrNull(application.openedAt),
      delivery: application.delivery ?? 'waiting',
    },
    createdAt: time(application.createdAt),
  };
};

const presentProof = ({ channel, version, state, code, attempts }: ProofDelivery) => ({
  ...{ channel, version, state, code },
  attempts: attempts.map(({ at, provider, ok, response }) => ({ at: time(at), provider, ok, response })),
});

const readRoutes = ({ applications, calendar: { timeZone } }: Deps): Route[] => [
  route({
    method: 'get',
    path: '/applications',
    operationId: 'listApplications',
    tag: 'Applications',
    scope: 'admin',
    summary: 'Applications, newest first.',
    query: z.strictObject({ state: z.enum(applicationStates).optional(), ...pageQuery }),
    responses: { 200: z.object({ applications: z.array(applicationShape), next }) },
    audited: true,
    handler: async ({ query }) => {
      const found = await applications.list(query.state ?? null, pageOf(query));
      return {
        status: 200,
        body: { applications: found.rows.map((one) => present(one, timeZone)), next: found.next },
      };
    },
  }),
  route({
    method: 'get',
    path: '/applications/{id}',
    operationId: 'getApplication',
    tag: 'Applications',
    scope: 'admin',
    summary: 'One application, with the proof of its answer: each attempt with the reply of the receiving server.',
    responses: { 200: detailShape },
    audited: true,
    handler: async ({ params }) => {
      const found = await applications.get(params.id);
      if (!found) throw new AppError('not-found', 'There is no such application.');
      const body = {
        ...present(found, timeZone),
        postponableUntil: found.lastDay,
        proof: found.proof.map(presentProof),
      };
      return { status: 200, body };
    },
  }),
];

const writeRoutes = ({ applications, calendar: { timeZone, dayOf } }: Deps): Route[] => [
  route({
    method: 'post',
    path: '/applications',
    operationId: 'addApplication',
    tag: 'Applications',
    scope: 'admin',
    summary:
      'Registers an application for information, due in 15 working days. An email makes a contact, which receives the messages of this application and nothing else, in the language named by `locale`.',
    body: applyBody,
    example: {
      applicant: { email: 'wang@example.org', locale: 'zh-CN' },
      text: 'The budget of the new bridge.',
      receivedAt: '2026-01-05T09:30:00+08:00',
    },
    responses: { 201: applicationShape },
    idempotent: true,
    check: async ({ applicant, receivedAt }) => {
      const at = typeof receivedAt === 'string' ? momentOf(receivedAt, timeZone) : null;
      const who = typeof applicant === 'string' ? { subscriber: applicant } : (applicant ?? {});
      return applications.faultsIn(who as { email?: string }, at);
    },
    handler: async (call) => {
      const { applicant, text, receivedAt } = call.body;
      const who = typeof applicant === 'string' ? { subscriber: applicant } : applicant;
      const wanted = { applicant: who, text, receivedAt: momentOf(receivedAt, timeZone) };
      const made = await applications.register(wanted, keyed(call).actor);
      return { status: 201, body: present(made, timeZone), subject: made.id };
    },
  }),
  route({
    method: 'post',
    path: '/applications/{id}/postpone',
    operationId: 'postponeApplication',
    tag: 'Applications',
    scope: 'admin',
    summary:
      'Postpones the answer, once, by 20 working days at most; the applicant is told in writing, with the reason.',
    body: z.strictObject({ until: dayOrMoment, reason: z.string().trim().min(1).max(reasonMost) }),
    responses: { 200: applicationShape },
    idempotent: true,
    handler: async (call) => {
      const { until, reason } = call.body;
      const to = until.length === 10 ? until : dayOf(Date.parse(until));
      const body = present(
        await applications.postpone(call.params.id, { until: to, reason }, keyed(call).actor),
        timeZone,
      );
      return { status: 200, body };
    },
  }),
  route({
    method: 'post',
    path: '/applications/{id}/answer',
    operationId: 'answerApplication',
    tag: 'Applications',
    scope: 'admin',
    summary:
      'Answers by a targeted item, which is pushed to the applicant alone and must be delivered. An item answers one application: 409 otherwise.',
    body: z.strictObject({ item: id }),
    responses: { 202: applicationShape },
    idempotent: true,
    handler: async (call) => ({
      status: 202,
      body: present(await applications.answer(call.params.id, call.body.item, keyed(call).actor), timeZone),
    }),
  }),
  route({
    method: 'post',
    path: '/applications/{id}/forget',
    operationId: 'forgetApplicant',
    tag: 'Applications',
    scope: 'admin',
    summary: 'Forgets who applied and what they wrote; the days and the ledger stay, without personal data.',
    responses: { 204: null },
    handler: async ({ params }) => {
      await applications.forget(params.id);
      return { status: 204 };
    },
  }),
];

/** A day counts from its first moment. */
const momentOf = (text: string, timeZone: string): number =>
  text.length === 10 ? startOf(timeZone, text) : Date.parse(text);

/** Applications for information: registered, postponed, answered with proof. */
export const applicationRoutes = (deps: Deps): Route[] => [...readRoutes(deps), ...writeRoutes(deps)];
