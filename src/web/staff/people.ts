import { type Request, type Response, Router } from 'express';
import type { Staff } from '../../access/access-store.ts';
import type { InterestView } from '../../profiles/profile-service.ts';
import { usualDigestHour } from '../../subscriptions/subscriber.ts';
import type { PersonView } from '../../subscriptions/subscription-service.ts';
import { factRows } from '../pages/facts.ts';
import type { Pages } from '../pages/page.ts';
import { describeFollows } from '../pages/person.ts';
import { momentOf, type Voice } from '../pages/present.ts';
import { field } from '../pages/request.ts';
import type { StaffDeps, StaffPages } from './staff-pages.ts';

type Row = { key: string; lines: string[] };

const consentLines = ({ t, ...voice }: Voice, { consents }: PersonView['person']): string[] => {
  const { personalisation, given, withdrawnAt } = consents;
  return [
    t(personalisation ? 'staff.person.consented' : 'staff.person.notConsented'),
    ...(given ? [t(`staff.person.given.${given.how}`, { date: momentOf(voice, given.at) })] : []),
    ...(given?.wording ? [t('staff.person.wording', { wording: given.wording })] : []),
    ...(withdrawnAt === undefined ? [] : [t('staff.person.withdrawn', { date: momentOf(voice, withdrawnAt) })]),
  ];
};

/** What GET /subscribers/{id} answers, in words. */
const personRows = async (deps: StaffDeps, voice: Voice, view: PersonView, interests: InterestView[]) => {
  const { t } = voice;
  const { person, addresses, follows } = view;
  const live = follows
    .filter(({ stoppedAt }) => stoppedAt === null)
    .map(({ definition, pace }) => ({ ...definition, pace }));
  const words = await describeFollows(deps, voice, live);
  const { from, to } = person.quietHours ?? { from: '', to: '' };
  const facts = factRows(voice, await deps.catalogue.attributes(), person, t('staff.person.region'));
  const rows: Row[] = [
    { key: t('staff.person.id'), lines: [person.id] },
    { key: t('staff.person.externalId'), lines: person.externalId === null ? [] : [person.externalId] },
    {
      key: t('staff.person.addresses'),
      lines: addresses.map(({ channel, masked, suppressed }) =>
        [t(`channel.${channel}`), masked, ...(suppressed === null ? [] : [t('staff.person.suppressed')])].join(' · '),
      ),
    },
    {
      key: t('staff.person.follows'),
      lines: words.map(({ title, regions, pace }) => [title, regions, t(`pace.${pace}`)].filter(Boolean).join(' · ')),
    },
    ...facts.map(({ key, value }) => ({ key, lines: [value] })),
    { key: t('settings.quiet'), lines: person.quietHours ? [`${from}–${to}`] : [] },
    { key: t('settings.digestHour'), lines: [`${String(person.digestHour ?? usualDigestHour).padStart(2, '0')}:00`] },
    { key: t('settings.language'), lines: [person.locale === 'en' ? 'English' : '中文'] },
    { key: t('staff.person.consent'), lines: consentLines(voice, person) },
    {
      key: t('staff.person.interests'),
      lines: interests.map(({ title, weight, because }) => `${title} · ${weight.toFixed(2)} · ${because}`),
    },
    { key: t('staff.person.created'), lines: [momentOf(voice, person.createdAt)] },
  ];
  return rows;
};

const lookUp = (deps: StaffDeps, pages: Pages, own: StaffPages) => async (req: Request, res: Response, me: Staff) => {
  const who = field(req, 'who');
  const refuse = (fault: string, status: number) =>
    own.show(req, res, me, 'people', { who, rows: null, faults: { who: fault } }, status);
  if (who === '') return refuse('staff.fault.whoMissing', 400);
  const found =
    (await deps.subscriptions.person({ id: who })) ?? (await deps.subscriptions.person({ externalId: who }));
  if (!found) return refuse('staff.fault.who', 404);
  const voice = await pages.voice(req);
  const interests = await deps.profiles.interestsOf(found.person.id, voice.locale);
  const rows = await personRows(deps, voice, found, interests);
  await deps.access.audit({ actor: me.id, action: 'getPerson', subject: found.person.id, details: { by: 'page' } });
  own.show(req, res, me, 'people', { who, rows, faults: {} });
};

/** Looking one person up. It is a POST, so that whom somebody looked for stands in no address and no log but the audit log. */
export const peopleRouter = (deps: StaffDeps, pages: Pages, own: StaffPages): Router =>
  Router()
    .get(
      '/staff/people',
      own.only((req, res, me) => own.show(req, res, me, 'people', { who: '', rows: null, faults: {} }), 'admin'),
    )
    .post('/staff/people', own.only(lookUp(deps, pages, own), 'admin'));
