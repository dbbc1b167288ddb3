import type { ItemContent } from '../publishing/item.ts';
import { type ChannelName, channelNames, type Pace, paces } from '../subscriptions/follow.ts';
import type { Address, Recipient } from '../subscriptions/subscriber.ts';
import type { CapLimits, NoticeClass } from './ledger-store.ts';
import { digestClockOf, digestSlot, hourAt, nextDay, nextHour, quietUntil, zoneOf } from './local-time.ts';

/**
 * Why a push reaches a person, resolved for them: a live subscription with its pace and channels, their name on the
 * publisher's list, that they were told an earlier version (over `channel`), a rule (priority 1 comes first; `holdout` is
 * the share left out for measurement), or the condition of a publisher's own push. The last two are suggestions.
 */
export type Reason =
  | { kind: 'subscription'; source: number; pace: Pace; channels: ChannelName[] | null }
  | { kind: 'named'; source: number; channels: ChannelName[] | null }
  | { kind: 'told'; source: number; channel: ChannelName }
  | {
      kind: 'rule';
      source: number;
      pace: Pace;
      channels: ChannelName[];
      priority: number;
      /** How much it counts beside other rules: 1 as its priority says. */
      weight: number;
      holdout: number;
      /** Its messages wait for the hour at which the person mostly reacts (design D14). */
      hour: boolean;
    }
  | { kind: 'condition'; source: number; channels: ChannelName[] | null };

/**
 * All that the policy looks at. `tried`: channels that failed for good for this message. `draw`: where this person and item
 * fall in [0, 1), for the holdout; 1 where no rule is among the reasons. `kept`: the digest that a row waited for and whose
 * moment has come (`due`: it came before, and the message was held up since); null for what never waited for one.
 * `belowArm`: a rule would be among the reasons, had a lower threshold been drawn for this person. `preferredHour`: the local hour (0-23) at which the person mostly reacts, null where unknown. Times in ms.
 */
export type PolicyInput = {
  person: Recipient;
  item: Pick<ItemContent, 'urgency' | 'deadline' | 'expiresAt'>;
  reasons: Reason[];
  tried: ChannelName[];
  draw: number;
  kept: 'daily' | 'weekly' | 'due' | null;
  preferredHour: number | null;
  belowArm?: boolean;
  now: number;
  defaults: PolicyDefaults;
};

/** What counts where a person says nothing else: their zone, how many suggestions they get, when a text follows a push. */
export type PolicyDefaults = { timeZone: string; caps: CapLimits; fallbackMs: number };

/** The first usable channel with its live addresses; `fallback`: what follows if the message was not seen by then (ms). */
type Route = { channel: ChannelName; addresses: Address[]; fallback: { channel: ChannelName; after: number } | null };

/** Codes are texts of the `reasons` catalogue: each can be told to the person in plain words. */
export type Decision =
  | ({ kind: 'send' } & Route)
  | { kind: 'defer'; until: number; code: 'quiet-hours' | 'preferred-hour' | 'cap-day' | 'cap-week' }
  | { kind: 'digest'; until: number; code: 'daily-digest' | 'weekly-digest' }
  | {
      kind: 'withhold';
      code: 'erased' | 'leaving' | 'opted-out' | 'arm' | 'no-address' | 'suppressed' | 'expired' | 'holdout';
    };

const defaultChannels: ChannelName[] = ['email', 'webPush', 'sms', 'wechat'];

/** What is only suggested: nobody asked for it, and nobody was named. */
const isSuggestion = (reason: Reason): boolean => reason.kind === 'rule' || reason.kind === 'condition';
const suggestedOnly = (reasons: Reason[]): boolean => reasons.every(isSuggestion);

/** Whether a message takes a place under the cap: only what nobody asked for, and never an emergency (semantic 2). */
export const isCapped = ({ item, reasons }: Pick<PolicyInput, 'item' | 'reasons'>): boolean =>
  item.urgency !== 'emergency' && reasons.length > 0 && suggestedOnly(reasons);

/** A person's places: half of them, and one at least, for whom it was too many. */
export const capsOf = ({ fewer }: Pick<Recipient, 'fewer'>, { day, week }: CapLimits): CapLimits =>
  fewer ? { day: Math.max(1, Math.floor(day / 2)), week: Math.max(1, Math.floor(week / 2)) } : { day, week };

/** Emergencies know no pace, holdout and quiet hours; what was asked for or decided by name must be delivered. */
export const noticeClassOf = (item: Pick<ItemContent, 'urgency'>, reasons: Reason[]): NoticeClass => {
  if (item.urgency === 'emergency') return 'emergency';
  return suggestedOnly(reasons) ? 'suggestion' : 'must';
};

/**
 * The reason whose pace and channels count: a name or a correction is for now; among subscriptions the fastest; a
 * suggestion only where there is nothing else, then the rule of the first priority (semantic 1).
 */
export const leading = (reasons: Reason[]): Reason | undefined =>
  [...reasons].sort((a, b) => rank(a) - rank(b) || speed(a) - speed(b))[0];

/** A rule that counts nothing comes last, but among those that do so by its priority. */
const leastWeight = 0.001;

