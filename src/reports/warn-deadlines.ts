import { DateTime } from 'luxon';
import type { Role, Staff } from '../access/access-store.ts';
import type { Locale } from '../catalogue/topic.ts';
import type { SharedContent, Slots } from '../channels/channel.ts';
import type { Courier } from '../channels/courier.ts';
import type { Config } from '../config.ts';
import { dateFormat } from '../date-format.ts';
import type { Edges } from '../edges.ts';
import type { Storage } from '../storage/storage.ts';
import { textIn } from '../text.ts';
import type { DeadlineService, Pressing } from './deadlines.ts';

export type WarningTools = {
  edges: Pick<Edges, 'now'>;
  deadlines: Pick<DeadlineService, 'pressing'>;
  courier: Courier;
  templates: {
    deadlines(input: { locale: Locale; link: string; lines: string[]; count: number }): {
      content: SharedContent;
      slots: Partial<Slots>;
    };
  };
  config: Pick<Config, 'publicUrl' | 'locale' | 'timeZone'>;
};

/** Mails leave between these hours of the office's day. */
const firstHour = 8;
const lastHour = 19;
const letterMs = 2 * 86_400_000;
/** A letter names so many, the most pressing first. */
const linesMost = 50;

/** One warning for each time limit: a postponement sets another. */
const keyOf = ({ kind, id, givenUntil }: Pressing): string => `${kind} ${id} ${givenUntil}`;

const reviews = ({ roles }: Staff): boolean => roles.includes('reviewer' satisfies Role);

/** Who answers for a case: whoever wrote or registered it, and the reviewers of its departments (all, where it names none). */
const answerable =
  ({ staff, departments }: Pressing) =>
  (one: Staff): boolean =>
    one.id === staff ||
    (reviews(one) && (departments.length === 0 || departments.some((name) => one.departments.includes(name))));

/**
 * Tells staff by email, once for each time limit, what has five working days left or fewer; one letter a person. A process that
 * dies in between tells again rather than never. Answers how many cases were new.
 */
export const makeDeadlineWarnings = (
  stores: Pick<Storage, 'deadlines' | 'access'>,
  { edges, deadlines, courier, templates, config }: WarningTools,
): (() => Promise<number>) => {
  const { locale, publicUrl, timeZone } = config;
  const text = textIn(locale);

  const lineOf = ({ kind, id, title, dueOn, daysLeft }: Pressing): string => {
    const due = dateFormat(locale, { dateStyle: 'long', timeZone: 'UTC' }).format(Date.parse(dueOn));
    const left = daysLeft ?? 0;
    const state = text(`messages:deadlines.${left < 0 ? 'late' : 'left'}`, { count: Math.abs(left) });
    return text(`messages:deadlines.line.${kind}`, { title: title ?? id, due, state });
  };

  const tell = async (staff: Staff, cases: Pressing[]): Promise<void> => {
    const link = `${publicUrl}/staff/deadlines`;
    const rest = cases.length - linesMost;
    const lines = [
      ...cases.slice(0, linesMost).map(lineOf),
      ...(rest > 0 ? [text('messages:deadlines.more', { count: rest })] : []),
    ];
    const { content, slots } = templates.deadlines({ locale, link, lines, count: cases.length });
    await courier.post({ channel: 'email', email: staff.email }, content, slots, edges.now() + letterMs);
  };

  return async () => {
    const { hour } = DateTime.fromMillis(edges.now(), { zone: timeZone });
    if (hour < firstHour || hour > lastHour) return 0;
    const { rows } = await deadlines.pressing();
    const fresh = new Set(await stores.deadlines.unwarned(rows.map(keyOf)));
    const news = rows.filter((one) => fresh.has(keyOf(one)));
    if (news.length === 0) return 0;
    for (const staff of await stores.access.allStaff()) {
      const own = news.filter((one) => answerable(one)(staff));
      if (own.length > 0) await tell(staff, own);
    }
    await stores.deadlines.warned(news.map(keyOf), edges.now());
    return news.length;
  };
};
