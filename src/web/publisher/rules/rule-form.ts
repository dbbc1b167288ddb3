import type { Request } from 'express';
import type { Attribute } from '../../../catalogue/catalogue-store.ts';
import type { Condition } from '../../../rules/condition.ts';
import type { RuleContent } from '../../../rules/rule.ts';
import { ruleContentSchema } from '../../../rules/rule-schema.ts';
import { type ChannelName, channelNames, paces } from '../../../subscriptions/follow.ts';
import type { Voice } from '../../pages/present.ts';
import { field } from '../../pages/request.ts';
import type { Faults } from '../items/item-form.ts';
import { blankGroup, type FormNode, formOf, readCondition, withEdit } from './condition-form.ts';
import { conditionOf } from './read-condition.ts';

const textFields = [
  ...['name', 'explanation-zh-CN', 'explanation-en', 'pace', 'priority', 'weight', 'hour', 'holdout'],
  ...['threshold-from', 'threshold-to', 'weight-from', 'weight-to', 'floor'],
  ...channelNames.map((_, at) => `channel-${at}`),
];
const boxes = ['tune-channels', 'tune-hour', 'tune-apply'];

/** A rule as its form holds it, as it was typed. */
export type RuleTyped = { texts: Record<string, string>; boxes: string[]; when: FormNode; who: FormNode };

/** The form as it came, with what a button of it asked for done. */
export const readRuleForm = (req: Request): RuleTyped => {
  const edit = field(req, 'do');
  return {
    texts: Object.fromEntries(textFields.map((name) => [name, field(req, name)])),
    boxes: boxes.filter((name) => field(req, name) === 'yes'),
    when: withEdit(readCondition(req, 'when'), 'when', edit),
    who: withEdit(readCondition(req, 'who'), 'who', edit),
  };
};

export const blankRule = (): RuleTyped => ({
  texts: { pace: 'immediate', priority: '5', 'channel-0': 'email', 'channel-1': 'webPush', 'channel-2': 'sms' },
  boxes: [],
  when: blankGroup(),
  who: blankGroup(),
});

const percent = (share: number | undefined): string =>
  share === undefined ? '' : String(Math.round(share * 1e6) / 1e4);

export const typedOfRule = (content: RuleContent, voice: Voice): RuleTyped => {
  const { deliver, tune, explanation } = content;
  const text = (value: number | string | undefined): string => (value === undefined ? '' : String(value));
  return {
    texts: {
      ...{ name: content.name, 'explanation-zh-CN': explanation['zh-CN'], 'explanation-en': explanation.en },
      ...Object.fromEntries(deliver.channels.map((channel, at) => [`channel-${at}`, channel])),
      ...{ pace: deliver.pace, priority: text(deliver.priority), weight: text(deliver.weight) },
      ...{ hour: text(deliver.hour), holdout: percent(content.holdout), floor: percent(tune.floor) },
      ...{ 'threshold-from': text(tune.threshold?.[0]), 'threshold-to': text(tune.threshold?.[1]) },
      ...{ 'weight-from': text(tune.weight?.[0]), 'weight-to': text(tune.weight?.[1]) },
    },
    boxes: [
      ...(tune.channels ? ['tune-channels'] : []),
      ...(tune.hour ? ['tune-hour'] : []),
      ...(tune.apply ? ['tune-apply'] : []),
    ],
    when: formOf(content.when, voice),
    who: formOf(content.who, voice),
  };
};

/** A number as it was typed; undefined where nothing was, NaN for what is none: the schema refuses that. */
const numberOf = (text: string | undefined): number | undefined =>
  text === undefined || text === '' ? undefined : Number(text.normalize('NFKC').replace(/%$/, '').replace(',', '.'));

const share = (text: string | undefined): number | undefined => {
  const value = numberOf(text);
  return value === undefined ? undefined : value / 100;
};

