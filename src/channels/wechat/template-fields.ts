import { DateTime } from 'luxon';
import { ConfigError } from '../../config.ts';
import type { SharedContent, Slots } from '../channel.ts';
import { fillSlots } from '../slots.ts';

/** What a field of a template can hold: part of the message, the time of sending, or fixed words. */
type Source = 'title' | 'summary' | 'reason' | 'time' | { words: string };
type Field = { name: string; source: Source; rule: Rule };

/** A template with what its fields hold, in their order. */
export type Template = { id: string; fields: Field[] };

/** How long a value may be, and what may stand in it. */
type Rule = { most: number; takes: 'all' | 'ascii' | 'han' | 'time' | 'date' };

/** Of the field that a title or a text goes into. */
export const mostThing = 20;

/**
 * What each kind of field takes (developers.weixin.qq.com/doc/offiaccount/Message_Management/Template_Message_Interface.html, the
 * table of categories' templates); `first`, `keyword…` and `remark` are of older templates, which fold what is longer than 20.
 */
const rules: Record<string, Rule> = {
  thing: { most: mostThing, takes: 'all' },
  character_string: { most: 32, takes: 'ascii' },
  phrase: { most: 5, takes: 'han' },
  name: { most: 10, takes: 'all' },
  time: { most: 32, takes: 'time' },
  date: { most: 32, takes: 'date' },
  const: { most: 20, takes: 'all' },
  first: { most: 20, takes: 'all' },
  keyword: { most: 20, takes: 'all' },
  remark: { most: 20, takes: 'all' },
};

const named = ['title', 'summary', 'reason', 'time'] as const;

const sourceOf = (text: string): Source | null => {
  const words = /^'(.+)'$/.exec(text)?.[1];
  if (words !== undefined) return { words };
  return named.find((one) => one === text) ?? null;
};

const fieldOf = ([name, text]: [string, string]): Field | string => {
  const rule = rules[/^(?:([a-z_]+?)\d*)$/.exec(name)?.[1] ?? ''];
  const source = sourceOf(text);
  if (!rule) return `${name}: must be one of ${Object.keys(rules).join(', ')}, with its number`;
  if (!source) return `${name}: must hold ${named.join(', ')} or 'words'`;
  return { name, source, rule };
};

/** Reads `<template id>?thing1=title&time3=time`. Throws `ConfigError` naming every fault. */
export const readTemplate = (text: string): Template => {
  const [id = '', query = ''] = text.split(/\?(.*)/s);
  const fields = [...new URLSearchParams(query)].map(fieldOf);
  const faults = fields.filter((field) => typeof field === 'string');
  if (!/^[\w-]{10,80}$/.test(id)) faults.push('must begin with the id of a template');
  if (fields.length === 0) faults.push('must name the fields of the template');
  if (faults.length > 0) throw new ConfigError(faults.map((message) => ({ name: 'WECHAT_TEMPLATE', message })));
  return { id, fields: fields as Field[] };
};

const graphemes = new Intl.Segmenter('zh', { granularity: 'grapheme' });

/**
 * Cuts a text to `most` UTF-16 units, an ellipsis included, between two characters as people see them: half an emoji or a base
 * without its accent is never left. What counts a character as one counts at most as many.
 */
export const cutTo = (text: string, most: number): string => {
  if (text.length <= most) return text;
  let kept = '';
  for (const { segment } of graphemes.segment(text)) {
    if (kept.length + segment.length > most - 1) break;
    kept += segment;
  }
  return `${kept.trimEnd()}…`;
};

/** Dates are in words, for readers in China, whom the account is for. */
const beijing = (at: number, withTime: boolean): string =>
  DateTime.fromMillis(at, { zone: 'Asia/Shanghai' }).toFormat(`yyyy年M月d日${withTime ? ' HH:mm' : ''}`);

/** No line breaks and other control characters; a value must not be empty. */
const oneLine = (text: string): string => text.replace(/[\p{C}\s]+/gu, ' ').trim() || '-';

const fitted = (text: string, { most, takes }: Rule): string => {
  if (takes === 'ascii') return cutAscii(text.replace(/[^\x20-\x7e]+/g, ' '), most);
  if (takes === 'han')
    return (
      [...text]
        .filter((sign) => /\p{Script=Han}/u.test(sign))
        .slice(0, most)
        .join('') || '通知'
    );
  return cutTo(oneLine(text), most);
};

const cutAscii = (text: string, most: number): string => oneLine(text).slice(0, most).trimEnd();

/** The fields of one message, each as its kind takes it: `{ thing1: { value: '…' } }`. `at` in ms. */
export const fieldsOf = (
  { fields }: Template,
  content: Pick<SharedContent, 'title' | 'short'>,
  slots: Slots,
  at: number,
): Record<string, { value: string }> => {
  const textOf = ({ source, rule }: Field): string => {
    if (rule.takes === 'time' || rule.takes === 'date' || source === 'time') return beijing(at, rule.takes !== 'date');
    if (typeof source === 'object') return source.words;
    if (source === 'reason') return slots.reason;
    return fillSlots(source === 'title' ? content.title : content.short, slots);
  };
  return Object.fromEntries(fields.map((field) => [field.name, { value: fitted(textOf(field), field.rule) }]));
};
