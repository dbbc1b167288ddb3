import { type Request, type Response, Router } from 'express';
import type { Staff } from '../../../access/access-store.ts';
import { newId } from '../../../edges.ts';
import { AppError } from '../../../errors.ts';
import { type Item, type ItemContent, noItem, urgencies } from '../../../publishing/item.ts';
import { locales } from '../../../text.ts';
import { sendMail } from '../../pages/mail-frame.ts';
import type { Pages } from '../../pages/page.ts';
import type { Voice } from '../../pages/present.ts';
import { field, longField, pathPart, queryText, textFault } from '../../pages/request.ts';
import { actorOf } from '../../staff/applications.ts';
import type { StaffDeps, StaffPages } from '../../staff/staff-pages.ts';
import { idOfForm, onceOfPage, typedField } from '../names.ts';
import {
  columnsOf,
  contentOfForm,
  type Faults,
  type ItemTyped,
  languageName,
  readItemForm,
  regionChoices,
  topicChoices,
  typedOfItem,
} from './item-form.ts';
import { mailOf, previewsOf } from './item-preview.ts';

/** Forms to start from: their words are in the catalogue, what they say of the item is here. */
const templates: Record<string, Partial<ItemContent>> = {
  service: { topics: ['services'], documentType: 'service-change' },
  consultation: { topics: ['policies'], documentType: 'consultation' },
  recruitment: { topics: ['personnel'], documentType: 'recruitment' },
  alert: { topics: ['other'], urgency: 'important', documentType: 'alert' },
};

/** What the editor is for: a new item, a draft, or a correction of what is published. */
type Editing = { item: Item | null; once: string; path: string; kind: 'new' | 'draft' | 'correction' };
type Form = { typed: ItemTyped; faults: Faults; change?: string; note?: string };

const noteMost = 2_000;
const writers = ['publisher', 'admin'] as const;

const templateItem = (name: string, voice: Voice): ItemContent => {
  const words = (locale: string, key: string): string => voice.t(`publisher:template.${name}.${locale}.${key}`);
  return {
    ...noItem,
    ...templates[name],
    language: 'zh-CN',
    title: words('zh-CN', 'title'),
    summary: words('zh-CN', 'summary'),
    translations: { en: { title: words('en', 'title'), summary: words('en', 'summary') } },
  };
};

const blankItem: ItemContent = { ...noItem, language: 'zh-CN' };

export const itemOf = async ({ publishing }: Pick<StaffDeps, 'publishing'>, req: Request): Promise<Item> => {
  const item = await publishing.get(pathPart(req, 'id'));
  if (!item) throw new AppError('not-found', 'There is no such item.');
  return item;
};

const makeShow =
  (deps: StaffDeps, own: StaffPages) =>
  (req: Request, res: Response, me: Staff, voice: Voice, editing: Editing, form: Form, status = 200) => {
    const { item, path, kind, once } = editing;
    const { content } = contentOfForm(form.typed, item?.content ?? null, voice);
    own.show(
      req,
      res,
      me,
      'items/edit',
      {
        ...form,
        ...{ path, kind, once },
        id: item?.id ?? null,
        templates: kind === 'new' ? Object.keys(templates) : [],
        columns: columnsOf(form.typed).map((tag) => ({ tag, name: languageName(voice, tag) })),
        topics: topicChoices(voice),
        regions: regionChoices(voice).map(({ names: [name] }) => name),
        urgencies,
        preview: previewsOf(deps, item?.id ?? 'preview', content, voice),
        timeZone: voice.timeZone.replaceAll('_', ' '),
      },
      status,
    );
  };

