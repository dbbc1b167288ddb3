import { type Request, type Response, Router } from 'express';
import type { Staff } from '../../../access/access-store.ts';
import { newId } from '../../../edges.ts';
import { AppError } from '../../../errors.ts';
import { noItem } from '../../../publishing/item.ts';
import type { RuleContent } from '../../../rules/rule.ts';
import type { RuleView } from '../../../rules/rule-service.ts';
import { maskedCounts } from '../../api/masking.ts';
import type { Pages } from '../../pages/page.ts';
import { regionName, type Voice } from '../../pages/present.ts';
import { field, pathPart } from '../../pages/request.ts';
import { actorOf } from '../../staff/applications.ts';
import type { StaffDeps, StaffPages } from '../../staff/staff-pages.ts';
import { audienceView, auditExact, peopleText } from '../audience-view.ts';
import type { Faults } from '../items/item-form.ts';
import { regionChoices } from '../items/item-form.ts';
import { titleFor } from '../items/item-words.ts';
import { idOfForm, onceOfPage } from '../names.ts';
import { topicNames } from './condition-form.ts';
import { conditionView } from './condition-view.ts';
import {
  blankRule,
  type RuleTyped,
  readRuleForm,
  ruleChoices,
  ruleFaultsOf,
  ruleOfForm,
  typedOfRule,
} from './rule-form.ts';

/** What the form is of: a rule that is there, or a new one, which the token names. */
type Editing = { view: RuleView | null; once: string; path: string; basedOn: number };

export const ruleWriters = ['publisher', 'admin'] as const;
const sampleSize = 10;
const itemsOffered = 20;

/** Notices that a rule can be tried on, newest first. */
export const itemsToTry = async ({ publishing }: Pick<StaffDeps, 'publishing'>, voice: Voice) => {
  const { rows } = await publishing.list({ state: 'published' }, { cursor: null, limit: itemsOffered });
  return rows.map(({ id, content }) => ({ value: id, text: titleFor(content, voice.locale).title }));
};

export const ruleOf = async ({ rules }: Pick<StaffDeps, 'rules'>, req: Request): Promise<RuleView> => {
  const view = await rules.get(pathPart(req, 'id'));
  if (!view) throw new AppError('not-found', 'There is no such rule.');
  return view;
};

const isBuilding = (error: unknown): boolean => error instanceof AppError && error.code === 'index-building';

/** What is known of the audience of what is being written, in words and numbers; null where a sentence is not finished. */
const liveAudience = async (deps: StaffDeps, voice: Voice, me: Staff, typed: RuleTyped, item: string, sample = 0) => {
  const attributes = await deps.catalogue.attributes();
  const { who, faults } = ruleOfForm(typed, voice, attributes);
  if (!who) return { audience: null, faults };
  const exact = me.roles.includes('admin');
  try {
    const tried = item === '' ? { draft: noItem } : { id: item };
    const found = await deps.audience.preview(
      { item: tried, who, rules: false, subscriptions: false },
      exact ? sample : 0,
    );
    return { audience: audienceView(voice, found, exact), faults };
  } catch (error) {
    if (isBuilding(error)) return { audience: 'building' as const, faults };
    throw error;
  }
};

/** Whom the change would win and lose, against the newest version. */
const dryRunOf = async (deps: StaffDeps, voice: Voice, me: Staff, rule: string, typed: RuleTyped) => {
  const { who, when } = ruleOfForm(typed, voice, await deps.catalogue.attributes());
  if (!who || !when) return null;
  const exact = me.roles.includes('admin');
  try {
    const found = await deps.audience.dryRun(rule, { who, when });
    const words = (counts: { gains: number; loses: number; stay: number }) => {
      const shown: { gains: number | null; loses: number | null; stay: number | null } = maskedCounts(
        { gains: counts.gains, loses: counts.loses, stay: counts.stay },
        exact,
        ['gains', 'loses', 'stay'],
      );
      const [gains, loses, stay] = [shown.gains, shown.loses, shown.stay].map((one) => peopleText(voice, one));
      return { gains, loses, stay };
    };
    return {
      ...words(found),
      byRegion: found.byRegion.slice(0, 40).map((row) => ({ name: regionName(voice, row.key), ...words(row) })),
      items: found.items,
    };
  } catch (error) {
    if (isBuilding(error)) return null;
    throw error;
  }
};

type Extra = { faults?: Faults; dryRun?: unknown; item?: string; sample?: boolean };

const makeShow =
  (deps: StaffDeps, own: StaffPages) =>
  async (
    ...[req, res, me, voice, editing, typed, extra = {}, status = 200]: [
      Request,
      Response,
      Staff,
      Voice,
      Editing,
      RuleTyped,
      Extra?,
      number?,
    ]
  ) => {
    const attributes = await deps.catalogue.attributes();
    const item = extra.item ?? '';
    const { audience } = await liveAudience(deps, voice, me, typed, item, extra.sample ? sampleSize : 0);
    own.show(
      req,
      res,
      me,
      'rules/edit',
      {
        ...{ texts: typed.texts, boxes: typed.boxes, once: editing.once, path: editing.path, basedOn: editing.basedOn },
        ...{ faults: extra.faults ?? {}, dryRun: extra.dryRun ?? null, audience, item },
        id: editing.view?.rule.id ?? null,
        name: editing.view?.version.content.name ?? null,
        exact: me.roles.includes('admin'),
        when: conditionView(typed.when, 'when', { voice, attributes, about: 'item' }),
        who: conditionView(typed.who, 'who', { voice, attributes, about: 'person' }),
        items: await itemsToTry(deps, voice),
        ...ruleChoices(voice),
        topicNames: topicNames(voice).map(({ names: [name] }) => name),
        regionNames: regionChoices(voice).map(({ names: [name] }) => name),
      },
      status,
    );
  };

