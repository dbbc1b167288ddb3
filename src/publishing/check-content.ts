import type { Trees } from '../catalogue/catalogue-service.ts';
import { AppError, type Fault } from '../errors.ts';
import type { ItemContent } from './item.ts';

type Values = readonly (string | undefined)[];

/** What content names, or what is sound of content that is refused. */
export type ContentNames = { topics?: Values | undefined; regions?: Values | undefined };

const unknownIn = (path: string, what: string, values: Values, isKnown: (value: string) => boolean): Fault[] =>
  values.flatMap((value, index) =>
    value === undefined || isKnown(value) ? [] : [{ path: `${path}.${index}`, message: `unknown ${what}: ${value}` }],
  );

/** Topics that the tree does not hold, as faults by path. */
export const unknownTopics = (topics: Values, trees: Pick<Trees, 'topicParents'>): Fault[] =>
  unknownIn('topics', 'topic', topics, (slug) => trees.topicParents.has(slug));

/** Every topic and region that the trees do not hold, as faults by path. */
export const contentFaults = ({ topics, regions }: ContentNames, trees: Trees): Fault[] => [
  ...unknownTopics(topics ?? [], trees),
  ...unknownIn('regions', 'region', regions ?? [], (code) => trees.regionParents.has(code)),
];

/** Throws `invalid` naming every topic and region that the trees do not hold. */
export const checkContent = (content: ItemContent, trees: Trees): void => {
  const faults = contentFaults(content, trees);
  if (faults.length > 0) throw new AppError('invalid', 'the item names what is not known here', { faults });
};
