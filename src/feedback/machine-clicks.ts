import { honeypot } from '../fanout/message-token.ts';
import type { MachineSign } from './feedback.ts';

/** **visit**: one request for a link of a message. `link` names it within the message: `kind` or `kind item`. `at` in ms. */
export type LinkVisit = { message: string; link: string; head: boolean; at: number };

/** The link that people do not see. */
export const honeypotLink = `click ${honeypot}`;

/** Nobody has opened a mail, read it and followed a link so soon after the server took it. */
const tooSoonMs = 5_000;
/** A scanner follows link after link; links of four kinds within so long are more than anybody presses. */
const burstMs = 10_000;
const burstKinds = 4;
/** What fell into the trap makes whatever follows or precedes it so closely a machine's, too. */
const honeypotMs = 60_000;

/** After so long no later visit can show any more that a click was a machine's. */
export const finalMs = Math.max(burstMs, honeypotMs);

const kindOf = ({ link }: LinkVisit): string => link.split(' ')[0] ?? '';

/** Whether a visit lies in a stretch of `burstMs` with links of many kinds. Of several items one kind may be followed at once. */
const isInBurst = (visit: LinkVisit, visits: LinkVisit[]): boolean =>
  visits.some((first) => {
    const inside = (one: LinkVisit): boolean => one.at >= first.at && one.at < first.at + burstMs;
    return inside(visit) && new Set(visits.filter(inside).map(kindOf)).size >= burstKinds;
  });

/**
 * Why each visit of one message's links is taken for a machine's, or null for a person's; all that is known of the message must
 * be given, because a later visit may show what an earlier one was. `sentAt`: when a server took the message. Pure.
 */
export const signsOf = (visits: LinkVisit[], sentAt: number): (MachineSign | null)[] => {
  const trapped = visits.filter(({ link }) => link === honeypotLink);
  return visits.map((visit) => {
    if (visit.head) return 'head';
    if (trapped.some(({ at }) => Math.abs(visit.at - at) <= honeypotMs)) return 'honeypot';
    if (isInBurst(visit, visits)) return 'every-link';
    return visit.at < sentAt + tooSoonMs ? 'too-soon' : null;
  });
};

/** What the visits of one link come to: the first of a person, else the first of a machine with its sign. */
export const clickOf = (
  link: string,
  visits: LinkVisit[],
  sentAt: number,
): { at: number; machine: MachineSign | null } | null => {
  const signs = signsOf(visits, sentAt);
  const own = visits.flatMap((visit, index) =>
    visit.link === link ? [{ at: visit.at, machine: signs[index] ?? null }] : [],
  );
  return own.find(({ machine }) => machine === null) ?? own[0] ?? null;
};
