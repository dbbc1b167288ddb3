import type { IndexedPerson, NumberedFollow } from '../../src/audience/audience-store.ts';
import type { Trees } from '../../src/catalogue/catalogue-service.ts';
import { levelOf, scaledWeight } from '../../src/profiles/interest.ts';
import type { ChannelName } from '../../src/subscriptions/follow.ts';
import { defineFollow } from '../../src/subscriptions/follow.ts';

/**
 * Synthetic people, the same for the same seed: about 10 follows (8 of 500 topics, 2 of 100,000 saved searches), 300 regions,
 * 5 languages, 8 attributes, 20 interests each. Topics are as unevenly liked as things are (a power law).
 */
export const now = Date.parse('2026-06-10T04:00:00Z');
const today = Math.floor(now / 86_400_000);
export const topicCount = 500;
const searchesMost = 100_000;
/** As many saved searches for each person as at a million, and no more than that. */
export const searchesOf = (people: number): number => Math.min(searchesMost, people / 10);

/** Uniform in [0, 1): mulberry32, for which any seed will do. */
export const randomFrom = (seed: number): (() => number) => {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

export const pick = <T>(random: () => number, values: readonly T[]): T =>
  values[Math.floor(random() * values.length)] as T;

/** Eight classes, the others below them in two steps. */
const parentOf = (no: number): string | null =>
  no <= 8 ? null : topic(no <= 80 ? ((no - 1) % 8) + 1 : ((no - 1) % 72) + 9);
export const topic = (no: number): string => `topic-${no}`;
/** Thirty provinces of nine cities each. */
export const provinces = Array.from({ length: 30 }, (_, at) => String(110_000 + at * 10_000));
const cities = provinces.flatMap((code) => Array.from({ length: 9 }, (_, at) => String(Number(code) + (at + 1) * 100)));
export const languages = ['zh-CN', 'zh-CN', 'zh-CN', 'zh-CN', 'en', 'zh-HK', 'ug', 'bo'];

const title = { en: 'x', 'zh-CN': 'x' };
const regionCodes = [...provinces, ...cities];
export const trees: Trees = {
  topics: Array.from({ length: topicCount }, (_, at) => ({ slug: topic(at + 1), title, parent: parentOf(at + 1) })),
  topicParents: new Map(Array.from({ length: topicCount }, (_, at) => [topic(at + 1), parentOf(at + 1)])),
  regions: regionCodes.map((code) => ({ code, name: title, parent: null })),
  regionParents: new Map(regionCodes.map((code) => [code, null])),
};
export const topicNumbers = new Map(Array.from({ length: topicCount }, (_, at) => [topic(at + 1), at + 1]));

export const occupations = [
  'student',
  'employee',
  'civil-servant',
  'teacher',
  'health-worker',
  'farmer',
  'owner',
  'self-employed',
  'homemaker',
  'job-seeker',
  'retired',
  'other',
];
export const households = [
  'alone',
  'couple',
  'expecting',
  'children-under-6',
  'school-children',
  'elderly',
  'disability',
  'carer',
  'tenant',
  'home-owner',
  'car-owner',
  'low-income',
];
const choices: Record<string, string[]> = {
  education: ['primary', 'secondary', 'vocational', 'bachelor', 'master', 'doctor'],
  income: ['1', '2', '3', '4', '5', '6', '7', '8'],
  housing: ['owner', 'tenant', 'social', 'dormitory', 'other'],
  transport: ['car', 'bus', 'bicycle', 'foot'],
  business: ['none', 'micro', 'small', 'large'],
};

const keywords = Array.from({ length: 20_000 }, (_, at) => `keyword${at}`);

/** Numbers 1 … 500 are the follows of topics, then come the saved searches. */
export const follows = function* (searches: number): Generator<NumberedFollow> {
  for (let no = 1; no <= topicCount; no++)
    yield { no, ...defineFollow({ target: { topic: topic(no) }, regions: null }) };
  const random = randomFrom(99);
  for (let at = 0; at < searches; at++) {
    const search = {
      all: { keywords: [pick(random, keywords)], topics: [topic(1 + Math.floor(random() * topicCount))] },
      any: { regions: [pick(random, cities), pick(random, provinces)] },
    };
    yield { no: topicCount + 1 + at, ...defineFollow({ target: { search }, regions: null }) };
  }
};

/** Few numbers often, many seldom. */
const uneven = (random: () => number, most: number): number => 1 + Math.floor(most * random() ** 2.5);

const distinct = (count: number, draw: () => number): number[] => {
  const found = new Set<number>();
  while (found.size < count) found.add(draw());
  return [...found];
};

const attributesOf = (random: () => number): IndexedPerson['attributes'] => {
  const told: IndexedPerson['attributes'] = {};
  if (random() < 0.9) told.birthYear = 1940 + Math.floor(random() * 70);
  if (random() < 0.9) told.occupation = [pick(random, occupations)];
  if (random() < 0.9) told.household = [...new Set([pick(random, households), pick(random, households)])];
  for (const name in choices) if (random() < 0.9) told[name] = pick(random, choices[name] as string[]);
  return told;
};

/** The person of an ordinal; another `turn` is the same person later. */
export const personOf = (ordinal: number, searches: number, turn = 0): IndexedPerson => {
  const random = randomFrom(Math.imul(ordinal, 2_654_435_761) ^ (turn * 40_503));
  const channels: ChannelName[] = random() < 0.95 ? ['email'] : [];
  if (random() < 0.3) channels.push('sms');
  if (random() < 0.2) channels.push('webPush');
  const topicsFollowed = distinct(8, () => uneven(random, topicCount));
  const saved = distinct(2, () => topicCount + 1 + Math.floor(random() * searches));
  const interests = distinct(20, () => uneven(random, topicCount)).sort((a, b) => a - b);
  return {
    ordinal,
    region: random() < 0.95 ? pick(random, cities) : null,
    locale: pick(random, languages),
    attributes: attributesOf(random),
    personalisation: random() < 0.7,
    channels,
    follows: [...topicsFollowed, ...saved],
    interests: interests.flatMap((no) => [no, levelOf(scaledWeight(0.2 * 2 ** (random() * 8), now)) ?? 0]),
    lastActiveDay: random() < 0.9 ? today - Math.floor(random() * 90) : null,
  };
};
