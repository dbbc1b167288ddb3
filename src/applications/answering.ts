import type { Edges } from '../edges.ts';
import { AppError } from '../errors.ts';
import type { FanoutService } from '../fanout/fanout-service.ts';
import type { Keyring } from '../keyring.ts';
import type { Actor } from '../publishing/item.ts';
import type { PublishingService } from '../publishing/publishing-service.ts';
import { readLink } from '../signed-link.ts';
import type { Storage } from '../storage/storage.ts';
import { presentPerson } from '../subscriptions/people.ts';
import type { Applicants } from './applicant.ts';
import { type Application, answered } from './application.ts';
import type { Debts } from './debts.ts';

type Stores = Pick<Storage, 'applications' | 'subscriptions' | 'ledger'>;
export type AnsweringTools = {
  keyring: Keyring;
  edges: Pick<Edges, 'now'>;
  publishing: Pick<PublishingService, 'get'>;
  fanout: Pick<FanoutService, 'publish'>;
  applicants: Pick<Applicants, 'ordinalOf' | 'giveAddress' | 'eraseContact'>;
  debts: Pick<Debts, 'settle'>;
  /** Throws `not-found`. */
  known: (id: string) => Promise<Application>;
  /** Stores the next state and answers it as it stands then; throws `conflict`. */
  change: (next: Application) => Promise<Application>;
};

/** Whatever opens a link so soon after it was sent is a mail filter, and proves nothing. */
const tooSoonMs = 5_000;

/** Answering by a targeted item, which answers one application and no other; and the proof that it was opened. */
export const makeAnswering = (stores: Stores, tools: AnsweringTools) => {
  const { applications } = stores;
  const { keyring, edges, publishing, fanout, applicants, debts, known, change } = tools;

  /** An application whose applicant is stored, and then has an address; one that is forgotten meanwhile takes it along. */
  const reachable = async (application: Application): Promise<Application> => {
    if (!application.contact) return application;
    const named = await change(application);
    await applicants.giveAddress(named);
    if ((await known(named.id)).written === null) await applicants.eraseContact(named.id);
    return named;
  };

  /** Publishes the item if it is not, which tells nobody by itself. */
  const makeReadable = async (item: string, actor: Actor): Promise<void> => {
    const found = await publishing.get(item);
    if (!found) throw new AppError('not-found', `There is no item ${item}.`);
    if (found.content.visibility !== 'targeted') {
      const message = 'must be a targeted item';
      throw new AppError('invalid', `item ${message}`, { faults: [{ path: 'item', message }] });
    }
    const [other] = await applications.answeredBy(item);
    if (other) throw answersAnother(item);
    if (found.state !== 'published') await fanout.publish(item, actor);
  };

  return {
    answer: async (id: string, item: string, actor: Actor): Promise<void> => {
      const application = await known(id);
      if (application.answer?.item === item) return debts.settle(application);
      if (application.state !== 'received' && application.state !== 'postponed')
        throw new AppError('wrong-state', `The application is ${application.state}.`);
      await makeReadable(item, actor);
      const applicant = await applicants.ordinalOf(application);
      if (applicant === null)
        throw new AppError('wrong-state', 'The applicant was forgotten; there is nobody to answer.');
      const push = keyring.mac('application-push', `${id}:${item}`, 16).toString('base64url');
      const made = { item, push, at: edges.now(), by: actor.staff };
      await debts.settle(await change(answered(await reachable({ ...application, applicant }), made)));
    },
    opened: async (item: string, token: string): Promise<void> => {
      const link = readLink(keyring, 'item', token, edges.now());
      const message = link.ok ? await stores.ledger.message(link.subject) : null;
      const sentAt = message?.attempts.at(-1)?.at ?? message?.createdAt ?? 0;
      if (!message || edges.now() - sentAt < tooSoonMs) return;
      const person = await presentPerson(stores.subscriptions, { ordinal: message.ordinal });
      for (const { id, answer, applicant } of await applications.answeredBy(item))
        if (answer?.push === message.push || (applicant !== null && applicant === person?.ordinal))
          await applications.opened(id, edges.now());
    },
  };
};

/** An item in two applications would tell either applicant of the other's, and prove nothing of whom it reached. */
export const answersAnother = (item: string): AppError => {
  const message = 'answers another application: an item answers one';
  return new AppError('conflict', `The item ${item} ${message}.`, { faults: [{ path: 'item', message }] });
};
