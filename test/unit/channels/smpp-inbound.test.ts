import type { PDU, PduOptions, Session } from 'smpp';
import type { Channel } from '../../../src/channels/channel.ts';
import { makeSmppProvider } from '../../../src/channels/sms/smpp-channel.ts';
import type { SmsReceipt } from '../../../src/channels/sms/smpp-receipt.ts';
import { clockEdges, makeContent, makeMessage, noAbort } from '../../helpers/content.ts';
import { type SmppSink, startSmppSink } from '../../helpers/smpp-sink.ts';

let sink: SmppSink;
let channel: Channel;
const receipts: SmsReceipt[] = [];
const texts: [string, string][] = [];
let fault: Error | null = null;
let isKnown = true;

beforeEach(async () => {
  [receipts.length, texts.length, fault, isKnown] = [0, 0, null, true];
  sink = await startSmppSink();
  const inbound = {
    receipt: async (receipt: SmsReceipt) => {
      if (fault) throw fault;
      receipts.push(receipt);
      return isKnown;
    },
    text: async (from: string, body: string) => void texts.push([from, body]),
  };
  channel = makeSmppProvider(`smpp://u:p@127.0.0.1:${sink.port}?from=10690000`, {
    edges: clockEdges(),
    inbound,
  }).channel;
  // a bound session is what a centre sends over
  await channel.send(
    makeMessage({ to: { channel: 'sms', phone: '+8613800138000' }, content: makeContent({ sms: 'x' }) }),
    noAbort,
  );
});
afterEach(async () => {
  await channel.close();
  await sink.close();
});

/** Sends a deliver_sm as the centre; answers the status that it is acknowledged with. */
const deliver = (options: PduOptions): Promise<number> =>
  new Promise((resolve) => {
    (sink.sessions[0] as Session).deliver_sm(options, (pdu: PDU) => resolve(pdu.command_status));
  });

const receiptText = (stat: string, err = '000', id = 'id-1'): string =>
  `id:${id} sub:001 dlvrd:001 submit date:2606101200 done date:2606101201 stat:${stat} err:${err} text:x`;

describe('what a message centre sends of its own accord', () => {
  it.each([
    ['DELIVRD', '000', { to: 'delivered' }],
    ['UNDELIV', '027', { to: 'bounced', failure: 'soft' }],
    ['UNDELIV', '001', { to: 'bounced', failure: 'hard' }],
    ['EXPIRED', '000', { to: 'bounced', failure: 'soft' }],
    ['REJECTD', '000', { to: 'bounced', failure: 'blocked' }],
  ])('is a receipt: stat %s, err %s', async (stat, err, expected) => {
    expect(await deliver({ esm_class: 4, short_message: receiptText(stat, err) })).toBe(0);
    expect(receipts).toEqual([
      expect.objectContaining({ reference: 'id-1', provider: expect.stringContaining('127.0.0.1'), ...expected }),
    ]);
  });

  it('is a receipt in parameters of its own', async () => {
    await deliver({ esm_class: 4, short_message: '', receipted_message_id: 'id-1', message_state: 2 });
    expect(receipts).toEqual([expect.objectContaining({ reference: 'id-1', to: 'delivered' })]);
  });

  it('ends nothing while a text is only on its way', async () => {
    for (const stat of ['ENROUTE', 'ACCEPTD', 'UNKNOWN'])
      expect(await deliver({ esm_class: 4, short_message: receiptText(stat) })).toBe(0);
    expect([receipts, texts]).toEqual([[], []]);
  });

  it('is a text from a phone', async () => {
    const from = { source_addr_ton: 1, source_addr_npi: 1, source_addr: '8613800138000' };
    await deliver({ ...from, short_message: 'TD' });
    await deliver({ ...from, source_addr_ton: 0, data_coding: 8, short_message: '退订' });
    expect(texts).toEqual([
      ['+8613800138000', 'TD'],
      ['8613800138000', '退订'],
    ]);
  });

  it('is asked for again while its text is not known, a few times', async () => {
    isKnown = false;
    const early = { esm_class: 4, short_message: receiptText('DELIVRD', '000', 'early') };
    expect(await deliver(early)).toBe(0x64);
    isKnown = true;
    expect(await deliver(early)).toBe(0);
    isKnown = false;
    const never = { esm_class: 4, short_message: receiptText('DELIVRD', '000', 'never') };
    for (let tries = 1; tries <= 5; tries += 1) expect(await deliver(never)).toBe(0x64);
    expect(await deliver(never)).toBe(0);
  });

  it('is asked for again when it could not be kept', async () => {
    fault = new Error('the store is away');
    expect(await deliver({ esm_class: 4, short_message: receiptText('DELIVRD') })).toBe(0x64);
  });
});
