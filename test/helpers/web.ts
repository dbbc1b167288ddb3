import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { makeAccessService } from '../../src/access/access-service.ts';
import type { Scope } from '../../src/access/access-store.ts';
import { makeCatalogueService, seedCatalogue } from '../../src/catalogue/catalogue-service.ts';
import { type Edges, realEdges } from '../../src/edges.ts';
import { AppError } from '../../src/errors.ts';
import { makeFanoutService } from '../../src/fanout/make-fanout-service.ts';
import { makeKeyring, newWrappedLookupKey } from '../../src/keyring.ts';
import { makeLog } from '../../src/log.ts';
import { makePublishingService } from '../../src/publishing/publishing-service.ts';
import { sqliteStorage } from '../../src/storage/sqlite/sqlite-storage.ts';
import type {
  SignUpRequest,
  SignUpService,
  SubscriptionService,
} from '../../src/subscriptions/subscription-service.ts';
import { type AppDeps, makeApp } from '../../src/web/app.ts';
import { openMemory } from './open-sqlite.ts';

export const adminApiKey = 'an-admin-key-for-the-web-tests';
const secret = 'a secret for tests only';

export type Answer = { status: number; headers: Headers; text: string; body: Record<string, unknown> };

export type WebOptions = {
  review?: boolean;
  rateLimits?: AppDeps['rateLimits'];
  publicUrl?: string;
  smsUrls?: string[];
  dataDir?: string;
  services?: Partial<AppDeps['services']>;
};

const refusing = (name: string) => async (): Promise<never> => {
  throw new AppError('not-found', `${name}: there is no such person`);
};

/** Who asks and stops, in memory: the web layer's own behaviour needs no more of them. */
const makePeople = () => {
  const asked: SignUpRequest[] = [];
  const stopped: string[] = [];
  const lines: string[] = [];
  const signUps: SignUpService = {
    request: async (request) => void asked.push(request),
    preview: refusing('preview'),
    confirm: async (token) => {
      if (token !== 'good') throw new AppError('bad-link', 'This link is not one of ours.');
      return { subscriber: 'someone' };
    },
    confirmCode: async () => {
      throw new AppError('wrong-code', 'The code is wrong or has expired.');
    },
  };
  const subscriptions: SubscriptionService = {
    person: async () => null,
    change: refusing('change'),
    erase: refusing('erase'),
    follow: refusing('follow'),
    changeFollow: refusing('changeFollow'),
    stop: refusing('stop'),
    stopByPhone: async (phone) => stopped.push(phone),
    requestManageLink: async () => undefined,
    importPeople: async (chunks) => {
      for await (const chunk of chunks) lines.push(Buffer.from(chunk).toString());
      return { imported: lines.join('').trim().split('\n').length, updated: 0, failed: 0, errors: [] };
    },
    topicFollowers: async () => new Map([['policies', 7]]),
  };
  return { asked, stopped, signUps, subscriptions };
};

const listen = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
};

/** The real app on a real port over a real store in memory; people's side is a stand-in unless `services` brings it. */
export const startWeb = async (options: WebOptions = {}) => {
  const db = await openMemory();
  const stores = sqliteStorage(db);
  await seedCatalogue(stores.catalogue);
  let now = Date.parse('2026-06-10T04:00:00Z');
  const edges: Edges = { ...realEdges, now: () => now };
  const keyring = makeKeyring([secret], newWrappedLookupKey(secret));
  const log = makeLog('silent');
  const publicUrl = options.publicUrl ?? 'http://localhost:3000';
  const people = makePeople();
  const catalogue = makeCatalogueService(stores);
  const publishing = makePublishingService(stores, { catalogue, edges, review: options.review ?? false });
  const fanout = makeFanoutService(stores, { publishing, edges, keyring, wake: () => undefined });
  const access = makeAccessService(stores, { edges, keyring, adminApiKey });
  const items = { search: async () => ({ rows: [], next: null }), read: async () => null };
  const services = {
    stores,
    edges,
    keyring,
    catalogue,
    publishing,
    fanout,
    access,
    items,
    ...people,
    ...options.services,
  };
  const stopping = new AbortController();
  const app = makeApp({
    services,
    config: {
      publicUrl,
      trustProxy: 0,
      locale: 'en',
      timeZone: 'Asia/Shanghai',
      dataDir: options.dataDir ?? '/nonexistent',
      sms: { urls: options.smsUrls ?? ['outbox:'] },
    },
    log,
    vapidPublicKey: 'BPublicKey',
    stopping: stopping.signal,
    streamEveryMs: 20,
    ...(options.rateLimits ? { rateLimits: options.rateLimits } : {}),
  });
  const server = createServer(app);
  const url = `http://127.0.0.1:${await listen(server)}`;

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
    const staff = await access.addStaff({
      email: `${scopes.join()}@x`,
      name: 'x',
      roles: ['publisher'],
      departments: [],
    });
    return (await access.addKey({ staff: staff.id, scopes, expiresAt: null })).key;
  };
  return {
    url,
    call,
    api,
    keyFor,
    people,
    services,
    db,
    publicUrl,
    advance: (ms: number) => {
      now += ms;
    },
    /** What the process does first when it ends: open event streams end. */
    stop: () => stopping.abort(),
    close: async () => {
      stopping.abort();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      db.close();
    },
  };
};

export type Web = Awaited<ReturnType<typeof startWeb>>;
