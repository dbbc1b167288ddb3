import { type Request, type Response, Router } from 'express';
import type { Staff } from '../../access/access-store.ts';
import { AppError } from '../../errors.ts';
import type { Source, SourceHandling, SourceResult, SourceSettings } from '../../sources/source.ts';
import type { SourceTest } from '../../sources/source-service.ts';
import { locales } from '../../text.ts';
import type { Pages } from '../pages/page.ts';
import { dayInWords, momentOf, regionName, topicTitle, type Voice } from '../pages/present.ts';
import { field, fields, pathPart, queryText } from '../pages/request.ts';
import { regionChoices, topicChoices } from '../publisher/items/item-form.ts';
import { namesOf, typedField, valuesNamed, wordsIn } from '../publisher/names.ts';
import { actorOf } from './applications.ts';
import type { StaffDeps, StaffPages } from './staff-pages.ts';

const place = '/staff/sources';
const writers = ['publisher', 'admin'] as const;
const notes = ['added', 'changed', 'paused', 'resumed', 'removed', 'polled', 'busy'];
/** How often a source may be polled, in minutes. */
const intervals = [5, 15, 30, 60, 180, 360, 720, 1_440];

type Typed = {
  url: string;
  topics: string[];
  departments: string;
  language: string;
  regions: string;
  everyMinutes: string;
  publish: boolean;
  notify: boolean;
};
type Faults = Record<string, string>;

const blank = (me: Staff): Typed => ({
  ...{ url: '', topics: [], language: '', regions: '', everyMinutes: '60', publish: true, notify: false },
  // an account of a department adds what belongs to it
  departments: me.roles.includes('admin') ? '' : me.departments.join('; '),
});

const typedOf = (voice: Voice, source: Source): Typed => ({
  ...{ url: source.url, topics: source.topics, publish: source.publish, notify: source.notify },
  departments: source.departments.join('; '),
  language: source.language ?? '',
  regions: namesOf(source.regions, regionChoices(voice)),
  everyMinutes: String(source.everyMinutes),
});

const readForm = (req: Request, url: string | null): Typed => ({
  url: url ?? typedField(req, 'url').trim(),
  topics: fields(req, 'topics'),
  departments: typedField(req, 'departments'),
  language: field(req, 'language'),
  regions: typedField(req, 'regions'),
  everyMinutes: field(req, 'everyMinutes'),
  publish: field(req, 'publish') !== '',
  notify: field(req, 'notify') !== '',
});

/** What was typed as settings, and every fault in words. */
const settingsOf = (voice: Voice, typed: Typed): { settings: SourceSettings; faults: Faults } => {
  const regions = valuesNamed(typed.regions, regionChoices(voice));
  const [unknown] = regions.unknown;
  const departments = wordsIn(typed.departments);
  const faults: Faults = {
    ...(URL.canParse(typed.url) && typed.url.length <= 2_000 ? {} : { url: voice.t('sources:fault.url') }),
    ...(typed.topics.length > 0 ? {} : { topics: voice.t('sources:fault.topics') }),
    ...(departments.some((one) => one.length > 200) ? { departments: voice.t('publisher:fault.tooLong') } : {}),
    ...(unknown ? { regions: voice.t('publisher:fault.unknown', { name: unknown.name }) } : {}),
    ...(intervals.includes(Number(typed.everyMinutes)) ? {} : { everyMinutes: voice.t('sources:fault.every') }),
  };
  const settings = {
    ...{ url: typed.url, topics: typed.topics, departments, regions: regions.values },
    language: locales.find((one) => one === typed.language) ?? null,
    everyMinutes: Number(typed.everyMinutes),
    ...{ publish: typed.publish, notify: typed.notify },
  };
  return { settings, faults };
};

