import { type Request, type Response, Router } from 'express';
import { AppError, type Fault } from '../../errors.ts';
import { type ChannelName, type FollowRequest, paces } from '../../subscriptions/follow.ts';
import { followWords } from '../../subscriptions/follow-words.ts';
import type { Contact } from '../../subscriptions/subscriber.ts';
import type { PersonView } from '../../subscriptions/subscription-service.ts';
import type { CitizenDeps } from '../pages/deps.ts';
import type { Pages } from '../pages/page.ts';
import { regionChoices, type Voice } from '../pages/present.ts';
import { field, followOf, queryText, targetQuery, targetsOf } from '../pages/request.ts';
import { type CodeForm, takeCode } from './code.ts';

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

const contactFaults = (typed: Typed): FormFaults => {
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

const contactParts = ({ contact, phone, email }: Typed) => (contact === 'sms' ? { phone } : { email });
const contactOf = (typed: Typed): Contact =>
  typed.contact === 'sms' ? { channel: 'sms', phone: typed.phone } : { channel: 'email', email: typed.email };

/** Every fault of the form; the service looks closer at what has the shape of an address. */
const faultsOf = async (deps: CitizenDeps, typed: Typed, me: PersonView | null): Promise<FormFaults> => {
  const shape = me ? {} : contactFaults(typed);
  const contact = me || Object.keys(shape).length > 0 ? {} : contactParts(typed);
  const region = typed.region === '' ? {} : { region: typed.region };
  return {
    ...shape,
    ...(paces.some((pace) => pace === typed.pace) ? {} : { pace: 'fault.pace' }),
    ...serviceFaults(await deps.signUps.faultsIn({ ...contact, ...region })),
  };
};

/** The faults that a service named, as faults of this form. */
const serviceFaults = (named: readonly Fault[]): FormFaults => {
  const faults: FormFaults = {};
  for (const { path } of named) {
    if (/email|contact/.test(path)) faults.email = 'fault.email';
    else if (/phone/.test(path)) faults.phone = 'fault.phone';
    else if (/region/.test(path)) faults.region = 'fault.region';
  }
  return named.length > 0 && Object.keys(faults).length === 0 ? { contact: 'fault.unknown' } : faults;
};

/** What the form is for, in words; a page that is not there where it names nothing, or what does not exist. */
const titlesOf = async (deps: CitizenDeps, voice: Voice, req: Request): Promise<string[]> => {
  const targets = targetsOf(req).map((target) => followOf(target)?.target);
  if (targets.length === 0) throw new AppError('not-found', 'the form names nothing to follow');
  return Promise.all(
    targets.map(async (target) => {
      if (!target || ('topic' in target && !voice.trees.topicParents.has(target.topic)))
        throw new AppError('not-found', 'there is no such topic');
      const item = 'item' in target ? await deps.items.read(target.item) : null;
      if ('item' in target && !item) throw new AppError('not-found', 'there is no such notice');
      return followWords(target, { ...voice, items: new Map(item ? [[item.id, item]] : []) });
    }),
  );
};

/** One way for each channel of the person, with the addresses that it reaches. */
const waysOf = (me: PersonView): { channel: ChannelName; masked: string }[] => {
  const usable = me.addresses.filter(({ suppressed }) => suppressed === null);
  return [...new Set(usable.map(({ channel }) => channel))].map((channel) => ({
    channel,
    masked: [...new Set(usable.filter((one) => one.channel === channel).map((one) => one.masked))].join(' · '),
  }));
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
      titles: await titlesOf(deps, voice, req),
      query: targetQuery(req),
      targets: JSON.stringify(targetsOf(req)),
      ofItem: targetsOf(req).some(({ item }) => item !== undefined),
      followPaces: paces,
      regions: regionChoices(voice),
      typed,
      faults,
      me: me && waysOf(me),
      vapidPublicKey: deps.vapidPublicKey,
    },
    { status: Object.keys(faults).length > 0 ? 400 : 200 },
  );
};

/** Whoever chose nothing of what a search offers is asked again where they were. */
const chooseAgain = (req: Request): string | null => {
  const [words, within] = [queryText(req, 'words'), queryText(req, 'within')];
  if (!words || targetsOf(req).length > 0) return null;
  return `/search?${new URLSearchParams({ q: words, ...(within ? { topic: within } : {}), follow: 'none' })}`;
};

const form = (deps: CitizenDeps, pages: Pages) => async (req: Request, res: Response) => {
  const back = chooseAgain(req);
  if (back) return res.redirect(303, back);
  await showForm(deps, pages, { req, res, typed: { ...typedOf(req), contact: 'email' }, faults: {} });
};

/** The follows that the form asks for, each with the same pace, way and region. */
const requestsOf = (req: Request, typed: Typed, channels: { channels?: ChannelName[] }): FollowRequest[] => {
  const regions = typed.region ? { regions: [typed.region] } : {};
  const requests = targetsOf(req).map((target) => followOf({ ...target, pace: typed.pace, ...regions, ...channels }));
  const sound = requests.filter((request) => request !== null);
  if (sound.length === 0 || sound.length < requests.length) throw new AppError('invalid', 'the form was altered');
  return sound;
};

const submit = (deps: CitizenDeps, pages: Pages) => async (req: Request, res: Response) => {
  pages.sessions.checkCsrf(req);
  const typed = typedOf(req);
  const voice = await pages.voice(req);
  const me = await pages.person(req);
  if (me?.person.leavesAt !== undefined) return res.redirect(303, '/my');
  const isDefault = typed.contact === 'email' && !me;
  const faults = await faultsOf(deps, typed, me);
  if (Object.keys(faults).length > 0) return showForm(deps, pages, { req, res, typed, faults });
  const follow = requestsOf(req, typed, isDefault ? {} : { channels: channelOrder(typed.contact) });
  try {
    if (me) for (const one of follow) await deps.subscriptions.follow(me.person.id, one);
    else {
      const nothing = { region: null, timeZone: null };
      const form = pages.sessions.formOf(req);
      await deps.signUps.request({ contact: contactOf(typed), follow, locale: voice.locale, ...nothing, form });
    }
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'invalid') throw error;
    return showForm(deps, pages, { req, res, typed, faults: serviceFaults(error.faults) });
  }
  if (me) return res.redirect(303, '/my?done=followed');
  pages.remember(res, 'asked', targetQuery(req), waitMs);
  pages.remember(res, 'waiting', typed.contact === 'sms' ? typed.phone : typed.email, waitMs);
  res.redirect(303, typed.contact === 'sms' ? '/code' : '/check');
};

/** Where a code was asked for is where a new one is. */
const codeForm = (pages: Pages, req: Request): CodeForm => {
  const asked = pages.recall(req, 'asked');
  return { action: '/code', again: asked ? `/follow?${asked}` : '/topics', adds: false };
};

const code = (deps: CitizenDeps, pages: Pages) => async (req: Request, res: Response) => {
  pages.sessions.checkCsrf(req);
  if (await takeCode(deps, pages, codeForm(pages, req))(req, res)) res.redirect(303, '/confirmed');
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
      pages.show(req, res, 'code', {
        ...codeForm(pages, req),
        typed: { phone: pages.recall(req, 'waiting') ?? '', code: '' },
        faults: {},
      }),
    )
    .post('/code', pages.limited, code(deps, pages));
