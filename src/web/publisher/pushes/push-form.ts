import type { Request } from 'express';
import type { Attribute } from '../../../catalogue/catalogue-store.ts';
import type { PushAudience } from '../../../fanout/push.ts';
import { type ChannelName, channelNames } from '../../../subscriptions/follow.ts';
import type { Voice } from '../../pages/present.ts';
import { field, longField, textFault } from '../../pages/request.ts';
import type { Faults } from '../items/item-form.ts';
import { timeOf } from '../names.ts';
import { blankGroup, blankLeaf, type FormNode, readCondition, withEdit } from '../rules/condition-form.ts';
import { conditionOf } from '../rules/read-condition.ts';

/** A targeted push as its form holds it. `kind`: whoever a condition is true of, or people by name. */
export type PushTyped = {
  item: string;
  kind: 'condition' | 'people';
  who: FormNode;
  people: string;
  channels: string[];
  note: string;
  /** When it starts; empty: at once. */
  at: string;
};

const noteMost = 2_000;

export const blankPush = (item: string): PushTyped => ({
  ...{
    item,
    kind: 'condition',
    who: { ...blankGroup(), parts: [blankLeaf()] },
    people: '',
    channels: [],
    note: '',
    at: '',
  },
});

export const readPushForm = (req: Request): PushTyped => ({
  item: field(req, 'item'),
  kind: field(req, 'kind') === 'people' ? 'people' : 'condition',
  who: withEdit(readCondition(req, 'who'), 'who', field(req, 'do')),
  people: longField(req, 'people'),
  channels: channelNames.map((_, at) => field(req, `channel-${at}`)),
  note: longField(req, 'note'),
  at: field(req, 'at'),
});

/** Ids as they were typed: one a line, or with blanks or commas between. */
export const idsIn = (text: string): string[] => [...new Set(text.split(/[\s,;，；、]+/).filter(Boolean))];

type Asked = { audience: PushAudience | null; channels: ChannelName[] | null; at: number | null; faults: Faults };

/** What was typed as a push, with the faults in words. */
export const pushOfForm = (typed: PushTyped, voice: Voice, attributes: readonly Attribute[]): Asked => {
  const faults: Faults = {};
  const say = (name: string, key: string): null => {
    faults[name] = voice.t(`publisher:fault.${key}`);
    return null;
  };
  if (typed.item === '') say('item', 'item');
  const words = textFault(typed.note, noteMost, { missing: 'pushNote', long: 'tooLong' });
  if (words !== null) say('note', words);
  const at = typed.at === '' ? null : timeOf(typed.at, voice.timeZone);
  if (typed.at !== '' && at === null) say('at', 'moment');
  const chosen = typed.channels.flatMap((name) => channelNames.find((one) => one === name) ?? []);
  if (new Set(chosen).size < chosen.length) say('channel-0', 'rule.channels');
  const channels = chosen.length > 0 ? chosen : null;
  if (typed.kind === 'people') {
    const subscribers = idsIn(typed.people);
    const audience: PushAudience | null =
      subscribers.length > 0 ? { kind: 'people', subscribers } : say('people', 'people');
    return { audience, channels, at, faults };
  }
  const { condition, faults: inside } = conditionOf(typed.who, 'who', { voice, attributes });
  return {
    audience: condition && { kind: 'condition', who: condition },
    channels,
    at,
    faults: { ...faults, ...inside },
  };
};
