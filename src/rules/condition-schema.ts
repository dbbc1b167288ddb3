import { z } from 'zod';
import { urgencies } from '../publishing/item.ts';
import { channelNames } from '../subscriptions/follow.ts';
import { type Condition, itemAreas, itemRegions } from './condition.ts';

/** Every node counts, the groups too. */
const mostConditions = 200;
/** A lone leaf is one deep. */
const mostDepth = 10;

/** Control characters, and the marks that make text run the other way (Unicode UAX #9: embeddings, overrides, isolates). */
const unfit = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u;
export const plainText = (most: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(most)
    .refine((text) => !unfit.test(text), 'must not hold control characters or marks of writing direction');

const word = plainText(200);
const listOf = <S extends z.ZodType>(value: S, most = 100) => z.array(value).min(1).max(most);
const topic = plainText(100);
const itemHas = <N extends string>(name: N) => z.strictObject({ item: z.literal(name), has: listOf(word, 1_000) });
const itemIn = <N extends string>(name: N) => z.strictObject({ item: z.literal(name), in: listOf(word) });

/** The leaves by what they ask about; `attributes` stands for every `attributes.<name>`. */
const itemLeaves = {
  topics: itemHas('topics'),
  regions: itemHas('regions'),
  audiences: itemHas('audiences'),
  keywords: itemHas('keywords'),
  category: itemIn('category'),
  department: itemIn('department'),
  documentType: itemIn('documentType'),
  language: itemIn('language'),
  urgency: z.strictObject({ item: z.literal('urgency'), atLeast: z.enum(urgencies) }),
  text: z.strictObject({ item: z.literal('text'), contains: listOf(word) }),
};
const years = z.int().min(0).max(150);
const languageRange = z
  .string()
  .regex(/^(\*|[A-Za-z]{1,8})(-([A-Za-z0-9]{1,8}))*$/, 'must be a language range such as zh or en-GB (RFC 4647)');
const personLeaves = {
  region: z.strictObject({
    person: z.literal('region'),
    within: z.union([z.literal(itemRegions), listOf(plainText(50), 1_000)]),
  }),
  place: z.strictObject({ person: z.literal('place'), within: z.literal(itemAreas) }),
  language: z.strictObject({ person: z.literal('language'), in: listOf(languageRange) }),
  age: z
    .strictObject({ person: z.literal('age'), from: years.optional(), to: years.optional() })
    .refine(({ from, to }) => from !== undefined || to !== undefined, 'must name from, to or both')
    .refine(({ from = 0, to = 150 }) => from <= to, { message: 'must not be above to', path: ['from'] }),
  attributes: z.strictObject({
    person: z.templateLiteral(['attributes.', z.string()]),
    in: listOf(z.union([word, z.int()], 'must be a text or a whole number'), 500),
  }),
  follows: z.strictObject({ person: z.literal('follows'), topic }),
  interest: z.strictObject({
    person: z.literal('interest'),
    topic,
    atLeast: z.number().min(0).lt(1, 'must be below 1, which no interest ever reaches'),
  }),
  channel: z.strictObject({ person: z.literal('channel'), has: listOf(z.enum(channelNames)) }),
  activeWithin: z.strictObject({ person: z.literal('activeWithin'), days: z.int().min(1).max(36_500) }),
};

const groups = ['all', 'any', 'not'] as const;
const kinds = [...groups, 'item', 'person'] as const;
type Kind = (typeof kinds)[number];

/** The language as the API's document shows it; `read` below says what is wrong in better words than a union can. */
const documented: z.ZodType<Condition> = z
  .union([
    z.strictObject({
      get all() {
        return z.array(documented);
      },
    }),
    z.strictObject({
      get any() {
        return z.array(documented);
      },
    }),
    z.strictObject({
      get not() {
        return documented;
      },
    }),
    ...Object.values(itemLeaves),
    ...Object.values(personLeaves),
  ])
  .meta({ id: 'Condition', description: `At most ${mostConditions} conditions, ${mostDepth} deep.` });

type Path = (string | number)[];
type Report = (issue: { path: Path; message: string } | (z.core.$ZodIssue & { path: Path })) => void;
type Node = Record<string, unknown>;

const isNode = (value: unknown): value is Node => value !== null && typeof value === 'object' && !Array.isArray(value);

const childrenOf = (value: unknown): unknown[] =>
  isNode(value)
    ? groups.flatMap((group): unknown[] => {
        const inside = Object.hasOwn(value, group) ? value[group] : [];
        return group === 'not' ? [inside].flat() : Array.isArray(inside) ? inside : [];
      })
    : [];

/** What is wrong with the size, or null. Walks with a list of its own: what is nested too deep must not be recursed into. */
const sizeFault = (root: unknown): string | null => {
  let level: unknown[] = [root];
  let count = 0;
  for (let depth = 1; level.length > 0; depth++) {
    count += level.length;
    if (count > mostConditions) return `must not hold more than ${mostConditions} conditions`;
    if (depth > mostDepth) return `must not be nested more than ${mostDepth} deep`;
    level = level.flatMap(childrenOf);
  }
  return null;
};

const leafSchema = (kind: 'item' | 'person', subject: unknown): z.ZodType<Condition> | null => {
  const leaves: Record<string, z.ZodType<Condition>> = kind === 'item' ? itemLeaves : personLeaves;
  if (typeof subject !== 'string') return null;
  if (kind === 'person' && subject.startsWith('attributes.')) return personLeaves.attributes;
  return subject !== 'attributes' && Object.hasOwn(leaves, subject) ? (leaves[subject] ?? null) : null;
};

const subjectsOf = (kind: 'item' | 'person'): string =>
  Object.keys(kind === 'item' ? itemLeaves : personLeaves)
    .map((name) => (name === 'attributes' ? 'attributes.<name>' : name))
    .join(', ');

const readLeaf = (kind: 'item' | 'person', node: Node, path: Path, report: Report): unknown => {
  const schema = leafSchema(kind, node[kind]);
  if (!schema) {
    report({ path: [...path, kind], message: `must be one of: ${subjectsOf(kind)}` });
    return node;
  }
  const parsed = schema.safeParse(node);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) report({ ...issue, path: [...path, ...(issue.path as Path)] });
  return node;
};

