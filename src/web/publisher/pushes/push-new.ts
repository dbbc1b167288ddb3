import { type Request, type Response, Router } from 'express';
import type { Staff } from '../../../access/access-store.ts';
import { newId } from '../../../edges.ts';
import { AppError } from '../../../errors.ts';
import type { PushAudience } from '../../../fanout/push.ts';
import type { ChannelName } from '../../../subscriptions/follow.ts';
import { fewerThan } from '../../api/masking.ts';
import type { Pages } from '../../pages/page.ts';
import type { Voice } from '../../pages/present.ts';
import { field, queryText } from '../../pages/request.ts';
import { actorOf } from '../../staff/applications.ts';
import { numberText } from '../../staff/report-tables.ts';
import type { StaffDeps, StaffPages } from '../../staff/staff-pages.ts';
import { audienceView, auditExact } from '../audience-view.ts';
import { type Faults, regionChoices } from '../items/item-form.ts';
import { mostParts } from '../items/item-preview.ts';
import { titleFor } from '../items/item-words.ts';
import { idOfForm, onceOfPage } from '../names.ts';
import { topicNames } from '../rules/condition-form.ts';
import { conditionView } from '../rules/condition-view.ts';
import { itemsToTry, ruleWriters } from '../rules/rule-edit.ts';
import { ruleChoices } from '../rules/rule-form.ts';
import { smsCostOf } from '../sms-cost.ts';
import { blankPush, idsIn, type PushTyped, pushOfForm, readPushForm } from './push-form.ts';

/** How many people it is for; the number to be typed before it goes. Null while nobody can say. */
type Reached = { count: number; type: number; view: object | 'building' | null };

const exactFor = (me: Staff): boolean => me.roles.includes('admin');

const reachOf = async (deps: StaffDeps, voice: Voice, me: Staff, typed: PushTyped): Promise<Reached | null> => {
  const { audience, channels } = pushOfForm(typed, voice, await deps.catalogue.attributes());
  const cost = async (people: number): Promise<string | null> => {
    const item = await deps.publishing.get(typed.item);
    return item && smsCostOf(deps, voice, { people, channels, parts: mostParts(deps, item.id, item.content, voice) });
  };
  if (audience?.kind === 'people') {
    const count = audience.subscribers.length;
    const view = { people: numberText(voice, count), count, parts: [], warnings: [], cost: await cost(count) };
    return { count, type: count, view };
  }
  if (audience?.kind !== 'condition' || typed.item === '') return null;
  try {
    const asked = { item: { id: typed.item }, who: audience.who, rules: false, subscriptions: false };
    const found = await deps.audience.preview(asked, 0);
    const few = !exactFor(me) && found.people > 0 && found.people < fewerThan;
    const { sms } = found.reachable;
    const told = exactFor(me) || sms === 0 || sms >= fewerThan ? sms : fewerThan - 1;
    return {
      count: found.people,
      // so few are not told to everybody
      type: few ? fewerThan : found.people,
      view: { ...audienceView(voice, found, exactFor(me)), cost: await cost(told) },
    };
  } catch (error) {
    if (!(error instanceof AppError) || !['index-building', 'not-found'].includes(error.code)) throw error;
    return { count: 0, type: 0, view: error.code === 'index-building' ? 'building' : null };
  }
};

const makeShow =
  (deps: StaffDeps, own: StaffPages) =>
  async (
    ...[req, res, me, voice, once, typed, faults = {}, status = 200]: [
      Request,
      Response,
      Staff,
      Voice,
      string,
      PushTyped,
      Faults?,
      number?,
    ]
  ) => {
    const reached = await reachOf(deps, voice, me, typed);
    if (reached && exactFor(me)) await auditExact(deps, me, typed.item);
    const items = await itemsToTry(deps, voice);
    const chosen = items.some(({ value }) => value === typed.item) ? null : await deps.publishing.get(typed.item);
    own.show(
      req,
      res,
      me,
      'pushes/new',
      {
        ...{ typed, faults, once, confirm: field(req, 'confirm') },
        items: chosen ? [{ value: chosen.id, text: titleFor(chosen.content, voice.locale).title }, ...items] : items,
        who: conditionView(typed.who, 'who', {
          voice,
          attributes: await deps.catalogue.attributes(),
          about: 'person',
        }),
        audience: reached?.view ?? null,
        channels: ruleChoices(voice).channels,
        topicNames: topicNames(voice).map(({ names: [name] }) => name),
        regionNames: regionChoices(voice).map(({ names: [name] }) => name),
      },
      status,
    );
  };

/** The push that a form started, or has waiting for its time. */
const madeBy = async ({ fanout, pushOrders }: StaffDeps, id: string) =>
  (await fanout.get(id)) ?? (await pushOrders.get(id));

type Wanted = Parameters<StaffDeps['fanout']['push']>[0] & { id: string; channels: ChannelName[] | null };

