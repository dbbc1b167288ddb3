import { EventEmitter } from 'node:events';
import { orUnavailable } from '../../src/storage/mongo/away.ts';
import { type WatchedClient, watchHeartbeats } from '../../src/storage/mongo/heartbeats.ts';
import { until } from '../helpers/push-over-api.ts';

/** The driver as it is seen from outside: what it says of its heartbeats, and how it is connected anew. */
const makeClient = (connects: (() => Promise<void>)[]) => {
  const said = new EventEmitter();
  const calls: string[] = [];
  const client = {
    on: said.on.bind(said),
    close: async () => void calls.push('close'),
    connect: async () => {
      calls.push('connect');
      await connects.shift()?.();
    },
  } as unknown as WatchedClient;
  return { client, calls, say: (event: string) => said.emit(event, { connectionId: 'a:1', address: 'a:1' }) };
};
const patience = { patienceMs: 5, awaitedMs: 10_000 };
const longEnough = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));

describe('a heartbeat that nobody ends', () => {
  it('the client is connected anew, and once more where that fails', async () => {
    const { client, calls, say } = makeClient([() => Promise.reject(new Error('still away'))]);
    const stop = watchHeartbeats(client, patience);
    say('serverHeartbeatStarted');
    await until('it has connected', () => calls.length === 4);
    expect(calls).toEqual(['close', 'connect', 'close', 'connect']);
    stop();
  });

  it.each(['serverHeartbeatSucceeded', 'serverHeartbeatFailed', 'serverClosed'])('is none after %s', async (ended) => {
    const { client, calls, say } = makeClient([]);
    const stop = watchHeartbeats(client, patience);
    say('serverHeartbeatStarted');
    say(ended);
    await longEnough();
    expect(calls).toEqual([]);
    stop();
  });

  it('is not looked for any more once the watch is over', async () => {
    const { client, calls, say } = makeClient([]);
    const stop = watchHeartbeats(client, patience);
    say('serverHeartbeatStarted');
    stop();
    say('serverHeartbeatStarted');
    await longEnough();
    expect(calls).toEqual([]);
  });
});

it('a verb that is never answered fails as an outage', async () => {
  await expect(orUnavailable(() => new Promise(() => undefined), 5)).rejects.toMatchObject({
    code: 'store-unavailable',
  });
});
