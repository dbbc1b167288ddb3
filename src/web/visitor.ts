import type { Request, Response } from 'express';
import type { BrowsingService, PageEvent } from '../browsing/browsing-service.ts';
import { type Edges, newId } from '../edges.ts';
import type { Signer } from '../keyring.ts';
import type { Log } from '../log.ts';
import { readLink, signLink } from '../signed-link.ts';
import { makeCookies } from './cookies.ts';
import type { Sessions } from './session.ts';

/** How long a browser stays tied without its person coming back to sign in, in ms. */
const tiedMs = 180 * 24 * 60 * 60 * 1000;

export type Visitors = {
  /**
   * Records what happens on a page, if this browser is somebody's who consented, and asks for no privacy signal. Answers how
   * many events were kept; never throws, so that no page waits for it or fails with it.
   */
  record(req: Request, events: PageEvent[]): Promise<number>;
  /** Ties this browser to a person who has just signed in or pressed a button: only then, and only with their consent, is a cookie set. */
  tie(req: Request, res: Response, subscriber: string): Promise<boolean>;
  /** Takes the tie and its cookie away. */
  untie(req: Request, res: Response): Promise<void>;
};

type Tools = {
  browsing: Pick<BrowsingService, 'recordOnPage' | 'tie' | 'untie'>;
  sessions: Pick<Sessions, 'subscriber'>;
  keyring: Signer;
  edges: Pick<Edges, 'now' | 'bytes'>;
  log: Pick<Log, 'warn'>;
};

/** Do Not Track (W3C Tracking Preference Expression, section 5) and Global Privacy Control (section 3). */
const wantsPrivacy = (req: Request): boolean => req.get('dnt') === '1' || req.get('sec-gpc') === '1';

/** Nobody has seen the page yet: it was only fetched ahead, or asked whether it is there. */
const isUnseen = (req: Request): boolean =>
  req.method === 'HEAD' || /prefetch|prerender/.test(req.get('sec-purpose') ?? req.get('purpose') ?? '');

/** First-party visitors: strangers get no cookie, and nothing is stored of them. */
export const makeVisitors = ({ browsing, sessions, keyring, edges, log }: Tools, publicUrl: string): Visitors => {
  const cookies = makeCookies(publicUrl);

  const tokenOf = (req: Request): string | null => {
    const reading = readLink(keyring, 'visitor', cookies.read(req, 'visitor') ?? '', edges.now());
    return reading.ok ? reading.subject : null;
  };

  return {
    record: async (req, events) => {
      if (wantsPrivacy(req) || isUnseen(req)) return 0;
      const [subscriber, visitor] = [sessions.subscriber(req), tokenOf(req)];
      if (subscriber === null && visitor === null) return 0;
      const who = subscriber === null ? { visitor: visitor ?? '' } : { subscriber };
      try {
        return await browsing.recordOnPage(who, events);
      } catch (error) {
        log.warn({ error }, 'what happened on a page could not be recorded');
        return 0;
      }
    },
    tie: async (req, res, subscriber) => {
      if (wantsPrivacy(req)) return false;
      const token = tokenOf(req) ?? newId(edges);
      if (!(await browsing.tie(token, subscriber))) return false;
      cookies.set(res, 'visitor', signLink(keyring, 'visitor', token, edges.now() + tiedMs), tiedMs);
      return true;
    },
    untie: async (req, res) => {
      const token = tokenOf(req);
      if (token !== null) await browsing.untie(token);
      if (cookies.read(req, 'visitor') !== undefined) cookies.set(res, 'visitor', '', 0);
    },
  };
};
