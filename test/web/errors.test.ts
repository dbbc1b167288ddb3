import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import express from 'express';
import { errorTable } from '../../src/errors.ts';
import { makeLog } from '../../src/log.ts';
import { projectRoot } from '../../src/project-root.ts';
import { asAppError, makeErrorHandler, problemOf } from '../../src/web/error-handler.ts';
import { startWeb, type Web } from '../helpers/web.ts';

describe('the table of errors', () => {
  it('is the one of docs/errors.md', () => {
    const lines = readFileSync(join(projectRoot, 'docs/errors.md'), 'utf8').split('\n');
    const told = lines.flatMap((line) => {
      const [, code, status, title, when] = /^\| `([\w-]+)` \| (\d+) \| (.+?) \| (.+?) \|$/.exec(line) ?? [];
      return code && when ? [[code, { status: Number(status), title }]] : [];
    });
    expect(Object.fromEntries(told)).toEqual(errorTable);
  });

  it('says nothing of what it does not know', () => {
    const problem = problemOf(asAppError(new Error('SELECT secret FROM t')), 'https://x');
    expect(problem).toMatchObject({ status: 500, code: 'internal', errors: [], type: 'https://x/problems/internal' });
    expect(JSON.stringify(problem)).not.toContain('SELECT');
    expect(asAppError(Object.assign(new Error('x'), { status: 200 }))).toBeNull();
    expect(asAppError('a text')).toBeNull();
    expect(asAppError(undefined)).toBeNull();
  });
});

describe('the error handler', () => {
  it('answers a fault of ours as a bare 500, JSON under /api and a page elsewhere', async () => {
    const app = express()
      .use(() => {
        throw new TypeError('secret inside');
      })
      .use(
        makeErrorHandler({
          log: makeLog('silent'),
          publicUrl: '',
          renderError: (_req, res, problem) => void res.status(problem.status).send(`page ${problem.code}`),
        }),
      );
    const server = app.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    const base = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    const [api, page, machine] = await Promise.all([
      fetch(`${base}/api/x`),
      fetch(`${base}/x`, { headers: { accept: 'text/html' } }),
      fetch(`${base}/x`, { headers: { accept: 'application/json' } }),
    ]);
    expect([api.status, page.status, machine.status]).toEqual([500, 500, 500]);
    expect(api.headers.get('content-type')).toMatch('application/problem+json');
    expect(await page.text()).toBe('page internal');
    expect(`${await api.text()}${await machine.text()}`).not.toContain('secret');
    await new Promise((resolve) => server.close(resolve));
  });

  let web: Web;
  beforeAll(async () => {
    web = await startWeb();
  });
  afterAll(() => web.close());

  it('leads from every problem type to words', async () => {
    const refused = await web.api('GET', '/items/unknown');
    expect(refused.body.type).toBe('http://localhost:3000/problems/not-found');
    const told = await web.call('GET', '/problems/not-found');
    expect([told.status, told.text]).toEqual([200, 'not-found: There is nothing here (HTTP 404).\n']);
    expect((await web.call('GET', '/problems/__proto__')).status).toBe(404);
  });

  it('shows citizens a page for an unknown path', async () => {
    const page = await web.call('GET', '/no/such/page', { headers: { accept: 'text/html' } });
    expect(page.status).toBe(404);
    expect(page.headers.get('content-type')).toMatch('text/html');
    expect(page.headers.get('content-security-policy')).not.toMatch(/unsafe/);
  });
});
