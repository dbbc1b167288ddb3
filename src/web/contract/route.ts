import type { Request, Response } from 'express';
import { z } from 'zod';
import type { Caller } from '../../access/access-service.ts';
import type { Scope } from '../../access/access-store.ts';
import type { Locale } from '../../catalogue/topic.ts';
import { AppError, type Fault } from '../../errors.ts';
import { faultsOf, type Sound, soundPart } from '../../reading.ts';
import { textFaults } from '../../text-faults.ts';

type Method = 'get' | 'post' | 'patch' | 'put' | 'delete';

/** The names in a path's braces: `/items/{id}` has `{ id: string }`. */
type ParamsOf<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? { [N in Name]: string } & ParamsOf<Rest>
  : unknown;

/** What a handler answers. `subject`: the id that the audit log names, where it is not `{id}` of the path. */
export type Reply = {
  status: number;
  body?: unknown;
  text?: { type: string; content: string };
  headers?: Record<string, string>;
  subject?: string;
};

/** One call as a handler sees it: everything has been read and found right. */
type Call<Path extends string, Query, Body> = {
  params: ParamsOf<Path>;
  query: Query;
  body: Body;
  /** Null only on public calls made without a key. */
  caller: Caller | null;
  /** The reader's language. */
  locale: Locale;
  req: Request;
  res: Response;
};

/** How the router hands a call over, before anything was read from it. */
export type RawCall = Pick<Call<string, unknown, unknown>, 'caller' | 'locale' | 'req' | 'res'> & {
  params: Record<string, string>;
  query: unknown;
  body: unknown;
};

type RouteSpec<Path extends string, Query extends z.ZodType, Body extends z.ZodType> = {
  method: Method;
  path: Path;
  /** Unique; also the action's name in the audit log. */
  operationId: string;
  tag: string;
  /** Of several, one is enough. */
  scope: 'public' | Scope | readonly Scope[];
  summary: string;
  query?: Query;
  body?: Body;
  /** An example of the body, for the document. */
  example?: z.input<Body>;
  /** Media types of a body that the handler reads itself from `req`; left out, bodies are JSON. */
  stream?: string[];
  /** The largest body in bytes (256 kB unless said). */
  bodyLimit?: number;
  /** By status; null: no body, a string: a body of that media type. */
  responses: Record<number, z.ZodType | string | null>;
  /** Takes an Idempotency-Key. */
  idempotent?: boolean;
  /** Whether keyed calls are written to the audit log; left out, all are but GETs. */
  audited?: boolean;
  /** Limited by IP where no key is shown: `send` makes a message leave, `guess` could try codes. */
  limited?: 'send' | 'guess';
  /**
   * What the sound part of a body that is refused names and should not. Asked only then: a body that fits is checked by the
   * service that the handler calls, which names the same faults.
   */
  check?(sound: Sound<Body>): Promise<Fault[]>;
  /** Answers a reply, or null when it has answered through `res` itself. */
  handler(call: Call<Path, z.output<Query>, z.output<Body>>): Promise<Reply | null>;
};

/** A call of the API: what the document says of it, and how it is done. */
export type Route = Omit<RouteSpec<string, z.ZodType, z.ZodType>, 'handler' | 'check' | 'example'> & {
  example?: unknown;
  /** Reads and checks; throws `invalid` with every fault of body and query at once. What it answers does the work. */
  prepare(raw: RawCall): Promise<() => Promise<Reply | null>>;
};

const nothing = z.strictObject({});

const read = <S extends z.ZodType>(schema: S, value: unknown, faults: Fault[]): z.output<S> | undefined => {
  const bad = textFaults(value);
  const parsed = schema.safeParse(value);
  const named = new Set(bad.map(({ path }) => path));
  // what no database keeps breaks other rules of its place, too: one word for it is enough
  faults.push(...bad, ...(parsed.success ? [] : faultsOf(parsed.error).filter(({ path }) => !named.has(path))));
  return parsed.success ? parsed.data : undefined;
};

/** Declares one call. From the list of routes both the router (router.ts) and the document (openapi.ts) are made. */
export const route = <
  Path extends string,
  Query extends z.ZodType = typeof nothing,
  Body extends z.ZodType = typeof nothing,
>(
  spec: RouteSpec<Path, Query, Body>,
): Route => ({
  ...spec,
  prepare: async (raw) => {
    const faults: Fault[] = [];
    const query = read(spec.query ?? nothing, raw.query, faults);
    const body = spec.stream ? raw.body : read(spec.body ?? nothing, raw.body ?? {}, faults);
    if (faults.length > 0) {
      const sound = spec.body && soundPart(spec.body, raw.body);
      const more = spec.check && sound !== undefined ? await spec.check(sound) : [];
      // a place whose form is wrong has been named
      faults.push(...more.filter(({ path }) => !faults.some((fault) => fault.path === path)));
      throw new AppError('invalid', 'The request has faults; each is named.', { faults });
    }
    const call = { ...raw, query, body } as unknown as Call<Path, z.output<Query>, z.output<Body>>;
    return () => spec.handler(call);
  },
});

/** The caller of a call that needs a key. */
export const keyed = (call: { caller: Caller | null }): Caller => {
  if (!call.caller) throw new AppError('no-key', 'This call needs an API key.');
  return call.caller;
};

export const holds = (caller: Caller | null, scope: Scope): boolean =>
  caller !== null && (caller.scopes.includes(scope) || caller.scopes.includes('admin'));

/** Query fields of every list; the cursor is opaque. */
export const pageQuery = {
  cursor: z.string().min(1).max(1_000).optional(),
  limit: z.coerce.number<string>().int().min(1).max(200).default(50),
};

export const pageOf = (query: { cursor?: string; limit: number }): { cursor: string | null; limit: number } => ({
  cursor: query.cursor ?? null,
  limit: query.limit,
});
