import type { Config } from '../config.ts';
import type { Edges } from '../edges.ts';
import type { FanoutService } from '../fanout/fanout-service.ts';
import { itemLink } from '../fanout/worker/message-slots.ts';
import type { Signer } from '../keyring.ts';
import type { Storage } from '../storage/storage.ts';
import type { FeedbackKind, Said } from './feedback.ts';
import type { FeedbackService } from './feedback-service.ts';
import { feedbackOf, linkName, visitLink } from './link-visits.ts';
import type { Behind } from './message-behind.ts';

/** What a service worker reports of a push. */
export const reports = ['shown', 'clicked', 'dismissed', 'useful', 'not-for-me'] as const;
export type Report = (typeof reports)[number];

/** Kinds that speak of one item, not of the message. */
export const judgesItem = (kind: FeedbackKind | Report): kind is 'useful' | 'not-for-me' =>
  kind === 'useful' || kind === 'not-for-me';

type Tools = {
  fanout: Pick<FanoutService, 'shown'>;
  keyring: Signer;
  edges: Pick<Edges, 'now'>;
  config: Pick<Config, 'publicUrl' | 'feedback'>;
  behindOf: (token: string) => Promise<Behind | null>;
  give: (behind: Behind, said: Said) => Promise<void>;
};

/** What is seen of messages, without anybody saying anything: links followed, pixels asked for, reports of service workers. */
export const makeLinks = (
  { feedback }: Pick<Storage, 'feedback'>,
  { fanout, keyring, edges, config, behindOf, give }: Tools,
): Pick<FeedbackService, 'click' | 'looked' | 'opened' | 'report'> => {
  const counts = ({ expired, person }: Behind): boolean =>
    config.feedback.clicks && !expired && person?.plainLinks !== true;

  const visit = async (behind: Behind, kind: FeedbackKind, head: boolean): Promise<void> => {
    if (!counts(behind)) return;
    const link = linkName(behind, kind);
    await visitLink(feedback, behind, { message: behind.message.id, link, head, at: edges.now() });
  };

  /** A service worker says of a message what was done with it; what it said first stands. */
  const see = async (behind: Behind, kind: 'click' | 'dismissed' | 'shown'): Promise<void> => {
    const seen = feedbackOf(behind, kind, edges.now());
    if ((await feedback.ofMessage(seen.message)).some(({ id }) => id === seen.id)) return;
    if (kind === 'click' && !behind.whole)
      await feedback.rememberClick({ id: seen.id, message: seen.message, at: seen.at });
    await feedback.record(seen);
  };

  return {
    click: async (token, head) => {
      const behind = await behindOf(token);
      if (!behind) return null;
      await visit(behind, 'click', head);
      const locale = behind.person?.locale ?? behind.version.content.language;
      return itemLink({ keyring, publicUrl: config.publicUrl }, behind.version, locale, behind.message.id);
    },
    looked: async (token, kind, head) => {
      const behind = await behindOf(token);
      if (behind) await visit(behind, kind, head);
    },
    opened: async (token) => {
      const behind = config.feedback.opens ? await behindOf(token) : null;
      if (behind && !behind.expired && behind.person?.plainLinks !== true)
        await feedback.opened(behind.message.id, edges.now());
    },
    report: async (token, what) => {
      const behind = await behindOf(token);
      if (!behind) return;
      if (what === 'shown') await fanout.shown(token);
      if (judgesItem(what)) {
        if (!behind.whole) await give(behind, { kind: what, rating: null, comment: null });
      } else if (counts(behind)) await see(behind, what === 'clicked' ? 'click' : what);
    },
  };
};
