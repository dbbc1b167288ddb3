import type { Contact } from '../../subscriptions/subscriber.ts';

export type TypedContact =
  | { ok: true; contact: Contact }
  | { ok: false; fault: 'fault.addressMissing' | 'fault.address' };

/** What somebody typed where an email address or a phone number will do; the service looks closer. */
export const typedContact = (text: string): TypedContact => {
  if (text === '') return { ok: false, fault: 'fault.addressMissing' };
  if (/^[+\d][\d\s().-]{4,}$/.test(text)) return { ok: true, contact: { channel: 'sms', phone: text } };
  if (/^[^\s@]+@[^\s@]+$/.test(text)) return { ok: true, contact: { channel: 'email', email: text } };
  return { ok: false, fault: 'fault.address' };
};
