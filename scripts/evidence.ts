import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { AppError } from '../src/errors.ts';
import { verifyBundle } from '../src/evidence/bundle.ts';
import { type Services, systemActor } from '../src/services.ts';
import { commandConfig, openCommand } from './command.ts';

const usage = `Evidence of delivery.

  npm run evidence -- make <item> [--person <subscriber id>]    prints the signed bundle of an item
  npm run evidence -- key                                       prints the public key
  npm run evidence -- verify <bundle.json> <key.pem>            needs no store and no network; ends with 1 when it does not fit
`;

const say = (text: string): void => void process.stdout.write(text);

const stopWith = (message: string): never => {
  process.stderr.write(message);
  process.exit(2);
};

const read = () => {
  try {
    return parseArgs({ allowPositionals: true, options: { person: { type: 'string' } } });
  } catch (error) {
    return stopWith(`${error instanceof Error ? error.message : error}\n\n${usage}`);
  }
};

const inStore = async (work: (services: Services) => Promise<void>): Promise<void> => {
  const { services, close } = await openCommand(commandConfig());
  try {
    await work(services);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  } finally {
    await close();
  }
};

const whyNot = {
  form: 'this is no bundle of evidence',
  key: 'it was signed with another key',
  signature: 'it was changed after it was signed',
};

const fileText = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    return stopWith(`${file} cannot be read (${(error as NodeJS.ErrnoException).code}).\n`);
  }
};

/** The text of a file that holds a public key; the command ends where it holds none. */
const keyText = (file: string): string => {
  const pem = fileText(file);
  try {
    createPublicKey(pem);
    return pem;
  } catch {
    return stopWith(`${file} holds no public key: it is the PEM that "evidence -- key" prints.\n`);
  }
};

const verify = (file: string, key: string): void => {
  const verdict = verifyBundle(fileText(file), keyText(key));
  if (verdict.ok) {
    say(`The bundle is whole.\n\n${verdict.text}`);
    return;
  }
  process.stderr.write(`The bundle does not fit: ${whyNot[verdict.why]}.\n`);
  process.exitCode = 1;
};

const { values, positionals } = read();
const [command, first, second] = positionals;

if (command === 'verify' && first && second) verify(first, second);
else if (command === 'key') await inStore(async ({ evidence }) => say((await evidence.publicKey()).pem));
else if (command === 'make' && first)
  await inStore(async ({ evidence, access }) => {
    const bundle = await evidence.ofItem(first, values.person ?? null);
    const details = values.person === undefined ? {} : { person: values.person };
    await access.audit({ actor: systemActor.staff, action: 'getEvidence', subject: first, details });
    say(`${JSON.stringify(bundle, null, 2)}\n`);
  });
else stopWith(usage);
