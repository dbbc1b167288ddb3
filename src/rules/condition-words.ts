import { type Text, textIn } from '../text.ts';
import type { Telling } from './because.ts';
import { type Condition, type ItemLeaf, itemRegions, itemTopics, type PersonLeaf } from './condition.ts';

/** In which words conditions are told; nothing of any person or item is in them. */
export type RuleTelling = Pick<Telling, 'locale' | 'trees' | 'attributes'>;

type About = 'you' | 'notice';
/** Part of a sentence. `about`: whom all of it speaks of, its subject left out; null: the subjects are in the text. */
type Part = { about: About | null; text: string; group: 'all' | 'any' | null };

/** A condition without `not`, which is said by the leaves themselves (De Morgan holds in Kleene's logic, too). */
type Plain = { all: Plain[] } | { any: Plain[] } | { leaf: ItemLeaf | PersonLeaf; holds: boolean };

const plainOf = (condition: Condition, holds: boolean): Plain => {
  if ('not' in condition) return plainOf(condition.not, !holds);
  if ('item' in condition || 'person' in condition) return { leaf: condition, holds };
  const [parts, isAll] = 'all' in condition ? [condition.all, true] : [condition.any, false];
  const plain = parts.map((part) => plainOf(part, holds));
  return isAll === holds ? { all: plain } : { any: plain };
};

/** The names of what leaves ask for, in one language. */
const namesIn = ({ locale, trees, attributes }: RuleTelling, text: Text) => {
  const languages = new Intl.DisplayNames(locale, { type: 'language', fallback: 'code' });
  const anyOf = new Intl.ListFormat(locale, { type: 'disjunction' });
  const quoted = (name: string): string => text('reasons:because.quoted', { name });
  const named = {
    topics: (slug: string) => quoted(trees.topics.find((one) => one.slug === slug)?.title[locale] ?? slug),
    regions: (code: string) => trees.regions.find((one) => one.code === code)?.name[locale] ?? code,
    // a range may be no language's tag: `*`
    language: (tag: string) => (/^[A-Za-z]{2,3}(-|$)/.test(tag) ? (languages.of(tag) ?? tag) : tag),
  };
  return {
    ...named,
    list: (names: readonly string[]) => anyOf.format([...new Set(names)]),
    item: (leaf: ItemLeaf['item']) => (Object.hasOwn(named, leaf) ? named[leaf as keyof typeof named] : quoted),
    topic: (topic: string) => (topic === itemTopics ? text('reasons:rule.itsTopics') : named.topics(topic)),
    attribute: (name: string) => attributes.find((one) => one.name === name)?.title[locale] ?? name,
    value: (name: string, value: string | number) =>
      text(`pages:attribute.${name}.${value}`, { defaultValue: String(value) }),
  };
};

type Names = ReturnType<typeof namesIn>;

const itemWords = (leaf: ItemLeaf, is: string, names: Names, text: Text): string => {
  if (leaf.item === 'urgency')
    return text(`reasons:rule.urgency.${is}`, { own: text(`pages:urgency.${leaf.atLeast}`) });
  const values = 'has' in leaf ? leaf.has : 'in' in leaf ? leaf.in : leaf.contains;
  return text(`reasons:because.item.${leaf.item}.${is}`, { list: names.list(values.map(names.item(leaf.item))) });
};

const ageWords = (
  { from, to }: { from?: number | undefined; to?: number | undefined },
  is: string,
  text: Text,
): string =>
  text(`reasons:because.age.${from === undefined ? 'to' : to === undefined ? 'from' : 'range'}.${is}`, { from, to });

const personWords = (leaf: PersonLeaf, is: string, names: Names, text: Text): string => {
  const because = (key: string, values: readonly string[]): string =>
    text(`reasons:because.${key}.${is}`, { own: names.list(values), list: names.list(values) });
  switch (leaf.person) {
    case 'region':
      if (leaf.within === itemRegions) return text(`reasons:rule.itsRegions.${is}`);
      return because('region', leaf.within.map(names.regions));
    case 'place':
      return text(`reasons:because.place.${is}`);
    case 'language':
      return because('language', leaf.in.map(names.language));
    case 'age':
      return ageWords(leaf, is, text);
    case 'follows':
      return because('follows', [names.topic(leaf.topic)]);
    case 'interest':
      if (leaf.atLeast === 0) return text('reasons:because.interest.any', { list: names.topic(leaf.topic) });
      return because('interest', [names.topic(leaf.topic)]);
    case 'channel':
      return because(
        'channel',
        leaf.has.map((channel) => text(`reasons:because.by.${channel}`)),
      );
    case 'activeWithin':
      return text(`reasons:because.activeWithin.${is}`, { count: leaf.days });
    default: {
      const name = leaf.person.slice('attributes.'.length);
      const list = names.list(leaf.in.map((value) => names.value(name, value)));
      return text(`reasons:because.attribute.${is}`, { title: names.attribute(name), list });
    }
  }
};

const withSubject = ({ about, text: words }: Part, text: Text): string =>
  about === null ? words : text(`reasons:rule.${about}`, { what: words });

const joined = (parts: Part[], by: 'all' | 'any', text: Text): Part => {
  const [first] = parts;
  const about = first && parts.every((part) => part.about === first.about) ? first.about : null;
  const said = parts.map((part) => {
    const words = about === null ? withSubject(part, text) : part.text;
    return part.group !== null && part.group !== by ? text('reasons:rule.together', { what: words }) : words;
  });
  const last = said.pop() ?? '';
  const rest = said.join(text('reasons:because.comma'));
  const group = parts.length > 1 ? by : (first?.group ?? null);
  return { about, text: rest === '' ? last : `${rest}${text(`reasons:rule.${by}`)}${last}`, group };
};

const partOf = (plain: Plain, names: Names, text: Text): Part => {
  if ('leaf' in plain) {
    const is = plain.holds ? 'yes' : 'no';
    return 'item' in plain.leaf
      ? { about: 'notice', text: itemWords(plain.leaf, is, names, text), group: null }
      : { about: 'you', text: personWords(plain.leaf, is, names, text), group: null };
  }
  const [parts, by] = 'all' in plain ? [plain.all, 'all' as const] : [plain.any, 'any' as const];
  if (parts.length === 0) return { about: null, text: text(`reasons:rule.empty.${by}`), group: null };
  return joined(
    parts.map((part) => partOf(part, names, text)),
    by,
    text,
  );
};

const sentence = (part: Part, text: Text): string => {
  const words = withSubject(part, text);
  return text('reasons:rule.sentence', { what: words.charAt(0).toUpperCase() + words.slice(1) });
};

/**
 * A condition in sentences to the reader, all of which have to hold: “You live in Beijing or follow ‘Housing’.” None where it asks
 * nothing.
 */
export const conditionSentences = (condition: Condition, telling: RuleTelling): string[] => {
  const text = textIn(telling.locale);
  const names = namesIn(telling, text);
  const plain = plainOf(condition, true);
  const together = 'all' in plain ? plain.all : [plain];
  return [...new Set(together.map((part) => sentence(partOf(part, names, text), text)))];
};
