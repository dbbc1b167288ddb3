import { createRequire } from 'node:module';
import { type MessagePort, Worker } from 'node:worker_threads';
import type { encrypt as encryptByWebPush } from 'web-push';
import type { Contact } from '../../subscriptions/subscriber.ts';
import type { Verdict } from '../result.ts';

type Keys = Extract<Contact, { channel: 'webPush' }>['keys'];

/** One payload to encrypt, and its body; null for keys that no browser made. */
type Job = { id: number; keys: Keys; payload: string };
type Answer = { id: number; body: Uint8Array | null };

export type Encrypter = {
  /** The body of a push (RFC 8291), or a verdict: on keys that no browser made, or because the thread ended first. */
  encrypt(keys: Keys, payload: string): Promise<Uint8Array | Verdict>;
  close(): Promise<void>;
};

/** The thread's work: answers each job. The thread runs this function's text, so it must lean on its parameters alone. */
export const answerJobs = (encrypt: typeof encryptByWebPush, port: Pick<MessagePort, 'on' | 'postMessage'>): void => {
  const bodyOf = ({ keys, payload }: Job): Uint8Array | null => {
    try {
      // a copy, since a Buffer would be handed over with the whole pool that it lies in
      return new Uint8Array(encrypt(keys.p256dh, keys.auth, payload, 'aes128gcm').cipherText);
    } catch {
      return null;
    }
  };
  port.on('message', (job: Job) => {
    const answer: Answer = { id: job.id, body: bodyOf(job) };
    port.postMessage(answer);
  });
};

/** As text, and so the same from the sources as from dist/: Node 20 starts no thread from TypeScript. */
const program = `(${answerJobs})(require(require('node:worker_threads').workerData).encrypt, require('node:worker_threads').parentPort)`;
const webPush = createRequire(import.meta.url).resolve('web-push');

const badKeys: Verdict = { kind: 'permanent', reason: 'bad-address', addressGone: true };
const ended: Verdict = { kind: 'transient', reason: 'aborted' };

/**
 * Encrypts on a thread of its own: the key agreement takes as long as all the rest of a push, and the ledger's thread has enough
 * to do. The thread starts with the first payload, and anew should it have died.
 */
export const makeEncrypter = (): Encrypter => {
  const waiting = new Map<number, (result: Uint8Array | Verdict) => void>();
  let thread: Worker | null = null;
  let last = 0;

  const start = (): Worker => {
    const started = new Worker(program, { eval: true, workerData: webPush });
    started.on('message', ({ id, body }: Answer) => {
      waiting.get(id)?.(body ?? badKeys);
      waiting.delete(id);
    });
    // its exit follows, and says all there is to do
    started.on('error', () => undefined);
    started.on('exit', () => {
      thread = null;
      for (const resolve of waiting.values()) resolve(ended);
      waiting.clear();
    });
    return started;
  };

  return {
    encrypt: (keys, payload) =>
      new Promise((resolve) => {
        thread ??= start();
        last += 1;
        waiting.set(last, resolve);
        thread.postMessage({ id: last, keys, payload } satisfies Job);
      }),
    close: async () => {
      await thread?.terminate();
    },
  };
};
