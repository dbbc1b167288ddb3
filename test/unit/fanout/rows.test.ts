import type { Delivery } from '../../../src/fanout/ledger-store.ts';
import type { Reason } from '../../../src/fanout/policy.ts';
import type { PushContext } from '../../../src/fanout/worker/push-context.ts';
import { type Plan, successorOf } from '../../../src/fanout/worker/rows.ts';
import type { ChannelName } from '../../../src/subscriptions/follow.ts';
import type { Address, Recipient } from '../../../src/subscriptions/subscriber.ts';
import { at, makeDelivery, makePush } from '../../helpers/fanout-builders.ts';

const context = {
  push: makePush(),
  version: { revision: 2, content: { urgency: 'routine' } },
} as unknown as PushContext;

const address = (channel: ChannelName, suppressed: string | null = null): Address => ({
  lookup: channel,
  subscriber: 1,
  channel,
  sealed: '',
  verifiedAt: 0,
  suppressed,
});
const follows = (channels: ChannelName[] | null): Reason => ({
  kind: 'subscription',
  source: 0,
  pace: 'immediate',
  channels,
});
const planOf = (addresses: Address[], reasons: Reason[], others: Delivery[] = []): Plan => ({
  unit: { ordinal: 1, row: makeDelivery({ channel: 'sms', attempts: 3 }), others, sources: [0] },
  person: { ordinal: 1, addresses } as unknown as Recipient,
  reasons,
  decision: { kind: 'send', channel: 'sms', addresses: [], fallback: null },
  message: 'm',
});
const stored = [address('email'), address('sms'), address('webPush')];
const next = (plan: Plan) => successorOf(context, plan, 'sms', at);

describe('the row after a channel that failed for good', () => {
  it('is on the next channel in the order that the person asked for, not in that of their addresses', () => {
    expect(next(planOf(stored, [follows(['sms', 'webPush', 'email'])]))).toMatchObject({
      channel: 'webPush',
      state: 'deferred',
      code: 'retry',
      attempts: 0,
      dueAt: at,
      revision: 2,
      message: null,
    });
    expect(next(planOf([...stored].reverse(), [follows(['sms'])]))?.channel).toBe('email');
  });

  it('is on none that is spent or suppressed', () => {
    const asked = [follows(['sms', 'webPush', 'email'])];
    expect(next(planOf(stored, asked, [makeDelivery({ channel: 'webPush' })]))?.channel).toBe('email');
    expect(next(planOf([address('sms'), address('webPush', 'gone'), address('email')], asked))?.channel).toBe('email');
    expect(next(planOf([address('sms'), address('webPush', 'gone')], asked))).toBeNull();
    expect(next({ ...planOf([], asked), person: null })).toBeNull();
  });
});
