import type { Trees } from '../catalogue/catalogue-service.ts';
import type { Attribute } from '../catalogue/catalogue-store.ts';
import type { Locale } from '../catalogue/topic.ts';
import { withAncestors } from '../catalogue/topic.ts';
import type { PersonFacts } from '../profiles/person-facts.ts';
import type { ItemFacts } from '../subscriptions/matching.ts';
import { type Text, textIn } from '../text.ts';
import { type ItemLeaf, itemRegions, itemTopics, type PersonLeaf } from './condition.ts';
import { itemLeafHolds, type Kleene, personLeafHolds, type RuleContext } from './evaluate.ts';

/** Whom and what reasons speak of, and in which words. */
export type Telling = {
  item: ItemFacts;
  person: PersonFacts;
  context: RuleContext;
  locale: Locale;
  trees: Pick<Trees, 'topics' | 'regions'>;
  attributes: readonly Attribute[];
};

/** Half a sentence: what is said of the person (you) or of the item (the notice). */
export type Clause = { about: 'you' | 'notice'; text: string };

/** How many values are named before the rest is only counted. */
const namedAtMost = 3;

const outcomes = new Map<Kleene, string>([
  [true, 'yes'],
  [false, 'no'],
  [null, 'unknown'],
]);
export const outcome = (holds: Kleene): string => outcomes.get(holds) ?? '';

const joined = (names: readonly string[], by: 'and' | 'or', text: Text): string => {
  const distinct = [...new Set(names)];
  const shown = distinct.slice(0, namedAtMost);
  const rest = distinct.length - shown.length;
  const comma = text('reasons:because.listComma');
  if (rest > 0) return text('reasons:because.more', { list: shown.join(comma), count: rest, total: distinct.length });
  const last = shown.pop() ?? '';
  return shown.length === 0 ? last : `${shown.join(comma)}${text(`reasons:because.${by}`)}${last}`;
};

type Words = {
  text: Text;
  topic(slug: string): string;
  region(code: string): string;
  language(tag: string): string;
  quoted(name: string): string;
};

const wordsOf = ({ locale, trees }: Telling): Words => {
  const text = textIn(locale);
  const languages = new Intl.DisplayNames(locale, { type: 'language', fallback: 'code' });
  const quoted = (name: string): string => text('reasons:because.quoted', { name });
  return {
    text,
    quoted,
    topic: (slug) => quoted(trees.topics.find((one) => one.slug === slug)?.title[locale] ?? slug),
    region: (code) => trees.regions.find((one) => one.code === code)?.name[locale] ?? code,
    // a range may be no language's tag: `*`
    language: (tag) => (/^[A-Za-z]{2,3}(-|$)/.test(tag) ? (languages.of(tag) ?? tag) : tag),
  };
};

const notice = (text: string): Clause => ({ about: 'notice', text });
const you = (text: string): Clause => ({ about: 'you', text });

/** The leaf, once for each of its values. */
const oneByOne = (leaf: ItemLeaf): { value: string; leaf: ItemLeaf }[] => {
  if ('has' in leaf) return leaf.has.map((value) => ({ value, leaf: { ...leaf, has: [value] } }));
  if ('in' in leaf) return leaf.in.map((value) => ({ value, leaf: { ...leaf, in: [value] } }));
  if ('contains' in leaf) return leaf.contains.map((value) => ({ value, leaf: { ...leaf, contains: [value] } }));
  return [];
};

/** Why a leaf over the item holds or not: the values that it has, or all those asked for that it lacks. */
export const itemClause = (leaf: ItemLeaf, holds: Kleene, telling: Telling): Clause => {
  const words = wordsOf(telling);
  const key = `reasons:because.item.${leaf.item}.${outcome(holds)}`;
  if (leaf.item === 'urgency') {
    const [own = 'routine'] = telling.item.facets.urgency;
    return notice(words.text(key, { own: words.quoted(words.text(`pages:urgency.${own}`)) }));
  }
  const said = oneByOne(leaf).filter((one) => itemLeafHolds(one.leaf, telling.item) === holds);
  const inWords = (value: string): string => {
    if (leaf.item === 'topics') return words.topic(value);
    if (leaf.item === 'regions') return words.region(value);
    return leaf.item === 'language' ? words.language(value) : words.quoted(value);
  };
  const names = said.map(({ value }) => inWords(value));
  return notice(words.text(key, { list: joined(names, holds ? 'and' : 'or', words.text) }));
};

