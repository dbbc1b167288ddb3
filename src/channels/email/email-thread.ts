import { parentPort, Worker, workerData } from 'node:worker_threads';
import type { Config } from '../../config.ts';
import { realEdges } from '../../edges.ts';
import type { Channel } from '../channel.ts';
import { makeRemoteChannel, type Thread } from '../thread/remote-channel.ts';
import { serveChannel } from '../thread/serve-channel.ts';
import { emailConcurrency, makeEmailChannel } from './email-channel.ts';

/** What a mail needs dies with it: a small nursery keeps the thread small, too (left alone it grows to 64 MB). */
const resourceLimits = { maxYoungGenerationSizeMb: 12 };

/** What the thread is given: it has no keyring, and needs none but the key of its return paths. */
type ThreadData = { email: Config['email']; returnPathKey: Uint8Array | undefined };

/** Starts this very file as a thread. */
const start = (data: ThreadData): Thread => {
  const worker = new Worker(new URL(import.meta.url), { workerData: data, resourceLimits });
  // its exit follows, and says all there is to do
  worker.on('error', () => undefined);
  return {
    postMessage: (message) => worker.postMessage(message),
    onAnswers: (listener) => void worker.on('message', listener),
    onEnd: (listener) => void worker.once('exit', listener),
    terminate: () => void worker.terminate(),
  };
};

/** `makeEmailChannel` on a thread of its own, by the machine's clock; from compiled files only, as Node 20 starts no thread from TypeScript. */
export const makeThreadedEmailChannel = (config: Config['email'], returnPathKey?: Uint8Array): Channel =>
  makeRemoteChannel({
    name: 'email',
    limits: { concurrency: emailConcurrency(config.urls) },
    start: () => start({ email: config, returnPathKey }),
  });

const asThread = workerData as Partial<ThreadData> | null;
if (parentPort && asThread?.email) {
  const { email, returnPathKey } = asThread;
  serveChannel(makeEmailChannel(email, { edges: realEdges, returnPathKey }), parentPort);
}
