import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Scope } from '../../src/access/access-store.ts';
import { makeLog } from '../../src/log.ts';
import { type AppDeps, makeApp } from '../../src/web/app.ts';
import { makeTown, type TownOptions } from './town.ts';

export const adminApiKey = 'an-admin-key-for-the-web-tests';

export type Answer = { status: number; headers: Headers; text: string; body: Record<string, unknown> };

export type WebOptions = {
  env?: Record<string, string>;
  storage?: TownOptions['storage'];
  rateLimits?: AppDeps['rateLimits'];
  /** Stand-ins, where a test is about the web layer alone. */
  services?: Partial<AppDeps['services']>;
};

/** The whole service in this process (real stores in memory, the clock in the test's hand) behind a real port. */
export const startWeb = async (options: WebOptions = {}) => {
  const town = await makeTown({
    env: { ADMIN_API_KEY: adminApiKey, LOCALE: 'en', ...options.env },
    ...(options.storage ? { storage: options.storage } : {}),
  });
  const stopping = new AbortController();
  const app = makeApp({
    services: { ...town, ...options.services },
    config: town.config,
    log: makeLog('silent'),
    vapidPublicKey: 'BPublicKey',
    stopping: stopping.signal,
    streamEveryMs: 20,
    ...(options.rateLimits ? { rateLimits: options.rateLimits } : {}),
  });
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const call = async (method: string, path: string, init: RequestInit = {}): Promise<Answer> => {
    const response = await fetch(`${url}${path}`, { method, redirect: 'manual', ...init });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    const body = isJson && text !== '' ? (JSON.parse(text) as Record<string, unknown>) : {};
    return { status: response.status, headers: response.headers, text, body };
  };
  /** A JSON call of the API; `key` null: without one. */
  const api = (
    method: string,
    path: string,
    body?: unknown,
    key: string | null = adminApiKey,
    headers: Record<string, string> = {},
  ) =>
    call(method, `/api/v1${path}`, {
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const keyFor = async (scopes: Scope[]): Promise<string> => {
    const account = {
      email: `${scopes.join()}@example.org`,
      name: 'x',
      roles: ['publisher' as const],
      departments: [],
    };
    const staff = await town.access.addStaff(account);
    return (await town.access.addKey({ staff: staff.id, scopes, expiresAt: null })).key;
  };
  const rows = (sql: string) => town.db.prepare(sql).all();

  return {
    town,
    app,
    url,
    call,
    api,
    keyFor,
    rows,
    /** What the process does first when it ends: open event streams end. */
    stop: () => stopping.abort(),
    close: async () => {
      stopping.abort();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await town.close();
    },
  };
};

export type Web = Awaited<ReturnType<typeof startWeb>>;
