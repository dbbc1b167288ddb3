import type { Area } from '../../catalogue/areas/area.ts';
import type { ItemContent, Urgency } from '../item.ts';
import { drawnArea } from './cap-area.ts';
import {
  checkedContent,
  fitTexts,
  formedOn,
  languageTag,
  linkPart,
  type ReadEntry,
  readTime,
  type SourceEntry,
  words,
} from './entry.ts';
import { type Geocode, type GeocodeRegions, joinRegions, regionsOfArea } from './geocode.ts';
import { children, demandWellFormed, firstText, openFeed, parseXml, textOf, texts, type XmlNode } from './xml.ts';

const urgencyOrder: Urgency[] = ['routine', 'important', 'emergency'];

/** Urgency of an `info` (CAP 1.2 section 3.2.2): severe or extreme and immediate and (nearly) certain is an emergency. */
const urgencyOf = (info: XmlNode): Urgency => {
  const [urgency, severity, certainty] = ['urgency', 'severity', 'certainty'].map((name) => firstText(info, name));
  const grave = severity === 'Severe' || severity === 'Extreme';
  const now = urgency === 'Immediate';
  // CAP 1.0 said "Very Likely"
  const likely = ['Observed', 'Likely', 'Very Likely'].includes(certainty ?? '');
  if (grave && now && likely) return 'emergency';
  return grave || now ? 'important' : 'routine';
};

/** Names and values may stand in one `geocode` each, or, as the NWS index writes them, in turns in a single one. */
const geocodesOf = (area: XmlNode): Geocode[] =>
  children(area, 'geocode').flatMap((geocode) => {
    const values = children(geocode, 'value').map((value) => textOf(value) ?? '');
    return children(geocode, 'valueName').map((name, n) => ({ scheme: textOf(name) ?? '', value: values[n] ?? '' }));
  });

/** What one or several `info` elements say of an item, whatever stands around them (an alert, or an entry of an index). */
export type CapFacts = {
  content: Pick<ItemContent, 'urgency' | 'category' | 'keywords' | 'expiresAt' | 'audiences' | 'areas'>;
  areas: string[];
  regions: GeocodeRegions;
};

/** Each language has areas of its own, which are mostly the same ground: it is kept once, as the first names it. */
const distinct = (areas: Area[]): Area[] => {
  const drawn = areas.map(({ polygons, circles }) => JSON.stringify([polygons, circles]));
  return areas.filter((_area, n) => drawn.indexOf(drawn[n] ?? '') === n);
};

/** The facts of the given `info` elements together: the gravest urgency, the latest end, all regions and words. */
export const capFacts = (infos: XmlNode[], areaOf: (info: XmlNode) => XmlNode[]): CapFacts => {
  const all = (name: string): string[] => infos.flatMap((info) => texts(info, name));
  const areas = infos.flatMap(areaOf);
  const ends = all('expires').flatMap((text) => readTime(text) ?? []);
  const last = ends.sort((one, other) => one.toMillis() - other.toMillis()).at(-1);
  const gravest = Math.max(0, ...infos.map((info) => urgencyOrder.indexOf(urgencyOf(info))));
  const [category] = words(all('category'));
  const audiences = words(all('audience'));
  const drawn = distinct(areas.flatMap((area) => drawnArea(area) ?? []));
  return {
    content: {
      urgency: urgencyOrder[gravest] ?? 'routine',
      keywords: words([...all('event'), ...all('category'), ...all('responseType')]),
      ...(category ? { category } : {}),
      ...(last ? { expiresAt: last.toISO({ suppressMilliseconds: true }) } : {}),
      ...(audiences.length > 0 ? { audiences } : {}),
      ...(drawn.length > 0 ? { areas: drawn } : {}),
    },
    areas: [...new Set(areas.flatMap((area) => firstText(area, 'areaDesc') ?? []))],
    regions: joinRegions(areas.map((area) => regionsOfArea(geocodesOf(area), firstText(area, 'areaDesc')))),
  };
};

/** What an alert's status, msgType and scope make of it. An acknowledgement or an error report is no news for the public. */
export const capFate = (alert: XmlNode): Pick<SourceEntry, 'withdrawn' | 'draftOnly' | 'update'> => {
  const [status = 'Actual', kind = 'Alert', scope = 'Public'] = ['status', 'msgType', 'scope'].map((name) =>
    firstText(alert, name),
  );
  const draftOnly = status !== 'Actual' || scope !== 'Public' || kind === 'Ack' || kind === 'Error';
  return { draftOnly, withdrawn: kind === 'Cancel' && !draftOnly, update: kind === 'Update' };
};

