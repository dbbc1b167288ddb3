import { type Request, type Response, Router } from 'express';
import type { Staff } from '../../../access/access-store.ts';
import { AppError } from '../../../errors.ts';
import { pushIdOf } from '../../../fanout/push.ts';
import type { Approval, Item } from '../../../publishing/item.ts';
import type { Pages } from '../../pages/page.ts';
import { momentOf, type Voice } from '../../pages/present.ts';
import { queryText } from '../../pages/request.ts';
import { deskRoles } from '../../staff/applications.ts';
import type { StaffDeps, StaffPages } from '../../staff/staff-pages.ts';
import { audienceView, auditExact } from '../audience-view.ts';
import { itemOf } from './item-edit.ts';
import { type Faults, languageName } from './item-form.ts';
import { dueOf } from './item-list.ts';
import { previewsOf } from './item-preview.ts';
import { itemStepsRouter, secrets, seenMark, stepsFor } from './item-steps.ts';
import { titleFor, wordsOfItem } from './item-words.ts';

type Form = { typed: object; faults: Faults };

const notes = ['saved', 'submitted', 'approved', 'rejected', 'scheduled', 'published', 'corrected', 'withdrawn'];
const blank: Form = { typed: {}, faults: {} };

/** What somebody is called, by id. */
export const namesBy = async ({ access }: Pick<StaffDeps, 'access'>, ids: string[]): Promise<Map<string, string>> =>
  new Map(await Promise.all([...new Set(ids)].map(async (id) => [id, (await access.nameOf(id)) ?? id] as const)));

const approvalRows = (voice: Voice, item: Item, names: Map<string, string>) => {
  const { approvals } = item.pending ?? item;
  const wanted = item.importMark === null ? [...new Set((item.pending ?? item).content.departments ?? [])] : [];
  const said = ({ staff, at }: Approval) =>
    voice.t('publisher:items.approvedBy', { name: names.get(staff) ?? staff, at: momentOf(voice, at) });
  const plain = approvals.filter(({ department }) => department === null);
  return [
    ...wanted.map((department) => {
      const found = approvals.find((one) => one.department === department);
      return { who: department, said: found ? said(found) : null };
    }),
    ...plain.map((one) => ({ who: voice.t('publisher:items.reviewer'), said: said(one) })),
  ];
};

/** Whom it would reach now, or a word why that cannot be said. */
const reachOf = async (deps: StaffDeps, voice: Voice, me: Staff, item: Item) => {
  if (item.state === 'published' || item.state === 'withdrawn' || item.content.visibility === 'targeted') return null;
  const exact = me.roles.includes('admin');
  try {
    const draft = item.pending?.content ?? item.content;
    const asked = { item: { draft }, who: null, rules: true, subscriptions: true };
    const found = await deps.audience.preview(asked, 0);
    if (exact) await auditExact(deps, me, item.id);
    return audienceView(voice, found, exact);
  } catch (error) {
    if (error instanceof AppError && error.code === 'index-building') return 'building';
    throw error;
  }
};

const makeShow =
  (deps: StaffDeps, pages: Pages, own: StaffPages) =>
  async (req: Request, res: Response, me: Staff, form: Form = blank, status = 200) => {
    const item = await itemOf(deps, req);
    const voice = await pages.voice(req);
    const names = await namesBy(deps, [
      item.writer,
      ...(item.pending ? [item.pending.writer] : []),
      ...(item.pending ?? item).approvals.map(({ staff }) => staff),
    ]);
    const { pending } = item;
    const steps = stepsFor(item, me, deps.config.review);
    const push = item.version > 0 ? await deps.fanout.get(pushIdOf(item.id, item.version)) : null;
    const values = {
      ...form,
      item: {
        ...{ id: item.id, state: item.state, version: item.version, revision: item.revision },
        ...titleFor(item.content, voice.locale),
        ...{ rejection: item.rejection, changeNote: item.changeNote, urgency: item.content.urgency },
        writer: names.get(item.writer),
        scheduledFor: item.scheduledFor === null ? null : momentOf(voice, item.scheduledFor),
        publishedAt: item.publishedAt === null ? null : momentOf(voice, item.publishedAt),
        updatedAt: momentOf(voice, item.updatedAt),
        due: await dueOf(deps, voice, item),
        isPublic: item.content.visibility === 'public' && ['published', 'withdrawn'].includes(item.state),
      },
      words: wordsOfItem(item.content, voice),
      pending: pending && {
        ...{ kind: pending.kind, note: pending.note, writer: names.get(pending.writer) },
        words: wordsOfItem(pending.content, voice),
      },
      approvals: approvalRows(voice, item, names),
      steps: { ...steps, missing: steps.missing.map((one) => languageName(voice, one)) },
      secrets,
      seen: seenMark(item),
      preview: previewsOf(deps, item.id, pending?.content ?? item.content, voice),
      audience: await reachOf(deps, voice, me, item),
      push: push && { id: push.id, state: push.state, matched: push.matched },
      done: notes.find((note) => note === queryText(req, 'done')) ?? null,
    };
    own.show(req, res, me, 'items/item', values, status);
  };

/** One item: what it says, how it stands, what can be done with it. */
export const itemPageRouter = (deps: StaffDeps, pages: Pages, own: StaffPages): Router => {
  const show = makeShow(deps, pages, own);
  return Router()
    .use(itemStepsRouter(deps, pages, own, show))
    .get(
      '/staff/items/:id',
      own.only((req, res, me) => show(req, res, me), ...deskRoles),
    );
};
