import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Rotation, rotateKeys } from '../src/key-rotation.ts';
import { sealContexts } from '../src/seal-contexts.ts';
import { loadSecret } from '../src/secret.ts';
import { commandConfig, openCommand } from './command.ts';

const usage = `Seals all addresses and secrets in the store that the environment names anew, under a new random key, and forgets the old one.
The service may be running. Ended before its time, the command goes on from there when it is run again.

  npm run keys:rotate
  npm run keys:rotate -- --stopped    nothing of the service is running: waits for no other process to learn the key
`;

const sayEveryMs = 5_000;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const readStopped = (): boolean => {
  try {
    return parseArgs({ options: { stopped: { type: 'boolean' } } }).values.stopped ?? false;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${usage}`);
    process.exit(2);
  }
};

const end = ({ key, resealed, unreadable }: Rotation): void => {
  say(`${resealed} values are sealed anew, under key ${key}.`);
  if (unreadable === 0) return;
  process.stderr.write(
    `${unreadable} values do not open under any key: they were altered. The old key is kept for them.\n`,
  );
  process.exitCode = 1;
};

/** A line now and then: of a million values each hundred would be ten thousand. */
const makeProgress = (): ((resealed: number) => void) => {
  let saidAt = Number.NEGATIVE_INFINITY;
  return (resealed) => {
    if (performance.now() - saidAt < sayEveryMs) return;
    saidAt = performance.now();
    say(`${resealed} so far`);
  };
};

const stopped = readStopped();
const config = commandConfig();
const { services, close } = await openCommand(config);
try {
  if (!stopped) say('Every running process learns the new key before it is used; this takes some seconds.');
  end(
    await rotateKeys(services.stores, {
      secret: loadSecret(config),
      keyring: services.keyring,
      contexts: sealContexts,
      pause: (ms) => (stopped ? Promise.resolve() : pause(ms)),
      progress: makeProgress(),
    }),
  );
} finally {
  await close();
}
