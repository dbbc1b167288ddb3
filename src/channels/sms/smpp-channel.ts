import type { PDU, PduOptions } from 'smpp';
import type { Edges } from '../../edges.ts';
import type { Channel, SendResult } from '../channel.ts';
import { pause, type Stop, StoppedError, withDeadline } from '../resilience/deadline.ts';
import { makePaceMeter, type Provider } from '../resilience/failover.ts';
import { guarded } from '../resilience/guard.ts';
import { makeSemaphore } from '../resilience/semaphore.ts';
import { failure, type Verdict } from '../result.ts';
import { fillSlots } from '../slots.ts';
import { concatHeader, splitSms } from './segments.ts';
import { isIncomingText, readSmppReceipt, type SmsInbound, type SmsReceipt, textOfPdu } from './smpp-receipt.ts';
import { makeSmppLink, type SmppLink, SmppStatusError } from './smpp-session.ts';
import { classifySmpp, smppWords } from './smpp-status.ts';
import { readSmsUrl } from './sms-url.ts';

export type SmppTools = { edges: Pick<Edges, 'monotonic'>; limitMs?: number; inbound?: SmsInbound };

type Numbered = { ton: number; npi: number; digits: string };

/** Type and plan of a number (SMPP 3.4 sections 5.2.5 and 5.2.6): letters, an E.164 number, or a code of the network's own. */
const numbered = (text: string): Numbered => {
  if (!/^\+?\d+$/.test(text)) return { ton: 5, npi: 0, digits: text };
  return text.startsWith('+') ? { ton: 1, npi: 1, digits: text.slice(1) } : { ton: 0, npi: 0, digits: text };
};

/** Slots for each place in the window: while texts wait for the centre, others wait for their outcome to be kept. */
const slotsPerPlace = 4;
/** Parts count in one octet of the header. */
const mostParts = 255;
const partTries = 4;

/** A part in the middle of a text is offered again when the message centre is busy: starting over would cost the parts before it. */
const submitPart = async (link: SmppLink, pdu: PduOptions, isFirst: boolean, stop: Stop): Promise<string> => {
  for (let tries = 1; ; tries += 1) {
    try {
      return await link.submit(pdu, stop);
    } catch (error) {
      const verdict = error instanceof SmppStatusError ? classifySmpp(error.status) : null;
      if (isFirst || verdict?.kind !== 'throttled' || tries === partTries) throw error;
      await pause(stop, verdict.retryAfterMs ?? 1_000);
    }
  }
};

/** So often the centre is asked to send a receipt again whose text is not known yet, or never was ours. */
const unknownTries = 5;
const unknownMost = 10_000;

/** Hands on what a message centre sends: receipts and texts; whatever else there is needs no more than its acknowledgement. */
const takerOf = (provider: string, inbound: SmsInbound | undefined): ((pdu: PDU) => Promise<void>) => {
  const unknown = new Map<string, number>();
  const takeReceipt = async (receipt: SmsReceipt): Promise<void> => {
    const { reference } = receipt;
    const tries = (unknown.get(reference) ?? 0) + 1;
    unknown.delete(reference);
    if ((await inbound?.receipt(receipt)) !== false || tries > unknownTries) return;
    unknown.set(reference, tries);
    if (unknown.size > unknownMost) unknown.delete(unknown.keys().next().value ?? '');
    throw new Error('the text of a receipt is not known yet');
  };
  return async (pdu) => {
    if (!inbound) return;
    const receipt = readSmppReceipt(pdu, provider);
    if (receipt) await takeReceipt(receipt);
    else if (isIncomingText(pdu) && pdu.source_addr)
      await inbound.text(
        pdu.source_addr_ton === 1 ? `+${pdu.source_addr.replace(/^\+/, '')}` : pdu.source_addr,
        textOfPdu(pdu),
      );
  };
};

const verdictOf = (error: unknown): { verdict: Verdict; words: string } => {
  if (error instanceof SmppStatusError) {
    const verdict = classifySmpp(error.status) ?? { kind: 'transient', reason: 'bad-answer' };
    return { verdict, words: `${error.message}: ${smppWords(error.status)}` };
  }
  const stopped = error instanceof StoppedError ? error.code : null;
  const reason = stopped === 'EABORT' ? 'aborted' : stopped === 'ETIMEDOUT' ? 'timeout' : 'connection';
  return { verdict: { kind: 'transient', reason }, words: String(error) };
};

/**
 * SMS over SMPP 3.4, bound as transceiver. Long texts go as concatenated parts, one after the other, and count as sent only when
 * every part was accepted; the reference is the first part's message_id. Throws `ConfigError`.
 */
export const makeSmppProvider = (text: string, tools: SmppTools): Provider => {
  const { provider, url, user, pass, from, rate, burst, weight, window } = readSmsUrl(text);
  const isSecure = url.protocol === 'ssmpp:';
  const { limitMs = 60_000 } = tools;
  const port = Number(url.port) || (isSecure ? 3550 : 2775);
  const bindMs = Math.min(limitMs, 10_000);
  const take = takerOf(provider, tools.inbound);
  const link = makeSmppLink({ host: url.hostname, port, isSecure, user, pass, bindMs, take });
  const source = numbered(from);
  const places = makeSemaphore(window);
  let reference = 0;

  const submitAll = async (phone: string, body: string, stop: Stop): Promise<SendResult> => {
    const { coding, bodies } = splitSms(body);
    const to = numbered(phone);
    if (to.ton === 5) return failure(provider, { kind: 'permanent', reason: 'bad-address' }, 'not a number');
    if (bodies.length > mostParts)
      return failure(provider, { kind: 'permanent', reason: 'too-large' }, `${bodies.length} parts`);
    reference = (reference + 1) & 0xff;
    const current = reference;
    const ids: string[] = [];
    for (const [at, message] of bodies.entries()) {
      const header = bodies.length > 1 ? { udh: concatHeader(current, bodies.length, at + 1) } : {};
      const pdu: PduOptions = {
        source_addr_ton: source.ton,
        source_addr_npi: source.npi,
        source_addr: source.digits,
        dest_addr_ton: to.ton,
        dest_addr_npi: to.npi,
        destination_addr: to.digits,
        data_coding: coding,
        // one receipt a text: of the part that names it (SMPP 3.4 section 5.2.17)
        registered_delivery: tools.inbound && at === 0 ? 1 : 0,
        short_message: { ...header, message },
      };
      ids.push(await submitPart(link, pdu, at === 0, stop));
    }
    return { ok: true, provider, reference: ids[0] ?? null, response: ids.join(' ') };
  };

  const channel: Channel = {
    name: 'sms',
    limits: { concurrency: window * slotsPerPlace },
    send: async ({ to, content, slots }, signal) => {
      if (to.channel !== 'sms') return failure(provider, { kind: 'permanent', reason: 'bad-address' }, 'not a number');
      try {
        const body = fillSlots(content.sms, slots);
        return await withDeadline(limitMs, signal, async (stop) => {
          await places.take(stop);
          try {
            return await submitAll(to.phone, body, stop);
          } finally {
            places.give();
          }
        });
      } catch (error) {
        const { verdict, words } = verdictOf(error);
        return failure(provider, verdict, words);
      }
    },
    close: () => link.close(),
  };
  const meter = makePaceMeter();
  return { channel: guarded(channel, { edges: tools.edges, ratePerSecond: rate, burst, meter }), weight, meter };
};