/** Faults of the service as faults of the form. */
const faultsOfError = (error: unknown, { t }: Voice): Faults => {
  if (!(error instanceof AppError)) throw error;
  if (error.code === 'conflict') return { url: t('sources:fault.taken') };
  if (error.code === 'no-scope') return { departments: t('sources:fault.department') };
  if (error.code !== 'invalid') throw error;
  const named = new Set(error.faults.map(({ path }) => path.split('.')[0] ?? ''));
  return {
    ...(named.has('url') ? { url: t('sources:fault.url') } : {}),
    ...(named.has('topics') ? { topics: t('sources:fault.topics') } : {}),
    ...(named.has('regions') ? { regions: t('sources:fault.regions') } : {}),
  };
};

const intervalWords = ({ locale }: Voice, minutes: number): string => {
  const [value, unit] = minutes < 60 ? [minutes, 'minute'] : [minutes / 60, 'hour'];
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(value);
};

/** What the last poll came to, in words; null: there was none. */
const resultWords = ({ t }: Voice, result: SourceResult | null): { words: string; tag: string } => {
  if (result === null) return { words: t('sources:result.none'), tag: 'grey' };
  if (result.kind === 'same') return { words: t('sources:result.same'), tag: 'green' };
  if (result.kind === 'fault')
    return { words: t(`sources:result.fault.${result.fault}`, { detail: result.detail }), tag: 'red' };
  const { created, updated, unchanged, failed } = result;
  const parts = Object.entries({ created, updated, unchanged, failed })
    .filter(([, count]) => count > 0)
    .map(([name, count]) => t(`sources:result.${name}`, { count }));
  const words = parts.length > 0 ? parts.join(t('sources:result.and')) : t('sources:result.empty');
  return { words, tag: failed > 0 ? 'yellow' : 'green' };
};

const rowOf = (voice: Voice, source: Source) => ({
  ...{ id: source.id, url: source.url, paused: source.paused, faults: source.faults },
  topics: source.topics.map((slug) => topicTitle(voice, slug)),
  departments: source.departments,
  regions: source.regions.map((code) => regionName(voice, code)),
  every: intervalWords(voice, source.everyMinutes),
  result: resultWords(voice, source.result),
  errors: source.result?.kind === 'read' ? source.result.errors : [],
  polledAt: source.polledAt === null ? null : momentOf(voice, source.polledAt),
  dueAt: source.paused ? null : momentOf(voice, source.dueAt),
});

const testView = (voice: Voice, test: SourceTest) =>
  test.kind === 'fault'
    ? { fault: resultWords(voice, test).words }
    : {
        entries: test.entries.map((one) => ({
          ...one,
          formedAt: one.formedAt === null ? '' : dayInWords(voice, one.formedAt),
        })),
        errors: test.errors,
      };