/** Writes the rule that the form's token names, or the next version of one; what stands there already is not written again. */
const save = async (deps: StaffDeps, me: Staff, editing: Editing, content: RuleContent, newRule: string) => {
  const actor = actorOf(me);
  const said = (action: string, subject: string) =>
    deps.access.audit({ actor: me.id, action, subject, details: { by: 'page' } });
  const same = (view: RuleView): boolean =>
    view.version.writer === me.id && JSON.stringify(view.version.content) === JSON.stringify(content);
  const before = editing.view ?? (await deps.rules.get(newRule));
  if (before && same(before)) return before.rule.id;
  const id = before?.rule.id ?? newRule;
  if (before) await deps.rules.put(id, content, editing.view ? editing.basedOn : null, actor);
  else await deps.rules.create(content, actor, id);
  await said(before ? 'changeRule' : 'addRule', id);
  return id;
};

const faultsOfSaving = (error: unknown, voice: Voice): Faults => {
  if (!(error instanceof AppError) || !['invalid', 'conflict', 'no-scope'].includes(error.code)) throw error;
  if (error.code === 'invalid')
    return ruleFaultsOf(
      voice,
      error.faults.map(({ path }) => path),
    );
  return { name: voice.t(error.code === 'conflict' ? 'publisher:fault.rule.newer' : 'publisher:fault.step.no-scope') };
};

const page = (deps: StaffDeps, pages: Pages, own: StaffPages, isNew: boolean) => {
  const show = makeShow(deps, own);
  return async (req: Request, res: Response, me: Staff) => {
    const once = isNew && req.method === 'GET' ? onceOfPage(req, res, deps.edges) : field(req, 'once');
    if (once === null) return;
    const voice = await pages.voice(req);
    const view = isNew ? null : await ruleOf(deps, req);
    const newRule = isNew ? idOfForm(me.id, once) : '';
    const editing: Editing = {
      view,
      once: isNew ? (newRule === null ? newId(deps.edges) : once) : '',
      path: view ? `/staff/rules/${view.rule.id}/edit` : '/staff/rules/new',
      basedOn: Number(field(req, 'basedOn')) || (view?.version.version ?? 0),
    };
    if (req.method === 'GET' && newRule && (await deps.rules.get(newRule)))
      return res.redirect(303, `/staff/rules/${newRule}`);
    const note = () => auditExact(deps, me, view?.rule.id ?? null);
    if (req.method === 'GET' && me.roles.includes('admin')) await note();
    if (req.method === 'GET')
      return show(req, res, me, voice, editing, view ? typedOfRule(view.version.content, voice) : blankRule());
    const typed = readRuleForm(req);
    const what = field(req, 'do');
    const item = field(req, 'item');
    if (what === 'sample' && me.roles.includes('admin')) {
      await note();
      return show(req, res, me, voice, editing, typed, { item, sample: true });
    }
    if (what === 'dry-run' && view) {
      const dryRun = await dryRunOf(deps, voice, me, view.rule.id, typed);
      const { faults } = ruleOfForm(typed, voice, await deps.catalogue.attributes());
      return show(
        req,
        res,
        me,
        voice,
        editing,
        typed,
        dryRun ? { item, dryRun } : { item, faults },
        dryRun ? 200 : 400,
      );
    }
    if (what !== 'save') return show(req, res, me, voice, editing, typed, { item });
    const { content, faults } = ruleOfForm(typed, voice, await deps.catalogue.attributes());
    const again = (found: Faults, status: number) =>
      show(req, res, me, voice, editing, typed, { item, faults: found }, status);
    if (!content) return again(faults, 400);
    if (newRule === null) return again({ name: voice.t('publisher:fault.form') }, 400);
    try {
      res.redirect(303, `/staff/rules/${await save(deps, me, editing, content, newRule)}?done=rule-saved`);
    } catch (error) {
      const found = faultsOfSaving(error, voice);
      return again(found, error instanceof AppError && error.code === 'conflict' ? 409 : 400);
    }
  };
};

/**
 * The audience of what is being typed, for the script of the builder: the same words that the page would show, and the faults.
 * It tells no sample; that exact numbers were shown to an administrator is in the audit log once, of the page.
 */
const live = (deps: StaffDeps, pages: Pages) => async (req: Request, res: Response, me: Staff) => {
  const voice = await pages.voice(req);
  const { audience, faults } = await liveAudience(deps, voice, me, readRuleForm(req), field(req, 'item'));
  const html = pages.fragment(req, 'staff/rules/live', { audience });
  res.set('Cache-Control', 'private, no-store').json({ html, faults });
};

/** Writing rules, with the audience beside them. */
export const ruleEditRouter = (deps: StaffDeps, pages: Pages, own: StaffPages): Router => {
  const adding = own.only(page(deps, pages, own, true), ...ruleWriters);
  const editing = own.only(page(deps, pages, own, false), ...ruleWriters);
  return Router()
    .get('/staff/rules/new', adding)
    .post('/staff/rules/new', adding)
    .post('/staff/rules/audience', own.only(live(deps, pages), ...ruleWriters))
    .get('/staff/rules/:id/edit', editing)
    .post('/staff/rules/:id/edit', editing);
};
