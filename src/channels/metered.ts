import type { Channel, OutgoingMessage, SendResult } from './channel.ts';

/** Told of every attempt and what became of it. */
export type OnSent = (
  channel: Channel['name'],
  content: Pick<OutgoingMessage['content'], 'kind' | 'key'>,
  result: SendResult,
) => void;

/** The channel, each of whose attempts is told of. */
export const metered = (channel: Channel, onSent: OnSent): Channel => ({
  name: channel.name,
  limits: channel.limits,
  send: async (message, signal) => {
    const result = await channel.send(message, signal);
    onSent(channel.name, message.content, result);
    return result;
  },
  close: () => channel.close(),
});
