import { type Request, type Response, Router } from 'express';
import { AppError } from '../../errors.ts';
import type { Contact } from '../../subscriptions/subscriber.ts';
import type { PersonView } from '../../subscriptions/subscription-service.ts';
import { typedContact } from '../pages/contact.ts';
import type { CitizenDeps } from '../pages/deps.ts';
import type { Pages } from '../pages/page.ts';
import { field, longField, pathPart } from '../pages/request.ts';
import { type CodeForm, takeCode } from './code.ts';
import type { ShowSettings } from './settings.ts';
import { type Me, signedIn } from './signed-in.ts';

/** What may be said on the settings after an address has changed. */
export const addressNotes = ['address-added', 'address-removed', 'address-gone'];

const waitMs = 7 * 24 * 60 * 60 * 1000;
const home = '/my/settings#addresses';
const codeForm: CodeForm = { action: '/my/addresses/code', again: home, adds: true };

const afterwards: Record<Contact['channel'], string> = {
  email: '/check',
  sms: codeForm.action,
  webPush: '/check?by=webPush',
  // bound on a page of its own (wechat.ts)
  wechat: '/my/wechat',
};

type Faults = Record<string, string>;

/** What is asked at an address; `fault` where the address is none, `again` shows the form. */
type Asked = { contact: Contact; typed: string; fault: Faults; replaces?: string; again(faults: Faults): unknown };

/** Asks at the address, and says where to look for the question; the answer is the same for a known and an unknown one. */
const ask =
  (deps: CitizenDeps, pages: Pages) =>
  async (req: Request, res: Response, me: PersonView, { contact, typed, fault, replaces, again }: Asked) => {
    try {
      const form = pages.sessions.formOf(req);
      await deps.signUps.add(me.person.id, contact, pages.visit(req).locale, {
        form,
        ...(replaces ? { replaces } : {}),
      });
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'invalid') throw error;
      return again(fault);
    }
    pages.remember(res, 'waiting', typed, waitMs);
    res.redirect(303, afterwards[contact.channel]);
  };

/** Takes an address from a form; `again` shows the form with what is wrong. */
const askTyped = async (
  deps: CitizenDeps,
  pages: Pages,
  { req, res, me, replaces }: { req: Request; res: Response; me: PersonView; replaces?: string },
  again: Asked['again'],
): Promise<unknown> => {
  const typed = field(req, 'address');
  const read = typedContact(typed);
  if (!read.ok) return again({ address: read.fault });
  const asked = { contact: read.contact, typed, fault: { address: 'fault.address' }, again };
  return ask(deps, pages)(req, res, me, { ...asked, ...(replaces ? { replaces } : {}) });
};

const addTyped =
  (deps: CitizenDeps, pages: Pages, show: ShowSettings): Me =>
  (req, res, me) =>
    askTyped(deps, pages, { req, res, me }, (faults) => show(req, res, me, { address: field(req, 'address'), faults }));

const addBrowser =
  (deps: CitizenDeps, pages: Pages, show: ShowSettings): Me =>
  async (req, res, me) => {
    const keys = { p256dh: field(req, 'p256dh'), auth: field(req, 'auth') };
    const contact: Contact = { channel: 'webPush', endpoint: longField(req, 'endpoint'), keys };
    const again = (faults: Faults) => show(req, res, me, { address: '', faults });
    await ask(deps, pages)(req, res, me, { contact, typed: '', fault: { browser: 'push.failed' }, again });
  };

/** One address of theirs gives way to another one, once that is proved. */
const change =
  (deps: CitizenDeps, pages: Pages, act: boolean): Me =>
  async (req, res, me) => {
    const id = pathPart(req, 'id');
    const old = (await deps.subscriptions.addressesOf(me.person.id)).find((one) => one.id === id);
    // sent again when it had given way already
    if (!old && act) return res.redirect(303, '/my/settings?done=address-gone');
    if (old?.channel !== 'email' && old?.channel !== 'sms') throw new AppError('not-found', 'there is no such address');
    const show = (faults: Faults) => {
      const values = { id, old, address: field(req, 'address'), faults };
      pages.show(req, res, 'address-change', values, { status: act ? 400 : 200 });
    };
    if (!act) return show({});
    await askTyped(deps, pages, { req, res, me, replaces: id }, show);
  };

const remove =
  (deps: CitizenDeps, show: ShowSettings): Me =>
  async (req, res, me) => {
    try {
      await deps.subscriptions.removeAddress(me.person.id, pathPart(req, 'id'));
    } catch (error) {
      const code = error instanceof AppError ? error.code : null;
      // pressed twice: it is gone, as was wished
      if (code === 'not-found') return res.redirect(303, '/my/settings?done=address-removed');
      if (code !== 'wrong-state') throw error;
      return show(req, res, me, { faults: { addresses: 'fault.lastAddress' } });
    }
    res.redirect(303, '/my/settings?done=address-removed');
  };

/** Where whoever is signed in is told: adding an address, answering the code sent there, taking one away. */
export const addressRouter = (deps: CitizenDeps, pages: Pages, show: ShowSettings): Router => {
  const my = (page: Me) => signedIn(pages, page);
  const typed = (req: Request) => ({ phone: pages.recall(req, 'waiting') ?? '', code: '' });
  return Router()
    .post('/my/addresses', pages.limited, my(addTyped(deps, pages, show)))
    .post('/my/addresses/browser', pages.limited, my(addBrowser(deps, pages, show)))
    .get(
      codeForm.action,
      my((req, res) => pages.show(req, res, 'code', { ...codeForm, typed: typed(req), faults: {} })),
    )
    .post(
      codeForm.action,
      pages.limited,
      my(async (req, res) => {
        if (await takeCode(deps, pages, codeForm)(req, res)) res.redirect(303, '/my/settings?done=address-added');
      }),
    )
    .get('/my/addresses/:id/change', my(change(deps, pages, false)))
    .post('/my/addresses/:id/change', pages.limited, my(change(deps, pages, true)))
    .post('/my/addresses/:id/remove', my(remove(deps, show)));
};