type Texts = ReturnType<typeof fitTexts>;

const infoTexts = (
  info: XmlNode,
  otherwise: string,
): { title: string; summary: string; instruction: string | undefined } => {
  const title = firstText(info, 'headline') ?? firstText(info, 'event') ?? otherwise;
  return { title, summary: firstText(info, 'description') ?? title, instruction: firstText(info, 'instruction') };
};

const languageOf = (info: XmlNode): string => languageTag(firstText(info, 'language'), 'en-US');

/** The first `info` and those of its language make title, summary and body; what a translation has no place for is in the body too. */
const textsOf = (infos: XmlNode[], areas: string[], otherwise: string): Texts & Pick<ItemContent, 'translations'> => {
  const [main, ...others] = infos;
  if (main === undefined) return fitTexts(otherwise, otherwise, []);
  const own = infoTexts(main, otherwise);
  const rest = [own.instruction, areas.join('; '), firstText(main, 'contact')];
  const translations: NonNullable<ItemContent['translations']> = {};
  for (const info of others) {
    const { title, summary, instruction } = infoTexts(info, otherwise);
    const language = languageOf(info);
    if (language === languageOf(main) || translations[language]) {
      rest.push(title, summary, instruction);
      continue;
    }
    const fitted = fitTexts(title, [summary, instruction].filter(Boolean).join('\n\n'), []);
    translations[language] = { title: fitted.title, summary: fitted.summary, ...linkPart(firstText(info, 'web')) };
    rest.push(fitted.body);
  }
  return {
    ...fitTexts(own.title, own.summary, rest),
    ...(Object.keys(translations).length > 0 ? { translations } : {}),
  };
};

/** `sender,identifier,sent` of each message referred to, as external ids. */
const referencesOf = (alert: XmlNode): string[] =>
  (firstText(alert, 'references') ?? '').split(/\s+/).flatMap((reference) => {
    const [sender, identifier] = reference.split(',');
    return sender && identifier ? [`${sender},${identifier}`] : [];
  });

const entryOf = (alert: XmlNode, externalId: string): SourceEntry => {
  const infos = children(alert, 'info');
  const [main] = infos;
  const note = firstText(alert, 'note');
  const facts = capFacts(infos, (info) => children(info, 'area'));
  const fate = capFate(alert);
  const sent = readTime(firstText(alert, 'sent'));
  if (!sent) throw new Error('sent: is missing or no time');
  const departments = words([main === undefined ? undefined : firstText(main, 'senderName')]);
  const restricted = (firstText(alert, 'scope') ?? 'Public') !== 'Public';
  const about = textsOf(infos, facts.areas, note ?? externalId);
  const refersOnly = fate.update || fate.withdrawn;
  return {
    externalId,
    references: refersOnly ? referencesOf(alert) : [],
    ...fate,
    content: checkedContent({
      ...about,
      ...facts.content,
      ...linkPart(main === undefined ? undefined : firstText(main, 'web')),
      language: main === undefined ? 'en-US' : languageOf(main),
      documentType: 'alert',
      regions: facts.regions.regions,
      ...(departments.length > 0 ? { departments } : {}),
      ...(restricted ? { visibility: 'targeted' } : {}),
      ...formedOn(sent),
    }),
    newRegions: facts.regions.newRegions,
    tableRegions: facts.regions.tableRegions,
    notes: note ? [{ key: `${sent.toMillis()} ${note}`, text: note }] : [],
    sentAt: sent.toMillis(),
  };
};

/** Reads one CAP 1.1 or 1.2 alert. Throws `invalid` when it is no alert at all, or holds a document type declaration. */
export function* readCap(xml: string): Generator<ReadEntry> {
  openFeed(xml, ['alert'], 'info');
  let id: string | null = null;
  try {
    demandWellFormed(xml.trim());
    const alert = children(parseXml(xml, { localNames: true }), 'alert')[0];
    const [sender, identifier] = ['sender', 'identifier'].map((name) => firstText(alert, name));
    if (alert === undefined || !sender || !identifier) throw new Error('sender or identifier is missing');
    id = `${sender},${identifier}`;
    yield { ok: true, entry: 1, value: entryOf(alert, id) };
  } catch (error) {
    yield { ok: false, entry: 1, id, message: error instanceof Error ? error.message : String(error) };
  }
}