/** Feeds of other offices: what is polled, a form to try one and add it, and what each poll came to. */
export const sourcePages = (deps: StaffDeps, pages: Pages, own: StaffPages): Router => {
  const { sources } = deps;

  const audit = (me: Staff, action: string, subject: string) =>
    deps.access.audit({ actor: me.id, action, subject, details: { by: 'page' } });

  const list = async (req: Request, res: Response, me: Staff) => {
    const voice = await pages.voice(req);
    const rows = (await sources.list()).map((source) => rowOf(voice, source));
    own.show(req, res, me, 'sources/list', { rows, done: notes.find((one) => one === queryText(req, 'done')) ?? null });
  };

  type Form = { typed: Typed; faults?: Faults; test?: SourceTest | null; source?: Source | null };
  const show = async (req: Request, res: Response, me: Staff, form: Form, status = 200) => {
    const voice = await pages.voice(req);
    const { typed, faults = {}, test = null, source = null } = form;
    own.show(
      req,
      res,
      me,
      'sources/source',
      {
        ...{ typed, faults, locales },
        source: source && rowOf(voice, source),
        test: test && testView(voice, test),
        topics: topicChoices(voice),
        regions: regionChoices(voice).map(({ names: [name] }) => name),
        intervals: intervals.map((minutes) => ({ value: String(minutes), text: intervalWords(voice, minutes) })),
        done: notes.find((one) => one === queryText(req, 'done')) ?? null,
      },
      status,
    );
  };

  /** Tests what was typed, or saves it: whatever is wrong, nothing typed is lost. */
  const take = async (
    req: Request,
    res: Response,
    me: Staff,
    source: Source | null,
    save: (settings: SourceSettings) => Promise<void>,
  ) => {
    const voice = await pages.voice(req);
    const typed = readForm(req, source?.url ?? null);
    const { settings, faults } = settingsOf(voice, typed);
    if (Object.keys(faults).length > 0) return show(req, res, me, { typed, faults, source }, 400);
    try {
      if (field(req, 'what') !== 'test') return await save(settings);
      const test = await sources.test(settings, actorOf(me));
      return await show(req, res, me, { typed, test, source });
    } catch (error) {
      return show(req, res, me, { typed, faults: faultsOfError(error, voice), source }, 409);
    }
  };

  const add = (req: Request, res: Response, me: Staff) =>
    take(req, res, me, null, async (settings) => {
      const { id } = await sources.add(settings, actorOf(me));
      await audit(me, 'addSource', id);
      res.redirect(303, `${place}/${id}?done=added`);
    });

  const change = async (req: Request, res: Response, me: Staff) => {
    const source = await sources.get(pathPart(req, 'id'));
    await take(req, res, me, source, async ({ url: _url, ...handling }: SourceHandling & { url: string }) => {
      await sources.change(source.id, handling, actorOf(me));
      await audit(me, 'changeSource', source.id);
      res.redirect(303, `${place}/${source.id}?done=changed`);
    });
  };

  const poll = async (id: string, me: Staff): Promise<string> => {
    try {
      await sources.poll(id, actorOf(me));
      return 'polled';
    } catch (error) {
      if (error instanceof AppError && error.code === 'still-running') return 'busy';
      throw error;
    }
  };

  const steps: Record<string, (id: string, me: Staff) => Promise<string>> = {
    poll,
    pause: async (id, me) => {
      await sources.pause(id, true, actorOf(me));
      return 'paused';
    },
    resume: async (id, me) => {
      await sources.pause(id, false, actorOf(me));
      return 'resumed';
    },
  };

  const step = async (req: Request, res: Response, me: Staff) => {
    const [id, name] = [pathPart(req, 'id'), pathPart(req, 'step')];
    const act = Object.hasOwn(steps, name) ? steps[name] : undefined;
    if (!act) throw new AppError('not-found', 'There is no such step.');
    const done = await act(id, me);
    await audit(me, `${name}Source`, id);
    res.redirect(303, `${place}/${encodeURIComponent(id)}?done=${done}`);
  };

  const remove = async (req: Request, res: Response, me: Staff) => {
    const id = pathPart(req, 'id');
    // a second click finds it removed, which is what was wanted
    if ((await sources.list()).some((one) => one.id === id)) {
      await sources.remove(id, actorOf(me));
      await audit(me, 'removeSource', id);
    }
    res.redirect(303, `${place}?done=removed`);
  };

  return Router()
    .get(place, own.only(list, ...writers))
    .get(
      `${place}/new`,
      own.only((req, res, me) => show(req, res, me, { typed: blank(me) }), ...writers),
    )
    .post(`${place}/new`, own.only(add, ...writers))
    .get(
      `${place}/:id`,
      own.only(
        async (req, res, me) => {
          const source = await sources.get(pathPart(req, 'id'));
          await show(req, res, me, { typed: typedOf(await pages.voice(req), source), source });
        },
        ...writers,
      ),
    )
    .post(`${place}/:id`, own.only(change, ...writers))
    .post(`${place}/:id/remove`, own.only(remove, ...writers))
    .post(`${place}/:id/:step`, own.only(step, ...writers));
};
