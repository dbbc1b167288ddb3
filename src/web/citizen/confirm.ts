import { type Request, type Response, Router } from 'express';
import { AppError } from '../../errors.ts';
import { readLink } from '../../signed-link.ts';
import type { FollowRequest } from '../../subscriptions/follow.ts';
import { typedContact } from '../pages/contact.ts';
import type { CitizenDeps } from '../pages/deps.ts';
import { factForm, typedOf } from '../pages/facts.ts';
import type { Pages } from '../pages/page.ts';
import { describeFollows } from '../pages/person.ts';
import { field, pathPart } from '../pages/request.ts';
import { comeIn } from './consent.ts';

/** Links that have run out or were damaged get a page of their own that offers a fresh one. */
export const linkFault = (error: unknown): 'bad-link' | 'link-expired' | null =>
  error instanceof AppError && (error.code === 'bad-link' || error.code === 'link-expired') ? error.code : null;

/** The page of a link that does not work any more, or never did. */
export const showBadLink = (pages: Pages, req: Request, res: Response, code: 'bad-link' | 'link-expired') =>
  pages.show(req, res, 'bad-link', { code }, { status: code === 'link-expired' ? 410 : 403 });

const confirmPage = (deps: CitizenDeps, pages: Pages) => async (req: Request, res: Response) => {
  const token = pathPart(req, 'token');
  try {
    const { masked, confirmed, follow, locale, addsTo } = await deps.signUps.preview(token);
    if (addsTo && !confirmed)
      return pages.show(req, res, 'confirm-address', { token, masked, addsTo: [...new Set(addsTo)] }, { locale });
    const follows = await describeFollows(deps, await pages.voice(req, locale), follow);
    pages.show(req, res, 'confirm', { token, masked, confirmed, follows }, { locale });
  } catch (error) {
    const code = linkFault(error);
    if (!code) throw error;
    showBadLink(pages, req, res, code);
  }
};

const confirm = (deps: CitizenDeps, pages: Pages) => async (req: Request, res: Response) => {
  pages.sessions.checkCsrf(req);
  const token = pathPart(req, 'token');
  try {
    const before = await deps.signUps.preview(token);
    const { subscriber } = await deps.signUps.confirm(token);
    // the link lives for days and is forwarded with its mail: it signs in once, a fresh link does afterwards
    if (!before.confirmed) await comeIn(deps, pages, req, res, subscriber, before.locale);
    pages.remember(res, 'waiting', '', 0);
    res.redirect(303, before.addsTo ? '/my/settings?done=address-added' : '/confirmed');
  } catch (error) {
    const code = linkFault(error);
    if (!code) throw error;
    showBadLink(pages, req, res, code);
  }
};

const confirmed = (deps: CitizenDeps, pages: Pages) => async (req: Request, res: Response) => {
  const me = await pages.person(req);
  const voice = await pages.voice(req);
  const live: FollowRequest[] = (me?.follows ?? [])
    .filter((follow) => follow.stoppedAt === null)
    .map(({ definition, pace, channels }) => ({
      target: definition.target,
      regions: definition.regions,
      pace,
      channels,
    }));
  const attributes = await deps.catalogue.attributes();
  const facts = me && factForm(voice, attributes, typedOf(attributes, me.person), deps.config.timeZone);
  const follows = await describeFollows(deps, voice, live);
  pages.show(req, res, 'confirmed', { follows, facts, consented: me?.person.consents.personalisation });
};

const sendLink = (deps: CitizenDeps, pages: Pages) => async (req: Request, res: Response) => {
  pages.sessions.checkCsrf(req);
  const address = field(req, 'address');
  const read = typedContact(address);
  const refuse = (fault: string) =>
    pages.show(req, res, 'send-link', { address, faults: { address: fault } }, { status: 400 });
  if (!read.ok) return refuse(read.fault);
  try {
    await deps.subscriptions.requestManageLink(read.contact, pages.visit(req).locale, pages.sessions.formOf(req));
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'invalid') throw error;
    return refuse('fault.address');
  }
  pages.show(req, res, 'link-sent', { address });
};

const openLink = (deps: CitizenDeps, pages: Pages, act: boolean) => async (req: Request, res: Response) => {
  if (act) pages.sessions.checkCsrf(req);
  const token = pathPart(req, 'token');
  const reading = readLink(deps.keyring, 'manage', token, deps.edges.now());
  if (!reading.ok) return showBadLink(pages, req, res, reading.reason === 'expired' ? 'link-expired' : 'bad-link');
  if (!act) return pages.show(req, res, 'open-link', { token });
  pages.sessions.start(res, reading.subject);
  await deps.visitors.tie(req, res, reading.subject);
  res.redirect(303, '/my');
};

/** The pages behind links in messages: confirming, and coming back to what one follows. */
export const confirmRouter = (deps: CitizenDeps, pages: Pages): Router =>
  Router()
    .get('/confirm/:token', confirmPage(deps, pages))
    .post('/confirm/:token', confirm(deps, pages))
    .get('/confirmed', confirmed(deps, pages))
    .get('/manage', (req, res) => pages.show(req, res, 'send-link', { address: '', faults: {} }))
    .post('/manage', pages.limited, sendLink(deps, pages))
    .get('/manage/:token', openLink(deps, pages, false))
    .post('/manage/:token', openLink(deps, pages, true));
