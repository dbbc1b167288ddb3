import { createECDH, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { pathToFileURL } from 'node:url';
import ece from 'http_ece';
import { loopbackCertificate } from './loopback-certificate.ts';

export type SunkPush = { path: string; headers: IncomingHttpHeaders; body: Buffer };

/** How the sink answers a path; left out, 201. */
export type PushAnswers = (path: string) => { status: number; headers?: Record<string, string> } | 'silence';

export type PushSink = {
  origin: string;
  pushes: SunkPush[];
  count(): number;
  connections(): number;
  close(): Promise<void>;
};

/** A browser's side of a subscription: the keys that a push is encrypted for, and the reader of what came. */
export type Browser = {
  subscription(
    origin: string,
    path?: string,
  ): { channel: 'webPush'; endpoint: string; keys: { p256dh: string; auth: string } };
  /** Decrypts by RFC 8291 with another implementation than the sender's. */
  read(body: Buffer): unknown;
};

/** A push service on loopback with a certificate of its own. */
export const startPushSink = async (
  options: { answer?: PushAnswers; keep?: boolean; port?: number } = {},
): Promise<PushSink> => {
  const pushes: SunkPush[] = [];
  let count = 0;
  let connections = 0;
  const server = createServer(loopbackCertificate, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const path = request.url ?? '';
    count += 1;
    if (options.keep !== false) pushes.push({ path, headers: request.headers, body: Buffer.concat(chunks) });
    const answer = options.answer?.(path) ?? { status: 201 };
    if (answer === 'silence') return;
    response.writeHead(answer.status, { location: `https://push.test/m/${count}`, ...answer.headers }).end();
  });
  server.on('secureConnection', () => {
    connections += 1;
  });
  server.keepAliveTimeout = 60_000;
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    pushes,
    count: () => count,
    connections: () => connections,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

export const makeBrowser = (): Browser => {
  const keys = createECDH('prime256v1');
  keys.generateKeys();
  const auth = randomBytes(16).toString('base64url');
  return {
    subscription: (origin, path = '/push/1') => ({
      channel: 'webPush',
      endpoint: `${origin}${path}`,
      keys: { p256dh: keys.getPublicKey('base64url'), auth },
    }),
    read: (body) =>
      JSON.parse(ece.decrypt(body, { version: 'aes128gcm', privateKey: keys, authSecret: auth }).toString('utf8')),
  };
};

// As a process of its own: prints its origin, and answers each line on standard input with the count.
if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const sink = await startPushSink({ keep: false, port: Number(process.env.SINK_PORT ?? 0) });
  console.log(JSON.stringify({ origin: sink.origin }));
  process.stdin.on('data', () => console.log(JSON.stringify({ count: sink.count() })));
  process.stdin.on('end', () => process.exit(0));
}
