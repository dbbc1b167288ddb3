import type { AccountStore } from '../../accounts/account-store.ts';
import type { WechatConfig } from '../../config.ts';
import type { Edges } from '../../edges.ts';
import type { Keyring } from '../../keyring.ts';
import { lookupOf } from '../../subscriptions/address.ts';
import type { Channel, OutgoingMessage, SendResult } from '../channel.ts';
import { guarded } from '../resilience/guard.ts';
import { failure } from '../result.ts';
import { fillSlots } from '../slots.ts';
import { cutTo, fieldsOf, readTemplate } from './template-fields.ts';
import { untilMidnight } from './wechat-answer.ts';
import type { WechatAnswer, WechatClient } from './wechat-client.ts';

export type WechatChannelTools = {
  client: WechatClient;
  accounts: Pick<AccountStore, 'takeOne' | 'allowOne'>;
  keyring: Pick<Keyring, 'lookup'>;
  edges: Pick<Edges, 'now' | 'monotonic'>;
};

const provider = 'wechat';
const concurrency = 32;
/** The same id sent again to the same person within ten minutes is sent once (`client_msg_id`). */
const clientIdMost = 32;
/** Of a one-time message: its title, and its text. */
const onceTitle = 15;
export const mostOnce = 200;

/** Larger than JSON's numbers: read from the text. */
const messageIdIn = (text: string): string | null => /"msgid"\s*:\s*"?(\d+)/.exec(text)?.[1] ?? null;

/**
 * Messages of an official account: template messages to who follows it
 * (developers.weixin.qq.com/doc/offiaccount/Message_Management/Template_Message_Interface.html), and to who does not but allowed one,
 * a one-time message (…/Message_Management/One-time_subscription_info.html). Whether it arrived is told later
 * (TEMPLATESENDJOBFINISH), by the id that a send answers. Once the day's quota is used up nothing is tried until midnight in Beijing.
 */
export const makeWechatChannel = (config: WechatConfig, tools: WechatChannelTools): Channel => {
  const { client, accounts, keyring, edges } = tools;
  const template = readTemplate(config.template);
  let quietUntil = 0;

  const sendTemplate = (openid: string, { id, content, slots }: OutgoingMessage, signal: AbortSignal) =>
    client.call(
      '/cgi-bin/message/template/send',
      {
        touser: openid,
        template_id: template.id,
        ...(slots.item === '' ? {} : { url: slots.item }),
        client_msg_id: id.slice(0, clientIdMost),
        data: fieldsOf(template, content, slots, edges.now()),
      },
      signal,
    );

  const sendOnce = (openid: string, scene: number, { content, slots }: OutgoingMessage, signal: AbortSignal) =>
    client.call(
      '/cgi-bin/message/template/subscribe',
      {
        touser: openid,
        template_id: config.once,
        ...(slots.item === '' ? {} : { url: slots.item }),
        scene: String(scene),
        title: cutTo(fillSlots(content.title, slots), onceTitle),
        data: { content: { value: cutTo(fillSlots(content.short, slots), mostOnce) } },
      },
      signal,
    );

  /** A message to somebody who does not follow: by the leave that they gave for one, if any is left. */
  const byLeave = async (
    openid: string,
    refused: WechatAnswer,
    message: OutgoingMessage,
    signal: AbortSignal,
  ): Promise<WechatAnswer> => {
    const lookup = lookupOf(keyring, { channel: 'wechat', openid });
    const scene = config.once === undefined ? null : await accounts.takeOne(lookup);
    if (scene === null) return refused;
    const answer = await sendOnce(openid, scene, message, signal);
    // what was not looked at was not used up
    if (!answer.ok && answer.kind !== 'permanent') await accounts.allowOne(lookup, scene);
    return answer;
  };

  const send = async (message: OutgoingMessage, signal: AbortSignal): Promise<SendResult> => {
    const { to } = message;
    if (to.channel !== 'wechat') return failure(provider, { kind: 'permanent', reason: 'bad-address' }, 'no openid');
    const left = quietUntil - edges.now();
    if (left > 0)
      return failure(
        provider,
        { kind: 'throttled', reason: 'throttled', retryAfterMs: left },
        'the day’s quota is used',
      );
    const sent = await sendTemplate(to.openid, message, signal);
    const answer = !sent.ok && sent.reason === 'not-following' ? await byLeave(to.openid, sent, message, signal) : sent;
    if (answer.ok) return { ok: true, provider, reference: messageIdIn(answer.text), response: '0 ok' };
    if (answer.kind === 'throttled' && answer.detail.startsWith('45009'))
      quietUntil = edges.now() + untilMidnight(edges.now());
    return answer;
  };

  return guarded(
    {
      name: 'wechat',
      limits: { concurrency },
      send: async (message, signal) => {
        try {
          return await send(message, signal);
        } catch (error) {
          return failure(provider, { kind: 'transient', reason: 'storage' }, String(error));
        }
      },
      close: async () => undefined,
    },
    { edges },
  );
};

/** WeChat where no account is configured any more: whoever has nothing else cannot be told. */
export const makeNoWechatChannel = (): Channel => ({
  name: 'wechat',
  limits: { concurrency },
  send: async () => failure(provider, { kind: 'permanent', reason: 'refused' }, 'no official account is configured'),
  close: async () => undefined,
});