const newForm = (deps: StaffDeps, pages: Pages, own: StaffPages) => {
  const show = makeShow(deps, own);
  return async (req: Request, res: Response, me: Staff) => {
    const once = onceOfPage(req, res, deps.edges);
    if (once === null) return;
    const made = idOfForm(me.id, once) ?? '';
    if (await deps.publishing.get(made)) return res.redirect(303, `/staff/items/${made}`);
    const voice = await pages.voice(req);
    const name = queryText(req, 'template') ?? '';
    // an account of a department writes what names it
    const departments = me.roles.includes('admin') ? [] : me.departments;
    const content = { ...(Object.hasOwn(templates, name) ? templateItem(name, voice) : blankItem), departments };
    const editing: Editing = { item: null, once, path: '/staff/items/new', kind: 'new' };
    show(req, res, me, voice, editing, { typed: typedOfItem(content, voice), faults: {} });
  };
};

/** Writes the draft that the form's token names, or, sent again, the same draft once more. */
const createOnce = async (deps: StaffDeps, me: Staff, id: string, content: ItemContent): Promise<void> => {
  const actor = actorOf(me);
  const before = await deps.publishing.get(id);
  if (before) await deps.publishing.revise(id, content, actor);
  else await deps.publishing.create(content, null, actor, id);
  const action = before ? 'reviseItem' : 'createItem';
  await deps.access.audit({ actor: me.id, action, subject: id, details: { by: 'page' } });
};

/** Faults of the service as faults of the form: what it can say of a field, else above all. */
const faultsOfError = (error: unknown, voice: Voice): Faults => {
  if (!(error instanceof AppError) || !['wrong-state', 'no-scope', 'conflict', 'invalid'].includes(error.code))
    throw error;
  return { save: voice.t(`publisher:fault.step.${error.code}`) };
};

const create = (deps: StaffDeps, pages: Pages, own: StaffPages) => {
  const show = makeShow(deps, own);
  return async (req: Request, res: Response, me: Staff) => {
    const voice = await pages.voice(req);
    const typed = readItemForm(req);
    const once = field(req, 'once');
    const id = idOfForm(me.id, once);
    const editing: Editing = {
      ...({ item: null, path: '/staff/items/new', kind: 'new' } as const),
      once: id === null ? newId(deps.edges) : once,
    };
    const { content, faults } = contentOfForm(typed, null, voice);
    const again = (found: Faults, status: number) =>
      show(req, res, me, voice, editing, { typed, faults: found }, status);
    if (id === null) return again({ save: voice.t('publisher:fault.form') }, 400);
    if (Object.keys(faults).length > 0) return again(faults, 400);
    try {
      await createOnce(deps, me, id, content);
    } catch (error) {
      return again(faultsOfError(error, voice), 409);
    }
    res.redirect(303, `/staff/items/${id}?done=saved`);
  };
};

const edit = (deps: StaffDeps, pages: Pages, own: StaffPages) => {
  const show = makeShow(deps, own);
  return async (req: Request, res: Response, me: Staff) => {
    const voice = await pages.voice(req);
    const item = await itemOf(deps, req);
    const path = `/staff/items/${item.id}/edit`;
    const editing: Editing = { item, once: '', path, kind: 'draft' };
    if (req.method === 'GET')
      return show(req, res, me, voice, editing, { typed: typedOfItem(item.content, voice), faults: {} });
    const typed = readItemForm(req);
    const { content, faults } = contentOfForm(typed, item.content, voice);
    if (Object.keys(faults).length > 0) return show(req, res, me, voice, editing, { typed, faults }, 400);
    try {
      await deps.publishing.revise(item.id, content, actorOf(me));
    } catch (error) {
      return show(req, res, me, voice, editing, { typed, faults: faultsOfError(error, voice) }, 409);
    }
    await deps.access.audit({ actor: me.id, action: 'reviseItem', subject: item.id, details: { by: 'page' } });
    res.redirect(303, `/staff/items/${item.id}?done=saved`);
  };
};

/** A correction that waits or is in force just as it was sent: the form came twice. */
const isSaid = (item: Item, change: string, note: string, content: ItemContent): boolean => {
  const same = (one: ItemContent): boolean => JSON.stringify(one) === JSON.stringify({ ...one, ...content });
  const { pending } = item;
  if (pending) return pending.kind === change && pending.note === note && same(pending.content);
  return item.changeNote === note && same(item.content);
};

