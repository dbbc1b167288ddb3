import { DateTime } from 'luxon';
import type { ItemContent } from '../publishing/item.ts';
import { type ChannelName, channelNames, type Pace, paces } from '../subscriptions/follow.ts';
import type { Address, QuietHours, Recipient } from '../subscriptions/subscriber.ts';
import type { NoticeClass } from './ledger-store.ts';

/**
 * Why a push reaches a person, resolved for them: a live subscription with its pace and channels, their name on the
 * publisher's list, that they were told an earlier version (over `channel`), a rule (priority 1 comes first; `holdout` is
 * the share left out for measurement), or the condition of a publisher's own push. The last two are suggestions.
 */
export type Reason =
  | { kind: 'subscription'; source: number; pace: Pace; channels: ChannelName[] | null }
  | { kind: 'named'; source: number; channels: ChannelName[] | null }
  | { kind: 'told'; source: number; channel: ChannelName }
  | { kind: 'rule'; source: number; pace: Pace; channels: ChannelName[]; priority: number; holdout: number }
  | { kind: 'condition'; source: number; channels: ChannelName[] | null };

/**
 * All that the policy looks at. `tried`: channels that failed for good for this message. `draw`: where this person and item
 * fall in [0, 1), for the holdout; 1 where no rule is among the reasons. Times in ms.
 */
export type PolicyInput = {
  person: Recipient;
  item: Pick<ItemContent, 'urgency' | 'deadline' | 'expiresAt'>;
  reasons: Reason[];
  tried: ChannelName[];
  draw: number;
  now: number;
  defaults: { timeZone: string };
};

/** Codes are texts of the `reasons` catalogue: each can be told to the person in plain words. */
export type Decision =
  | { kind: 'send'; channel: ChannelName; addresses: Address[] }
  | { kind: 'defer'; until: number; code: 'quiet-hours' }
  | { kind: 'digest'; until: number; code: 'daily-digest' | 'weekly-digest' }
  | { kind: 'withhold'; code: 'erased' | 'opted-out' | 'no-address' | 'suppressed' | 'expired' | 'holdout' };

const defaultChannels: ChannelName[] = ['email', 'webPush', 'sms', 'wechat'];
/** Local hour of digests, and of the end of a night without one. */
const digestHour = 8;

/** What is only suggested: nobody asked for it, and nobody was named. */
const isSuggestion = (reason: Reason): boolean => reason.kind === 'rule' || reason.kind === 'condition';
const suggestedOnly = (reasons: Reason[]): boolean => reasons.every(isSuggestion);

/** Emergencies know no pace, holdout and quiet hours; what was asked for or decided by name must be delivered. */
export const noticeClassOf = (item: Pick<ItemContent, 'urgency'>, reasons: Reason[]): NoticeClass => {
  if (item.urgency === 'emergency') return 'emergency';
  return suggestedOnly(reasons) ? 'suggestion' : 'must';
};

/**
 * The reason whose pace and channels count: a name or a correction is for now; among subscriptions the fastest; a
 * suggestion only where there is nothing else, then the rule of the first priority (semantic 1).
 */
const leading = (reasons: Reason[]): Reason | undefined =>
  [...reasons].sort((a, b) => rank(a) - rank(b) || speed(a) - speed(b))[0];

const rank = (reason: Reason): number => {
  if (reason.kind === 'condition') return 1;
  return reason.kind === 'rule' ? 1 + reason.priority : 0;
};

const speed = (reason: Reason): number => ('pace' in reason ? paces.indexOf(reason.pace) : -1);

/**
 * Whether a person is left out of a suggestion so that its effect can be measured (semantic 2): one draw for all rules, and
 * the largest share among them counts. Never for what was asked for, a publisher's own push or an emergency.
 */
const isHeldOut = ({ item, reasons, draw }: PolicyInput): boolean =>
  item.urgency !== 'emergency' &&
  reasons.every((reason) => reason.kind === 'rule') &&
  draw < Math.max(0, ...reasons.map((reason) => (reason.kind === 'rule' ? reason.holdout : 0)));

/** The order in which channels are tried: what was asked for, then whatever else the person can be reached by. */
export const channelOrder = (reasons: Reason[]): ChannelName[] => {
  const told = reasons.find((reason) => reason.kind === 'told');
  const first = leading(reasons);
  const asked = told ? [told.channel] : first && first.kind !== 'told' ? (first.channels ?? []) : [];
  return [...new Set([...asked, ...defaultChannels])].filter((name) => channelNames.includes(name));
};

