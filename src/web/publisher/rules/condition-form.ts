import type { Request } from 'express';
import type { Attribute } from '../../../catalogue/catalogue-store.ts';
import type { Condition, ItemLeaf, PersonLeaf } from '../../../rules/condition.ts';
import type { Voice } from '../../pages/present.ts';
import { field } from '../../pages/request.ts';
import { regionChoices } from '../items/item-form.ts';
import { type Choice, namesOf, typedFields } from '../names.ts';

/** What a form asks of all its parts: every one holds, one does, none does, not every one does. */
export const groupKinds = ['all', 'any', 'none', 'notAll'] as const;
type GroupKind = (typeof groupKinds)[number];

/** One sentence of the form, as it was typed. `about`: what it speaks of, empty until chosen; `not`: that it does not hold. */
export type LeafNode = {
  kind: 'leaf';
  about: string;
  not: boolean;
  text: string;
  topic: string;
  values: string[];
  from: string;
  to: string;
};
export type GroupNode = { kind: GroupKind; parts: FormNode[] };
/** A condition as its form holds it: sentences in nested groups. */
export type FormNode = GroupNode | LeafNode;

/** How a sentence is filled in. */
export type Control =
  | 'topics'
  | 'regions'
  | 'words'
  | 'urgency'
  | 'within'
  | 'areas'
  | 'choices'
  | 'range'
  | 'topic'
  | 'interest'
  | 'days';

/** What sentences may speak of, but for attributes, which an office adds to. */
const controls: Record<string, Control> = {
  'item.topics': 'topics',
  'item.regions': 'regions',
  'item.urgency': 'urgency',
  'item.text': 'words',
  'item.keywords': 'words',
  'item.audiences': 'words',
  'item.category': 'words',
  'item.department': 'words',
  'item.documentType': 'words',
  'item.language': 'words',
  'person.region': 'within',
  'person.place': 'areas',
  'person.age': 'range',
  'person.language': 'words',
  'person.follows': 'topic',
  'person.interest': 'interest',
  'person.channel': 'choices',
  'person.activeWithin': 'days',
};
const attributePrefix = 'person.attributes.';

/** How a sentence about that is filled in; null for what nobody can speak of. */
export const controlOf = (about: string, attributes: readonly Attribute[]): Control | null => {
  if (Object.hasOwn(controls, about)) return controls[about] ?? null;
  if (!about.startsWith(attributePrefix)) return null;
  const attribute = attributes.find(({ name }) => name === about.slice(attributePrefix.length));
  return attribute ? (attribute.values === null ? 'words' : 'choices') : null;
};

/** All that a sentence may speak of: about the notice alone, or about the person, too. */
export const subjects = (attributes: readonly Attribute[], about: 'item' | 'person'): string[] => {
  const known = Object.keys(controls);
  const items = known.filter((one) => one.startsWith('item.'));
  if (about === 'item') return items;
  const own = attributes.map(({ name }) => `${attributePrefix}${name}`);
  return [...known.filter((one) => one.startsWith('person.')), ...own, ...items];
};

export const blankLeaf = (): LeafNode => ({
  ...{ kind: 'leaf', about: '', not: false, text: '', topic: '', values: [], from: '', to: '' },
});
export const blankGroup = (): GroupNode => ({ kind: 'all', parts: [] });

/** Deeper and longer than the rule language takes nobody gets by the buttons; what is sent by hand is cut there. */
const mostDepth = 9;
const mostParts = 200;

/** The condition that a form sent, below `name`. */
export const readCondition = (req: Request, name: string, depth = 1): FormNode => {
  const kind = field(req, `${name}.kind`);
  const group = groupKinds.find((one) => one === kind);
  if (group) {
    const count = Math.min(mostParts, Number(field(req, `${name}.count`)) || 0);
    const parts =
      depth >= mostDepth
        ? []
        : Array.from({ length: count }, (_, at) => readCondition(req, `${name}.${at}`, depth + 1));
    return { kind: group, parts };
  }
  const read = (part: string): string => field(req, `${name}.${part}`);
  return {
    kind: 'leaf',
    about: read('about'),
    not: read('not') === 'yes',
    text: longer(req, `${name}.text`),
    topic: read('topic'),
    values: typedFields(req, `${name}.values`),
    from: read('from'),
    to: read('to'),
  };
};

