import { getEventListeners, once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { streamState } from '../../src/web/event-stream.ts';

describe('streams of one process', () => {
  it('listen to its stop together, and all end with it', async () => {
    const stopping = new AbortController();
    const app = express();
    app.get('/', (req, res) =>
      streamState(req, res, {
        event: 'state',
        read: () => Promise.resolve({ n: 1 }),
        isLast: () => false,
        everyMs: 20,
        stopping: stopping.signal,
      }),
    );
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const streams = await Promise.all(Array.from({ length: 15 }, () => fetch(`http://127.0.0.1:${port}/`)));
    // one each would be kept for as long as the process lives, and Node warns of a leak
    expect(getEventListeners(stopping.signal, 'abort')).toHaveLength(1);
    await streams.pop()?.body?.cancel();
    stopping.abort();
    for (const stream of streams) expect(await stream.text()).toBe('event: state\ndata: {"n":1}\n\n');
    server.close();
    await once(server, 'close');
  });
});
