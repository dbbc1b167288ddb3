import { z } from 'zod';
import type { AudienceService } from '../../audience/audience-service.ts';
import { AppError } from '../../errors.ts';
import { ruleStates } from '../../rules/rule.ts';
import { ruleContentSchema } from '../../rules/rule-schema.ts';
import type { RuleService, RuleView } from '../../rules/rule-service.ts';
import { holds, keyed, pageOf, pageQuery, type Route, route } from '../contract/route.ts';
import { presentRule, presentRuleVersion } from '../present-rule.ts';
import { count, masked, maskedCounts, maskedWarnings, warnings } from './masking.ts';
import { instant, next, orNull } from './shapes.ts';

export type RuleDeps = { rules: RuleService; audience: Pick<AudienceService, 'reach'> };

const versionNumber = z.int().min(1);

export const ruleShape = z
  .object({
    id: z.string(),
    state: z.enum(ruleStates),
    version: z.int().describe('The version that is shown: the newest, where no other was asked for.'),
    active: orNull(z.int()).describe(
      'The version that selects while the rule is active, and that a paused one goes back to.',
    ),
    pending: orNull(z.object({ version: z.int(), state: z.literal('in-review') })),
    rejection: orNull(z.string()).describe('Why the last review refused.'),
    ...ruleContentSchema.shape,
    writer: z.string(),
    approvedBy: orNull(z.string()),
    usedAt: orNull(instant).describe('When a push first used this version.'),
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'Rule' });

export const ruleVersionShape = z
  .object({
    version: z.int(),
    writer: z.string(),
    approvedBy: orNull(z.string()),
    createdAt: instant,
    usedAt: orNull(instant),
  })
  .meta({ id: 'RuleVersion' });

/** Whom the version selects that becomes active, or waits for it. */
const reachedShape = ruleShape
  .extend({
    audience: orNull(
      z.object({
        people: count,
        ...masked,
        items: z.object({ tried: z.int(), wanted: z.int() }).describe('The newest published items it was tried on.'),
        warnings,
        asOf: instant,
      }),
    ).describe('How many people it selects today; null while the audience index is being built.'),
  })
  .meta({ id: 'RuleWithAudience' });

/** How many of a rule's versions are listed with it, the newest. */
const versionsShown = 100;
/** Room for 200 conditions with long lists of regions. */
const bodyLimit = 1024 * 1024;

const example = {
  name: 'Housing for tenants in Beijing',
  explanation: { en: 'You rent a home in Beijing.', 'zh-CN': '您在北京租房居住。' },
  when: { item: 'topics', has: ['services'] },
  who: {
    all: [
      { person: 'region', within: ['110000'] },
      { person: 'attributes.household', in: ['tenant'] },
    ],
  },
  deliver: { channels: ['email', 'webPush'], pace: 'immediate', priority: 5 },
  holdout: 0.1,
} satisfies z.input<typeof ruleContentSchema>;

const unknownRule = (): AppError => new AppError('not-found', 'There is no such rule or version.');

const writing = ({ rules }: RuleDeps): Route[] => [
  route({
    method: 'post',
    path: '/rules',
    operationId: 'addRule',
    tag: 'Rules',
    scope: 'publish',
    summary: 'Writes a rule: a draft with version 1, which selects nobody until it is activated.',
    body: ruleContentSchema,
    bodyLimit,
    example,
    responses: { 201: ruleShape },
    idempotent: true,
    handler: async (call) => {
      const made = await rules.create(call.body, keyed(call).actor);
      return { status: 201, body: presentRule(made), subject: made.rule.id };
    },
  }),
  route({
    method: 'put',
    path: '/rules/{id}',
    operationId: 'changeRule',
    tag: 'Rules',
    scope: 'publish',
    summary: 'Writes the next version of a rule; the active one selects until the new one is activated.',
    body: ruleContentSchema.extend({
      basedOn: versionNumber
        .optional()
        .describe('The version that the change was made from; 409 if there is a newer one.'),
    }),
    bodyLimit,
    example: { ...example, basedOn: 1 },
    responses: { 200: ruleShape },
    handler: async (call) => {
      const { basedOn, ...content } = call.body;
      return {
        status: 200,
        body: presentRule(await rules.put(call.params.id, content, basedOn ?? null, keyed(call).actor)),
      };
    },
  }),
];