const regionClause = (
  { within }: Extract<PersonLeaf, { person: 'region' }>,
  holds: Kleene,
  { item, person }: Telling,
  { text, region }: Words,
): Clause => {
  if (within === itemRegions && item.regions.length === 0)
    return notice(text('reasons:because.item.regions.everywhere'));
  const codes = within === itemRegions ? item.regions : within;
  const own = person.region === null ? '' : region(person.region);
  return you(text(`reasons:because.region.${outcome(holds)}`, { own, list: joined(codes.map(region), 'or', text) }));
};

const ageClause = ({ from, to }: Extract<PersonLeaf, { person: 'age' }>, holds: Kleene, { text }: Words): Clause => {
  if (holds === null) return you(text('reasons:because.age.unknown'));
  const kind = from === undefined ? 'to' : to === undefined ? 'from' : 'range';
  return you(text(`reasons:because.age.${kind}.${outcome(holds)}`, { from, to }));
};

const attributeClause = (
  leaf: Extract<PersonLeaf, { in: (string | number)[] }>,
  holds: Kleene,
  { attributes, locale, person }: Telling,
  { text }: Words,
): Clause => {
  const name = leaf.person.slice('attributes.'.length);
  const title = attributes.find((one) => one.name === name)?.title[locale] ?? name;
  const own = [person.attributes[name] ?? []].flat();
  const said = holds ? leaf.in.filter((value) => own.includes(value as never)) : leaf.in;
  const inWords = said.map((value) =>
    typeof value === 'number' ? String(value) : text(`pages:attribute.${name}.${value}`, { defaultValue: value }),
  );
  const list = joined(inWords, holds ? 'and' : 'or', text);
  return you(text(`reasons:because.attribute.${outcome(holds)}`, { title, list }));
};

/** Of the topics that a leaf asks for: those by which it holds; for `follows` in the person's own words, what they follow. */
const topicsSaid = (leaf: Extract<PersonLeaf, { topic: string }>, holds: Kleene, telling: Telling): string[] => {
  const { item, person, context } = telling;
  const asked = leaf.topic === itemTopics ? item.topics : [leaf.topic];
  if (!holds) return [...asked];
  const those = asked.filter((topic) => personLeafHolds({ ...leaf, topic }, item, person, context) === true);
  if (leaf.person === 'interest') return those;
  return those.flatMap((topic) =>
    withAncestors(context.topicParents, topic).filter((slug) => person.topics.includes(slug)),
  );
};

const topicClause = (
  leaf: Extract<PersonLeaf, { topic: string }>,
  holds: Kleene,
  telling: Telling,
  { text, topic }: Words,
): Clause => {
  const said = topicsSaid(leaf, holds, telling);
  if (said.length === 0) return you(text(`reasons:because.${leaf.person}.noTopics`));
  const list = joined(said.map(topic), holds ? 'and' : 'or', text);
  const asksNothing = leaf.person === 'interest' && leaf.atLeast <= 0;
  return you(text(`reasons:because.${leaf.person}.${asksNothing ? 'any' : outcome(holds)}`, { list }));
};

/** Why a leaf over the person holds, does not, or cannot be known: said to them. */
export const personClause = (leaf: PersonLeaf, holds: Kleene, telling: Telling): Clause => {
  const words = wordsOf(telling);
  const { text } = words;
  const { person } = telling;
  switch (leaf.person) {
    case 'region':
      return regionClause(leaf, holds, telling, words);
    case 'place':
      return you(text(`reasons:because.place.${outcome(holds)}`));
    case 'language': {
      const own = words.language(person.locale);
      const list = joined(leaf.in.map(words.language), 'or', text);
      return you(text(`reasons:because.language.${outcome(holds)}`, { own, list }));
    }
    case 'age':
      return ageClause(leaf, holds, words);
    case 'follows':
    case 'interest':
      return topicClause(leaf, holds, telling, words);
    case 'channel': {
      const said = holds ? leaf.has.filter((channel) => person.channels.includes(channel)) : leaf.has;
      const names = said.map((channel) => text(`reasons:because.by.${channel}`));
      return you(text(`reasons:because.channel.${outcome(holds)}`, { list: joined(names, 'or', text) }));
    }
    case 'activeWithin':
      return you(text(`reasons:because.activeWithin.${outcome(holds)}`, { count: leaf.days }));
    default:
      return attributeClause(leaf, holds, telling, words);
  }
};
