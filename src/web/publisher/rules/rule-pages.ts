import { type Request, type Response, Router } from 'express';
import type { Staff } from '../../../access/access-store.ts';
import type { Attribute } from '../../../catalogue/catalogue-store.ts';
import { AppError } from '../../../errors.ts';
import { explanationsIn, sourceText } from '../../../fanout/reasons.ts';
import type { Condition } from '../../../rules/condition.ts';
import type { RuleView } from '../../../rules/rule-service.ts';
import { fewerThan, maskedCounts, maskedWarnings } from '../../api/masking.ts';
import type { Pages } from '../../pages/page.ts';
import { dayOf, momentOf, type Voice } from '../../pages/present.ts';
import { field, longField, pathPart, queryText, textFault } from '../../pages/request.ts';
import { actorOf, deskRoles } from '../../staff/applications.ts';
import { percentText } from '../../staff/report-tables.ts';
import type { StaffDeps, StaffPages } from '../../staff/staff-pages.ts';
import { auditExact, peopleText } from '../audience-view.ts';
import type { Faults } from '../items/item-form.ts';
import { namesBy } from '../items/item-page.ts';
import { typedField } from '../names.ts';
import { formOf } from './condition-form.ts';
import { sentenceOf } from './condition-view.ts';
import { itemsToTry, ruleEditRouter, ruleOf, ruleWriters } from './rule-edit.ts';

type Form = { typed: Record<string, string>; faults: Faults; why?: object };

const pageSize = 50;
const versionsShown = 50;
const noteMost = 2_000;
const blank: Form = { typed: {}, faults: {} };
const notes = ['rule-saved', 'rule-active', 'rule-waits', 'rule-paused', 'rule-approved', 'rule-rejected'];

const list = (deps: StaffDeps, pages: Pages, own: StaffPages) => async (req: Request, res: Response, me: Staff) => {
  const voice = await pages.voice(req);
  const { rows, next } = await deps.rules.list({ cursor: queryText(req, 'after'), limit: pageSize });
  own.show(req, res, me, 'rules/list', {
    rows: rows.map(({ rule, version }) => ({
      href: `/staff/rules/${rule.id}`,
      ...{ name: version.content.name, state: rule.state, waits: rule.inReview !== null },
      explanation: version.content.explanation[voice.locale],
      changed: dayOf(voice, rule.updatedAt),
    })),
    next: next && `/staff/rules?after=${encodeURIComponent(next)}`,
  });
};

/** How many it selects today; null while the index is being built. */
const reachOf = async (deps: StaffDeps, voice: Voice, me: Staff, view: RuleView) => {
  const exact = me.roles.includes('admin');
  try {
    const found = await deps.audience.reach(view.version);
    if (exact) await auditExact(deps, me, view.rule.id);
    const { people }: { people: number | null } = maskedCounts({ people: found.people }, exact, ['people']);
    return {
      people: peopleText(voice, people),
      count: people ?? fewerThan,
      items: voice.t('publisher:rules.tried', { tried: found.items.tried, count: found.items.wanted }),
      warnings: maskedWarnings(found.warnings, exact, found.people).map((one) =>
        voice.t(`publisher:audience.warning.${one}`),
      ),
    };
  } catch (error) {
    if (error instanceof AppError && error.code === 'index-building') return null;
    throw error;
  }
};

const said = (voice: Voice, attributes: readonly Attribute[], condition: Condition) =>
  sentenceOf(formOf(condition, voice), { voice, attributes, about: 'person' });

const stepsOf = ({ rule, version }: RuleView, me: Staff, waitingWriter: string | null) => {
  const has = (...roles: string[]): boolean => me.roles.some((role) => roles.includes(role));
  const writes = has(...ruleWriters);
  const waits = rule.inReview !== null;
  const stands = rule.state === 'active' && rule.active === version.version;
  return {
    edit: writes,
    activate: writes && !waits && !stands,
    pause: writes && (rule.state === 'active' || waits),
    approve: waits && waitingWriter !== me.id && has('reviewer', 'admin'),
    own: waits && waitingWriter === me.id,
    reject: waits && has('reviewer', 'admin'),
  };
};

const makeShow =
  (deps: StaffDeps, pages: Pages, own: StaffPages) =>
  async (req: Request, res: Response, me: Staff, form: Form = blank, status = 200) => {
    const newest = await ruleOf(deps, req);
    const { rule } = newest;
    const wanted = Number(queryText(req, 'version')) || rule.inReview || rule.latest;
    const view = (await deps.rules.get(rule.id, wanted)) ?? newest;
    const voice = await pages.voice(req);
    const versions = await deps.rules.versions(rule.id, versionsShown);
    const names = await namesBy(
      deps,
      versions.flatMap(({ writer, approvedBy }) => [writer, ...(approvedBy === null ? [] : [approvedBy])]),
    );
    const waiting = versions.find(({ version }) => version === rule.inReview);
    const attributes = await deps.catalogue.attributes();
    const { content } = view.version;
    own.show(
      req,
      res,
      me,
      'rules/rule',
      {
        ...form,
        rule: {
          ...{
            id: rule.id,
            state: rule.state,
            active: rule.active,
            inReview: rule.inReview,
            rejection: rule.rejection,
          },
          ...{ version: view.version.version, latest: rule.latest, name: content.name },
          explanation: content.explanation,
          when: said(voice, attributes, content.when),
          who: said(voice, attributes, content.who),
          channels: content.deliver.channels.map((one) => voice.t(`channel.${one}`)).join(' → '),
          pace: voice.t(`pace.${content.deliver.pace}`),
          priority: content.deliver.priority,
          holdout: percentText(voice, content.holdout),
        },
        versions: versions.map((one) => ({
          version: one.version,
          writer: names.get(one.writer) ?? one.writer,
          approvedBy: one.approvedBy && (names.get(one.approvedBy) ?? one.approvedBy),
          at: momentOf(voice, one.createdAt),
          used: one.usedAt === null ? null : momentOf(voice, one.usedAt),
        })),
        steps: stepsOf(view, me, waiting?.writer ?? null),
        reach: await reachOf(deps, voice, me, view),
        items: await itemsToTry(deps, voice),
        done: notes.find((note) => note === queryText(req, 'done')) ?? null,
      },
      status,
    );
  };

