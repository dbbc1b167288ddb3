import { parseCookie, stringifySetCookie } from 'cookie';
import type { Request, Response } from 'express';
import { type Edges, newId } from '../edges.ts';
import { AppError } from '../errors.ts';
import { equalBytes, type Keyring } from '../keyring.ts';
import { readLink, signLink } from '../signed-link.ts';

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
  /** Throws `bad-csrf` unless the form's `_csrf` (or the `x-csrf-token` header) belongs to the browser's cookie. */
  checkCsrf(req: Request): void;
};

type Tools = { edges: Pick<Edges, 'now' | 'bytes'>; keyring: Pick<Keyring, 'mac'> };

const cookieOf = (req: Request, name: string): string | undefined => parseCookie(req.headers.cookie ?? '')[name];

const tokenSent = (req: Request): string => {
  const field: unknown = (req.body as Record<string, unknown> | undefined)?.[csrfField];
  return typeof field === 'string' ? field : (req.get('x-csrf-token') ?? '');
};

/**
 * Stateless sessions and double-submit CSRF tokens. With https the cookies carry the `__Host-` prefix, so that no other
 * host of the domain can plant one (RFC 6265bis section 4.1.3.2).
 */
export const makeSessions = ({ edges, keyring }: Tools, publicUrl: string): Sessions => {
  const secure = publicUrl.startsWith('https:');
  const prefix = secure ? '__Host-' : '';
  const names = { session: `${prefix}bellman-session`, csrf: `${prefix}bellman-csrf` };

  const setCookie = (res: Response, name: string, value: string, maxAge: number | undefined): void => {
    const options = { httpOnly: true, sameSite: 'lax', path: '/', secure } as const;
    res.append(
      'Set-Cookie',
      stringifySetCookie({ name, value, ...options, ...(maxAge === undefined ? {} : { maxAge }) }),
    );
  };

  const csrfFor = (secret: string): string => keyring.mac('csrf', secret, 16).toString('base64url');

  return {
    subscriber: (req) => {
      const reading = readLink(keyring, 'session', cookieOf(req, names.session) ?? '', edges.now());
      return reading.ok ? reading.subject : null;
    },
    start: (res, subscriber) =>
      setCookie(
        res,
        names.session,
        signLink(keyring, 'session', subscriber, edges.now() + sessionMs),
        sessionMs / 1000,
      ),
    end: (res) => setCookie(res, names.session, '', 0),
    csrfToken: (req, res) => {
      const known = cookieOf(req, names.csrf) || (res.locals.csrfSecret as string | undefined);
      const secret = known ?? newId(edges);
      if (!known) {
        // a page may ask for several tokens before its one cookie is set
        res.locals.csrfSecret = secret;
        setCookie(res, names.csrf, secret, undefined);
      }
      return csrfFor(secret);
    },
    checkCsrf: (req) => {
      const secret = cookieOf(req, names.csrf);
      const expected = Buffer.from(csrfFor(secret ?? ''));
      if (!secret || !equalBytes(Buffer.from(tokenSent(req)), expected))
        throw new AppError('bad-csrf', 'The form has expired or did not come from this site; open the page again.');
    },
  };
};
