import { plainContact } from '../../subscriptions/address.ts';
import { usualDigestHour } from '../../subscriptions/subscriber.ts';
import type { PersonView } from '../../subscriptions/subscription-service.ts';
import type { CitizenDeps } from '../pages/deps.ts';
import { factRows } from '../pages/facts.ts';
import { describeFollows } from '../pages/person.ts';
import { momentOf, topicTitle, type Voice } from '../pages/present.ts';
import { notification, said } from '../pages/told.ts';
import { habitLines } from './about-me.ts';

const messagesTaken = 10_000;

/** Of whom everything is wanted, and in which words. */
type Wanted = { deps: CitizenDeps; voice: Voice; me: PersonView };

/** Everything that is kept of one person, as the services tell it. */
export const everythingOf = async ({ deps, voice, me: { person } }: Wanted) => {
  const [addresses, interests, habits, events, messages, feedback, applications, opinions] = await Promise.all([
    deps.subscriptions.addressesOf(person.id),
    deps.profiles.interestsOf(person.id, voice.locale),
    deps.profiles.habitsOf(person.id),
    deps.profiles.eventsOf(person.id),
    deps.fanout.notificationsOf(person.id, messagesTaken),
    deps.feedback.ofPerson(person.id, messagesTaken),
    deps.applications.ofSubscriber(person.ordinal, messagesTaken),
    deps.opinions.ofWriter(person.ordinal, messagesTaken),
  ]);
  return { addresses, interests, habits, events, messages, feedback, applications, opinions };
};

/** One thing that is kept: what it is, what is said of it in short, and more in sentences. */
type Entry = { head: string; facts?: (string | null)[]; text?: (string | null)[] };

const aboutPerson = async ({ deps, voice, me: { person } }: Wanted): Promise<Entry[]> => {
  const { t } = voice;
  const { quietHours, digestHour, consents, createdAt } = person;
  const fact = (key: string, value: string): Entry => ({ head: t(key), text: [value] });
  const { given, withdrawnAt } = consents;
  return [
    fact('settings.language', t(`file.language.${person.locale}`)),
    ...factRows(voice, await deps.catalogue.attributes(), person).map(({ key, value }) => ({
      head: key,
      text: [value],
    })),
    fact('settings.quiet', quietHours ? `${quietHours.from}–${quietHours.to}` : t('settings.none')),
    fact('settings.digestHour', `${digestHour ?? usualDigestHour}:00`),
    {
      head: t('consent.title'),
      text: [
        t(consents.personalisation ? 'file.allowed' : 'file.notAllowed'),
        given ? t('file.given', { date: momentOf(voice, given.at) }) : null,
        withdrawnAt == null ? null : t('file.withdrawn', { date: momentOf(voice, withdrawnAt) }),
      ],
    },
    fact('file.since', momentOf(voice, createdAt)),
  ];
};

const followEntries = async ({ deps, voice, me }: Wanted): Promise<Entry[]> => {
  const { t } = voice;
  const words = await describeFollows(
    deps,
    voice,
    me.follows.map(({ definition, pace }) => ({ ...definition, pace })),
  );
  return me.follows.map(({ pace, createdAt, stoppedAt }, at) => ({
    head: words[at]?.title ?? '',
    facts: [
      t(`pace.${pace}`),
      words[at]?.regions || null,
      t('file.from', { date: momentOf(voice, createdAt) }),
      stoppedAt === null ? null : t('file.until', { date: momentOf(voice, stoppedAt) }),
    ],
  }));
};

/** What is kept of one person in sections that can be read. */
export const sectionsOf = async (wanted: Wanted): Promise<{ title: string; entries: Entry[] }[]> => {
  const { voice } = wanted;
  const { t } = voice;
  const all = await everythingOf(wanted);
  const when = (at: number | null | undefined): string | null => (at == null ? null : momentOf(voice, at));
  const section = (key: string, entries: Entry[]) => ({ title: t(key), entries });
  return [
    section('file.person', await aboutPerson(wanted)),
    section(
      'settings.addresses',
      all.addresses.map(({ channel, contact, verifiedAt, suppressed }) => ({
        head: plainContact(contact),
        facts: [t(`channel.${channel}`), when(verifiedAt), suppressed && t('settings.suppressed')],
      })),
    ),
    section('my.tabs.follows', await followEntries(wanted)),
    section('aboutMe.concluded', [
      ...all.interests.map(({ title, weight, because, evidence }) => ({
        head: title,
        facts: [t('file.strength', { percent: Math.round(weight * 100) })],
        text: [because, ...evidence],
      })),
      ...habitLines(voice, all.habits).map((head) => ({ head })),
    ]),
    section(
      'file.events',
      all.events.map(({ kind, at, query, topics }) => ({
        head: t(`file.event.${kind}`),
        facts: [when(at), query, ...topics.map((slug) => topicTitle(voice, slug))],
      })),
    ),
    section(
      'my.tabs.messages',
      all.messages.map((view) => {
        const { title, state, channel, at, because, note } = notification(voice, view);
        return {
          head: title,
          facts: [t(`state.${state}`), channel && t(`channel.${channel}`), at],
          text: [...because, note],
        };
      }),
    ),
    section(
      'my.given',
      all.feedback.map((one) => {
        const { words, comment, title, at } = said(voice, one);
        return { head: title, facts: [words, at, t(`channel.${one.channel}`)], text: [comment] };
      }),
    ),
    section(
      'file.applications',
      all.applications.map(({ text, receivedAt, state, dueOn, reason }) => ({
        head: text ?? '',
        facts: [t(`file.application.${state}`), when(receivedAt), t('file.due', { day: dueOn })],
        text: [reason],
      })),
    ),
    section(
      'opinion.title',
      all.opinions.map(({ kind, title, text, at, answer }) => ({
        head: title,
        facts: [t(`opinion.kind.${kind}`), when(at)],
        text: [text, answer && `${t(`opinion.outcome.${answer.outcome}`)}: ${answer.reason}`],
      })),
    ),
  ];
};