const longer = (req: Request, name: string): string => typedFields(req, name).join('; ').trim();

type Change = (parts: FormNode[]) => FormNode[];

const changed = (node: FormNode, path: number[], change: Change): FormNode => {
  if (node.kind === 'leaf') return node;
  const [at, ...rest] = path;
  if (at === undefined) return { ...node, parts: change(node.parts) };
  return { ...node, parts: node.parts.map((part, index) => (index === at ? changed(part, rest, change) : part)) };
};

/** Carries out what a button of the form asks for: `add:who.0`, `group:who.0`, `remove:who.0.1`; others change nothing. */
export const withEdit = (root: FormNode, name: string, edit: string): FormNode => {
  const [what = '', place = ''] = edit.split(':');
  if (place !== name && !place.startsWith(`${name}.`)) return root;
  const path = place
    .slice(name.length + 1)
    .split('.')
    .filter(Boolean)
    .map(Number);
  if (what === 'add') return changed(root, path, (parts) => [...parts, blankLeaf()]);
  if (what === 'group') return changed(root, path, (parts) => [...parts, { kind: 'any', parts: [blankLeaf()] }]);
  if (what !== 'remove') return root;
  const last = path.at(-1);
  return changed(root, path.slice(0, -1), (parts) => parts.filter((_, index) => index !== last));
};

const leafOf = (leaf: ItemLeaf | PersonLeaf, voice: Voice): LeafNode => {
  const blank = { ...blankLeaf(), about: 'item' in leaf ? `item.${leaf.item}` : `person.${leaf.person}` };
  if ('has' in leaf) {
    if (blank.about === 'item.topics') return { ...blank, text: namesOf(leaf.has, topicNames(voice)) };
    if (blank.about === 'item.regions') return { ...blank, text: namesOf(leaf.has, regionChoices(voice)) };
    return blank.about === 'person.channel'
      ? { ...blank, values: [...leaf.has] }
      : { ...blank, text: leaf.has.join('; ') };
  }
  if ('contains' in leaf) return { ...blank, text: leaf.contains.join('; ') };
  if ('in' in leaf) return { ...blank, text: leaf.in.join('; '), values: leaf.in.map(String) };
  if ('item' in leaf) return { ...blank, values: [leaf.atLeast] };
  if ('within' in leaf)
    return typeof leaf.within === 'string'
      ? { ...blank, values: [leaf.within] }
      : { ...blank, values: ['named'], text: namesOf(leaf.within, regionChoices(voice)) };
  if (leaf.person === 'interest') return { ...blank, topic: leaf.topic, from: String(leaf.atLeast) };
  if (leaf.person === 'follows') return { ...blank, topic: leaf.topic };
  if (leaf.person === 'activeWithin') return { ...blank, from: String(leaf.days) };
  return { ...blank, from: String(leaf.from ?? ''), to: String(leaf.to ?? '') };
};

export const topicNames = ({ trees, locale }: Voice): Choice[] =>
  trees.topics.map(({ slug, title }) => ({
    value: slug,
    names: [title[locale], title[locale === 'en' ? 'zh-CN' : 'en'], slug],
  }));

const negated = (condition: Condition, voice: Voice): FormNode => {
  if ('not' in condition) return nodeOf(condition.not, voice);
  if ('all' in condition) return { kind: 'notAll', parts: condition.all.map((one) => nodeOf(one, voice)) };
  if ('any' in condition) return { kind: 'none', parts: condition.any.map((one) => nodeOf(one, voice)) };
  return { ...leafOf(condition, voice), not: true };
};

const nodeOf = (condition: Condition, voice: Voice): FormNode => {
  if ('not' in condition) return negated(condition.not, voice);
  if ('all' in condition) return { kind: 'all', parts: condition.all.map((one) => nodeOf(one, voice)) };
  if ('any' in condition) return { kind: 'any', parts: condition.any.map((one) => nodeOf(one, voice)) };
  return leafOf(condition, voice);
};

/** A condition as its form holds it; the outermost is always a group, so that there is something to add to. */
export const formOf = (condition: Condition, voice: Voice): GroupNode => {
  const node = nodeOf(condition, voice);
  return node.kind === 'leaf' ? { kind: 'all', parts: [node] } : node;
};
