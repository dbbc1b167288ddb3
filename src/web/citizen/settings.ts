import { type Request, type Response, Router } from 'express';
import type { Locale } from '../../catalogue/topic.ts';
import { usualDigestHour } from '../../subscriptions/subscriber.ts';
import type { PersonView } from '../../subscriptions/subscription-service.ts';
import { dayPicture } from '../pages/day.ts';
import type { CitizenDeps } from '../pages/deps.ts';
import type { Pages } from '../pages/page.ts';
import { regionChoices } from '../pages/present.ts';
import { field } from '../pages/request.ts';
import { addressNotes, addressRouter } from './addresses.ts';
import { consentFaults, consentNotes, consentView } from './consent.ts';
import type { FormFaults } from './follow.ts';
import { doneNote, type Me, signedIn } from './signed-in.ts';

const clockOf = (hour: number): string => `${String(hour).padStart(2, '0')}:00`;
const fullHours = Array.from({ length: 24 }, (_, hour) => clockOf(hour));
const timeOfDay = /^([01]\d|2[0-3]):[0-5]\d$/;
const notes = ['settings', 'links', 'as-before', ...consentNotes, ...addressNotes];

/** What the form of settings holds; an empty time is none. */
type Typed = { locale: Locale; region: string; from: string; to: string; digestHour: string };

const heldBy = ({ person }: PersonView): Typed => ({
  locale: person.locale,
  region: person.region ?? '',
  from: person.quietHours?.from ?? '',
  to: person.quietHours?.to ?? '',
  digestHour: clockOf(person.digestHour ?? usualDigestHour),
});

/** A page that was open since before there was something to choose does not send it: then it stays as it is. */
const typedOf = (req: Request, me: PersonView): Typed => ({
  locale: field(req, 'locale') === 'en' ? 'en' : 'zh-CN',
  region: req.body?.region === undefined ? heldBy(me).region : field(req, 'region'),
  from: field(req, 'from'),
  to: field(req, 'to'),
  digestHour: field(req, 'digestHour') || heldBy(me).digestHour,
});

/** Both ends or neither: half of it would be kept by nobody, and told to nobody. */
const quietFaults = ({ from, to }: Typed): FormFaults => {
  if (from === '' && to === '') return {};
  const faults: FormFaults = {
    ...(timeOfDay.test(from) ? {} : { from: 'fault.quietFrom' }),
    ...(timeOfDay.test(to) ? {} : { to: 'fault.quietTo' }),
  };
  return from === to && timeOfDay.test(from) ? { to: 'fault.quietSame' } : faults;
};

const digestFaults = ({ digestHour }: Typed): FormFaults =>
  fullHours.includes(digestHour) ? {} : { digestHour: 'fault.digestHour' };

/** Who leaves the usual hour as it stands has chosen none. */
const digestHourOf = ({ digestHour }: Typed, { person }: PersonView): number | null => {
  const hour = fullHours.indexOf(digestHour);
  return person.digestHour === null && hour === usualDigestHour ? null : hour;
};

/** The hours to choose from, with what is chosen: an office may have set it to the minute. */
const hoursWith = (chosen: string): string[] =>
  timeOfDay.test(chosen) ? [...new Set([...fullHours, chosen])].sort() : fullHours;

/** Shows the settings of whoever is signed in, with the faults of the form that was sent from there. */
export type ShowSettings = (
  req: Request,
  res: Response,
  me: PersonView,
  sent?: { typed?: Typed; address?: string; faults: FormFaults },
) => Promise<void>;

const showSettings =
  (deps: CitizenDeps, pages: Pages): ShowSettings =>
  async (req, res, me, sent) => {
    const typed = sent?.typed ?? heldBy(me);
    const addresses = await deps.subscriptions.addressesOf(me.person.id);
    const follows = me.follows.some(({ stoppedAt }) => stoppedAt === null);
    const voice = await pages.voice(req);
    const values = {
      tab: 'settings',
      typed,
      regions: regionChoices(voice),
      day: dayPicture(voice.t, typed),
      hours: { from: hoursWith(typed.from), to: hoursWith(typed.to), digest: fullHours },
      addresses,
      removable: addresses.length > 1 || !follows,
      typedAddress: sent?.address ?? '',
      vapidPublicKey: deps.vapidPublicKey,
      wechat: deps.wechat !== null,
      fewer: me.person.fewer === true,
      plainLinks: me.person.plainLinks === true,
      countsClicks: deps.config.feedback.clicks,
      consent: consentView(voice, me, '/my/settings'),
      faults: sent?.faults ?? consentFaults(req),
      done: doneNote(req, notes),
    };
    pages.show(req, res, 'my-settings', values, { status: sent ? 400 : 200 });
  };

const save =
  (deps: CitizenDeps, pages: Pages): Me =>
  async (req, res, me) => {
    const typed = typedOf(req, me);
    const { regionParents } = await deps.catalogue.trees();
    const isKnown = typed.region === '' || regionParents.has(typed.region);
    const faults = { ...(isKnown ? {} : { region: 'fault.region' }), ...quietFaults(typed), ...digestFaults(typed) };
    if (Object.keys(faults).length > 0) return showSettings(deps, pages)(req, res, me, { typed, faults });
    const { locale, from, to } = typed;
    const region = typed.region === '' ? null : typed.region;
    const quietHours = from === '' ? null : { from, to };
    await deps.subscriptions.change(me.person.id, { locale, region, quietHours, digestHour: digestHourOf(typed, me) });
    pages.rememberLocale(res, locale);
    res.redirect(303, '/my/settings?done=settings');
  };

/** Whether links in their messages are counted. */
const saveLinks =
  (deps: CitizenDeps): Me =>
  async (req, res, me) => {
    await deps.feedback.wish(me.person.id, { plainLinks: field(req, 'links') === 'plain' });
    res.redirect(303, '/my/settings?done=links');
  };

/** Takes back that it was too many. */
const asBefore =
  (deps: CitizenDeps): Me =>
  async (_req, res, me) => {
    await deps.feedback.wish(me.person.id, { fewer: false });
    res.redirect(303, '/my/settings?done=as-before');
  };

/** Language, region, quiet hours, hour of digests, links and addresses of whoever is signed in. */
export const settingsRouter = (deps: CitizenDeps, pages: Pages): Router => {
  const show = showSettings(deps, pages);
  return Router()
    .get(
      '/my/settings',
      signedIn(pages, (req, res, me) => show(req, res, me)),
    )
    .post('/my/settings', signedIn(pages, save(deps, pages)))
    .post('/my/settings/links', signedIn(pages, saveLinks(deps)))
    .post('/my/settings/as-before', signedIn(pages, asBefore(deps)))
    .use(addressRouter(deps, pages, show));
};