const reading = ({ rules }: RuleDeps): Route[] => [
  route({
    method: 'get',
    path: '/rules',
    operationId: 'listRules',
    tag: 'Rules',
    scope: ['publish', 'analyse'],
    summary: 'The rules, newest first, each with its newest version.',
    query: z.strictObject(pageQuery),
    responses: { 200: z.object({ rules: z.array(ruleShape), next }) },
    handler: async ({ query }) => {
      const page = await rules.list(pageOf(query));
      return { status: 200, body: { rules: page.rows.map(presentRule), next: page.next } };
    },
  }),
  route({
    method: 'get',
    path: '/rules/{id}',
    operationId: 'getRule',
    tag: 'Rules',
    scope: ['publish', 'analyse'],
    summary: `One rule, its newest version or the one asked for, and its last ${versionsShown} versions.`,
    query: z.strictObject({ version: z.coerce.number<string>().int().min(1).optional() }),
    responses: {
      200: ruleShape.extend({ versions: z.array(ruleVersionShape) }).meta({ id: 'RuleWithVersions' }),
    },
    handler: async ({ params, query }) => {
      const view = await rules.get(params.id, query.version);
      if (!view) throw unknownRule();
      const versions = await rules.versions(params.id, versionsShown);
      return { status: 200, body: { ...presentRule(view), versions: versions.map(presentRuleVersion) } };
    },
  }),
];

/** The rule with how many it selects: the step is done, so an index that is not there must not make it look failed. */
const withAudience = async ({ rules, audience }: RuleDeps, view: RuleView, exact: boolean) => {
  const chosen = await rules.get(view.rule.id, view.rule.inReview ?? view.rule.active ?? view.rule.latest);
  const found = await audience.reach((chosen ?? view).version).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'index-building') return null;
    throw error;
  });
  const shown = found && {
    ...maskedCounts(found, exact, ['people']),
    warnings: maskedWarnings(found.warnings, exact, found.people),
    asOf: new Date(found.asOf).toISOString(),
  };
  return { ...presentRule(view), audience: shown };
};

const steps = (deps: RuleDeps): Route[] => [
  route({
    method: 'post',
    path: '/rules/{id}/activate',
    operationId: 'activateRule',
    tag: 'Rules',
    scope: 'publish',
    summary:
      'Lets the newest version (or `version`) select from now on; under review it waits in `pending` until approved.',
    body: z.strictObject({ version: versionNumber.optional() }),
    responses: { 200: reachedShape },
    idempotent: true,
    handler: async (call) => {
      const view = await deps.rules.activate(call.params.id, call.body.version ?? null, keyed(call).actor);
      return { status: 200, body: await withAudience(deps, view, holds(call.caller, 'admin')) };
    },
  }),
  route({
    method: 'post',
    path: '/rules/{id}/approve',
    operationId: 'approveRule',
    tag: 'Rules',
    scope: 'publish',
    summary: 'Approves the version that waits, which becomes the active one; never by its writer.',
    responses: { 200: reachedShape },
    idempotent: true,
    handler: async (call) => {
      const view = await deps.rules.approve(call.params.id, keyed(call).actor);
      return { status: 200, body: await withAudience(deps, view, holds(call.caller, 'admin')) };
    },
  }),
  route({
    method: 'post',
    path: '/rules/{id}/reject',
    operationId: 'rejectRule',
    tag: 'Rules',
    scope: 'publish',
    summary: 'Refuses the version that waits, with the reason; what was active stays so.',
    body: z.strictObject({ reason: z.string().trim().min(1).max(2_000) }),
    responses: { 200: ruleShape },
    idempotent: true,
    handler: async (call) => ({
      status: 200,
      body: presentRule(await deps.rules.reject(call.params.id, call.body.reason, keyed(call).actor)),
    }),
  }),
  route({
    method: 'post',
    path: '/rules/{id}/pause',
    operationId: 'pauseRule',
    tag: 'Rules',
    scope: 'publish',
    summary: 'Lets the rule select nobody from now on, and takes back a version that waits for its review.',
    responses: { 200: ruleShape },
    idempotent: true,
    handler: async (call) => ({
      status: 200,
      body: presentRule(await deps.rules.pause(call.params.id, keyed(call).actor)),
    }),
  }),
];

/** Rules: writing, reviewing, activating. */
export const ruleRoutes = (deps: RuleDeps): Route[] => [...writing(deps), ...reading(deps), ...steps(deps)];
