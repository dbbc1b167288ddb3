import { get } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { makeBrowser } from '../helpers/push-sink.ts';
import { plainVisitor } from '../helpers/visitor.ts';
import { startWeb, type Web } from '../helpers/web.ts';

let web: Web;
beforeAll(async () => {
  web = await startWeb();
});
afterAll(() => web.close());

/** The bytes as they go over the wire; fetch would unpack them. */
const raw = (path: string, encoding: string): Promise<{ headers: Record<string, unknown>; body: Buffer }> =>
  new Promise((resolve, reject) => {
    get(`${web.url}${path}`, { headers: { 'accept-encoding': encoding } }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(parts) }));
    }).on('error', reject);
  });

const assetsOn = (html: string): string[] =>
  [...html.matchAll(/"(\/assets\/[^"]+\.(?:css|js))"/g)].map(([, path]) => path ?? '');

describe('assets', () => {
  it.each([
    ['br', brotliDecompressSync],
    ['gzip', gunzipSync],
    ['identity', (bytes: Buffer) => bytes],
  ])('come as %s, and are the same', async (encoding, unpack) => {
    const [style = '', script = ''] = assetsOn((await plainVisitor(web.url).get('/')).html);
    for (const [path, type] of [
      [style, 'text/css'],
      [script, 'text/javascript'],
    ] as const) {
      const { headers, body } = await raw(path, encoding);
      expect(headers['content-type']).toContain(type);
      expect(headers.vary).toContain('Accept-Encoding');
      expect(headers['content-encoding'] ?? 'identity').toBe(encoding);
      const plain = await raw(path, 'identity');
      expect(unpack(body).equals(plain.body)).toBe(true);
    }
  });

  it('that are not there are not found, whatever they would come as', async () => {
    expect((await plainVisitor(web.url).get('/assets/nothing/here.css')).status).toBe(404);
  });
});

describe('what the service worker asks for', () => {
  it('a page for when there is no network, in both languages', async () => {
    const { html } = await plainVisitor(web.url).get('/offline');
    expect(html).toContain('You are offline');
    expect(html).toContain('当前没有网络连接');
  });

  it('another endpoint: the same answer for a known and an unknown one, and a fault for none', async () => {
    const [from, to] = [makeBrowser(), makeBrowser()].map((one) => one.subscription('https://push.example.org'));
    const send = (body: unknown) =>
      web.call('POST', '/push/renew', {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    expect((await send({ from, to })).status).toBe(204);
    expect((await send({ from })).status).toBe(400);
    expect((await send({ from, to: { ...to, endpoint: 'x' } })).status).toBe(400);
    expect((await send([])).status).toBe(400);
  });
});
