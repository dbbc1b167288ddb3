import type { Locale } from '../catalogue/topic.ts';
import type { Config } from '../config.ts';
import type { Edges } from '../edges.ts';
import { AppError } from '../errors.ts';
import type { Keyring } from '../keyring.ts';
import type { Storage } from '../storage/storage.ts';
import { lookupOf, maskContact, sealReplyContact } from '../subscriptions/address.ts';
import { presentPerson } from '../subscriptions/people.ts';
import { reachOf } from '../subscriptions/reach.ts';
import type { Contact } from '../subscriptions/subscriber.ts';
import { erasedReason } from '../subscriptions/subscription-store.ts';
import type { Application, Written } from './application.ts';

export type ApplicantStores = Pick<Storage, 'subscriptions' | 'addresses'>;
export type ApplicantTools = {
  keyring: Keyring;
  edges: Pick<Edges, 'now'>;
  config: Pick<Config, 'locale'>;
};

/** Who applied, as staff may see them: a subscriber's public id, or a contact's masked address; null once forgotten. */
export type ApplicantView = { subscriber: string } | { contact: string } | null;

/** What the seal of an application is bound to. */
export const applicationContext = (id: string): string => `application:${id}`;

/** Who applied: what they wrote, where they are written to, and the contact that an answer goes to. */
export const makeApplicants = (stores: ApplicantStores, { keyring, edges, config }: ApplicantTools) => {
  const { subscriptions, addresses } = stores;

  const open = ({ id, written }: Pick<Application, 'id' | 'written'>): Written | null =>
    written === null ? null : (JSON.parse(keyring.open(written, applicationContext(id))) as Written);

  /** The language of a contact. */
  const localeOf = (application: Application): Locale => open(application)?.locale ?? config.locale;

  const emailOf = (application: Application): Contact | null => {
    const email = open(application)?.email ?? null;
    return email === null ? null : { channel: 'email', email };
  };

  /** Why nothing may be sent to an address whoever has it; what was forgotten may be answered when its owner applies anew. */
  const suppressionOf = async (contact: Contact): Promise<string | null> => {
    const reason = await addresses.suppression(lookupOf(keyring, contact));
    return reason === erasedReason ? null : reason;
  };

  // derived from the application's, so that a contact is found again whatever was stored of it
  const idOfContact = (id: string): string => keyring.mac('application-contact', id, 16).toString('base64url');
  const contactOf = (id: string) => subscriptions.subscriber({ contact: idOfContact(id) });

  const insertContact = async (id: string, locale: Locale): Promise<void> => {
    const facts = {
      externalId: null,
      region: null,
      timeZone: null,
      quietHours: null,
      digestHour: null,
      attributes: {},
    };
    const consents = { personalisation: false };
    const made = { id, locale, ...facts, consents, createdAt: edges.now(), contact: true as const };
    try {
      await subscriptions.insertSubscriber(made);
    } catch (error) {
      // somebody else answered at the same moment
      if (!(error instanceof AppError) || error.code !== 'conflict') throw error;
    }
  };

  return {
    open,
    seal: (id: string, written: Written): string => keyring.seal(JSON.stringify(written), applicationContext(id)),

    view: async (application: Application): Promise<ApplicantView> => {
      if (application.contact) {
        const contact = emailOf(application);
        return contact && { contact: maskContact(contact) };
      }
      const ordinal = application.applicant;
      const person = ordinal === null ? null : await presentPerson(subscriptions, { ordinal });
      return person && { subscriber: person.id };
    },

    /** Where the applicant is written to and in which language; null where nowhere. */
    reach: async (application: Application): Promise<{ contact: Contact; locale: Locale } | null> => {
      if (!application.contact)
        return application.applicant === null ? null : reachOf(stores, keyring, application.applicant);
      const contact = emailOf(application);
      const usable = contact !== null && (await suppressionOf(contact)) === null;
      return usable ? { contact, locale: localeOf(application) } : null;
    },

    /**
     * Whom an answer is pushed to, by ordinal; a contact is made here, without an address: that comes once the application
     * names it (`giveAddress`), or nobody would forget it with the application. Null once the applicant was forgotten.
     */
    ordinalOf: async (application: Application): Promise<number | null> => {
      if (!application.contact || application.applicant !== null) return application.applicant;
      if (!emailOf(application)) return null;
      if (!(await contactOf(application.id))) {
        await insertContact(idOfContact(application.id), localeOf(application));
      }
      const person = await contactOf(application.id);
      if (!person) throw new Error('a contact was not kept');
      return person.ordinal;
    },

    /**
     * Gives the contact of an application its address, under a look-up of its own, so that whoever signs up with the same
     * address never meets it. Of a subscriber nothing changes.
     */
    giveAddress: async (application: Application): Promise<void> => {
      const contact = application.contact ? emailOf(application) : null;
      if (!contact || application.applicant === null) return;
      const address = sealReplyContact(keyring, contact, application.id);
      await addresses.claim({
        ...address,
        subscriber: application.applicant,
        verifiedAt: edges.now(),
        suppressed: null,
      });
    },

    /** Erases the contact of an application, if it has one. */
    eraseContact: async (id: string): Promise<void> => {
      const contact = await contactOf(id);
      if (contact) await subscriptions.erase(contact.ordinal, edges.now());
    },
  };
};

export type Applicants = ReturnType<typeof makeApplicants>;
