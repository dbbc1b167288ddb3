import { createHash } from 'node:crypto';
import { type Request, type Response, Router } from 'express';
import type { Staff } from '../../../access/access-store.ts';
import { AppError } from '../../../errors.ts';
import { missingLanguages } from '../../../publishing/both-languages.ts';
import type { Item } from '../../../publishing/item.ts';
import type { Pages } from '../../pages/page.ts';
import type { Voice } from '../../pages/present.ts';
import { field, longField, pathPart, textFault } from '../../pages/request.ts';
import { actorOf, deskRoles } from '../../staff/applications.ts';
import type { StaffDeps, StaffPages } from '../../staff/staff-pages.ts';
import { timeOf, typedFields } from '../names.ts';
import { itemOf } from './item-edit.ts';
import type { Faults } from './item-form.ts';

/** What a reviewer has looked for before anything is published (product: plan section 3.3.1). */
export const secrets = ['state', 'commercial', 'privacy'] as const;

const noteMost = 2_000;

/** What is to be approved, so that nobody approves what was changed since they read it. */
export const seenMark = (item: Item): string =>
  createHash('sha256')
    .update(JSON.stringify([item.pending?.content ?? item.content, item.pending?.note ?? null]))
    .digest('base64url')
    .slice(0, 22);

/** What somebody may do to an item now, and why not where a form is missing. */
export const stepsFor = (item: Item, me: Staff, review: boolean) => {
  const [writes, reviews] = [
    ['publisher', 'admin'],
    ['reviewer', 'admin'],
  ].map((names) => me.roles.some((role) => names.includes(role)));
  const { state, pending } = item;
  const content = pending?.content ?? item.content;
  const waits = pending !== null || state === 'in-review';
  const signed = (pending ?? item).approvals.map(({ department }) => department);
  const named = [...new Set(content.departments ?? [])];
  const mine = named.filter((one) => me.departments.includes(one) && !signed.includes(one));
  const isOwn = (pending?.writer ?? item.writer) === me.id;
  // what an import brought names departments that have no account here
  const isPlain = named.length === 0 || item.importMark !== null;
  const ready = ['approved', 'scheduled'].includes(state) || (!review && ['draft', 'in-review'].includes(state));
  return {
    edit: writes && state === 'draft' && item.writer === me.id,
    submit: writes && state === 'draft',
    approve: waits && !isOwn && (mine.length > 0 || (isPlain && reviews)),
    own: waits && isOwn,
    mine,
    plain: isPlain,
    reject: reviews && (waits || ['approved', 'scheduled'].includes(state)),
    publish: writes && ready,
    correct: writes && state === 'published' && pending === null,
    withdraw: writes && state === 'published',
    push: writes && state === 'published',
    missing: missingLanguages(content),
    named,
  };
};

/** A step as it was asked for: what it does, what the audit log says of it, and what the page says afterwards. */
type Asked = { item: Item; req: Request; me: Staff; voice: Voice };
type Step = {
  action: string;
  done: string;
  roles: ('publisher' | 'reviewer' | 'admin')[];
  faults(asked: Asked): Faults;
  /** Whether the item is where the step leads: the form came twice. */
  isThere?(asked: Asked): boolean;
  take(deps: StaffDeps, asked: Asked): Promise<unknown>;
  details?(asked: Asked): object;
};

/** Both languages, or somebody says that one has to do. */
const languageFault = ({ item, req, voice }: Asked): Faults =>
  missingLanguages(item.content).length > 0 && field(req, 'oneLanguage') !== 'yes'
    ? { oneLanguage: voice.t('publisher:fault.oneLanguage') }
    : {};
const oneLanguage = ({ item }: Asked): object => ({ missing: missingLanguages(item.content) });

const noteFault = ({ req, voice }: Asked, name: string): Faults => {
  const words = textFault(longField(req, name), noteMost, {
    missing: `publisher:fault.${name}`,
    long: 'publisher:fault.tooLong',
  });
  return words === null ? {} : { [name]: voice.t(words) };
};

const approveFaults = (asked: Asked): Faults => {
  const { item, req, me, voice } = asked;
  const ticked = typedFields(req, 'secrets');
  const { mine, plain } = stepsFor(item, me, true);
  return {
    ...(secrets.every((one) => ticked.includes(one)) ? {} : { secrets: voice.t('publisher:fault.secrets') }),
    ...(field(req, 'seen') === seenMark(item) ? {} : { seen: voice.t('publisher:fault.seen') }),
    ...(!plain && !mine.some((one) => one === field(req, 'as')) ? { as: voice.t('publisher:fault.as') } : {}),
  };
};

