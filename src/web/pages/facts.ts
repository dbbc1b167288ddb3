import type { Request } from 'express';
import { placeAttribute } from '../../catalogue/areas/place.ts';
import type { Attribute } from '../../catalogue/catalogue-store.ts';
import type { Fault } from '../../errors.ts';
import type { Subscriber } from '../../subscriptions/subscriber.ts';
import type { ToldAttributes } from '../../subscriptions/subscription-service.ts';
import { regionChoices, regionName, type Voice } from './present.ts';

/** A value of an attribute in words; an office's own values have none but themselves. */
const valueLabel = ({ t }: Voice, attribute: string, value: string | number): string =>
  typeof value === 'number' ? String(value) : t(`attribute.${attribute}.${value}`, { defaultValue: value });

type Told = Pick<Subscriber, 'attributes' | 'region' | 'timeZone'>;

/** What a person told about themselves, in words; what they did not tell is left out. `region` names that row. */
export const factRows = (
  voice: Voice,
  attributes: readonly Attribute[],
  person: Told,
  region = voice.t('facts.region'),
): { key: string; value: string }[] => {
  const { t, locale } = voice;
  const told = attributes.flatMap(({ name, title }) => {
    const values = [person.attributes[name] ?? []].flat();
    if (values.length === 0) return [];
    return [{ key: title[locale], value: values.map((value) => valueLabel(voice, name, value)).join(t('target.and')) }];
  });
  return [
    ...(person.region === null ? [] : [{ key: region, value: regionName(voice, person.region) }]),
    ...told,
    ...(person.timeZone === null ? [] : [{ key: t('facts.timeZone'), value: zoneName(person.timeZone) }]),
  ];
};

const zoneName = (zone: string): string => zone.replaceAll('_', ' ');

/** The name of an attribute's field in a form. */
const fieldName = (attribute: string): string => `fact-${attribute}`;

/** The texts that a form holds, by field; several of a list. */
export type Typed = Record<string, string[]>;

/** What a person told, as their form shows it. */
export const typedOf = (attributes: readonly Attribute[], person: Told): Typed => ({
  region: [person.region ?? ''],
  timeZone: [person.timeZone ?? ''],
  ...Object.fromEntries(
    attributes.map(({ name }) => [fieldName(name), [person.attributes[name] ?? []].flat().map(String)]),
  ),
});

/** The form that asks for what is declared: each attribute with its field, choices in words, and what was typed. */
export const factForm = (voice: Voice, attributes: readonly Attribute[], typed: Typed, officeZone: string) => ({
  regions: regionChoices(voice),
  region: typed.region?.[0] ?? '',
  timeZones: Intl.supportedValuesOf('timeZone').map((zone) => ({ value: zone, text: zoneName(zone) })),
  timeZone: typed.timeZone?.[0] ?? '',
  officeZone: zoneName(officeZone),
  fields: attributes.map(({ name, type, values, title }) => ({
    name: fieldName(name),
    type,
    title: title[voice.locale],
    hint: voice.t(`attributeHint.${name}`, { defaultValue: '' }),
    typed: typed[fieldName(name)] ?? [],
    choices: (values ?? []).map((value) => ({ value, text: valueLabel(voice, name, value) })),
  })),
});

const texts = (req: Request, name: string): string[] =>
  [(req.body as Record<string, unknown> | undefined)?.[name] ?? []]
    .flat()
    .filter((one): one is string => typeof one === 'string' && one.trim() !== '')
    .map((one) => one.trim().slice(0, 200));

/** A whole number in any script's width, or null. */
const wholeNumber = (text: string): number | null => {
  const plain = text.normalize('NFKC');
  return /^-?\d{1,15}$/.test(plain) ? Number(plain) : null;
};

const numberOf = (name: string, text: string, thisYear: number): number | null => {
  const number = wholeNumber(text);
  const isYear = number !== null && number > thisYear - 130 && number <= thisYear;
  return name === 'birthYear' && !isYear ? null : number;
};

type Faults = Record<string, string>;

/** Reads the form: what was typed, what that changes (an empty field takes its fact away), and the faults by field. */
export const readFacts = (req: Request, attributes: readonly Attribute[], thisYear: number) => {
  const typed: Typed = { region: texts(req, 'region'), timeZone: texts(req, 'timeZone') };
  const told: ToldAttributes = {};
  const faults: Faults = {};
  for (const { name, type } of attributes) {
    const field = fieldName(name);
    const given = texts(req, field);
    typed[field] = given;
    const [first] = given;
    if (first === undefined) told[name] = null;
    else if (type !== 'integer') told[name] = type === 'enum-list' ? given : first;
    else {
      const number = numberOf(name, first, thisYear);
      told[name] = number;
      if (number === null) faults[field] = name === 'birthYear' ? 'fault.birthYear' : 'fault.number';
    }
  }
  const changes = { attributes: told, region: typed.region?.[0] ?? null, timeZone: typed.timeZone?.[0] ?? null };
  return { typed, faults, changes };
};

/** The faults that the service named, as faults of the form's fields. */
export const factFaultsOf = (faults: readonly Fault[]): Faults =>
  Object.fromEntries(
    faults.map(({ path }) =>
      path.startsWith('attributes.')
        ? [
            fieldName(path.slice('attributes.'.length)),
            path.endsWith(`.${placeAttribute}`) ? 'fault.place' : 'fault.choice',
          ]
        : [path, path === 'region' ? 'fault.region' : 'fault.choice'],
    ),
  );
