import { type Request, type Response, Router } from 'express';
import { AppError } from '../../errors.ts';
import { type ChannelName, paces } from '../../subscriptions/follow.ts';
import type { Contact } from '../../subscriptions/subscriber.ts';
import type { CitizenDeps } from '../pages/deps.ts';
import type { Pages } from '../pages/page.ts';
import { regionChoices, targetTitle, type Voice } from '../pages/present.ts';
import { field, followOf, queryText, targetOf, targetQuery } from '../pages/request.ts';
import { comeIn } from './consent.ts';

const waitMs = 7 * 24 * 60 * 60 * 1000;

/** Faults of a form by field; each value is a key of the catalogue. */
export type FormFaults = Record<string, string>;

/** What a visitor typed, kept so that a fault costs them nothing. */
const typedOf = (req: Request) => ({
  contact: field(req, 'contact'),
  email: field(req, 'email'),
  phone: field(req, 'phone'),
  pace: field(req, 'pace') || 'immediate',
  region: field(req, 'region'),
});
type Typed = ReturnType<typeof typedOf>;

const faultsOf = (typed: Typed): FormFaults => {
  if (typed.contact === 'email' && !/^[^\s@]+@[^\s@]+$/.test(typed.email))
    return { email: typed.email === '' ? 'fault.emailMissing' : 'fault.email' };
  if (typed.contact === 'sms' && !/\d{5}/.test(typed.phone.replace(/\D/g, '')))
    return { phone: typed.phone === '' ? 'fault.phoneMissing' : 'fault.phone' };
  if (typed.contact === 'webPush') return { contact: 'fault.webPush' };
  return ['email', 'sms'].includes(typed.contact) ? {} : { contact: 'fault.contact' };
};

/** The chosen way first, the others after it: a preference, so that nothing is lost when the first one fails. */
export const channelOrder = (first: string): ChannelName[] => {
  const order: ChannelName[] = ['email', 'webPush', 'sms'];
  return order.toSorted((a, b) => Number(b === first) - Number(a === first));
};

const contactOf = (typed: Typed): Contact =>
  typed.contact === 'sms' ? { channel: 'sms', phone: typed.phone } : { channel: 'email', email: typed.email };

/** The faults that a service named, as faults of this form. */
const serviceFaults = (error: AppError): FormFaults => {
  const faults: FormFaults = {};
  for (const { path } of error.faults) {
    if (/email|contact/.test(path)) faults.email = 'fault.email';
    else if (/phone/.test(path)) faults.phone = 'fault.phone';
    else if (/region/.test(path)) faults.region = 'fault.region';
  }
  return Object.keys(faults).length > 0 ? faults : { contact: 'fault.unknown' };
};

const titleOf = async (deps: CitizenDeps, voice: Voice, req: Request): Promise<string> => {
  const follow = followOf(targetOf(req));
  if (!follow) throw new AppError('not-found', 'the form names nothing to follow');
  const { target } = follow;
  if ('topic' in target && !voice.trees.topicParents.has(target.topic))
    throw new AppError('not-found', 'there is no such topic');
  const item = 'item' in target ? await deps.items.read(target.item) : null;
  if ('item' in target && !item) throw new AppError('not-found', 'there is no such notice');
  return targetTitle(voice, target, () => item?.content.title ?? null);
};

const showForm = async (
  deps: CitizenDeps,
  pages: Pages,
  { req, res, typed, faults }: { req: Request; res: Response; typed: Typed; faults: FormFaults },
) => {
  const voice = await pages.voice(req);
  const me = await pages.person(req);
  pages.show(
    req,
    res,
    'follow',
    {
      title: await titleOf(deps, voice, req),
      query: targetQuery(req),
      target: JSON.stringify(targetOf(req)),
      ofItem: targetOf(req)?.item !== undefined,
      followPaces: paces,
      regions: regionChoices(voice),
      typed,
      faults,
      me: me?.addresses.filter((address) => address.suppressed === null),
      vapidPublicKey: deps.vapidPublicKey,
    },
    { status: Object.keys(faults).length > 0 ? 400 : 200 },
  );
};

const form = (deps: CitizenDeps, pages: Pages) => (req: Request, res: Response) =>
  showForm(deps, pages, { req, res, typed: { ...typedOf(req), contact: 'email' }, faults: {} });

const submit = (deps: CitizenDeps, pages: Pages) => async (req: Request, res: Response) => {
  pages.sessions.checkCsrf(req);
  const typed = typedOf(req);
  const voice = await pages.voice(req);
  const me = await pages.person(req);
  const request = followOf({
    ...targetOf(req),
    pace: typed.pace,
    ...(typed.region ? { regions: [typed.region] } : {}),
    ...(typed.contact === 'email' && !me ? {} : { channels: channelOrder(typed.contact) }),
  });
  if (!request) throw new AppError('invalid', 'the form was altered');
  const faults = me ? {} : faultsOf(typed);
  if (Object.keys(faults).length > 0) return showForm(deps, pages, { req, res, typed, faults });
  try {
    if (me) await deps.subscriptions.follow(me.person.id, request);
    else
      await deps.signUps.request({
        contact: contactOf(typed),
        follow: [request],
        locale: voice.locale,
        region: null,
        timeZone: null,
      });
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'invalid') throw error;
    return showForm(deps, pages, { req, res, typed, faults: serviceFaults(error) });
  }
  if (me) return res.redirect(303, '/my?done=followed');
  pages.remember(res, 'waiting', typed.contact === 'sms' ? typed.phone : typed.email, waitMs);
  res.redirect(303, typed.contact === 'sms' ? '/code' : '/check');
};

const code = (deps: CitizenDeps, pages: Pages) => async (req: Request, res: Response) => {
  pages.sessions.checkCsrf(req);
  const [phone, digits] = [field(req, 'phone'), field(req, 'code').replace(/\s/g, '')];
  const faults: FormFaults = {
    ...(phone === '' ? { phone: 'fault.phoneMissing' } : {}),
    ...(digits === '' ? { code: 'fault.codeMissing' } : {}),
  };
  const again = () => pages.show(req, res, 'code', { typed: { phone, code: digits }, faults }, { status: 400 });
  if (Object.keys(faults).length > 0) return again();
  try {
    const { subscriber } = await deps.signUps.confirmCode(phone, digits);
    await comeIn(deps, pages, req, res, subscriber);
  } catch (error) {
    if (!(error instanceof AppError) || !['wrong-code', 'invalid'].includes(error.code)) throw error;
    faults.code = 'fault.code';
    return again();
  }
  pages.remember(res, 'waiting', '', 0);
  res.redirect(303, '/confirmed');
};

/** Following, and the page that says where to look for the confirmation. */
export const followRouter = (deps: CitizenDeps, pages: Pages): Router =>
  Router()
    .get('/follow', form(deps, pages))
    .post('/follow', pages.limited, submit(deps, pages))
    .get('/check', (req, res) =>
      pages.show(req, res, 'check', {
        by: queryText(req, 'by') === 'webPush' ? 'webPush' : 'email',
        address: pages.recall(req, 'waiting'),
      }),
    )
    .get('/code', (req, res) =>
      pages.show(req, res, 'code', { typed: { phone: pages.recall(req, 'waiting') ?? '', code: '' }, faults: {} }),
    )
    .post('/code', pages.limited, code(deps, pages));
