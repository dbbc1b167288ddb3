import { XMLBuilder } from 'fast-xml-parser';
import type { Position } from '../catalogue/areas/area.ts';
import type { Region } from '../catalogue/region.ts';
import { xmlText } from '../xml-text.ts';
import type { ItemContent, ItemVersion } from './item.ts';

export type CapTools = {
  /** Who sends: no blank, comma, < or &. */
  sender: string;
  publicUrl: string;
  regions: readonly Region[];
};

const categories = [
  'Geo',
  'Met',
  'Safety',
  'Security',
  'Rescue',
  'Fire',
  'Health',
  'Env',
  'Transport',
  'Infra',
  'CBRNE',
];
const responses = ['Shelter', 'Evacuate', 'Prepare', 'Execute', 'Avoid', 'Monitor', 'Assess', 'AllClear', 'None'];

/** What stands for our three urgencies; an import makes the same of it again (import/cap.ts). */
const gravity: Record<ItemContent['urgency'] | 'over', { urgency: string; severity: string; certainty: string }> = {
  emergency: { urgency: 'Immediate', severity: 'Severe', certainty: 'Likely' },
  important: { urgency: 'Expected', severity: 'Severe', certainty: 'Likely' },
  routine: { urgency: 'Expected', severity: 'Minor', certainty: 'Likely' },
  over: { urgency: 'Past', severity: 'Minor', certainty: 'Observed' },
};

/** A time as CAP writes it: seconds, and never a Z (section 3.3.2). */
const capTime = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}-00:00`;

const pair = ([lon, lat]: Position): string => `${lat},${lon}`;

/** The schemes under which others know our codes; ours are the office's own. */
const geocodeOf = (code: string): { valueName: string; value: string } => ({
  valueName: /^[1-8]\d{5}$/.test(code) ? 'GB/T 2260' : /^[A-Z]{2}(-[A-Z\d]{1,3})?$/.test(code) ? 'ISO 3166' : 'region',
  value: code,
});

/**
 * What is drawn on the map, with the regions' codes beside the first of it for those who read codes; else one area of all
 * regions.
 */
const areasOf = (content: ItemContent, lang: string, regions: readonly Region[]) => {
  const locale = lang.toLowerCase().startsWith('zh') ? 'zh-CN' : 'en';
  const codes = content.regions ?? [];
  const names = codes.map((code) => regions.find((one) => one.code === code)?.name[locale] ?? code).join('; ');
  const geocode = codes.map(geocodeOf);
  const drawn = (content.areas ?? []).map(({ description, polygons = [], circles = [] }, n) => ({
    areaDesc: description ?? (names || content.title),
    polygon: polygons.map((ring) => ring.map(pair).join(' ')),
    circle: circles.map(({ center, km }) => `${pair(center)} ${km}`),
    ...(n === 0 ? { geocode } : {}),
  }));
  return drawn.length > 0 || codes.length === 0 ? drawn : [{ areaDesc: names, geocode }];
};

type Words = { lang: string; title: string; summary: string; body?: string | undefined; url?: string | undefined };

const infoOf = (version: ItemVersion, words: Words, tools: CapTools) => {
  const { content, kind, item } = version;
  const said = [content.category, ...(content.keywords ?? [])];
  const known = (list: string[]) => [...new Set(said.filter((word) => word !== undefined && list.includes(word)))];
  const event = content.keywords?.find((word) => !categories.includes(word) && !responses.includes(word));
  const some = known(categories);
  return {
    language: words.lang,
    category: some.length > 0 ? some : ['Other'],
    event: event ?? words.title,
    responseType: known(responses),
    ...gravity[kind === 'withdrawal' ? 'over' : content.urgency],
    ...(content.audiences?.length ? { audience: content.audiences.join(', ') } : {}),
    effective: capTime(version.at),
    ...(content.expiresAt ? { expires: capTime(Date.parse(content.expiresAt)) } : {}),
    ...(content.departments?.length ? { senderName: content.departments.join('; ') } : {}),
    headline: words.title,
    description: [words.summary, words.body].filter(Boolean).join('\n\n'),
    web: words.url ?? content.url ?? `${tools.publicUrl}/items/${encodeURIComponent(item)}`,
    area: areasOf(content, words.lang, tools.regions),
  };
};

const wordsIn = ({ content }: ItemVersion): Words[] => [
  { lang: content.language, ...content },
  ...Object.entries(content.translations ?? {}).map(([lang, words]) => ({ lang, ...words })),
];

/** The versions that are messages of one alert: from the first emergency on, and anew after a withdrawal. */
const threadOf = (versions: ItemVersion[]): ItemVersion[] => {
  const ended = versions.slice(0, -1).findLastIndex(({ kind }) => kind === 'withdrawal');
  const live = versions.slice(ended + 1);
  const first = live.findIndex(({ content }) => content.urgency === 'emergency');
  return first === -1 ? [] : live.slice(first);
};

const identifierOf = ({ item, version }: ItemVersion): string => `${item}.${version}`;

const builder = new XMLBuilder({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  format: true,
  suppressEmptyNode: true,
  tagValueProcessor: (_name, value) => (typeof value === 'string' ? xmlText(value) : value),
});

/**
 * The alert that the last of these versions is (CAP 1.2), null where the item is and was no emergency. `versions`: those of one
 * item from the first on. A correction is an Update and a withdrawal a Cancel, which refer to all messages before them, the
 * first among them; a small correction changes the words of its message and sends none.
 */
export const capMessage = (versions: ItemVersion[], tools: CapTools): string | null => {
  const thread = threadOf(versions);
  const last = thread.at(-1);
  if (!last) return null;
  const before = thread.slice(0, -1);
  const { sender } = tools;
  const references = before.map((one) => `${sender},${identifierOf(one)},${capTime(one.at)}`).join(' ');
  const kind = before.length === 0 ? 'Alert' : last.kind === 'withdrawal' ? 'Cancel' : 'Update';
  return builder.build({
    '?xml': { '@version': '1.0', '@encoding': 'UTF-8' },
    alert: {
      '@xmlns': 'urn:oasis:names:tc:emergency:cap:1.2',
      identifier: identifierOf(last),
      sender,
      sent: capTime(last.at),
      status: 'Actual',
      msgType: kind,
      scope: 'Public',
      ...(last.note ? { note: last.note } : {}),
      ...(references ? { references } : {}),
      info: wordsIn(last).map((words) => infoOf(last, words, tools)),
    },
  });
};