const zoneOf = (person: Recipient, defaults: PolicyInput['defaults']): string => person.timeZone ?? defaults.timeZone;

/**
 * The end of the quiet hours that `now` lies in, or null. Hours are local wall times, the end is exclusive, and a window
 * may pass midnight; on a daylight-saving night a wall time that does not exist moves forward (luxon's rule).
 */
export const quietUntil = (quiet: QuietHours | null, zone: string, now: number): number | null => {
  if (!quiet || quiet.from === quiet.to) return null;
  const local = DateTime.fromMillis(now, { zone });
  for (const daysBack of [1, 0]) {
    const day = local.minus({ days: daysBack });
    const from = at(day, quiet.from);
    const to = at(quiet.to > quiet.from ? day : day.plus({ days: 1 }), quiet.to);
    if (from <= now && now < to) return to;
  }
  return null;
};

const at = (day: DateTime, clock: string): number => {
  const [hour, minute] = clock.split(':').map(Number);
  return day
    .startOf('day')
    .set({ hour: hour ?? 0, minute: minute ?? 0 })
    .toMillis();
};

/** The next digest slot after `now` in the person's zone: tomorrow's or today's digest hour; weekly on Monday (ISO week). */
export const digestSlot = (pace: 'daily' | 'weekly', zone: string, now: number): number => {
  const local = DateTime.fromMillis(now, { zone });
  const today = local.startOf('day').set({ hour: digestHour });
  if (pace === 'daily')
    return (today.toMillis() > now ? today : today.plus({ days: 1 }).set({ hour: digestHour })).toMillis();
  const monday = local.startOf('week').set({ hour: digestHour });
  return (monday.toMillis() > now ? monday : monday.plus({ weeks: 1 }).set({ hour: digestHour })).toMillis();
};

const live = (person: Recipient): Address[] => person.addresses.filter((address) => address.suppressed === null);

/** The policy runs again at the latest when the item expires: what is unsent then is withheld (semantic 3). */
const sooner = (until: number, expiresAt: string | undefined): number =>
  expiresAt === undefined ? until : Math.min(until, Date.parse(expiresAt));

/** A deferral that would pass the deadline is not made (semantic 3). */
const allowed = (until: number, deadline: string | undefined, now: number): boolean =>
  deadline === undefined || Date.parse(deadline) <= now || until <= Date.parse(deadline);

/**
 * What happens to one person's message now, in the order of design D6: opted out, suppressed, expired, (already told: the
 * notice says), holdout, emergency override, pace, quiet hours, channel. Reasons that need a consent which is not given have
 * been dropped before. Pure.
 */
export const decide = (input: PolicyInput): Decision => {
  const { person, item, reasons, now } = input;
  if (person.erasedAt !== null) return { kind: 'withhold', code: 'erased' };
  const lead = leading(reasons);
  if (!lead) return { kind: 'withhold', code: 'opted-out' };
  const addresses = live(person);
  if (addresses.length === 0)
    return { kind: 'withhold', code: person.addresses.length > 0 ? 'suppressed' : 'no-address' };
  if (item.expiresAt !== undefined && Date.parse(item.expiresAt) <= now) return { kind: 'withhold', code: 'expired' };
  if (isHeldOut(input)) return { kind: 'withhold', code: 'holdout' };

  if (item.urgency !== 'emergency') {
    const later = laterThan(input, lead);
    if (later) return later;
  }
  const usable = channelOrder(reasons).filter((name) => !input.tried.includes(name));
  const channel = usable.find((name) => addresses.some((address) => address.channel === name));
  if (!channel) return { kind: 'withhold', code: 'no-address' };
  return { kind: 'send', channel, addresses: addresses.filter((address) => address.channel === channel) };
};

const laterThan = (input: PolicyInput, lead: Reason): Decision | null => {
  const { person, item, now } = input;
  const zone = zoneOf(person, input.defaults);
  if ('pace' in lead && lead.pace !== 'immediate') {
    const slot = digestSlot(lead.pace, zone, now);
    const until = sooner(slot, item.expiresAt);
    if (allowed(slot, item.deadline, now))
      return { kind: 'digest', until, code: lead.pace === 'daily' ? 'daily-digest' : 'weekly-digest' };
  }
  const end = quietUntil(person.quietHours, zone, now);
  if (end === null || !allowed(end, item.deadline, now)) return null;
  return { kind: 'defer', until: sooner(end, item.expiresAt), code: 'quiet-hours' };
};
