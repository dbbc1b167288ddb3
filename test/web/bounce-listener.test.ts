import type { AddressInfo } from 'node:net';
import { createConnection } from 'node:net';
import { createTransport } from 'nodemailer';
import { makeLog } from '../../src/log.ts';
import { makeReturnPaths, returnPathKey } from '../../src/return-path.ts';
import { startBounceListener } from '../../src/web/bounce-listener.ts';
import { makeTown, type Town } from '../helpers/town.ts';

let town: Town;
let stop: () => Promise<void>;
let port: number;
let path: string;
const taken: { raw: Buffer; rcpts: string[]; isVouched: boolean }[] = [];
let fault: Error | null = null;

beforeAll(async () => {
  town = await makeTown({ env: { EMAIL_BOUNCES: 'bounces.town.example' } });
  const returns = {
    take: async (raw: Uint8Array, from: { rcpts: string[]; isVouched: boolean }) => {
      if (fault) throw fault;
      taken.push({ raw: Buffer.from(raw), ...from });
      const followed = { known: false, suppressed: false, stopped: false };
      const original = { messageId: null, date: null };
      return { kind: 'none' as const, recipients: [], id: null, paths: [], original, followed };
    },
  };
  port = await freePort();
  const { keyring, config } = town;
  stop = await startBounceListener(
    { host: '127.0.0.1', port },
    { returns, keyring, config, log: makeLog('silent'), largest: 50_000 },
  );
  path = makeReturnPaths('bounces.town.example', returnPathKey(keyring)).addressFor(
    'AbCdEfGhIjKlMnOpQrStUg',
    'li@x.example',
  );
});
afterAll(async () => {
  await stop();
  await town.close();
});
beforeEach(() => {
  taken.length = 0;
  fault = null;
});

const freePort = async (): Promise<number> => {
  const { createServer } = await import('node:net');
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port: free } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return free;
};

const send = async (to: string, raw: string | Buffer, from = ''): Promise<string> => {
  const transport = createTransport({ host: '127.0.0.1', port, ignoreTLS: true });
  try {
    const { response } = await transport.sendMail({ envelope: { from, to: [to] }, raw });
    return response;
  } catch (error) {
    return (error as { response?: string }).response ?? String(error);
  } finally {
    transport.close();
  }
};

/** The lines that the server answers to these, one after the other. */
const talk = (lines: string[]): Promise<string[]> =>
  new Promise((resolve, reject) => {
    const answers: string[] = [];
    const socket = createConnection(port, '127.0.0.1');
    socket.setEncoding('utf8');
    let text = '';
    socket.on('data', (chunk: string) => {
      text += chunk;
      for (let end = /^\d{3} .*\r\n/m.exec(text); end; end = /^\d{3} .*\r\n/m.exec(text)) {
        answers.push(end[0].trim());
        text = text.slice(end.index + end[0].length);
        const next = lines[answers.length - 1];
        if (next === undefined) socket.end();
        else socket.write(`${next}\r\n`);
      }
    });
    socket.on('close', () => resolve(answers));
    socket.on('error', reject);
  });

describe('the listener for returned mail', () => {
  it('takes mail for a return path of ours, with an empty sender, and hands it on as it is', async () => {
    const raw = 'Subject: x\r\n\r\nundelivered\r\n';
    expect(await send(path, raw)).toMatch(/^250 /);
    expect(taken.map(({ raw: bytes, ...rest }) => ({ ...rest, raw: bytes.toString() }))).toEqual([
      { raw, rcpts: [path], isVouched: false },
    ]);
    expect(await send('abuse@bounces.town.example', raw, 'fbl@isp.example')).toMatch(/^250 /);
  });

  it('refuses every other recipient with 550: it is no relay', async () => {
    for (const [to, words] of [
      ['li@elsewhere.example', /^550 5\.7\.1/],
      ['someone@bounces.town.example', /^550 5\.1\.1/],
      [`${path}.elsewhere.example`, /^550 5\.7\.1/],
      [path.replace(/^b-m./, 'b-mz'), /^550 5\.1\.1/],
    ] as const)
      expect(await send(to, 'Subject: x\r\n\r\nx')).toMatch(words);
    expect(taken).toEqual([]);
  });

  it('lets nobody sign in', async () => {
    const [, hello, auth] = await talk(['EHLO x.example', 'AUTH PLAIN AGEAYg==', 'QUIT']);
    expect([hello?.slice(0, 3), auth?.slice(0, 2)]).toEqual(['250', '50']);
  });

  it('refuses what is too large, announced or not', async () => {
    const announced = await talk(['EHLO x.example', 'MAIL FROM:<> SIZE=60000', 'QUIT']);
    expect(announced[2]).toMatch(/^552/);
    expect(await send(path, Buffer.alloc(60_000, 'x\n'))).toMatch(/^552/);
    expect(taken).toEqual([]);
  });

  it('asks for it again when it cannot be kept', async () => {
    fault = new Error('the store is away');
    expect(await send(path, 'Subject: x\r\n\r\nx')).toMatch(/^451 4\.3\.0/);
  });
});
