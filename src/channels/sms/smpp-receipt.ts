import type { PDU } from 'smpp';

/** What a delivery receipt came to; `reference` is the message_id that submit_sm answered. */
export type SmsReceipt = {
  provider: string;
  reference: string;
  to: 'delivered' | 'bounced';
  /** For a bounce: gone for good, perhaps better later, or refused. */
  failure: 'hard' | 'soft' | 'blocked';
  words: string;
};

/** What a message centre sends of its own accord. A promise that fails makes the centre send it again. */
export type SmsInbound = {
  /** Answers whether the text is known: a receipt may be faster than the write that names its text. */
  receipt(receipt: SmsReceipt): Promise<boolean>;
  /** A text from a phone, its number as the network writes it. */
  text(from: string, body: string): Promise<void>;
};

/** message_state (SMPP 3.4 section 5.2.28) and `stat:` of a receipt's text (appendix B), the ones that end a message. */
const states: Readonly<Record<string, Pick<SmsReceipt, 'to' | 'failure'>>> = {
  DELIVRD: { to: 'delivered', failure: 'soft' },
  EXPIRED: { to: 'bounced', failure: 'soft' },
  DELETED: { to: 'bounced', failure: 'soft' },
  UNDELIV: { to: 'bounced', failure: 'soft' },
  REJECTD: { to: 'bounced', failure: 'blocked' },
};
const stateNames: Readonly<Record<number, string>> = {
  2: 'DELIVRD',
  3: 'EXPIRED',
  4: 'DELETED',
  5: 'UNDELIV',
  8: 'REJECTD',
};

/** The network's error of a number that nobody has (3GPP TS 29.002 section 7.6.1: unknown subscriber), as centres pass it on. */
const unknownSubscriber = /^0*1$/;

const isReceipt = ({ esm_class = 0 }: PDU): boolean => (esm_class & 0x3c) === 0x04;

/** The text of a short message; two octets a letter where data_coding says UCS-2 and the library left them as they are. */
export const textOfPdu = ({ short_message: short, data_coding: coding }: PDU): string => {
  const message = short?.message ?? '';
  if (typeof message === 'string') return message;
  return coding === 8
    ? Buffer.from(message.subarray(0, message.length & ~1))
        .swap16()
        .toString('utf16le')
    : message.toString('latin1');
};

/** Reads a deliver_sm as a delivery receipt (SMPP 3.4 section 4.6.1 and appendix B), or null where it is none or ends nothing. */
export const readSmppReceipt = (pdu: PDU, provider: string): SmsReceipt | null => {
  if (!isReceipt(pdu)) return null;
  const text = textOfPdu(pdu);
  const field = (name: string): string => new RegExp(`\\b${name}:\\s*(\\S+)`, 'i').exec(text)?.[1] ?? '';
  const reference = pdu.receipted_message_id || field('id');
  const name = field('stat').toUpperCase() || stateNames[pdu.message_state ?? 0] || '';
  const state = states[name];
  if (!state || reference === '') return null;
  const error = field('err');
  const isGone = name === 'UNDELIV' && unknownSubscriber.test(error);
  const words = ['stat', name, ...(error === '' ? [] : ['err', error])].join(' ');
  return { provider, reference, ...state, ...(isGone ? { failure: 'hard' as const } : {}), words };
};

/** Whether a deliver_sm is a text from a phone. */
export const isIncomingText = ({ esm_class = 0 }: PDU): boolean => (esm_class & 0x3c) === 0;
