import type { Attribute } from '../../../catalogue/catalogue-store.ts';
import { urgencies } from '../../../publishing/item.ts';
import { itemAreas, itemRegions, itemTopics } from '../../../rules/condition.ts';
import { channelNames } from '../../../subscriptions/follow.ts';
import type { Voice } from '../../pages/present.ts';
import { topicTitle } from '../../pages/present.ts';
import { topicChoices } from '../items/item-form.ts';
import { type Control, controlOf, type FormNode, groupKinds, type LeafNode, subjects } from './condition-form.ts';

type Option = { value: string; text: string; selected?: boolean; checked?: boolean };
type Context = { voice: Voice; attributes: readonly Attribute[]; about: 'item' | 'person' };

const attributePrefix = 'person.attributes.';

const subjectName = ({ t, locale }: Voice, about: string, attributes: readonly Attribute[]): string => {
  const attribute = attributes.find(({ name }) => `${attributePrefix}${name}` === about);
  return attribute
    ? t('publisher:rules.about.attribute', { title: attribute.title[locale] })
    : t(`publisher:rules.about.${about}`);
};

const verbs: Record<Control, string> = {
  topics: 'includes',
  regions: 'includes',
  words: 'includes',
  choices: 'includes',
  topic: 'includes',
  within: 'lies',
  areas: 'lies',
  range: 'between',
  urgency: 'atLeast',
  interest: 'atLeast',
  days: 'within',
};

const choicesOf = (leaf: LeafNode, control: Control, { voice, attributes }: Context): Option[] => {
  const { t } = voice;
  const option = (value: string, text: string): Option => ({ value, text, checked: leaf.values.includes(value) });
  if (control === 'urgency') return urgencies.map((one) => option(one, t(`urgency.${one}`)));
  if (control === 'within')
    return [
      option(itemRegions, t('publisher:rules.itemRegions')),
      { ...option('named', t('publisher:rules.namedRegions')), checked: !leaf.values.includes(itemRegions) },
    ];
  if (control === 'areas') return [{ ...option(itemAreas, t('publisher:rules.itemAreas')), checked: true }];
  if (leaf.about === 'person.channel') return channelNames.map((one) => option(one, t(`channel.${one}`)));
  const name = leaf.about.slice(attributePrefix.length);
  const values = attributes.find((one) => one.name === name)?.values ?? [];
  return values.map((one) => option(one, t(`attribute.${name}.${one}`, { defaultValue: one })));
};

const topicOptions = (voice: Voice, chosen: string): Option[] =>
  [
    { value: '', text: voice.t('publisher:rules.choose') },
    { value: itemTopics, text: voice.t('publisher:rules.itemTopics') },
    ...topicChoices(voice).map(({ value, text, depth }) => ({ value, text: `${'\u2003'.repeat(depth)}${text}` })),
  ].map((one) => ({ ...one, selected: one.value === chosen }));

/** A node of the form with all that its template shows. */
export type NodeView = Record<string, unknown>;

/** A condition for the template of its form: each part with its field name, its choices and its words. */
export const conditionView = (node: FormNode, name: string, context: Context): NodeView => {
  const { voice, attributes, about } = context;
  const { t } = voice;
  if (node.kind !== 'leaf')
    return {
      ...{ group: true, name, count: node.parts.length },
      kinds: groupKinds.map((kind) => ({
        value: kind,
        text: t(`publisher:rules.group.${kind}`),
        selected: kind === node.kind,
      })),
      parts: node.parts.map((part, at) => conditionView(part, `${name}.${at}`, context)),
    };
  const control = controlOf(node.about, attributes);
  const verb = control && verbs[control];
  const none: Option = { value: '', text: t('publisher:rules.choose') };
  return {
    ...{ group: false, name, control, leaf: node },
    subjects: [
      none,
      ...subjects(attributes, about).map((one) => ({
        value: one,
        text: subjectName(voice, one, attributes),
        selected: one === node.about,
      })),
    ],
    verbs: verb
      ? ['yes', 'no'].map((one) => ({
          value: one === 'no' ? 'yes' : '',
          text: t(`publisher:rules.verb.${verb}.${one}`),
          selected: node.not === (one === 'no'),
        }))
      : [],
    choices: control ? choicesOf(node, control, context) : [],
    topics: control === 'topic' || control === 'interest' ? topicOptions(voice, node.topic) : [],
  };
};

const valueWords = (leaf: LeafNode, control: Control, context: Context): string => {
  const { voice } = context;
  const chosen = choicesOf(leaf, control, context)
    .filter(({ checked }) => checked)
    .map(({ text }) => text)
    .join(voice.t('target.or'));
  const topic = leaf.topic === itemTopics ? voice.t('publisher:rules.itemTopics') : topicTitle(voice, leaf.topic);
  switch (control) {
    case 'topic':
      return topic;
    case 'interest':
      return `${leaf.from} · ${topic}`;
    case 'range':
      return `${leaf.from || '0'}–${leaf.to || '…'}`;
    case 'days':
      return voice.t('publisher:rules.days', { count: Number(leaf.from) });
    case 'within':
      return leaf.values.includes(itemRegions) ? chosen : leaf.text;
    case 'urgency':
    case 'areas':
    case 'choices':
      return chosen;
    default:
      return leaf.text;
  }
};

/** A condition to be read: a sentence, or a heading with those below it. */
export type Sentence = { text: string; parts: Sentence[] };

export const sentenceOf = (node: FormNode, context: Context): Sentence => {
  const { t } = context.voice;
  if (node.kind !== 'leaf') {
    const parts = node.parts.map((part) => sentenceOf(part, context));
    return {
      text: t(parts.length === 0 ? 'publisher:rules.nothingAsked' : `publisher:rules.group.${node.kind}`),
      parts,
    };
  }
  const control = controlOf(node.about, context.attributes);
  if (control === null) return { text: node.about, parts: [] };
  const verb = t(`publisher:rules.verb.${verbs[control]}.${node.not ? 'no' : 'yes'}`);
  const subject = subjectName(context.voice, node.about, context.attributes);
  return {
    text: t('publisher:rules.sentence', { subject, verb, value: valueWords(node, control, context) }),
    parts: [],
  };
};