const correct = (deps: StaffDeps, pages: Pages, own: StaffPages) => {
  const show = makeShow(deps, own);
  return async (req: Request, res: Response, me: Staff) => {
    const voice = await pages.voice(req);
    const item = await itemOf(deps, req);
    const editing: Editing = { item, once: '', path: `/staff/items/${item.id}/correct`, kind: 'correction' };
    if (req.method === 'GET')
      return show(req, res, me, voice, editing, { typed: typedOfItem(item.content, voice), faults: {} });
    const typed = readItemForm(req);
    const [change, note] = [field(req, 'change'), longField(req, 'note')];
    const words = textFault(note, noteMost, { missing: 'publisher:fault.note', long: 'publisher:fault.tooLong' });
    const { content, faults: own } = contentOfForm(typed, item.content, voice);
    const isKind = change === 'major' || change === 'minor';
    const faults: Faults = {
      ...(isKind ? {} : { change: voice.t('publisher:fault.change') }),
      ...(words === null ? {} : { note: voice.t(words) }),
      ...own,
    };
    const again = (found: Faults, status: number) =>
      show(req, res, me, voice, editing, { typed, faults: found, change, note }, status);
    if (!isKind || Object.keys(faults).length > 0) return again(faults, 400);
    const done = `/staff/items/${item.id}?done=corrected`;
    if (isSaid(item, change, note, content)) return res.redirect(303, done);
    try {
      await deps.fanout.correct(item.id, { change, note, fields: content }, actorOf(me));
    } catch (error) {
      return again(faultsOfError(error, voice), 409);
    }
    await deps.access.audit({ actor: me.id, action: 'correctItem', subject: item.id, details: { by: 'page', change } });
    res.redirect(303, done);
  };
};

/** The preview of what is being typed, for the script of the editor: nothing is kept. */
const livePreview =
  (deps: StaffDeps, pages: Pages, own: StaffPages) => async (req: Request, res: Response, me: Staff) => {
    const voice = await pages.voice(req);
    const { content } = contentOfForm(readItemForm(req), null, voice);
    const id = typedField(req, 'item') || 'preview';
    own.show(req, res, me, 'items/preview', { preview: previewsOf(deps, id, content, voice) });
  };

const liveMail = (deps: StaffDeps, pages: Pages) => async (req: Request, res: Response) => {
  const voice = await pages.voice(req);
  const { content } = contentOfForm(readItemForm(req), null, voice);
  const locale = locales.find((one) => one === pathPart(req, 'locale')) ?? voice.locale;
  sendMail(res, mailOf(deps, { id: 'preview', content, voice, locale }));
};

/** The mail of an item as it stands, or of the correction that waits, for the frame of a page. */
const mail = (deps: StaffDeps, pages: Pages) => async (req: Request, res: Response) => {
  const item = await itemOf(deps, req);
  const voice = await pages.voice(req);
  const locale = locales.find((one) => one === pathPart(req, 'locale')) ?? voice.locale;
  sendMail(res, mailOf(deps, { id: item.id, content: item.pending?.content ?? item.content, voice, locale }));
};

/** Writing: new items, drafts, corrections, and what the messages will look like. */
export const itemEditRouter = (deps: StaffDeps, pages: Pages, own: StaffPages): Router => {
  const editing = own.only(edit(deps, pages, own), ...writers);
  const correcting = own.only(correct(deps, pages, own), ...writers);
  return Router()
    .get('/staff/items/new', own.only(newForm(deps, pages, own), ...writers))
    .post('/staff/items/new', own.only(create(deps, pages, own), ...writers))
    .post('/staff/items/preview', own.only(livePreview(deps, pages, own), ...writers))
    .post('/staff/items/preview/:locale', own.only(liveMail(deps, pages), ...writers))
    .get('/staff/items/:id/mail/:locale', own.only(mail(deps, pages), ...writers, 'reviewer'))
    .get('/staff/items/:id/edit', editing)
    .post('/staff/items/:id/edit', editing)
    .get('/staff/items/:id/correct', correcting)
    .post('/staff/items/:id/correct', correcting);
};