const boundsOf = (texts: Record<string, string>, name: string): [number, number] | undefined => {
  const [from, to] = [numberOf(texts[`${name}-from`]), numberOf(texts[`${name}-to`])];
  return from === undefined && to === undefined ? undefined : [from ?? Number.NaN, to ?? Number.NaN];
};

/** The field of the form that a path of the schema is typed into, and the words for what is wrong with it. */
const fieldOfPath: Record<string, [field: string, words: string]> = {
  name: ['name', 'rule.name'],
  'explanation.zh-CN': ['explanation-zh-CN', 'rule.explanation'],
  'explanation.en': ['explanation-en', 'rule.explanation'],
  'deliver.channels': ['channel-0', 'rule.channels'],
  'deliver.pace': ['pace', 'notThis'],
  'deliver.priority': ['priority', 'notThis'],
  'deliver.weight': ['weight', 'rule.weight'],
  'deliver.hour': ['hour', 'notThis'],
  holdout: ['holdout', 'rule.holdout'],
  'tune.threshold': ['threshold-from', 'rule.threshold'],
  'tune.weight': ['weight-from', 'rule.weights'],
  'tune.floor': ['floor', 'rule.floor'],
  when: ['when.kind', 'rule.tooMuch'],
  who: ['who.kind', 'rule.tooMuch'],
};

/** Faults by path as faults of the form, in words. */
export const ruleFaultsOf = (voice: Voice, paths: readonly string[]): Faults =>
  Object.fromEntries(
    paths.map((path) => {
      const known = Object.keys(fieldOfPath).find((one) => path === one || path.startsWith(`${one}.`));
      const [name, words] = (known && fieldOfPath[known]) || ['name', 'notThis'];
      return [name, voice.t(`publisher:fault.${words}`)];
    }),
  );

type Read = { content: RuleContent | null; who: Condition | null; when: Condition | null; faults: Faults };

/** What was typed as a rule, with every fault in words; `who` and `when` also where the rest is not done. */
export const ruleOfForm = (typed: RuleTyped, voice: Voice, attributes: readonly Attribute[]): Read => {
  const { texts } = typed;
  const when = conditionOf(typed.when, 'when', { voice, attributes });
  const who = conditionOf(typed.who, 'who', { voice, attributes });
  const channels = channelNames.flatMap((_, at) => (texts[`channel-${at}`] || []) as ChannelName | []);
  const has = (name: string): true | undefined => (typed.boxes.includes(name) ? true : undefined);
  const wanted = {
    name: texts.name ?? '',
    explanation: { en: texts['explanation-en'] ?? '', 'zh-CN': texts['explanation-zh-CN'] ?? '' },
    when: when.condition ?? { all: [] },
    who: who.condition ?? { all: [] },
    deliver: {
      ...{ channels, pace: texts.pace, priority: numberOf(texts.priority) },
      ...{ weight: numberOf(texts.weight), hour: texts.hour || undefined },
    },
    holdout: share(texts.holdout) ?? 0,
    tune: {
      ...{ threshold: boundsOf(texts, 'threshold'), weight: boundsOf(texts, 'weight'), floor: share(texts.floor) },
      ...{ channels: has('tune-channels'), hour: has('tune-hour'), apply: has('tune-apply') },
    },
  };
  const parsed = ruleContentSchema.safeParse(wanted);
  const paths = parsed.success ? [] : parsed.error.issues.map(({ path }) => path.join('.'));
  const faults = { ...ruleFaultsOf(voice, paths), ...when.faults, ...who.faults };
  const done = parsed.success && Object.keys(faults).length === 0;
  return { content: done ? (parsed.data as RuleContent) : null, who: who.condition, when: when.condition, faults };
};

export const ruleChoices = (voice: Voice) => ({
  paces: paces.map((one) => ({ value: one, text: voice.t(`pace.${one}`) })),
  channels: channelNames.map((one) => ({ value: one, text: voice.t(`channel.${one}`) })),
});
