import { parseCookie, stringifySetCookie } from 'cookie';
import type { Request, Response } from 'express';

/**
 * First-party cookies for the whole site: HttpOnly, SameSite=Lax; with https also Secure and with the `__Host-` prefix, so
 * that no other host of the domain can plant one (RFC 6265bis section 4.1.3.2).
 */
export type Cookies = {
  read(req: Request, name: string): string | undefined;
  /** `maxAgeMs` left out: until the browser closes; 0 removes it. */
  set(res: Response, name: string, value: string, maxAgeMs?: number): void;
};

export const makeCookies = (publicUrl: string): Cookies => {
  const secure = publicUrl.startsWith('https:');
  const fullName = (name: string): string => `${secure ? '__Host-' : ''}bellman-${name}`;
  return {
    read: (req, name) => parseCookie(req.headers.cookie ?? '')[fullName(name)],
    set: (res, name, value, maxAgeMs) => {
      const age = maxAgeMs === undefined ? {} : { maxAge: Math.floor(maxAgeMs / 1000) };
      const options = { httpOnly: true, sameSite: 'lax', path: '/', secure } as const;
      res.append('Set-Cookie', stringifySetCookie({ name: fullName(name), value, ...options, ...age }));
    },
  };
};
