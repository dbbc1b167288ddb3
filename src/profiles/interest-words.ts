import type { EventKind } from '../browsing/browsing-event.ts';
import type { Locale } from '../catalogue/topic.ts';
import { dateFormat } from '../date-format.ts';
import type { Text } from '../text.ts';
import type { Evidence, Interest } from './profile.ts';

/** To whom interests are told: language, time zone of their days, and the moment from which years are seen. */
export type Listener = { text: Text; locale: Locale; timeZone: string; now: number };

const yearOf = (at: number, timeZone: string): string => dateFormat('en', { year: 'numeric', timeZone }).format(at);

/** A day as people say it; the year only where it is another one. */
const dayOf = (at: number, { locale, timeZone, now }: Listener): string =>
  dateFormat(locale, {
    day: 'numeric',
    month: 'long',
    ...(yearOf(at, timeZone) === yearOf(now, timeZone) ? {} : { year: 'numeric' }),
    timeZone,
  }).format(at);

/** What is said in one breath; "not for me" speaks against an interest and never for it. */
const deeds: [name: string, kinds: EventKind[]][] = [
  ['read', ['view', 'click']],
  ['search', ['search']],
  ['download', ['download']],
  ['useful', ['useful']],
];

/** Why somebody is taken to be interested in a topic, as a sentence: what they did how often, since when; and when they corrected it. */
export const interestText = ({ counts, since, corrected }: Interest, topic: string, listener: Listener): string => {
  const { text, locale } = listener;
  const done = deeds.flatMap(([name, kinds]) => {
    const count = kinds.reduce((sum, kind) => sum + (counts[kind] ?? 0), 0);
    return count > 0 ? [text(`profiles:done.${name}`, { count })] : [];
  });
  // things done are joined by commas in Chinese, things counted by 和
  const list =
    locale === 'zh-CN' ? done.join('，') : new Intl.ListFormat('en-GB', { type: 'conjunction' }).format(done);
  const because =
    done.length === 0 ? '' : text('profiles:because', { since: dayOf(since, listener), done: list, topic });
  if (corrected === undefined) return because;
  return text('profiles:corrected', { on: dayOf(corrected, listener), because }).trim();
};

/** One thing that somebody did, as a sentence. `title`: the item's, or null if it cannot be shown any more. */
export const evidenceText = (evidence: Evidence, title: string | null, listener: Listener): string => {
  const { text } = listener;
  const on = dayOf(evidence.at, listener);
  if (evidence.kind === 'search')
    return evidence.query === null
      ? text('profiles:evidence.searchHere', { on })
      : text('profiles:evidence.search', { on, query: evidence.query });
  const unnamed = evidence.item === null ? 'profiles:someTopic' : 'profiles:someNotice';
  const what = title === null ? text(unnamed) : text('profiles:notice', { title });
  return text(`profiles:evidence.${evidence.kind}`, { on, what });
};
