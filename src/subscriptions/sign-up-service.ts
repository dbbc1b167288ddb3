import type { CatalogueService } from '../catalogue/catalogue-service.ts';
import type { Locale } from '../catalogue/topic.ts';
import type { SharedContent, Slots } from '../channels/channel.ts';
import type { Courier } from '../channels/courier.ts';
import type { Config } from '../config.ts';
import { type Edges, newId } from '../edges.ts';
import { AppError, type Fault } from '../errors.ts';
import { equalBytes, type Keyring } from '../keyring.ts';
import type { ItemStore } from '../publishing/item-store.ts';
import { readLink, signLink } from '../signed-link.ts';
import {
  type AddressRules,
  contactFaults,
  lookupOf,
  maskContact,
  normaliseContact,
  openContact,
  sealContact,
} from './address.ts';
import { type ConfirmationStores, type KeptRequest, makeConfirmation, readKept } from './confirmation.ts';
import { followParts, itemsNamed } from './follow-check.ts';
import { followWords } from './follow-words.ts';
import { factFaults, presentPerson } from './people.ts';
import { makeBrowserRenewal } from './renew-browser.ts';
import type { Contact } from './subscriber.ts';
import type { SignUpRequest, SignUpService } from './subscription-service.ts';
import { erasedReason, type SignUp, type SignUpStore } from './subscription-store.ts';
import { publicItems, wishFaults } from './wishes.ts';

/** A message in words, ready for the courier. */
type Letter = { content: SharedContent; slots: Partial<Slots> };

/** The letters that people ask for. */
type TransactionalTemplates = {
  confirmation(input: { locale: Locale; link: string; follows: string[]; token?: string }): Letter;
  addition(input: { locale: Locale; link: string; token?: string }): Letter;
  code(input: { locale: Locale; code: string }): Letter;
  manageLink(input: { locale: Locale; link: string }): Letter;
  leaving(input: { locale: Locale; link: string }): Letter;
};

/** What the services of people lean on. */
export type PeopleTools = {
  keyring: Keyring;
  edges: Pick<Edges, 'now' | 'bytes'>;
  catalogue: Pick<CatalogueService, 'trees' | 'attributes'>;
  courier: Courier;
  /** Deletes what the outbox holds for these contacts. */
  forgetSent(contacts: Contact[]): Promise<void>;
  templates: TransactionalTemplates;
  config: Pick<Config, 'publicUrl' | 'locale' | 'phoneCountry'> & {
    webPush: Pick<Config['webPush'], 'allowPrivateEndpoints'>;
  };
};

export type SignUpStores = ConfirmationStores & { items: Pick<ItemStore, 'get'> };

const linkMs = 7 * 24 * 3_600_000;
const codeMs = 10 * 60_000;
const codeTries = 5;

export const hourMs = 3_600_000;
/** Messages that anybody may have sent to one address within a time; whoever asks for more is not told. */
const asksWithin = [
  { within: hourMs, most: 5, of: '' },
  { within: 24 * hourMs, most: 12, of: 'day:' },
];

/** Counts one message that somebody asks for at an address; answers whether it may be sent. */
export const mayBeAsked = async (
  signUps: Pick<SignUpStore, 'takeMessage'>,
  lookup: string,
  now: number,
): Promise<boolean> => {
  for (const { within, most, of } of asksWithin)
    if (!(await signUps.takeMessage(`${of}${lookup}`, now, now - within, most))) return false;
  return true;
};

/** How long a form that comes again is the same one sent twice; whoever waited longer for a letter may ask for another. */
const twiceMs = 60_000;

/** Takes note of a form with its words; answers whether it came a moment ago. Nothing of an address decides it: its time tells nothing. */
export const wasSent = async (
  signUps: Pick<SignUpStore, 'takeMessage'>,
  keyring: Pick<Keyring, 'mac'>,
  form: string[],
  now: number,
): Promise<boolean> => {
  const name = keyring.mac('form', JSON.stringify(form), 16).toString('base64url');
  return !(await signUps.takeMessage(`form:${name}`, now, now - twiceMs, 1));
};

export const rulesOf = ({ phoneCountry, webPush }: PeopleTools['config']): AddressRules => ({
  phoneCountry,
  insecureEndpoints: webPush.allowPrivateEndpoints,
});

/** Uniform over 000000 … 999999: 48 random bits leave a bias below 10^-8. */
const newCode = (edges: Pick<Edges, 'bytes'>): string =>
  String(edges.bytes(6).readUIntBE(0, 6) % 1_000_000).padStart(6, '0');

const wrongCode = (): AppError =>
  new AppError('wrong-code', 'The code is wrong or has expired', {
    faults: [{ path: 'code', message: 'is wrong or has expired' }],
  });

