import { type Request, type Response, Router } from 'express';
import { AppError } from '../../errors.ts';
import { opinionKinds, opinionMost } from '../../feedback/opinions/opinion.ts';
import type { CitizenDeps } from '../pages/deps.ts';
import type { Pages } from '../pages/page.ts';
import { dayOf, noticePage } from '../pages/present.ts';
import { field, longField, pathPart, queryText, textFault } from '../pages/request.ts';
import { doneNote, type Me, signedIn } from './signed-in.ts';

type Form = { typed: { kind: string; text: string }; faults: Record<string, string> };

const blank: Form = { typed: { kind: 'question', text: '' }, faults: {} };

/** The page of a notice, with what people asked about it; a targeted one opens through the key of a message. */
const show = async (deps: CitizenDeps, pages: Pages, req: Request, res: Response, form: Form, status = 200) => {
  const [id, key] = [pathPart(req, 'id'), queryText(req, 'key')];
  const open = await deps.items.read(id);
  const targeted = open || !key ? null : await deps.fanout.openTargeted(id, key);
  const found = open ?? (targeted && { ...targeted, history: [] });
  if (!found) throw new AppError('not-found', 'there is no such notice');
  const voice = await pages.voice(req);
  // a look without the text proves nothing
  if (targeted && key && req.method === 'GET') await deps.applications.opened(id, key);
  if (open && status === 200) void deps.visitors.record(req, [{ kind: 'view', item: { id } }]);
  const said = open ? await deps.opinions.publishedOf(id) : [];
  pages.show(
    req,
    res,
    'item',
    {
      notice: noticePage(voice, found),
      targeted: targeted !== null,
      opinions: said.map((one) => ({ ...one, at: dayOf(voice, one.at) })),
      done: doneNote(req, ['opinion']),
      ...form,
    },
    { status },
  );
};

/** Runs what takes words in; answers whether they were too many for a day: whoever wrote them keeps them then. */
export const tooMany = async (take: () => Promise<unknown>): Promise<boolean> => {
  try {
    await take();
    return false;
  } catch (error) {
    if (error instanceof AppError && error.code === 'too-many') return true;
    throw error;
  }
};

/** A question or an opinion of somebody who is signed in. */
const write =
  (deps: CitizenDeps, pages: Pages): Me =>
  async (req, res, me) => {
    const item = pathPart(req, 'id');
    const [asked, text] = [field(req, 'kind'), longField(req, 'text')];
    const words = textFault(text, opinionMost, { missing: 'opinion.fault.text', long: 'opinion.fault.long' });
    const kind = opinionKinds.find((one) => one === asked);
    const faults: Record<string, string> = {
      ...(kind ? {} : { kind: 'opinion.fault.kind' }),
      ...(words === null ? {} : { text: words }),
    };
    const again = (named: Record<string, string>, status: number) =>
      show(deps, pages, req, res, { typed: { kind: asked, text }, faults: named }, status);
    if (!kind || words !== null) return again(faults, 400);
    if (!(await deps.items.read(item))) throw new AppError('not-found', 'there is no such notice');
    const wrote = { person: me.person.ordinal, item, kind, text, at: deps.edges.now() };
    if (await tooMany(() => deps.opinions.receive(wrote))) return again({ text: 'opinion.fault.many' }, 429);
    res.redirect(303, `/items/${encodeURIComponent(item)}?done=opinion`);
  };

/** One notice, and what people write to the office about it. */
export const noticeRouter = (deps: CitizenDeps, pages: Pages): Router =>
  Router()
    .get('/items/:id', (req, res) => show(deps, pages, req, res, blank))
    .post('/items/:id/opinions', pages.limited, signedIn(pages, write(deps, pages)));
