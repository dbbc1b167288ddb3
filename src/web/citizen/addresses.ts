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
export const addressNotes = ['address-added', 'address-removed'];

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

type Asked = { contact: Contact; typed: string; fault: Record<string, string> };

/** Asks at the address, and says where to look for the question; the answer is the same for a known and an unknown one. */
const ask =
  (deps: CitizenDeps, pages: Pages, show: ShowSettings) =>
  async (req: Request, res: Response, me: PersonView, { contact, typed, fault }: Asked) => {
    try {
      await deps.signUps.add(me.person.id, contact, pages.visit(req).locale);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'invalid') throw error;
      return show(req, res, me, { address: typed, faults: fault });
    }
    pages.remember(res, 'waiting', typed, waitMs);
    res.redirect(303, afterwards[contact.channel]);
  };

const addTyped =
  (deps: CitizenDeps, pages: Pages, show: ShowSettings): Me =>
  async (req, res, me) => {
    const typed = field(req, 'address');
    const read = typedContact(typed);
    if (!read.ok) return show(req, res, me, { address: typed, faults: { address: read.fault } });
    const fault = { address: 'fault.address' };
    await ask(deps, pages, show)(req, res, me, { contact: read.contact, typed, fault });
  };

const addBrowser =
  (deps: CitizenDeps, pages: Pages, show: ShowSettings): Me =>
  async (req, res, me) => {
    const keys = { p256dh: field(req, 'p256dh'), auth: field(req, 'auth') };
    const contact: Contact = { channel: 'webPush', endpoint: longField(req, 'endpoint'), keys };
    await ask(deps, pages, show)(req, res, me, { contact, typed: '', fault: { browser: 'push.failed' } });
  };

const remove =
  (deps: CitizenDeps, show: ShowSettings): Me =>
  async (req, res, me) => {
    try {
      await deps.subscriptions.removeAddress(me.person.id, pathPart(req, 'id'));
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'wrong-state') throw error;
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
    .post('/my/addresses/:id/remove', my(remove(deps, show)));
};