/**
 * Starts the push that the form's token names, or has it wait for its time; answers where to look. Sent again it is the same; null
 * where the token stood for something else before.
 */
const pushOnce = async (deps: StaffDeps, me: Staff, wanted: Wanted, at: number | null): Promise<string | null> => {
  const before = await madeBy(deps, wanted.id);
  const [push, order] = [`/staff/pushes/${wanted.id}?done=push-started`, '/staff/pushes?done=push-ordered'];
  if (before) {
    const same = before.item === wanted.item && JSON.stringify(before.audience) === JSON.stringify(wanted.audience);
    return same ? ('plan' in before ? push : order) : null;
  }
  if (at === null) await deps.fanout.push(wanted, actorOf(me));
  else await deps.pushOrders.order({ ...wanted, at }, actorOf(me));
  const action = at === null ? 'createPush' : 'orderPush';
  await deps.access.audit({ actor: me.id, action, subject: wanted.id, details: { by: 'page' } });
  return at === null ? push : order;
};

const faultsOfSending = (error: unknown, voice: Voice, audience: PushAudience): Faults => {
  if (!(error instanceof AppError) || !['invalid', 'wrong-state', 'not-found', 'no-scope'].includes(error.code))
    throw error;
  if (error.code === 'no-scope') return { item: voice.t('publisher:fault.step.no-scope') };
  if (error.code !== 'invalid') return { item: voice.t('publisher:fault.unpublished') };
  if (error.faults[0]?.path === 'at') return { at: voice.t('publisher:fault.ahead') };
  const at = Number(error.faults[0]?.path.split('.').at(-1));
  const id = audience.kind === 'people' ? audience.subscribers[at] : '';
  return { people: voice.t('publisher:fault.nobody', { id }) };
};

const page = (deps: StaffDeps, pages: Pages, own: StaffPages) => {
  const show = makeShow(deps, own);
  return async (req: Request, res: Response, me: Staff) => {
    const once = req.method === 'GET' ? onceOfPage(req, res, deps.edges) : field(req, 'once');
    if (once === null) return;
    const voice = await pages.voice(req);
    const id = idOfForm(me.id, once);
    if (req.method === 'GET') {
      const made = id === null ? null : await madeBy(deps, id);
      if (made) return res.redirect(303, 'plan' in made ? `/staff/pushes/${made.id}` : '/staff/pushes');
      return show(req, res, me, voice, once, blankPush(queryText(req, 'item') ?? ''));
    }
    const typed = readPushForm(req);
    const again = (faults: Faults, status: number) => show(req, res, me, voice, once, typed, faults, status);
    if (id === null) return show(req, res, me, voice, newId(deps.edges), typed, {}, 400);
    if (field(req, 'do') !== 'send') return again({}, 200);
    const { audience, channels, at, faults } = pushOfForm(typed, voice, await deps.catalogue.attributes());
    if (!audience || Object.keys(faults).length > 0) return again(faults, 400);
    const sent = await madeBy(deps, id);
    const reached = sent ? null : await reachOf(deps, voice, me, typed);
    const number = Number(
      field(req, 'confirm')
        .normalize('NFKC')
        .replace(/[\s,，.]/g, '') || Number.NaN,
    );
    if (reached && number !== reached.type)
      return again({ confirm: voice.t('publisher:fault.confirm', { number: numberText(voice, reached.type) }) }, 400);
    if (reached?.count === 0) return again({ confirm: voice.t('publisher:audience.warning.selects-nobody') }, 400);
    try {
      const place = await pushOnce(deps, me, { id, item: typed.item, audience, channels, note: typed.note }, at);
      if (place === null) return again({ confirm: voice.t('publisher:fault.sentBefore') }, 409);
      res.redirect(303, place);
    } catch (error) {
      return again(faultsOfSending(error, voice, audience), 409);
    }
  };
};

/** The audience of what is being typed, for the script of the page. */
const live = (deps: StaffDeps, pages: Pages) => async (req: Request, res: Response, me: Staff) => {
  const voice = await pages.voice(req);
  const typed = readPushForm(req);
  const reached = await reachOf(deps, voice, me, typed);
  const html = pages.fragment(req, 'staff/rules/live', { audience: reached?.view ?? null });
  res.set('Cache-Control', 'private, no-store').json({ html, people: idsIn(typed.people).length });
};

/** Starting a targeted push: which notice, whom, how, and the number typed. */
export const pushNewRouter = (deps: StaffDeps, pages: Pages, own: StaffPages): Router => {
  const form = own.only(page(deps, pages, own), ...ruleWriters);
  return Router()
    .get('/staff/pushes/new', form)
    .post('/staff/pushes/new', form)
    .post('/staff/pushes/audience', own.only(live(deps, pages), ...ruleWriters));
};
