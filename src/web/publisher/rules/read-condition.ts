import type { Attribute } from '../../../catalogue/catalogue-store.ts';
import { type Urgency, urgencies } from '../../../publishing/item.ts';
import {
  type Condition,
  type ItemLeaf,
  itemAreas,
  itemRegions,
  itemTopics,
  type PersonLeaf,
} from '../../../rules/condition.ts';
import { type ChannelName, channelNames } from '../../../subscriptions/follow.ts';
import { languageTag } from '../../../text.ts';
import type { Voice } from '../../pages/present.ts';
import { type Faults, regionChoices } from '../items/item-form.ts';
import { valuesNamed, wordsIn } from '../names.ts';
import { controlOf, type FormNode, type LeafNode, topicNames } from './condition-form.ts';

type Reading = { voice: Voice; attributes: readonly Attribute[]; faults: Faults };

const fault = ({ voice, faults }: Reading, id: string, key: string, values: object = {}): null => {
  faults[id] = voice.t(`publisher:fault.${key}`, { ...values });
  return null;
};

const named = (reading: Reading, id: string, text: string, kind: 'topics' | 'regions'): string[] | null => {
  const { values, unknown } = valuesNamed(
    text,
    kind === 'topics' ? topicNames(reading.voice) : regionChoices(reading.voice),
  );
  const [first] = unknown;
  if (first) return fault(reading, id, first.nearest === null ? 'unknown' : 'nearest', first);
  return values.length > 0 ? values : fault(reading, id, 'values');
};

const words = (reading: Reading, id: string, text: string): string[] | null => {
  const list = wordsIn(text);
  return list.length > 0 ? list : fault(reading, id, 'values');
};

const number = (reading: Reading, id: string, text: string, [least, most]: [number, number]): number | null => {
  const value = Number(text.normalize('NFKC').replace(',', '.'));
  const fits = text !== '' && Number.isFinite(value) && value >= least && value <= most;
  return fits ? value : fault(reading, id, 'between', { least, most });
};

const whole = (reading: Reading, id: string, text: string, bounds: [number, number]): number | null => {
  const value = number(reading, id, text, bounds);
  return value === null || Number.isInteger(value)
    ? value
    : fault(reading, id, 'between', { least: bounds[0], most: bounds[1] });
};

const itemLeaf = (leaf: LeafNode, name: string, id: string, reading: Reading): ItemLeaf | null => {
  if (name === 'topics' || name === 'regions') {
    const has = named(reading, `${id}.text`, leaf.text, name);
    return has && { item: name, has };
  }
  if (name === 'urgency') {
    const atLeast = urgencies.find((one): one is Urgency => leaf.values.includes(one));
    return atLeast ? { item: 'urgency', atLeast } : fault(reading, `${id}.values`, 'values');
  }
  const list = words(reading, `${id}.text`, leaf.text);
  if (!list) return null;
  if (name === 'text') return { item: 'text', contains: list };
  if (name === 'audiences' || name === 'keywords') return { item: name, has: list };
  return { item: name, in: list } as ItemLeaf;
};

const regionLeaf = (leaf: LeafNode, id: string, reading: Reading): PersonLeaf | null => {
  if (leaf.values.includes(itemRegions)) return { person: 'region', within: itemRegions };
  const within = named(reading, `${id}.text`, leaf.text, 'regions');
  return within && { person: 'region', within };
};

