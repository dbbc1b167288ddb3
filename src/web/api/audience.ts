import { z } from 'zod';
import type { AudienceService } from '../../audience/audience-service.ts';
import type { ExplainService } from '../../audience/explain-service.ts';
import type { CatalogueService } from '../../catalogue/catalogue-service.ts';
import { AppError, type Fault } from '../../errors.ts';
import { explanationsIn, sourceText } from '../../fanout/reasons.ts';
import { conditionFaults } from '../../rules/check-condition.ts';
import type { Condition } from '../../rules/condition.ts';
import { conditionSchema } from '../../rules/condition-schema.ts';
import { textIn } from '../../text.ts';
import { holds, type Route, route } from '../contract/route.ts';
import { draftBody, draftContent } from './item-input.ts';
import { count, countedShape, masked, maskedCounts, maskedList, maskedWarnings, warnings } from './masking.ts';
import { instant, orNull } from './shapes.ts';

type Deps = {
  audience: AudienceService;
  explain: ExplainService;
  catalogue: CatalogueService;
};

/** People shown in a preview to whoever may see them. */
const sampleSize = 10;
const cutShape = z.object({ threshold: z.number(), people: count, ...masked });
const previewShape = z
  .object({
    people: count,
    ...masked,
    reachable: z.object({ email: count, sms: count, webPush: count, wechat: count, ...masked }),
    byRegion: countedShape,
    byLanguage: countedShape,
    bySource: countedShape,
    tuned: z
      .array(z.object({ key: z.string(), lowest: cutShape, current: cutShape }))
      .describe('Rules whose threshold is tuned: planning takes up everybody from the lowest that may be drawn on.'),
    sample: z.array(
      z.object({
        subscriber: z.string(),
        locale: z.string(),
        region: orNull(z.string()),
        addresses: z.array(z.string()),
      }),
    ),
    warnings,
    asOf: instant,
    tookMs: z.number(),
  })
  .meta({ id: 'AudiencePreview' });

const dryRunShape = z
  .object({
    gains: count,
    loses: count,
    stay: count,
    ...masked,
    byRegion: z.array(z.object({ key: z.string(), gains: count, loses: count, stay: count, ...masked })),
    items: z.object({ tried: z.int(), before: z.int(), after: z.int() }),
    warnings,
    asOf: instant,
    tookMs: z.number(),
  })
  .meta({ id: 'DryRun' });

const explanationShape = z
  .object({
    matched: z.boolean(),
    reasons: z.array(z.object({ source: z.string(), text: z.string(), facts: z.record(z.string(), z.string()) })),
    conditions: z.array(
      z.object({ rule: z.string(), condition: conditionSchema, holds: orNull(z.boolean()), because: z.string() }),
    ),
  })
  .meta({ id: 'Explanation' });

const iso = (at: number): string => new Date(at).toISOString();

const refuse = (faults: Fault[]): void => {
  if (faults.length > 0) throw new AppError('invalid', 'The request has faults; each is named.', { faults });
};

const checked = async ({ catalogue }: Deps, conditions: [path: string, condition: Condition | undefined][]) => {
  const declared = { trees: await catalogue.trees(), attributes: await catalogue.attributes() };
  refuse(
    conditions.flatMap(([path, condition]) =>
      condition === undefined
        ? []
        : conditionFaults(condition, declared, path === 'when' ? { path, about: 'item' } : { path }),
    ),
  );
};

const previewBody = z.strictObject({
  item: z.union([z.string().min(1).max(100), draftBody]),
  who: conditionSchema.optional(),
  rules: z.boolean().optional(),
  subscriptions: z.boolean().optional(),
});

const previewRoute = (deps: Deps): Route =>
  route({
    method: 'post',
    path: '/audience/preview',
    operationId: 'previewAudience',
    tag: 'Audience',
    scope: 'publish',
    summary:
      'Whom an item, a draft or a condition would reach, exactly. `who` alone counts who alone; nothing named counts rules and subscriptions.',
    body: previewBody,
    responses: { 200: previewShape },
    handler: async ({ body, caller }) => {
      await checked(deps, [['who', body.who]]);
      const exact = holds(caller, 'admin');
      const all = body.who === undefined && body.rules === undefined && body.subscriptions === undefined;
      const request = {
        item: typeof body.item === 'string' ? { id: body.item } : { draft: draftContent(body.item) },
        who: body.who ?? null,
        rules: body.rules ?? all,
        subscriptions: body.subscriptions ?? all,
      };
      const found = await deps.audience.preview(request, exact ? sampleSize : 0);
      const preview = {
        ...found,
        reachable: maskedCounts(found.reachable, exact, ['email', 'sms', 'webPush', 'wechat']),
        byRegion: maskedList(found.byRegion, exact),
        byLanguage: maskedList(found.byLanguage, exact),
        bySource: maskedList(found.bySource, exact),
        tuned: found.tuned.map(({ key, lowest, current }) => ({
          key,
          lowest: maskedCounts(lowest, exact, ['people']),
          current: maskedCounts(current, exact, ['people']),
        })),
        warnings: maskedWarnings(found.warnings, exact, found.people),
        asOf: iso(found.asOf),
      };
      return { status: 200, body: maskedCounts(preview, exact, ['people']) };
    },
  });

const dryRunRoute = (deps: Deps): Route =>
  route({
    method: 'post',
    path: '/rules/{id}/dry-run',
    operationId: 'dryRunRule',
    tag: 'Audience',
    scope: 'publish',
    summary: 'Whom a change of a rule would win and lose, over the newest published items that its `when` wants.',
    body: z.strictObject({ who: conditionSchema, when: conditionSchema.optional() }),
    responses: { 200: dryRunShape },
    handler: async ({ params, body, caller }) => {
      await checked(deps, [
        ['who', body.who],
        ['when', body.when],
      ]);
      const exact = holds(caller, 'admin');
      const found = await deps.audience.dryRun(params.id, { who: body.who, when: body.when ?? null });
      const byRegion = found.byRegion.map((one) => maskedCounts(one, exact, ['gains', 'loses', 'stay']));
      const after = found.gains + found.stay;
      const run = { ...found, byRegion, warnings: maskedWarnings(found.warnings, exact, after), asOf: iso(found.asOf) };
      return { status: 200, body: maskedCounts(run, exact, ['gains', 'loses', 'stay']) };
    },
  });

const explainRoute = ({ explain, catalogue }: Deps): Route =>
  route({
    method: 'post',
    path: '/audience/explain',
    operationId: 'explainMatch',
    tag: 'Audience',
    scope: 'publish',
    summary: 'Why one person is or is not among those whom an item concerns, condition by condition.',
    body: z.strictObject({
      item: z.string().min(1).max(100),
      subscriber: z.string().min(1).max(100),
      rule: z.string().min(1).max(100).optional(),
    }),
    responses: { 200: explanationShape },
    handler: async ({ body, locale }) => {
      const found = await explain.explain({ ...body, rule: body.rule ?? null }, locale);
      const topics = new Map((await catalogue.trees()).topics.map((topic) => [topic.slug, topic]));
      const words = { text: textIn(locale), locale, topics, explanations: explanationsIn([]) };
      const reasons = found.reasons.map((one) => ({ ...one, text: one.text ?? sourceText(one.source, words) }));
      return { status: 200, body: { ...found, reasons }, subject: body.subscriber };
    },
  });

/** Audiences: exact numbers before anything is sent, and why. */
export const audienceRoutes = (deps: Deps): Route[] => [previewRoute(deps), dryRunRoute(deps), explainRoute(deps)];
