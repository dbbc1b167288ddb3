import { AppError } from '../errors.ts';
import type { Keyring } from '../keyring.ts';
import type { Storage } from '../storage/storage.ts';
import {
  type AddressRules,
  type ContactParts,
  contactFaults,
  lookupOf,
  maskContact,
  normaliseContact,
  openContact,
} from '../subscriptions/address.ts';
import type { ChannelName } from '../subscriptions/follow.ts';
import type { Contact } from '../subscriptions/subscriber.ts';
import { erasedReason, notFollowing, type Suppression } from '../subscriptions/subscription-store.ts';
import type { Returned } from './return-store.ts';

/** Why an address can be suppressed, in the order of the list's filter. */
export const suppressionReasons = ['hard-bounce', 'soft-bounces', 'complaint', notFollowing, erasedReason] as const;

/** A suppression as staff see it. `masked` and `channel` are null where nobody has the address any more. */
export type SuppressionView = {
  id: string;
  reason: string;
  at: number;
  channel: ChannelName | null;
  masked: string | null;
  /** What came back in the last 30 days, newest first. */
  returns: (Pick<Returned, 'reason' | 'status' | 'at'> & { kind: Exclude<Returned['kind'], 'lifted'> })[];
};

export type SuppressionService = {
  /** What is suppressed, newest first, of one reason or all. */
  list(
    reason: string | null,
    page: { cursor: string | null; limit: number },
  ): Promise<{ rows: SuppressionView[]; next: string | null }>;
  /** The suppression of an address, or null. Throws `invalid` for what is no address. */
  find(contact: ContactParts): Promise<SuppressionView | null>;
  /**
   * Lifts a suppression: the address may be sent to again, its count begins anew, and what was sent before says
   * nothing of it any more. Audited with the note before. Throws `not-found`,
   * and `wrong-state` for one that was erased, which only its owner lifts by confirming it again.
   */
  lift(id: string, by: { staff: string; note: string }): Promise<void>;
};

type Stores = Pick<Storage, 'addresses' | 'returns'>;
type Tools = {
  keyring: Pick<Keyring, 'open' | 'lookup'>;
  rules: AddressRules;
  now: () => number;
  audit(entry: { actor: string; action: string; subject: string; details: object }): Promise<void>;
};

/** The suppression list, for operators. An entry's id is its look-up: an HMAC, which names nobody by itself. */
export const makeSuppressionService = ({ addresses, returns }: Stores, tools: Tools): SuppressionService => {
  const view = async ({ lookup, reason, at }: Suppression): Promise<SuppressionView> => {
    const address = await addresses.find(lookup);
    const came = await returns.ofLookup(lookup);
    return {
      id: lookup,
      reason,
      at,
      channel: address?.channel ?? null,
      masked: address ? maskContact(openContact(tools.keyring, address)) : null,
      returns: came.flatMap(({ kind, ...one }) =>
        kind === 'lifted' ? [] : [{ kind, reason: one.reason, status: one.status, at: one.at }],
      ),
    };
  };

  const contactOf = (parts: ContactParts): Contact => {
    const { email, phone } = parts;
    const written: Contact | null =
      email !== undefined ? { channel: 'email', email } : phone !== undefined ? { channel: 'sms', phone } : null;
    const normal = written && normaliseContact(written, tools.rules);
    if (normal?.ok) return normal.contact;
    throw new AppError('invalid', 'This is no address.', { faults: contactFaults(parts, tools.rules) });
  };

  return {
    list: async (reason, page) => {
      const { rows, next } = await addresses.suppressions(reason, page);
      return { rows: await Promise.all(rows.map(view)), next };
    },
    find: async (parts) => {
      const lookup = lookupOf(tools.keyring, contactOf(parts));
      const reason = await addresses.suppression(lookup);
      return reason === null ? null : view({ lookup, reason, at: (await addresses.suppressedSince(lookup)) ?? 0 });
    },
    lift: async (id, { staff, note }) => {
      const reason = await addresses.suppression(id);
      if (reason === null) throw new AppError('not-found', 'This address is not suppressed.');
      if (reason === erasedReason)
        throw new AppError('wrong-state', 'Its owner had it erased; only they lift that, by signing up again.');
      if (note.trim() === '')
        throw new AppError('invalid', 'A note must say why.', { faults: [{ path: 'note', message: 'must say why' }] });
      await tools.audit({ actor: staff, action: 'liftSuppression', subject: id, details: { reason, note } });
      await returns.forget(id);
      const at = tools.now();
      const lifted = { kind: 'lifted' as const, reason, status: null, message: null, at };
      await returns.record({ ...lifted, id: `lifted ${id} ${at}`, lookup: id });
      if (!(await addresses.lift(id, reason))) throw new AppError('not-found', 'This address is not suppressed.');
    },
  };
};
