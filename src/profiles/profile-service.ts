import type { BrowsingEvent } from '../browsing/browsing-event.ts';
import type { CatalogueService } from '../catalogue/catalogue-service.ts';
import type { Locale } from '../catalogue/topic.ts';
import type { Config } from '../config.ts';
import type { Edges } from '../edges.ts';
import type { Item } from '../publishing/item.ts';
import type { Storage } from '../storage/storage.ts';
import { type ChannelName, channelNames } from '../subscriptions/follow.ts';
import { presentPerson } from '../subscriptions/people.ts';
import type { Subscriber } from '../subscriptions/subscriber.ts';
import { bestLocale, locales, textIn } from '../text.ts';
import { weightAt } from './interest.ts';
import { evidenceText, interestText, type Listener } from './interest-words.ts';
import { type Evidence, type Interest, mostOf, type Profile } from './profile.ts';
import { correctInterest, evidenceFor, foldUnder, forgetInterest } from './profile-fold.ts';

/** One interest in words. `weight` 0 … 1; `because` is a sentence, `evidence` up to three more, the strongest first. */
export type InterestView = { topic: string; title: string; weight: number; because: string; evidence: string[] };

/** When and how a person tends to react: the local hour 0 … 23 and the channel of most reactions, null while there are none. */
export type Habits = {
  lastActiveAt: number | null;
  preferredHour: number | null;
  preferredChannel: ChannelName | null;
};

/** What may be concluded about people, and how they see, correct and delete it. `id` is a subscriber's public id. */
export type ProfileService = {
  /** Stores events with their effect on the profiles; answers whose were taken (people without consent are left out). */
  absorb(events: BrowsingEvent[]): Promise<Set<number>>;
  /** The interests that are not next to nothing, strongest first. Empty for an unknown person. */
  interestsOf(id: string, locale: Locale): Promise<InterestView[]>;
  habitsOf(id: string): Promise<Habits>;
  /** Everything they did that is still kept, newest first: what a person may take along. Empty for an unknown person. */
  eventsOf(id: string): Promise<Omit<BrowsingEvent, 'ordinal'>[]>;
  /** Makes an interest as strong as the person says (0 … 1, without its ends). Correcting what is not there changes nothing. */
  correctInterest(id: string, topic: string, weight: number): Promise<void>;
  /** Deletes one interest: it stays away until they act on the topic again. Deleting what is not there changes nothing. */
  deleteInterest(id: string, topic: string): Promise<void>;
  /** Forgets everything concluded about a person, the events behind it and the browsers that are tied to them. */
  forget(id: string): Promise<void>;
};

/** Less than this is next to nothing: a single view of half a year ago. */
const leastWeight = 0.005;
const interestsShown = 100;
/** More than anybody does in the 90 days that events are kept. */
const eventsTaken = 100_000;

type Stores = Pick<Storage, 'profiles' | 'subscriptions' | 'items'>;
type Tools = {
  catalogue: Pick<CatalogueService, 'trees'>;
  edges: Pick<Edges, 'now'>;
  config: Pick<Config, 'timeZone'>;
};

const titleIn = ({ content }: Item, locale: Locale): string => {
  const other = locales.find((one) => one !== locale) ?? locale;
  if (bestLocale(content.language, other) === locale) return content.title;
  const translation = Object.entries(content.translations ?? {}).find(([tag]) => bestLocale(tag, other) === locale);
  return translation?.[1].title ?? content.title;
};

const isPublic = (item: Item): boolean => item.content.visibility === 'public' && item.version > 0;

export const makeProfileService = (stores: Stores, { catalogue, edges, config }: Tools): ProfileService => {
  const { profiles, subscriptions, items } = stores;

  const find = async (id: string): Promise<{ person: Subscriber; profile: Profile } | null> => {
    const person = await presentPerson(subscriptions, { id });
    const profile = person && (await profiles.profile(person.ordinal));
    return person && profile ? { person, profile } : null;
  };

  /** Titles of the items that evidence speaks of, as far as anybody may read them. */
  const titlesOf = async (evidence: Evidence[], locale: Locale): Promise<Map<string, string>> => {
    const ids = new Set(evidence.flatMap(({ item }) => item ?? []));
    const titles = new Map<string, string>();
    for (const id of ids) {
      const item = await items.get({ id });
      if (item && isPublic(item)) titles.set(id, titleIn(item, locale));
    }
    return titles;
  };

  const shownOf = (profile: Profile, now: number): { topic: string; weight: number; interest: Interest }[] =>
    Object.entries(profile.interests)
      .map(([topic, interest]) => ({ topic, weight: weightAt(interest.sum, now), interest }))
      .filter(({ weight }) => weight > leastWeight)
      .sort((a, b) => b.weight - a.weight || (a.topic < b.topic ? -1 : 1))
      .slice(0, interestsShown);

  return {
    absorb: async (events) => profiles.absorb(events, foldUnder((await catalogue.trees()).topicParents)),
    interestsOf: async (id, locale) => {
      const found = await find(id);
      if (!found) return [];
      const now = edges.now();
      const timeZone = found.person.timeZone ?? config.timeZone;
      const listener: Listener = { text: textIn(locale), locale, timeZone, now };
      const { topics, topicParents } = await catalogue.trees();
      const shown = shownOf(found.profile, now).map((one) => ({
        ...one,
        evidence: evidenceFor(found.profile, one.topic, topicParents),
      }));
      const titles = await titlesOf(
        shown.flatMap(({ evidence }) => evidence),
        locale,
      );
      const titleOf = new Map(topics.map(({ slug, title }) => [slug, title[locale]]));
      return shown.map(({ topic, weight, interest, evidence: kept }) => {
        const title = titleOf.get(topic) ?? topic;
        const evidence = kept.map((one) =>
          evidenceText(one, (one.item !== null && titles.get(one.item)) || null, listener),
        );
        return { topic, title, weight, because: interestText(interest, title, listener), evidence };
      });
    },
    habitsOf: async (id) => {
      const profile = (await find(id))?.profile;
      const channel = mostOf(channelNames.map((name) => profile?.reactions[name] ?? 0));
      return {
        lastActiveAt: profile?.lastActiveAt ?? null,
        preferredHour: mostOf(profile?.hours ?? []),
        preferredChannel: channel === null ? null : (channelNames[channel] ?? null),
      };
    },
    eventsOf: async (id) => {
      const person = await presentPerson(subscriptions, { id });
      const events = person ? await profiles.eventsOf(person.ordinal, eventsTaken) : [];
      return events.map(({ ordinal: _ordinal, ...event }) => event);
    },
    correctInterest: async (id, topic, weight) => {
      const found = await find(id);
      const change = (profile: Profile): Profile => correctInterest(profile, topic, weight, edges.now());
      if (found) await profiles.change(found.person.ordinal, change);
    },
    deleteInterest: async (id, topic) => {
      const found = await find(id);
      if (found) await profiles.change(found.person.ordinal, (profile) => forgetInterest(profile, topic, edges.now()));
    },
    forget: async (id) => {
      const person = await presentPerson(subscriptions, { id });
      if (person) await profiles.forget(person.ordinal);
    },
  };
};