const readGroup = (kind: (typeof groups)[number], node: Node, path: Path, report: Report): unknown => {
  for (const key of Object.keys(node).filter((one) => one !== kind))
    report({ path: [...path, key], message: 'is not known here' });
  const inside = node[kind];
  if (kind === 'not') return { not: read(inside, [...path, kind], report) };
  if (!Array.isArray(inside)) {
    report({ path: [...path, kind], message: 'must be a list of conditions' });
    return node;
  }
  return { [kind]: inside.map((one, index) => read(one, [...path, kind, index], report)) };
};

const read = (node: unknown, path: Path, report: Report): unknown => {
  if (!isNode(node)) {
    report({ path, message: 'must be a condition: an object with one of all, any, not, item and person' });
    return node;
  }
  const named = kinds.filter((kind): kind is Kind => Object.hasOwn(node, kind));
  const [kind] = named;
  if (kind === undefined || named.length > 1) {
    for (const key of Object.keys(node))
      if (kind === undefined) report({ path: [...path, key], message: 'is not known here' });
    report({ path, message: 'must have exactly one of all, any, not, item and person' });
    return node;
  }
  return kind === 'item' || kind === 'person'
    ? readLeaf(kind, node, path, report)
    : readGroup(kind, node, path, report);
};

/**
 * A Condition of the rule language (api: Rules and audiences), at most 200 conditions and 10 deep. Every fault is named
 * where it stands; texts are trimmed. Whether the names in it are known is check-condition.ts's to say.
 */
export const conditionSchema = z.preprocess((value, ctx) => {
  const fault = sizeFault(value);
  if (fault !== null) {
    ctx.addIssue(fault);
    return z.NEVER;
  }
  return read(value, [], (issue) => ctx.addIssue(issue as Parameters<typeof ctx.addIssue>[0]));
}, documented);
