import type { CalendarService } from '../calendar/calendar-service.ts';
import { type Calendar, type Day, daysLeft } from '../calendar/working-day.ts';
import type { Locale } from '../catalogue/topic.ts';
import type { Config } from '../config.ts';
import { type Edges, newId } from '../edges.ts';
import { AppError, type Fault } from '../errors.ts';
import type { FanoutService } from '../fanout/fanout-service.ts';
import type { Keyring } from '../keyring.ts';
import type { Actor } from '../publishing/item.ts';
import type { PublishingService } from '../publishing/publishing-service.ts';
import type { Storage } from '../storage/storage.ts';
import { type AddressRules, lookupOf, normaliseContact } from '../subscriptions/address.ts';
import { presentPerson } from '../subscriptions/people.ts';
import { makeAnswering } from './answering.ts';
import { type ApplicantView, makeApplicants } from './applicant.ts';
import {
  type Application,
  type ApplicationState,
  datesOf,
  lastDay,
  numberOf,
  postponed,
  postponeFault,
  redated,
} from './application.ts';
import { type DebtTools, makeDebts } from './debts.ts';
import { type AnswerDelivery, deliveryOf, type ProofDelivery, proofOf } from './proof.ts';

/**
 * An application as staff see it. `daysLeft`: working days until it is due, negative when late; null once it waits no more.
 * `delivery`: what became of the answer; null where there is none.
 */
export type ApplicationView = Application & {
  applicantView: ApplicantView;
  text: string | null;
  reason: string | null;
  daysLeft: number | null;
  delivery: AnswerDelivery | null;
};

/** `locale`: the language in which an applicant by email is written to; the service's where it is not said. */
type NewApplication = {
  applicant: { subscriber: string } | { email: string; locale?: Locale };
  text: string;
  receivedAt: number;
};

export type ApplicationService = {
  /** Everything that is wrong with a new application; `register` refuses the same. */
  faultsIn(applicant: { subscriber?: string; email?: string }, receivedAt: number | null): Promise<Fault[]>;
  /** Throws `invalid` (an unknown subscriber, no address, a time ahead). */
  register(wanted: NewApplication, actor: Actor, id?: string): Promise<ApplicationView>;
  get(id: string): Promise<(ApplicationView & { lastDay: Day; proof: ProofDelivery[] }) | null>;
  list(
    state: ApplicationState | null,
    page: { cursor: string | null; limit: number },
  ): Promise<{ rows: ApplicationView[]; next: string | null }>;
  /** What one subscriber (by ordinal) applied for, newest first. */
  ofSubscriber(ordinal: number, limit: number): Promise<ApplicationView[]>;
  /**
   * Postpones the answer to a day, once, by 20 working days at most, and tells the applicant in writing. Throws `not-found`,
   * `wrong-state`, `invalid` (a day that is past, not after the day it is due, or too late), `conflict`.
   */
  postpone(id: string, wanted: { until: Day; reason: string }, actor: Actor): Promise<ApplicationView>;
  /**
   * Answers by a targeted item, which is published if it may be, and pushes it to the applicant alone. Asking again with the
   * same item answers the same. Throws `not-found`, `wrong-state`, `invalid` (not a targeted item), `conflict` (the item
   * answers another application, among others).
   */
  answer(id: string, item: string, actor: Actor): Promise<ApplicationView>;
  /** Somebody opened the item by the signed link of a message: if it answers their application, that is kept. */
  opened(item: string, token: string): Promise<void>;
  /** Forgets who applied and what they wrote, and erases the contact. Throws `not-found`. */
  forget(id: string): Promise<void>;
  /** Does what a process left undone that died after a change; answers how much there was. */
  settleOwed(): Promise<number>;
  /** Sets the days on which waiting ones are due anew, by the calendar as it is now; answers how many were moved. */
  redate(): Promise<number>;
};

export type ApplicationStores = Pick<Storage, 'applications' | 'subscriptions' | 'addresses' | 'pushes' | 'ledger'>;
export type ApplicationTools = Omit<DebtTools, 'applicants'> & {
  keyring: Keyring;
  edges: Pick<Edges, 'now' | 'bytes'>;
  calendar: CalendarService;
  publishing: Pick<PublishingService, 'get'>;
  fanout: Pick<FanoutService, 'publish' | 'answer'>;
  config: Pick<Config, 'locale' | 'phoneCountry'>;
};

const redatedAtOnce = 500;

const notFound = (): AppError => new AppError('not-found', 'There is no such application.');
const conflict = (): AppError =>
  new AppError('conflict', 'Somebody else has just changed this application; look again.');
const invalid = (path: string, message: string): AppError =>
  new AppError('invalid', `${path} ${message}`, { faults: [{ path, message }] });