/** Double opt-in: nothing but the confirmation goes to an address before its owner has answered it. */
export const makeSignUpService = (stores: SignUpStores, tools: PeopleTools): SignUpService => {
  const { signUps, addresses } = stores;
  const { keyring, edges, catalogue, courier, templates, config } = tools;
  const settle = makeConfirmation(stores, tools);
  const macOf = (id: string, code: string): Buffer => keyring.mac('sign-up-code', `${id}.${code}`);

  const check = async (request: SignUpRequest): Promise<Contact> => {
    const normal = normaliseContact(request.contact, rulesOf(config));
    const faults: Fault[] = [
      ...(normal.ok ? [] : normal.faults),
      ...(request.follow.length === 0 ? [{ path: 'follow', message: 'must name something to follow' }] : []),
      ...(await wishFaults(stores, catalogue, request.follow.map(followParts))),
      ...factFaults(request, await catalogue.trees()),
    ];
    if (!normal.ok || faults.length > 0) throw new AppError('invalid', 'The sign-up does not fit', { faults });
    return normal.contact;
  };

  /** Nothing goes to a suppressed address but one that was erased. */
  const isBlocked = async (lookup: string): Promise<boolean> => {
    const suppressed = await addresses.suppression(lookup);
    return suppressed !== null && suppressed !== erasedReason;
  };

  const letterOf = async (signUp: SignUp, code: string | null): Promise<Letter> => {
    const { locale, follow, for: asker } = readKept(signUp);
    if (code !== null) return templates.code({ locale, code });
    const token = signLink(keyring, 'confirm', signUp.id, signUp.expiresAt);
    const link = `${config.publicUrl}/confirm/${token}`;
    const inside = signUp.channel === 'webPush' ? { token } : {};
    if (asker) return templates.addition({ locale, link, ...inside });
    const trees = await catalogue.trees();
    const items = await publicItems(stores, itemsNamed(follow.map(followParts)));
    const follows = follow.map(({ target }) => followWords(target, { locale, trees, items }));
    return templates.confirmation({ locale, link, follows, ...inside });
  };

  /** Asks at an address for its owner's answer, or says nothing where nothing may be sent. */
  const ask = async (contact: Contact, kept: KeptRequest, form: string | undefined): Promise<void> => {
    const { lookup, channel, sealed } = sealContact(keyring, contact);
    if (form !== undefined && (await wasSent(signUps, keyring, [form, lookup, JSON.stringify(kept)], edges.now())))
      return;
    if (!(await mayBeAsked(signUps, lookup, edges.now()))) return;
    const blocked = await isBlocked(lookup);
    const id = newId(edges);
    const code = channel === 'sms' ? newCode(edges) : null;
    const now = edges.now();
    const signUp: SignUp = {
      ...{ id, lookup, channel, sealed, request: JSON.stringify(kept), triesLeft: codeTries, confirmedAt: null },
      codeMac: code && macOf(id, code).toString('base64url'),
      createdAt: now,
      expiresAt: now + (code === null ? linkMs : codeMs),
    };
    const { content, slots } = await letterOf(signUp, code);
    // who is not asked costs as much: neither the answer nor its time tells that an address is blocked
    if (blocked) {
      await courier.pretend(channel, content, slots);
      return courier.pretend(channel, content, slots);
    }
    await signUps.insert(signUp);
    await courier.post(contact, content, slots, signUp.expiresAt);
  };

  /** The addresses of whoever asked for an address to be added, masked: by them its owner knows themselves, or a stranger. */
  const askerOf = async (asker: string): Promise<string[]> => {
    const person = await presentPerson(stores.subscriptions, { id: asker });
    if (!person) throw new AppError('link-expired', 'What this link was for is no longer there');
    const held = await addresses.ofSubscribers([person.ordinal]);
    return held.map((address) => maskContact(openContact(keyring, address)));
  };

  const signUpOf = async (token: string): Promise<SignUp> => {
    const reading = readLink(keyring, 'confirm', token, edges.now());
    if (!reading.ok && reading.reason === 'bad') throw new AppError('bad-link', 'The link is not valid');
    const signUp = reading.ok ? await signUps.get(reading.subject) : null;
    if (!signUp) throw new AppError('link-expired', 'The link has expired; sign up again to get a fresh one');
    return signUp;
  };

  return {
    faultsIn: async ({ follow, region, timeZone, ...contacts }) => [
      ...contactFaults(contacts, rulesOf(config)),
      ...(await wishFaults(stores, catalogue, follow ?? [])),
      ...factFaults({ region, timeZone }, await catalogue.trees()),
    ],
    request: async (request) => {
      const contact = await check(request);
      const { follow, region, timeZone, locale, form } = request;
      await ask(contact, { follow, region, timeZone, locale: locale ?? config.locale }, form);
    },
    add: async (id, written, locale, { replaces, form } = {}) => {
      const normal = normaliseContact(written, rulesOf(config));
      if (!normal.ok) throw new AppError('invalid', 'The address does not fit', { faults: normal.faults });
      const person = await presentPerson(stores.subscriptions, { id });
      if (!person) throw new AppError('not-found', 'There is no such person');
      const nothing = { follow: [], region: null, timeZone: null };
      await ask(normal.contact, { for: person.id, ...(replaces ? { replaces } : {}), ...nothing, locale }, form);
    },
    renewBrowser: makeBrowserRenewal(stores, { keyring, edges, rules: rulesOf(config) }),
    preview: async (token) => {
      const signUp = await signUpOf(token);
      const { follow, locale, for: asker } = readKept(signUp);
      const masked = maskContact(openContact(keyring, signUp));
      const shown = { masked, channel: signUp.channel, follow, confirmed: signUp.confirmedAt !== null, locale };
      return asker ? { ...shown, addsTo: await askerOf(asker) } : shown;
    },
    confirm: async (token) => settle(await signUpOf(token)),
    confirmCode: async (phone, code) => {
      const normal = normaliseContact({ channel: 'sms', phone }, rulesOf(config));
      if (!normal.ok) throw wrongCode();
      const lookup = lookupOf(keyring, normal.contact);
      const waiting = (await signUps.waiting(lookup, edges.now())).filter(({ triesLeft }) => triesLeft > 0);
      if ((await signUps.takeTry(lookup, edges.now())) === 0) throw wrongCode();
      const given = code.normalize('NFKC').replace(/\s/g, '');
      const right = waiting.filter(
        ({ id, codeMac }) => codeMac !== null && equalBytes(Buffer.from(codeMac, 'base64url'), macOf(id, given)),
      );
      if (!right[0]) throw wrongCode();
      return settle(right[0]);
    },
  };
};
