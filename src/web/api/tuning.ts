import { z } from 'zod';
import type { Locale } from '../../catalogue/topic.ts';
import { parameters } from '../../rules/arms.ts';
import { type Text, textIn } from '../../text.ts';
import { changeText, evidenceText } from '../../tuning/evidence-words.ts';
import type { OffPolicy } from '../../tuning/statistics/off-policy.ts';
import { type Change, changeStates } from '../../tuning/tuning.ts';
import type { TuningService } from '../../tuning/tuning-service.ts';
import { keyed, pageOf, pageQuery, type Route, route } from '../contract/route.ts';
import { instant, next, orNull } from './shapes.ts';

const share = z.object({ share: z.number(), half: z.number(), n: z.int() });
const common = { text: z.string(), n: z.int(), probability: z.number() };
const evidenceShape = z.union([
  z.object({ kind: z.enum(['raise', 'lower']), above: share, below: share, ...common }),
  z.object({ kind: z.literal('choice'), better: share, worse: share, ...common }),
  z.object({ kind: z.literal('worth'), worth: share, floor: z.number(), ...common }),
]);
const value = z.union([z.number(), z.string()]);

const changeShape = z
  .object({
    id: z.string(),
    rule: z.string(),
    parameter: z.enum([...parameters, 'state']),
    from: value,
    to: value,
    text: z.string(),
    evidence: evidenceShape.describe('Shares with half the width of their 95 % interval; `text` says it in words.'),
    at: instant,
    state: z.enum(changeStates),
    fromVersion: z.int(),
    toVersion: orNull(z.int()).describe(
      'The version of the rule that it made; undoing lets `fromVersion` select again.',
    ),
    by: orNull(z.string()),
  })
  .meta({ id: 'TuningChange' });

const estimateShape = z.object({ estimate: z.number(), interval: z.tuple([z.number(), z.number()]) });
const answerShape = z.union([
  z.object({
    effective: z.number().describe('As many decisions as would tell as much had this been the threshold.'),
    ips: estimateShape,
    snips: estimateShape,
    direct: estimateShape,
    doublyRobust: estimateShape,
  }),
  z.object({ refused: z.enum(['too-few', 'no-overlap', 'thin-overlap']), text: z.string(), effective: z.number() }),
]);

const whatIfShape = z
  .object({
    rule: z.string(),
    threshold: z.number().describe('The next threshold that was tried, from the one asked about on.'),
    current: z.number(),
    n: z.int().describe('People whom the rule decided on in the last 30 days (20,000 at most).'),
    told: z.number().describe('The share of them who would have been told.'),
    useful: answerShape.describe('Useful messages for each of them.'),
    unwanted: answerShape,
  })
  .meta({ id: 'WhatIf' });

const presentChange = (change: Change, text: Text): z.output<typeof changeShape> => ({
  id: change.id,
  rule: change.rule,
  parameter: change.parameter,
  from: change.from,
  to: change.to,
  text: changeText(change, text),
  evidence: { ...change.evidence, text: evidenceText(change.evidence, text) },
  at: new Date(change.at).toISOString(),
  state: change.state,
  fromVersion: change.fromVersion,
  toVersion: change.toVersion,
  by: change.by,
});

const presentAnswer = (found: OffPolicy, text: Text): z.output<typeof answerShape> => {
  if (!found.ok)
    return { refused: found.reason, text: text(`tuning:refused.${found.reason}`), effective: found.effective };
  const of = (name: keyof typeof found.estimates) => ({
    estimate: found.estimates[name],
    interval: found.intervals[name],
  });
  return {
    effective: found.effective,
    ips: of('ips'),
    snips: of('snips'),
    direct: of('direct'),
    doublyRobust: of('doublyRobust'),
  };
};

type Deps = { tuning: TuningService };
const tag = 'Tuning';
const textFor = (locale: Locale): Text => textIn(locale);

/** What tuning changed or would change, and what another threshold would have come to. */
export const tuningRoutes = ({ tuning }: Deps): Route[] => [
  route({
    method: 'get',
    path: '/tuning/changes',
    operationId: 'listTuningChanges',
    tag,
    scope: 'analyse',
    summary: 'What feedback speaks for changing in rules, or has changed, each with its evidence; newest first.',
    query: z.strictObject(pageQuery),
    responses: { 200: z.object({ changes: z.array(changeShape), next }) },
    handler: async ({ query, locale }) => {
      const found = await tuning.changes(pageOf(query));
      const text = textFor(locale);
      return { status: 200, body: { changes: found.rows.map((one) => presentChange(one, text)), next: found.next } };
    },
  }),
  route({
    method: 'post',
    path: '/tuning/changes/{id}/apply',
    operationId: 'applyTuningChange',
    tag,
    scope: 'admin',
    summary: 'Makes a proposed change: the next version of the rule, which selects at once.',
    responses: { 200: changeShape },
    handler: async (call) => {
      const change = await tuning.apply(call.params.id, keyed(call).actor);
      return { status: 200, body: presentChange(change, textFor(call.locale)) };
    },
  }),
  route({
    method: 'post',
    path: '/tuning/changes/{id}/undo',
    operationId: 'undoTuningChange',
    tag,
    scope: 'admin',
    summary: 'Takes an applied change back: the version before selects again. Tuning will not make it by itself again.',
    responses: { 200: changeShape },
    handler: async (call) => {
      const change = await tuning.undo(call.params.id, keyed(call).actor);
      return { status: 200, body: presentChange(change, textFor(call.locale)) };
    },
  }),
  route({
    method: 'get',
    path: '/tuning/what-if',
    operationId: 'askWhatIf',
    tag,
    scope: 'analyse',
    summary:
      'What a rule would have earned with another threshold, estimated from its logged draws; refused with a reason where too few of them overlap.',
    query: z.strictObject({
      rule: z.string().min(1).max(100),
      threshold: z.coerce.number<string>().min(0).max(1),
    }),
    responses: { 200: whatIfShape },
    handler: async ({ query, locale }) => {
      const { threshold, current, found } = await tuning.whatIf(query.rule, query.threshold);
      const text = textFor(locale);
      const { n, told, useful, unwanted } = found;
      const answers = { useful: presentAnswer(useful, text), unwanted: presentAnswer(unwanted, text) };
      return { status: 200, body: { rule: query.rule, threshold, current, n, told, ...answers } };
    },
  }),
];