/** Why one person is, or is not, among those whom this rule selects for a notice. */
const why = (deps: StaffDeps, pages: Pages, own: StaffPages) => {
  const show = makeShow(deps, pages, own);
  return async (req: Request, res: Response, me: Staff) => {
    const voice = await pages.voice(req);
    const id = pathPart(req, 'id');
    const typed = { subscriber: field(req, 'subscriber'), item: field(req, 'item') };
    const faults: Faults = {
      ...(typed.subscriber === '' ? { subscriber: voice.t('staff.fault.whoMissing') } : {}),
      ...(typed.item === '' ? { item: voice.t('publisher:fault.item') } : {}),
    };
    if (Object.keys(faults).length > 0) return show(req, res, me, { typed, faults }, 400);
    try {
      const found = await deps.explain.explain({ ...typed, rule: id }, voice.locale);
      await deps.access.audit({
        actor: me.id,
        action: 'explainMatch',
        subject: typed.subscriber,
        details: { by: 'page', rule: id },
      });
      const topics = new Map(voice.trees.topics.map((topic) => [topic.slug, topic]));
      const words = { text: voice.t, locale: voice.locale, topics, explanations: explanationsIn([]) };
      const reasons = found.reasons.map(({ source, text }) => text ?? sourceText(source, words));
      const conditions = found.conditions.map(({ holds, because }) => ({
        because,
        holds: holds === null ? 'unknown' : holds ? 'yes' : 'no',
      }));
      return show(req, res, me, { typed, faults, why: { matched: found.matched, reasons, conditions } });
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'not-found') throw error;
      return show(req, res, me, { typed, faults: { subscriber: voice.t('staff.fault.who') } }, 404);
    }
  };
};

type Step = {
  action: string;
  take(deps: StaffDeps, req: Request, me: Staff): Promise<RuleView>;
  done(view: RuleView): string;
};

const ruleId = (req: Request): string => pathPart(req, 'id');
const steps: Record<string, Step> = {
  activate: {
    action: 'activateRule',
    take: ({ rules }, req, me) => rules.activate(ruleId(req), Number(field(req, 'version')) || null, actorOf(me)),
    done: ({ rule }) => (rule.inReview === null ? 'rule-active' : 'rule-waits'),
  },
  pause: {
    action: 'pauseRule',
    take: ({ rules }, req, me) => rules.pause(ruleId(req), actorOf(me)),
    done: () => 'rule-paused',
  },
  approve: {
    action: 'approveRule',
    take: async ({ rules }, req, me) => {
      const found = await rules.get(ruleId(req));
      // nobody approves another version than the one they read
      if (found && String(found.rule.inReview) !== typedField(req, 'version'))
        throw new AppError('conflict', 'Another version waits by now.');
      return rules.approve(ruleId(req), actorOf(me));
    },
    done: () => 'rule-approved',
  },
  reject: {
    action: 'rejectRule',
    take: ({ rules }, req, me) => rules.reject(ruleId(req), longField(req, 'reason'), actorOf(me)),
    done: () => 'rule-rejected',
  },
};

const mendable = ['wrong-state', 'conflict', 'no-scope', 'own-work'];

const step = (deps: StaffDeps, pages: Pages, own: StaffPages) => {
  const show = makeShow(deps, pages, own);
  return async (req: Request, res: Response, me: Staff) => {
    const name = pathPart(req, 'step');
    const found = Object.hasOwn(steps, name) ? steps[name] : undefined;
    if (!found) throw new AppError('not-found', 'There is no such step.');
    const voice = await pages.voice(req);
    const words =
      name === 'reject'
        ? textFault(longField(req, 'reason'), noteMost, {
            missing: 'publisher:fault.reason',
            long: 'publisher:fault.tooLong',
          })
        : null;
    const typed = { reason: longField(req, 'reason') };
    if (words !== null) return show(req, res, me, { typed, faults: { reason: voice.t(words) } }, 400);
    try {
      const view = await found.take(deps, req, me);
      await deps.access.audit({ actor: me.id, action: found.action, subject: view.rule.id, details: { by: 'page' } });
      res.redirect(303, `/staff/rules/${view.rule.id}?done=${found.done(view)}`);
    } catch (error) {
      if (!(error instanceof AppError) || !mendable.includes(error.code)) throw error;
      return show(req, res, me, { typed, faults: { step: voice.t(`publisher:fault.step.${error.code}`) } }, 409);
    }
  };
};

/** Rules: the list, one of them with its versions, what can be done with it, and why it selects somebody. */
export const ruleRouter = (deps: StaffDeps, pages: Pages, own: StaffPages): Router => {
  const show = makeShow(deps, pages, own);
  return Router()
    .get('/staff/rules', own.only(list(deps, pages, own), ...deskRoles))
    .use(ruleEditRouter(deps, pages, own))
    .get(
      '/staff/rules/:id',
      own.only((req, res, me) => show(req, res, me), ...deskRoles),
    )
    .post('/staff/rules/:id/why', own.only(why(deps, pages, own), ...ruleWriters))
    .post('/staff/rules/:id/steps/:step', own.only(step(deps, pages, own), ...deskRoles));
};
