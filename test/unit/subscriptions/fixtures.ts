import type { Trees } from '../../../src/catalogue/catalogue-service.ts';
import type { ItemContent } from '../../../src/publishing/item.ts';

const title = { en: 'x', 'zh-CN': 'x' };

/** services > housing > rent, services > transport; policies; China by code, the United States by hyphen, an office's own hill in 110000. */
export const topicParents: ReadonlyMap<string, string | null> = new Map([
  ['services', null],
  ['housing', 'services'],
  ['rent', 'housing'],
  ['transport', 'services'],
  ['policies', null],
]);
export const regionParents: ReadonlyMap<string, string | null> = new Map([
  ['110000', null],
  ['110100', null],
  ['110101', null],
  ['310000', null],
  ['US', null],
  ['US-CA', null],
  ['US-CA-001', null],
  ['hill', '110000'],
]);
export const trees: Trees = {
  topics: [...topicParents].map(([slug, parent]) => ({ slug, title, parent })),
  topicParents,
  regions: [...regionParents].map(([code, parent]) => ({ code, name: title, parent })),
  regionParents,
};

export const makeContent = (fields: Partial<ItemContent> = {}): ItemContent => ({
  title: 'A title',
  summary: 'A summary',
  language: 'en',
  topics: ['housing'],
  urgency: 'routine',
  visibility: 'public',
  ...fields,
});
