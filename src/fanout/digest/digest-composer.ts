import type { Locale, Topic } from '../../catalogue/topic.ts';
import type { SharedContent, Slots } from '../../channels/channel.ts';
import type { Keyring } from '../../keyring.ts';
import { makeLru } from '../../lru.ts';
import type { ItemVersion } from '../../publishing/item.ts';
import type { Recipient } from '../../subscriptions/subscriber.ts';
import { itemLink, ownLinks } from '../worker/message-slots.ts';
import { type Wording, wordingOf } from '../worker/push-context.ts';
import type { DigestRow } from './digest-settler.ts';

/** One item of a digest as it is rendered. */
export type DigestEntry = { item: string; version: ItemVersion; wording: Wording; topic: Topic | null; link: string };

/** Renders what all people with the same items, language and pace share (message-templates.ts). */
type RenderDigest = (input: { pace: 'daily' | 'weekly'; locale: Locale; entries: DigestEntry[] }) => SharedContent;

type ComposerTools = { keyring: Keyring; publicUrl: string; render: RenderDigest };

/** Rendered digests that are kept: neighbours in a batch mostly follow the same things. */
const keptContents = 100;

/** What a digest of these rows says to a person: every item once, and the links and reasons of their own. */
export const makeDigestComposer = ({ keyring, publicUrl, render }: ComposerTools) => {
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
      person: Pick<Recipient, 'locale' | 'ordinal'>,
    ): { content: SharedContent; slots: Slots } => {
      const { locale } = person;
      const entries = digest.rows.map(({ context, plan }): DigestEntry => {
        const wasTold = context.told.has(person.ordinal) || context.told.has(plan.unit.ordinal);
        return {
          item: context.push.item,
          version: context.version,
          wording: wordingOf(context.version, wasTold),
          topic: context.topic,
          link: itemLink({ keyring, publicUrl }, context, locale, digest.message),
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
          ...ownLinks({ keyring, publicUrl }, digest.message),
          item: only && more.length === 0 ? only.link : `${publicUrl}/my/messages`,
          reason: [...new Set(lines)].join(' '),
        },
      };
    },
  };
};

export type DigestComposer = ReturnType<typeof makeDigestComposer>;
