import type { Attempt } from '../fanout/ledger-store.ts';
import type { DeliveryState } from '../fanout/push.ts';
import type { Storage } from '../storage/storage.ts';
import type { ChannelName } from '../subscriptions/follow.ts';
import type { Application } from './application.ts';

/** What became of the answer on one channel: each attempt with the receiving server's reply and its time. */
export type ProofDelivery = {
  channel: ChannelName | null;
  /** The item's version that it told. */
  version: number;
  state: DeliveryState;
  code: string | null;
  attempts: Attempt[];
};

/**
 * The proof that an answer was delivered: every message about its item to the applicant, over all pushes of the item, since
 * another one may have told them first.
 */
export const proofOf = async (
  stores: Pick<Storage, 'pushes' | 'ledger'>,
  { answer, applicant }: Pick<Application, 'answer' | 'applicant'>,
): Promise<ProofDelivery[]> => {
  if (!answer) return [];
  const pushes = await stores.pushes.ofItem(answer.item);
  const own = pushes.find(({ id }) => id === answer.push)?.audience;
  // who they were when it was sent, and who they are after a merge
  const ordinals = new Set([applicant ?? -1, own?.kind === 'applicant' ? own.ordinal : -1]);
  const rows = (
    await Promise.all(
      pushes.map(async ({ id, version }) =>
        (await stores.ledger.deliveriesOf(id, [...ordinals])).map((row) => ({ ...row, version })),
      ),
    )
  ).flat();
  const messages = await stores.ledger.messages(rows.flatMap(({ message }) => message ?? []));
  const attempts = new Map(messages.map((message) => [message.id, message.attempts]));
  return rows.map(({ channel, version, state, code, message }) => ({
    ...{ channel, version, state, code },
    attempts: attempts.get(message ?? '') ?? [],
  }));
};

/** What became of an answer: on its way, sent as far as anybody knows, or nothing that was tried reached the applicant. */
export const answerDeliveries = ['waiting', 'sent', 'undelivered'] as const;
export type AnswerDelivery = (typeof answerDeliveries)[number];

const arrived: readonly DeliveryState[] = ['sent', 'delivered'];
const pending: readonly DeliveryState[] = ['planned', 'sending', 'deferred', 'digested'];

/** Of the newest version that anybody tried to send: a correction which comes back leaves the applicant with what is wrong. */
export const deliveryOf = (proof: readonly Pick<ProofDelivery, 'version' | 'state'>[]): AnswerDelivery => {
  const newest = Math.max(...proof.map(({ version }) => version));
  const states = proof.filter(({ version }) => version === newest).map(({ state }) => state);
  if (states.some((state) => arrived.includes(state))) return 'sent';
  return states.length === 0 || states.some((state) => pending.includes(state)) ? 'waiting' : 'undelivered';
};
