import { placeAttribute } from '../catalogue/areas/place.ts';
import { withAncestors } from '../catalogue/topic.ts';
import type { ItemFacts } from '../subscriptions/matching.ts';
import { type Text, textIn } from '../text.ts';
import { type Clause, itemClause, outcome, personClause, type Telling } from './because.ts';
import { itemRegions, itemTopics, type PersonLeaf } from './condition.ts';
import type { Verdict } from './evaluate.ts';

/** More than this nobody reads. */
const clausesAtMost = 5;

const clauseOf = (verdict: Verdict, telling: Telling): Clause | null => {
  const { condition, holds } = verdict;
  if ('item' in condition) return itemClause(condition, holds, telling);
  return 'person' in condition ? personClause(condition, holds, telling) : null;
};

const sentence = (about: Clause['about'], parts: readonly string[], text: Text): string => {
  const [last = '', ...before] = [...parts].reverse();
  const first = before.reverse().join(text('reasons:because.comma'));
  const what = first === '' ? last : `${first}${text('reasons:because.last')}${last}`;
  return text(`reasons:because.${about}`, { what });
};

/** Why one condition holds, does not, or cannot be known, as a sentence: what explain says beside each. */
export const becauseOf = (verdict: Verdict, telling: Telling): string => {
  const text = textIn(telling.locale);
  const clause = clauseOf(verdict, telling);
  if (clause) return sentence(clause.about, [clause.text], text);
  const group = 'all' in verdict.condition ? 'all' : 'any' in verdict.condition ? 'any' : 'not';
  return text(`reasons:because.group.${group}.${outcome(verdict.holds)}`);
};

/** The leaves that make a verdict what it is: of an `any` that holds those that hold, of an `all` all of them, and the other way round. */
const decisiveLeaves = (verdict: Verdict): Verdict[] => {
  const { condition, holds, parts } = verdict;
  if ('item' in condition || 'person' in condition) return [verdict];
  if ('not' in condition) return parts.flatMap(decisiveLeaves);
  return parts.filter((part) => part.holds === holds).flatMap(decisiveLeaves);
};

/** Why a person was selected, as one sentence to them: what is known of them, or else what the notice is. */
export const reasonOf = (who: Verdict, telling: Telling): string => {
  const text = textIn(telling.locale);
  const clauses = decisiveLeaves(who).flatMap((one) => clauseOf(one, telling) ?? []);
  for (const about of ['you', 'notice'] as const) {
    const said = [...new Set(clauses.filter((clause) => clause.about === about).map((clause) => clause.text))];
    if (said.length > 0) return sentence(about, said.slice(0, clausesAtMost), text);
  }
  return text('reasons:because.everybody');
};

const isoDay = (day: number): string => new Date(day * 24 * 60 * 60 * 1000).toISOString().slice(0, 10);

const asksNowhere = ({ within }: { within: string[] | typeof itemRegions }, item: ItemFacts): boolean =>
  within === itemRegions && item.regions.length === 0;

/** What a leaf looked at of the person, by name; what they have not told is left out. */
const factsOf = (leaf: PersonLeaf, { item, person, context }: Telling): Record<string, string> => {
  const asked = (topic: string): readonly string[] => (topic === itemTopics ? item.topics : [topic]);
  const named = (name: string): Record<string, string> => {
    const value = Object.hasOwn(person.attributes, name) ? person.attributes[name] : undefined;
    return value === undefined ? {} : { [`attributes.${name}`]: [value].flat().join(', ') };
  };
  switch (leaf.person) {
    case 'region':
      return person.region === null || asksNowhere(leaf, item) ? {} : { region: person.region };
    case 'place':
      return named(placeAttribute);
    case 'language':
      return { language: person.locale };
    case 'age':
      return named('birthYear');
    case 'follows': {
      const above = asked(leaf.topic).flatMap((topic) => withAncestors(context.topicParents, topic));
      const followed = above.filter((slug) => person.topics.includes(slug));
      return Object.fromEntries(followed.map((slug) => [`follows.${slug}`, 'yes']));
    }
    case 'interest':
      return Object.fromEntries(
        asked(leaf.topic).flatMap((topic) =>
          Object.hasOwn(person.interests, topic) ? [[`interest.${topic}`, `level ${person.interests[topic]}`]] : [],
        ),
      );
    case 'channel':
      return { channels: person.channels.join(', ') };
    case 'activeWithin':
      return person.lastActiveDay === null ? {} : { lastActive: isoDay(person.lastActiveDay) };
    default:
      return named(leaf.person.slice('attributes.'.length));
  }
};

/** The facts about a person that made a verdict what it is, by name: the proof that a delivery keeps (product: semantic 11). */
export const factsUsed = (who: Verdict, telling: Telling): Record<string, string> =>
  Object.assign(
    {},
    ...decisiveLeaves(who).map(({ condition }) => ('person' in condition ? factsOf(condition, telling) : {})),
  );
