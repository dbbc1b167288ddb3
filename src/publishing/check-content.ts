import type { Trees } from '../catalogue/catalogue-service.ts';
import { AppError, type Fault } from '../errors.ts';
import type { ItemContent } from './item.ts';

const unknownIn = (path: string, what: string, values: string[], isKnown: (value: string) => boolean): Fault[] =>
  values.flatMap((value, index) =>
    isKnown(value) ? [] : [{ path: `${path}.${index}`, message: `unknown ${what}: ${value}` }],
  );

/** Topics that the tree does not hold, as faults by path. */
export const unknownTopics = (topics: string[], trees: Pick<Trees, 'topicParents'>): Fault[] =>
  unknownIn('topics', 'topic', topics, (slug) => trees.topicParents.has(slug));

/** Throws `invalid` naming every topic and region that the trees do not hold. */
export const checkContent = (content: ItemContent, trees: Trees): void => {
  const faults = [
    ...unknownTopics(content.topics, trees),
    ...unknownIn('regions', 'region', content.regions ?? [], (code) => trees.regionParents.has(code)),
  ];
  if (faults.length > 0) throw new AppError('invalid', 'the item names what is not known here', { faults });
};