const rank = (reason: Reason): number => {
  if (reason.kind === 'condition') return 1;
  return reason.kind === 'rule' ? 1 + reason.priority / Math.max(reason.weight, leastWeight) : 0;
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

const live = (person: Recipient): Address[] => person.addresses.filter((address) => address.suppressed === null);

/** The policy runs again at the latest when the item expires: what is unsent then is withheld (semantic 3). */
const sooner = (until: number, expiresAt: string | undefined): number =>
  expiresAt === undefined ? until : Math.min(until, Date.parse(expiresAt));

/** A deferral that would pass the deadline is not made (semantic 3). */
const allowed = (until: number, deadline: string | undefined, now: number): boolean =>
  deadline === undefined || Date.parse(deadline) <= now || until <= Date.parse(deadline);

/**
 * What happens to one person's message now, in the order of design D6: opted out, suppressed, expired, (already told: the
 * notice says), holdout, emergency override, pace, quiet hours, preferred hour, channel; the cap is asked for then, because
 * a place under it is taken by a write. Reasons that need a consent which is not given have been dropped before. Pure.
 */
export const decide = (input: PolicyInput): Decision => {
  const { person, item, reasons, now } = input;
  if (person.erasedAt !== null) return { kind: 'withhold', code: 'erased' };
  if (person.leavesAt !== undefined) return { kind: 'withhold', code: 'leaving' };
  const lead = leading(reasons);
  if (!lead) return { kind: 'withhold', code: input.belowArm ? 'arm' : 'opted-out' };
  if (live(person).length === 0)
    return { kind: 'withhold', code: person.addresses.length > 0 ? 'suppressed' : 'no-address' };
  if (item.expiresAt !== undefined && Date.parse(item.expiresAt) <= now) return { kind: 'withhold', code: 'expired' };
  if (isHeldOut(input)) return { kind: 'withhold', code: 'holdout' };

  if (item.urgency !== 'emergency') {
    const later = digestOf(input, lead) ?? deferralOf(input, lead);
    if (later) return later;
  }
  const route = routeOf(input);
  return route ? { kind: 'send', ...route } : { kind: 'withhold', code: 'no-address' };
};

/** The way a message takes: the first channel of the person's order that can be used and was not tried. */
export const routeOf = (input: PolicyInput): Route | null => {
  const addresses = live(input.person);
  const usable = channelOrder(input.reasons).filter(
    (name) => !input.tried.includes(name) && addresses.some((address) => address.channel === name),
  );
  const [channel] = usable;
  if (!channel) return null;
  const fallback = hasFallback(input, channel, usable)
    ? ({ channel: 'sms', after: input.defaults.fallbackMs } as const)
    : null;
  return { channel, addresses: addresses.filter((address) => address.channel === channel), fallback };
};

/** A text follows an unseen push only where the person's order names texts after pushes, and in an emergency: texts cost. */
const hasFallback = ({ item, reasons, kept }: PolicyInput, channel: ChannelName, usable: ChannelName[]): boolean => {
  if (channel !== 'webPush' || kept !== null || !usable.includes('sms')) return false;
  const lead = leading(reasons);
  const asked = lead && 'channels' in lead ? (lead.channels ?? []) : [];
  return item.urgency === 'emergency' || asked.includes('sms');
};

/** The pace that counts for these reasons now. */
export const paceOf = (reasons: Reason[]): Pace => {
  const lead = leading(reasons);
  return lead && 'pace' in lead ? lead.pace : 'immediate';
};

/**
 * The digest that a message waits for, or null if it leaves. One that was kept for a digest leaves with it, whatever pace
 * the person has by then; only who has slowed down from daily to weekly waits for the week's.
 */
const digestOf = (input: PolicyInput, lead: Reason): Decision | null => {
  const { item, now, kept } = input;
  const pace = 'pace' in lead ? lead.pace : 'immediate';
  if (pace === 'immediate' || kept === 'due' || kept === 'weekly' || kept === pace) return null;
  const slot = digestSlot(pace, digestClockOf(input.person, input.defaults), now);
  if (!allowed(slot, item.deadline, now)) return null;
  const until = sooner(slot, item.expiresAt);
  return { kind: 'digest', until, code: pace === 'daily' ? 'daily-digest' : 'weekly-digest' };
};

const deferralOf = (input: PolicyInput, lead: Reason): Decision | null => {
  const { person, item, now, kept, preferredHour } = input;
  const zone = zoneOf(person, input.defaults);
  const end = quietUntil(person.quietHours, zone, now);
  if (end !== null && allowed(end, item.deadline, now))
    return { kind: 'defer', until: sooner(end, item.expiresAt), code: 'quiet-hours' };
  const mayWait = lead.kind === 'rule' && lead.hour && kept === null && preferredHour !== null;
  if (!mayWait || hourAt(zone, now) === preferredHour) return null;
  const hour = nextHour(preferredHour, zone, now);
  if (!allowed(hour, item.deadline, now)) return null;
  return { kind: 'defer', until: sooner(hour, item.expiresAt), code: 'preferred-hour' };
};

/**
 * What becomes of a message that got no place under the cap: it waits for the next day or week (one of a digest: for the
 * next digest), or null where that would pass its deadline, which outranks the cap (semantic 3).
 */
export const overCap = (
  input: Pick<PolicyInput, 'person' | 'item' | 'reasons' | 'kept' | 'now'> & {
    defaults: Pick<PolicyDefaults, 'timeZone'>;
  },
  full: 'day' | 'week',
): (Decision & { kind: 'defer' }) | null => {
  const { item, now } = input;
  const clock = digestClockOf(input.person, input.defaults);
  const pace = paceOf(input.reasons);
  const slot = full === 'week' ? digestSlot('weekly', clock, now) : nextDay(clock, now);
  const until =
    input.kept === null ? slot : digestSlot(pace === 'weekly' ? 'weekly' : 'daily', clock, Math.max(now, slot - 1));
  if (!allowed(until, item.deadline, now)) return null;
  return { kind: 'defer', until: sooner(until, item.expiresAt), code: full === 'week' ? 'cap-week' : 'cap-day' };
};