const mostAge = 150;
const ageLeaf = (leaf: LeafNode, id: string, reading: Reading): PersonLeaf | null => {
  if (leaf.from === '' && leaf.to === '') return fault(reading, `${id}.from`, 'age');
  const from = leaf.from === '' ? undefined : whole(reading, `${id}.from`, leaf.from, [0, mostAge]);
  const to = leaf.to === '' ? undefined : whole(reading, `${id}.to`, leaf.to, [0, mostAge]);
  if (from === null || to === null) return null;
  if ((from ?? 0) > (to ?? mostAge)) return fault(reading, `${id}.from`, 'age');
  return { person: 'age', ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
};

const topicLeaf = (leaf: LeafNode, id: string, reading: Reading): PersonLeaf | null => {
  const known = leaf.topic === itemTopics || reading.voice.trees.topicParents.has(leaf.topic);
  if (!known) return fault(reading, `${id}.topic`, 'values');
  if (leaf.about === 'person.follows') return { person: 'follows', topic: leaf.topic };
  const atLeast = number(reading, `${id}.from`, leaf.from, [0, 0.99]);
  return atLeast === null ? null : { person: 'interest', topic: leaf.topic, atLeast };
};

const attributeLeaf = (leaf: LeafNode, name: string, id: string, reading: Reading): PersonLeaf | null => {
  const attribute = reading.attributes.find((one) => `attributes.${one.name}` === name);
  if (!attribute) return fault(reading, `${id}.about`, 'about');
  const person = `attributes.${attribute.name}` as const;
  if (attribute.values !== null) {
    const list = leaf.values.filter((one) => attribute.values?.includes(one));
    return list.length > 0 ? { person, in: list } : fault(reading, `${id}.values`, 'values');
  }
  const list = words(reading, `${id}.text`, leaf.text);
  if (!list || attribute.type !== 'integer') return list && { person, in: list };
  const numbers = list.map(Number);
  return numbers.every(Number.isSafeInteger) ? { person, in: numbers } : fault(reading, `${id}.text`, 'numbers');
};

const personLeaf = (leaf: LeafNode, name: string, id: string, reading: Reading): PersonLeaf | null => {
  switch (name) {
    case 'region':
      return regionLeaf(leaf, id, reading);
    case 'place':
      return { person: 'place', within: itemAreas };
    case 'age':
      return ageLeaf(leaf, id, reading);
    case 'follows':
    case 'interest':
      return topicLeaf(leaf, id, reading);
    case 'channel': {
      const has = channelNames.filter((one): one is ChannelName => leaf.values.includes(one));
      return has.length > 0 ? { person: 'channel', has } : fault(reading, `${id}.values`, 'values');
    }
    case 'activeWithin': {
      const days = whole(reading, `${id}.from`, leaf.from, [1, 36_500]);
      return days === null ? null : { person: 'activeWithin', days };
    }
    case 'language': {
      const list = words(reading, `${id}.text`, leaf.text);
      if (list && !list.every((one) => one === '*' || languageTag.safeParse(one).success))
        return fault(reading, `${id}.text`, 'tags');
      return list && { person: 'language', in: list };
    }
    default:
      return attributeLeaf(leaf, name, id, reading);
  }
};

const leafCondition = (leaf: LeafNode, id: string, reading: Reading): Condition | null => {
  if (controlOf(leaf.about, reading.attributes) === null) return fault(reading, `${id}.about`, 'about');
  const [kind = '', ...rest] = leaf.about.split('.');
  const name = rest.join('.');
  const made = kind === 'item' ? itemLeaf(leaf, name, id, reading) : personLeaf(leaf, name, id, reading);
  return made && leaf.not ? { not: made } : made;
};

const read = (node: FormNode, id: string, reading: Reading, isRoot: boolean): Condition | null => {
  if (node.kind === 'leaf') return leafCondition(node, id, reading);
  if (node.parts.length === 0 && !isRoot) return fault(reading, `${id}.kind`, 'emptyGroup');
  const parts = node.parts.map((part, at) => read(part, `${id}.${at}`, reading, false));
  const whole = parts.filter((part) => part !== null);
  if (whole.length < parts.length) return null;
  const [only] = whole;
  if (isRoot && only && whole.length === 1 && (node.kind === 'all' || node.kind === 'any')) return only;
  // of nothing, every one holds: that a form without a sentence asks for nothing must not depend on what it says above
  if (isRoot && whole.length === 0) return { all: [] };
  if (node.kind === 'all') return { all: whole };
  const any = node.kind === 'notAll' ? { all: whole } : { any: whole };
  return node.kind === 'any' ? any : { not: any };
};

/** What a form says as a condition of the rule language; null with the faults by field (`who.0.text`), where something is missing. */
export const conditionOf = (
  root: FormNode,
  name: string,
  { voice, attributes }: Pick<Reading, 'voice' | 'attributes'>,
): { condition: Condition | null; faults: Faults } => {
  const faults: Faults = {};
  return { condition: read(root, name, { voice, attributes, faults }, true), faults };
};
