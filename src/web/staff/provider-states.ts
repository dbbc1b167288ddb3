import { type Request, type Response, Router } from 'express';
import type { Staff } from '../../access/access-store.ts';
import { type ChannelState, type ProvidedChannel, providedChannels } from '../../channels/channel-desk.ts';
import { AppError } from '../../errors.ts';
import type { Text } from '../../text.ts';
import type { Pages } from '../pages/page.ts';
import { momentOf, type Voice } from '../pages/present.ts';
import { field, pathPart } from '../pages/request.ts';
import type { StaffDeps, StaffPages } from './staff-pages.ts';

/** What people hear nothing of, since it is tried again: it concerns the office alone. */
const officeReasons: ReadonlySet<string> = new Set([
  ...['connection', 'timeout', 'tls', 'auth', 'sender-refused', 'provider-error', 'bad-answer', 'storage'],
  ...['deferred', 'greylisted'],
]);

/** Why an attempt failed, in words. */
export const failureWords = (t: Text, code: string): string =>
  t(officeReasons.has(code) ? `accounts:staff.reason.${code}` : `reasons:code.${code}`);

/** Who takes the messages of a channel, how many a second at most, and how that fares. */
export const providerState = (voice: Voice, state: ChannelState) => ({
  channel: state.channel,
  outbox: state.outbox,
  providers: state.providers.map(({ name, rate }) =>
    rate === null ? name : voice.t('accounts:staff.perSecond', { name, rate }),
  ),
  workedAt: state.workedAt === null ? null : momentOf(voice, state.workedAt),
  fault: state.fault && {
    at: momentOf(voice, state.fault.at),
    words: `${failureWords(voice.t, state.fault.code)} (${state.fault.words})`,
  },
  quietUntil: state.quietUntil === null || state.fault === null ? null : momentOf(voice, state.quietUntil),
});

/** What of a test that could not be sent is shown again: where, what was typed, and the words of the fault. */
export type RefusedTest = { channel: ProvidedChannel; typed: string; fault: string };

type Show = (req: Request, res: Response, me: Staff, refused: RefusedTest) => Promise<void>;

/** Sends a test message by a channel, to the address that the administrator typed. */
export const channelTests = (deps: StaffDeps, pages: Pages, own: StaffPages, show: Show) => {
  const test = async (req: Request, res: Response, me: Staff) => {
    const channel = providedChannels.find((one) => one === pathPart(req, 'channel'));
    if (!channel) throw new AppError('not-found', 'There is no such channel.');
    const typed = field(req, channel);
    const { locale } = await pages.voice(req);
    const to = channel === 'webPush' ? me.email : typed;
    const fault = await deps.channelDesk.test(channel, to, locale);
    if (fault !== null) return show(req, res, me, { channel, typed, fault: `accounts:staff.testFault.${fault}` });
    await deps.access.audit({ actor: me.id, action: 'testChannel', subject: channel, details: { by: 'page' } });
    res.redirect(303, '/staff/channels?done=tested');
  };
  return Router().post('/staff/channels/:channel/try', own.only(test, 'admin'));
};
