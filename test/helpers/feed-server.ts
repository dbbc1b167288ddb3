import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { loopbackCertificate } from './loopback-certificate.ts';

export type FeedServer = {
  origin: string;
  /** What was asked, by path and headers. */
  asked: { path: string; headers: IncomingHttpHeaders }[];
  /** How a path is answered from now on. */
  on(path: string, answer: (response: ServerResponse, headers: IncomingHttpHeaders) => void): void;
  close(): Promise<void>;
};

/** Another office's server of feeds, on loopback with a certificate of its own. */
export const startFeedServer = async (): Promise<FeedServer> => {
  const answers = new Map<string, (response: ServerResponse, headers: IncomingHttpHeaders) => void>();
  const asked: FeedServer['asked'] = [];
  const server = createServer(loopbackCertificate, (request, response) => {
    const path = request.url ?? '';
    asked.push({ path, headers: request.headers });
    const answer = answers.get(path);
    if (answer) answer(response, request.headers);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `https://localhost:${(server.address() as AddressInfo).port}`,
    asked,
    on: (path, answer) => void answers.set(path, answer),
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
};
