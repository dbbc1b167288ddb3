import type { Locale, Topic } from '../../catalogue/topic.ts';
import { type SharedContent, type Slots, slot } from '../../channels/channel.ts';
import type { Keyring } from '../../keyring.ts';
import { makeLru } from '../../lru.ts';
import type { ItemVersion } from '../../publishing/item.ts';
import type { Recipient } from '../../subscriptions/subscriber.ts';
import { isTracked, itemLink, ownLinks } from '../worker/message-slots.ts';
import { type Wording, wordingOf } from '../worker/push-context.ts';
import type { DigestRow } from './digest-settler.ts';

/** One item of a digest as it is rendered. */
export type DigestEntry = { item: string; version: ItemVersion; wording: Wording; topic: Topic | null; link: string };

/** Renders what all people with the same items, language and pace share (message-templates.ts). */
type RenderDigest = (input: { pace: 'daily' | 'weekly'; locale: Locale; entries: DigestEntry[] }) => SharedContent;

/** `clicks`: links to items are counted. */
type ComposerTools = { keyring: Keyring; publicUrl: string; clicks: boolean; render: RenderDigest };

/** Rendered digests that are kept: neighbours in a batch mostly follow the same things. */
const keptContents = 100;

/** What a digest of these rows says to a person: every item once, and the links and reasons of their own. */
export const makeDigestComposer = ({ keyring, publicUrl, clicks, render }: ComposerTools) => {
  const kept = makeLru<SharedContent>(keptContents);

  const contentOf = (pace: 'daily' | 'weekly', locale: Locale, entries: DigestEntry[]): SharedContent => {
    const key = JSON.stringify([
      ...[pace, locale],
      ...entries.map(({ item, version, wording, link }) => [item, version.version, version.revision, wording, link]),
    ]);
    const content = kept.get(key) ?? render({ pace, locale, entries });
    kept.set(key, content);
    return content;
  };

  return {
    compose: (
      digest: { message: string; pace: 'daily' | 'weekly'; rows: DigestRow[] },
      person: Pick<Recipient, 'locale' | 'ordinal' | 'plainLinks'>,
      now: number,
    ): { content: SharedContent; slots: Slots } => {
      const { locale } = person;
      const own = (version: ItemVersion) => itemLink({ keyring, publicUrl }, version, locale, digest.message);
      const entries = digest.rows.map(({ context, plan }): DigestEntry => {
        const wasTold = context.told.has(person.ordinal) || context.told.has(plan.unit.ordinal);
        return {
          item: context.push.item,
          version: context.version,
          wording: wordingOf(context.version, wasTold),
          topic: context.topic,
          link:
            clicks && isTracked(person, context.version)
              ? `${publicUrl}/c/${slot('token')}~${context.push.item}`
              : own(context.version),
        };
      });
      const ordered = [...entries].sort((a, b) => a.version.at - b.version.at || (a.item < b.item ? -1 : 1));
      const lines = digest.rows.map(({ context, plan }) =>
        context.reasonLine(
          locale,
          plan.reasons.map((reason) => reason.source),
        ),
      );
      const [only, ...more] = ordered;
      return {
        content: contentOf(digest.pace, locale, ordered),
        slots: {
          ...ownLinks({ keyring, publicUrl, now }, digest.message),
          item: only && more.length === 0 ? own(only.version) : `${publicUrl}/my/messages`,
          reason: [...new Set(lines)].join(' '),
        },
      };
    },
  };
};

export type DigestComposer = ReturnType<typeof makeDigestComposer>;
