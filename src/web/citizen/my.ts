import { Router } from 'express';
import { AppError } from '../../errors.ts';
import { saidKinds } from '../../feedback/feedback.ts';
import { type ChannelName, type Pace, paces } from '../../subscriptions/follow.ts';
import type { PersonView } from '../../subscriptions/subscription-service.ts';
import type { CitizenDeps } from '../pages/deps.ts';
import type { Pages } from '../pages/page.ts';
import { describeFollows } from '../pages/person.ts';
import { field, pathPart } from '../pages/request.ts';
import { notification, said } from '../pages/told.ts';
import { exportRouter } from './export.ts';
import { channelOrder } from './follow.ts';
import { leaveRouter } from './leave.ts';
import { settingsRouter } from './settings.ts';
import { doneNote, type Me, signedIn } from './signed-in.ts';

const historyLength = 100;
const doneNotes = ['followed', 'saved', 'gone', 'stopped', 'stopped-all', 'stayed'];

const follows =
  (deps: CitizenDeps, pages: Pages): Me =>
  async (req, res, me) => {
    const voice = await pages.voice(req);
    const live = me.follows.filter((follow) => follow.stoppedAt === null);
    const words = await describeFollows(
      deps,
      voice,
      live.map(({ definition, pace }) => ({ ...definition, pace })),
    );
    pages.show(req, res, 'my-follows', {
      tab: 'follows',
      done: doneNote(req, doneNotes),
      follows: live.map((follow, index) => ({
        ...words[index],
        id: follow.id,
        pace: follow.pace,
        channel: firstUsable(follow.channels, usableChannels(me)),
      })),
      followPaces: paces,
      channels: usableChannels(me),
    });
  };

/** The channel that a follow comes by now: the first of its order that the person can be reached on. */
const firstUsable = (order: ChannelName[] | null, usable: ChannelName[]): string | null =>
  (order ?? channelOrder('email')).find((one) => usable.includes(one)) ?? usable[0] ?? null;

const usableChannels = (me: PersonView): ChannelName[] => [
  ...new Set(me.addresses.filter((address) => address.suppressed === null).map((address) => address.channel)),
];

const saveFollow =
  (deps: CitizenDeps): Me =>
  async (req, res, me) => {
    const [pace, channel] = [field(req, 'pace') as Pace, field(req, 'channel')];
    if (!paces.includes(pace)) throw new AppError('invalid', 'there is no such pace');
    const channels = usableChannels(me).some((one) => one === channel) ? { channels: channelOrder(channel) } : {};
    // sent again from a page that still showed what has been stopped
    const live = me.follows.some(({ id, stoppedAt }) => id === pathPart(req, 'id') && stoppedAt === null);
    if (!live) return res.redirect(303, '/my?done=gone');
    await deps.subscriptions.changeFollow(me.person.id, pathPart(req, 'id'), { pace, ...channels });
    res.redirect(303, '/my?done=saved');
  };

const history =
  (deps: CitizenDeps, pages: Pages): Me =>
  async (req, res, me) => {
    const voice = await pages.voice(req);
    const own = { ...voice, timeZone: me.person.timeZone ?? voice.timeZone };
    const rows = await deps.fanout.notificationsOf(me.person.id, historyLength);
    const given = await deps.feedback.ofPerson(me.person.id, historyLength);
    pages.show(req, res, 'my-messages', {
      tab: 'messages',
      rows: rows.map((row) => notification(own, row)),
      given: given.filter(({ kind }) => saidKinds.some((one) => one === kind)).map((one) => said(own, one)),
    });
  };

/** My notifications: what I follow, what was sent or not and why, my settings. */
export const myRouter = (deps: CitizenDeps, pages: Pages): Router => {
  const my = (page: Me) => signedIn(pages, page);
  return Router()
    .get('/my', my(follows(deps, pages)))
    .post('/my/follows/:id', my(saveFollow(deps)))
    .post(
      '/my/follows/:id/stop',
      my(async (req, res, me) => {
        await deps.subscriptions.stop(me.person.id, { subscription: pathPart(req, 'id') });
        res.redirect(303, '/my?done=stopped');
      }),
    )
    .get(
      '/my/stop',
      my((req, res) => pages.show(req, res, 'my-stop')),
    )
    .post(
      '/my/stop',
      my(async (_req, res, me) => {
        await deps.subscriptions.stop(me.person.id, 'all');
        res.redirect(303, '/my?done=stopped-all');
      }),
    )
    .get('/my/messages', my(history(deps, pages)))
    .use(settingsRouter(deps, pages))
    .use(leaveRouter(deps, pages))
    .use(exportRouter(deps, pages))
    .post('/sign-out', async (req, res) => {
      pages.sessions.checkCsrf(req);
      await deps.visitors.untie(req, res);
      pages.sessions.end(res);
      res.redirect(303, '/');
    });
};
