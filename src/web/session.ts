import type { Request, Response } from 'express';
import { type Edges, newId } from '../edges.ts';
import { AppError } from '../errors.ts';
import { equalBytes, type Signer } from '../keyring.ts';
import { readLink, signLink } from '../signed-link.ts';
import { makeCookies } from './cookies.ts';

/** How long a citizen stays signed in, in ms. */
const sessionMs = 30 * 24 * 60 * 60 * 1000;

/** The form field that carries the CSRF token; the header is `x-csrf-token`. */
export const csrfField = '_csrf';

export type Sessions = {
  /** The public id of the subscriber who is signed in, or null. */
  subscriber(req: Request): string | null;
  /** Signs a subscriber in for 30 days: a signed cookie, nothing is stored. */
  start(res: Response, subscriber: string): void;
  end(res: Response): void;
  /** The token to put into a form's `_csrf` field; sets the cookie it is bound to if the browser has none. */
  csrfToken(req: Request, res: Response): string;
  /** What names the form of a request beside its fields: the same when it is sent twice, and another browser's is another. */
  formOf(req: Request): string;
  /** Throws `bad-csrf` unless the form's `_csrf` (or the `x-csrf-token` header) belongs to the browser's cookie. */
  checkCsrf(req: Request): void;
};

type Tools = { edges: Pick<Edges, 'now' | 'bytes'>; keyring: Signer };

const tokenSent = (req: Request): string => {
  const field: unknown = (req.body as Record<string, unknown> | undefined)?.[csrfField];
  return typeof field === 'string' ? field : (req.get('x-csrf-token') ?? '');
};

/** Stateless sessions and double-submit CSRF tokens. */
export const makeSessions = ({ edges, keyring }: Tools, publicUrl: string): Sessions => {
  const cookies = makeCookies(publicUrl);
  const csrfFor = (secret: string): string => keyring.sign('csrf', secret, 16).toString('base64url');

  return {
    subscriber: (req) => {
      const reading = readLink(keyring, 'session', cookies.read(req, 'session') ?? '', edges.now());
      return reading.ok ? reading.subject : null;
    },
    start: (res, subscriber) =>
      cookies.set(res, 'session', signLink(keyring, 'session', subscriber, edges.now() + sessionMs), sessionMs),
    end: (res) => cookies.set(res, 'session', '', 0),
    csrfToken: (req, res) => {
      const known = cookies.read(req, 'csrf') || (res.locals.csrfSecret as string | undefined);
      const secret = known ?? newId(edges);
      if (!known) {
        // a page may ask for several tokens before its one cookie is set
        res.locals.csrfSecret = secret;
        cookies.set(res, 'csrf', secret);
      }
      return csrfFor(secret);
    },
    formOf: tokenSent,
    checkCsrf: (req) => {
      const secret = cookies.read(req, 'csrf');
      const expected = Buffer.from(csrfFor(secret ?? ''));
      if (!secret || !equalBytes(Buffer.from(tokenSent(req)), expected))
        throw new AppError('bad-csrf', 'The form has expired or did not come from this site; open the page again.');
    },
  };
};