/** Applications for information: received, postponed once, answered by a push to one person, with its proof. */
export const makeApplicationService = (stores: ApplicationStores, tools: ApplicationTools): ApplicationService => {
  const { applications } = stores;
  const { keyring, edges, calendar, publishing, fanout, config } = tools;
  const applicants = makeApplicants(stores, tools);
  const debts = makeDebts(stores, { ...tools, applicants });
  const rules: AddressRules = { phoneCountry: config.phoneCountry, insecureEndpoints: false };

  const known = async (id: string): Promise<Application> => {
    const application = await applications.get(id);
    if (!application) throw notFound();
    return application;
  };

  const view = async (
    application: Application,
    known?: Calendar,
    proof?: ProofDelivery[],
  ): Promise<ApplicationView> => {
    const written = applicants.open(application);
    const waits = application.state === 'received' || application.state === 'postponed';
    const days = waits ? (known ?? (await calendar.calendar())) : null;
    return {
      ...application,
      applicantView: await applicants.view(application),
      text: written?.text ?? null,
      reason: written?.reason ?? null,
      daysLeft: days === null ? null : daysLeft(days, calendar.dayOf(), application.dueOn),
      delivery: application.answer && deliveryOf(proof ?? (await proofOf(stores, application))),
    };
  };

  /** Stores the next state, and answers it as it stands then. */
  const change = async (next: Application): Promise<Application> => {
    if (!(await applications.replace(next))) throw conflict();
    return { ...next, beat: next.beat + 1 };
  };

  const applicantFault = async (applicant: { subscriber?: string; email?: string }): Promise<Fault[]> => {
    const { subscriber, email } = applicant;
    if (subscriber !== undefined && !(await presentPerson(stores.subscriptions, { id: subscriber })))
      return [{ path: 'applicant', message: `there is no subscriber ${subscriber}` }];
    const normal = email === undefined ? null : normaliseContact({ channel: 'email', email }, rules);
    return normal && !normal.ok ? [{ path: 'applicant.email', message: 'is not an email address' }] : [];
  };

  const answering = makeAnswering(stores, { keyring, edges, publishing, fanout, applicants, debts, known, change });

  const faultsIn: ApplicationService['faultsIn'] = async (applicant, receivedAt) => [
    ...(await applicantFault(applicant)),
    ...(receivedAt !== null && receivedAt > edges.now() ? [{ path: 'receivedAt', message: 'lies ahead' }] : []),
  ];

  /** Who applied, as it is kept: a subscriber's ordinal, or an email with its look-up and language. */
  const whoOf = async (applicant: NewApplication['applicant']) => {
    if ('subscriber' in applicant) {
      const person = await presentPerson(stores.subscriptions, { id: applicant.subscriber });
      return { contact: false, applicant: person?.ordinal ?? null, lookup: null, email: null, locale: null };
    }
    const normal = normaliseContact({ channel: 'email', email: applicant.email }, rules);
    const email = normal.ok && normal.contact.channel === 'email' ? normal.contact.email : applicant.email;
    const lookup = lookupOf(keyring, { channel: 'email', email });
    return { contact: true, applicant: null, lookup, email, locale: applicant.locale ?? null };
  };

  return {
    faultsIn,
    register: async ({ applicant, text, receivedAt }, actor, id = newId(edges)) => {
      const faults = await faultsIn(applicant, receivedAt);
      if (faults.length > 0) throw new AppError('invalid', 'The application does not fit.', { faults });
      const { email, locale, ...who } = await whoOf(applicant);
      const days = await calendar.calendar();
      const dates = datesOf(days, receivedAt, calendar.dayOf(receivedAt));
      calendar.warnUnknown(days, dates.receivedOn, dates.dueOn);
      const application: Application = {
        ...{ id, number: numberOf(id, dates.receivedOn), beat: 1, state: 'received', ...who, ...dates },
        written: applicants.seal(id, { text, email, locale, reason: null }),
        ...{ postponement: null, answer: null, openedAt: null, owes: null },
        ...{ by: actor.staff, createdAt: edges.now() },
      };
      await applications.insert(application);
      return view(application);
    },
    get: async (id) => {
      const application = await applications.get(id);
      if (!application) return null;
      const proof = await proofOf(stores, application);
      const days = await calendar.calendar();
      return { ...(await view(application, days, proof)), lastDay: lastDay(days, application), proof };
    },
    list: async (state, page) => {
      const { rows, next } = await applications.list(state, page);
      const days = await calendar.calendar();
      return { rows: await Promise.all(rows.map((one) => view(one, days))), next };
    },
    ofSubscriber: async (ordinal, limit) => {
      const days = await calendar.calendar();
      return Promise.all((await applications.ofApplicant(ordinal, limit)).map((one) => view(one, days)));
    },
    postpone: async (id, { until, reason }, actor) => {
      const application = await known(id);
      const days = await calendar.calendar();
      const today = calendar.dayOf();
      const fault = postponeFault(days, application, until, today);
      if (fault === 'state')
        throw new AppError(
          'wrong-state',
          `The application is ${application.state}; it can be postponed once, before its answer.`,
        );
      if (fault === 'early') throw invalid('until', `must lie after ${application.firstDueOn}`);
      if (fault === 'past') throw invalid('until', `is past: today is ${today}`);
      if (fault === 'late') throw invalid('until', `must be ${lastDay(days, application)} at the latest`);
      const written = applicants.open(application);
      const sealed = written && applicants.seal(id, { ...written, reason });
      const told = (await applicants.reach(application)) !== null;
      const made = { until, at: edges.now(), by: actor.staff, told };
      const next = await change(postponed(application, made, sealed));
      await debts.settle(next);
      return view(await known(id));
    },
    answer: async (id, item, actor) => {
      await answering.answer(id, item, actor);
      return view(await known(id));
    },
    opened: answering.opened,
    forget: async (id) => {
      await known(id);
      // the row first: an answer that is being given finds it changed, and makes nothing that stays
      await applications.forget(id);
      await applicants.eraseContact(id);
    },
    settleOwed: debts.settleOwed,
    redate: async () => {
      const days = await calendar.calendar();
      let moved = 0;
      for (const state of ['received', 'postponed'] as const) {
        for (let cursor: string | null = null, more = true; more; more = cursor !== null) {
          const { rows, next } = await applications.list(state, { cursor, limit: redatedAtOnce });
          for (const one of rows) {
            const to = redated(days, one);
            // one that somebody changes just now is moved by the next round
            if (to && (await applications.replace(to))) moved += 1;
          }
          cursor = next;
        }
      }
      return moved;
    },
  };
};