const steps: Record<string, Step> = {
  submit: {
    ...{ action: 'submitItem', done: 'submitted', roles: ['publisher', 'admin'] },
    faults: languageFault,
    isThere: ({ item }) => item.state === 'in-review',
    take: ({ publishing }, { item, me }) => publishing.submit(item.id, actorOf(me)),
    details: oneLanguage,
  },
  approve: {
    ...{ action: 'approveItem', done: 'approved', roles: [...deskRoles] as Step['roles'] },
    faults: approveFaults,
    isThere: ({ item, me, req }) =>
      (item.pending ?? item).approvals.some(
        ({ staff, department }) => staff === me.id && (department ?? '') === field(req, 'as'),
      ),
    take: ({ fanout }, { item, me, req }) => fanout.approve(item.id, field(req, 'as') || null, actorOf(me)),
    details: ({ req }) => ({ checked: [...secrets], as: field(req, 'as') || null }),
  },
  reject: {
    ...{ action: 'rejectItem', done: 'rejected', roles: ['reviewer', 'admin'] },
    faults: (asked) => noteFault(asked, 'reason'),
    isThere: ({ item, req }) => item.rejection === longField(req, 'reason'),
    take: ({ publishing }, { item, me, req }) => publishing.reject(item.id, longField(req, 'reason'), actorOf(me)),
  },
  schedule: {
    ...{ action: 'scheduleItem', done: 'scheduled', roles: ['publisher', 'admin'] },
    faults: (asked) => ({
      ...languageFault(asked),
      ...(timeOf(field(asked.req, 'at'), asked.voice.timeZone) === null
        ? { at: asked.voice.t('publisher:fault.moment') }
        : {}),
    }),
    take: ({ publishing }, { item, me, req, voice }) =>
      publishing.schedule(item.id, timeOf(field(req, 'at'), voice.timeZone) ?? 0, actorOf(me)),
    details: oneLanguage,
  },
  publish: {
    ...{ action: 'publishItem', done: 'published', roles: ['publisher', 'admin'] },
    faults: languageFault,
    isThere: ({ item }) => item.state === 'published',
    take: ({ fanout }, { item, me }) => fanout.publish(item.id, actorOf(me)),
    details: oneLanguage,
  },
  withdraw: {
    ...{ action: 'withdrawItem', done: 'withdrawn', roles: ['publisher', 'admin'] },
    faults: (asked) => noteFault(asked, 'note'),
    isThere: ({ item }) => item.state === 'withdrawn',
    take: ({ fanout }, { item, me, req }) =>
      fanout.withdraw(item.id, longField(req, 'note'), field(req, 'notify') !== 'no', actorOf(me)),
  },
};

const mendable = ['invalid', 'wrong-state', 'conflict', 'no-scope', 'own-work'];

type Show = (
  req: Request,
  res: Response,
  me: Staff,
  form: { typed: object; faults: Faults },
  status: number,
) => unknown;

/** Runs one step; what does not fit comes back on the item's page, with what was typed. */
const stepPage = (deps: StaffDeps, pages: Pages, show: Show) => async (req: Request, res: Response, me: Staff) => {
  const name = pathPart(req, 'step');
  const step = Object.hasOwn(steps, name) ? steps[name] : undefined;
  if (!step) throw new AppError('not-found', 'There is no such step.');
  if (!me.roles.some((role) => step.roles.some((one) => one === role)))
    throw new AppError('no-role', 'This step is not for your roles.');
  const item = await itemOf(deps, req);
  const voice = await pages.voice(req);
  const asked: Asked = { item, req, me, voice };
  const done = `/staff/items/${item.id}?done=${step.done}`;
  if (step.isThere?.(asked)) return res.redirect(303, done);
  const typed = Object.fromEntries(
    ['reason', 'note', 'at', 'as', 'notify', 'oneLanguage'].map((one) => [one, longField(req, one)]),
  );
  const again = (faults: Faults, status: number) =>
    show(req, res, me, { typed: { ...typed, step: name, secrets: typedFields(req, 'secrets') }, faults }, status);
  const faults = step.faults(asked);
  if (Object.keys(faults).length > 0) return again(faults, 400);
  try {
    await step.take(deps, asked);
  } catch (error) {
    if (!(error instanceof AppError) || !mendable.includes(error.code)) throw error;
    const words = name === 'schedule' && error.code === 'invalid' ? 'publisher:fault.ahead' : null;
    return again({ step: voice.t(words ?? `publisher:fault.step.${error.code}`) }, 409);
  }
  const details = { by: 'page', ...step.details?.(asked) };
  await deps.access.audit({ actor: me.id, action: step.action, subject: item.id, details });
  res.redirect(303, done);
};

/** The steps of an item on its way to the public and back. */
export const itemStepsRouter = (deps: StaffDeps, pages: Pages, own: StaffPages, show: Show): Router =>
  Router().post('/staff/items/:id/steps/:step', own.only(stepPage(deps, pages, show), ...deskRoles));
