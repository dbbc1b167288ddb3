import type { NotificationView } from '../../fanout/fanout-service.ts';
import { codeText, explanationsIn, sourceText } from '../../fanout/reasons.ts';
import type { OwnFeedback } from '../../feedback/feedback-service.ts';
import { ruleOfSource } from '../../rules/rule.ts';
import { momentOf, type Voice } from './present.ts';

/** How good the news of a state is: the colour of its label. */
const toneOf = (state: string): 'good' | 'bad' | 'quiet' => {
  if (state === 'sent' || state === 'delivered') return 'good';
  return state === 'failed' || state === 'bounced' ? 'bad' : 'quiet';
};

/** One message that was sent or held back, with why. */
export const notification = (voice: Voice, view: NotificationView) => {
  const words = {
    text: voice.t,
    locale: voice.locale,
    topics: new Map(voice.trees.topics.map((topic) => [topic.slug, topic])),
    explanations: explanationsIn(view.reasons),
  };
  return {
    title: view.item.title,
    href: view.item.targeted ? null : `/items/${view.item.id}`,
    state: view.state,
    tone: toneOf(view.state),
    channel: view.channel,
    at: momentOf(voice, view.at),
    dueAt: view.dueAt === null ? null : momentOf(voice, view.dueAt),
    because: [...new Set(view.reasons.map(({ source }) => sourceText(source, words)))],
    // the first rule among the reasons, by its place on the public page
    rule: view.reasons.map(({ source }) => ruleOfSource(source)?.rule).find((rule) => rule !== undefined) ?? null,
    note: codeText(view.code ?? (view.digest && `in-${view.digest}-digest`), voice.t),
  };
};

/** Everything that a person said about messages; what is merely seen of them stands in their export. */
export const said = (voice: Voice, { kind, rating, comment, at, item }: OwnFeedback) => ({
  words: voice.t(`my.kind.${kind}`, { rating }),
  comment,
  title: item.title,
  href: item.targeted ? null : `/items/${item.id}`,
  at: momentOf(voice, at),
});
