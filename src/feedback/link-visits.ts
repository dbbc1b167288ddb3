import { createHash } from 'node:crypto';
import type { Feedback, FeedbackKind } from './feedback.ts';
import type { FeedbackStore } from './feedback-store.ts';
import { clickOf, honeypotLink, type LinkVisit } from './machine-clicks.ts';
import type { Behind } from './message-behind.ts';

/** More visits of one message say nothing new. */
const mostVisits = 64;

/** The feedback of a kind about what a link names; without its rating, comment and sign of a machine. */
export const feedbackOf = ({ message, about, person }: Behind, kind: FeedbackKind, at: number): Feedback => ({
  id: createHash('sha256').update([message.id, about.item, kind].join(' ')).digest('base64url').slice(0, 22),
  kind,
  rating: null,
  comment: null,
  push: about.push,
  item: about.item,
  version: about.version,
  ordinal: person?.ordinal ?? message.ordinal,
  channel: message.channel,
  message: message.id,
  at,
  machine: null,
});

/** The name of a link within its message. */
export const linkName = ({ about, trapped }: Behind, kind: FeedbackKind): string =>
  trapped ? honeypotLink : `${kind} ${about.item}`;

/** What of a message the link is that so is named and counted, or null. */
const clicked = (behind: Behind, link: string): Behind | null => {
  const about = behind.told.find(({ item }) => link === `click ${item}`);
  return about ? { ...behind, about } : null;
};

type Store = Pick<FeedbackStore, 'visited' | 'record' | 'ofMessage' | 'rememberClick'>;

/**
 * Keeps that a link was followed and judges all clicks of its message anew: a later visit may show that an earlier one was a
 * machine's, or a person may follow what a machine has followed before.
 */
export const visitLink = async (store: Store, behind: Behind, visit: LinkVisit): Promise<void> => {
  for (let seen = 0; ; ) {
    const visits = await store.visited(visit, mostVisits);
    // until nobody else's visit has come in between: whoever writes last might have known less
    if (visits.length === seen) return;
    seen = visits.length;
    const kept = new Map((await store.ofMessage(visit.message)).map((one) => [one.id, one]));
    for (const link of new Set(visits.map((one) => one.link))) {
      const about = clicked(behind, link);
      const click = about && clickOf(link, visits, behind.sentAt);
      if (!about || !click) continue;
      const feedback = { ...feedbackOf(about, 'click', click.at), machine: click.machine };
      const before = kept.get(feedback.id);
      if (before?.at === feedback.at && before.machine === feedback.machine) continue;
      // remembered first: what is remembered and then not kept is let go
      if (feedback.machine === null && before?.machine !== null)
        await store.rememberClick({ id: feedback.id, message: feedback.message, at: feedback.at });
      await store.record(feedback);
    }
  }
};
