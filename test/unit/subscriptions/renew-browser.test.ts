import { lookupOf } from '../../../src/subscriptions/address.ts';
import type { Contact } from '../../../src/subscriptions/subscriber.ts';
import { type Desk, openDesk, webPush } from './desk.ts';

type Browser = Extract<Contact, { channel: 'webPush' }>;

let desk: Desk;
beforeEach(async () => {
  desk = await openDesk();
});
afterEach(() => desk.close());

const browser = (n: number): Browser => webPush(`https://push.example.org/${n}`) as Browser;
const otherKeys = { p256dh: browser(1).keys.p256dh, auth: Buffer.alloc(16, 8).toString('base64url') };

const held = async (contact: Contact) => desk.stores.addresses.find(lookupOf(desk.keyring, contact));
const signedUp = async (contact: Contact): Promise<string> => {
  const housing = { target: { topic: 'housing' }, regions: null, pace: 'immediate', channels: null } as const;
  await desk.signUps.request({ contact, follow: [housing], locale: 'en', region: null, timeZone: null });
  return (await desk.signUps.confirm(desk.posted.at(-1)?.content.data?.confirm ?? '')).subscriber;
};

describe('a browser with a new endpoint', () => {
  it('goes on under it, and asks nobody anything', async () => {
    const id = await signedUp(browser(1));
    const sent = desk.posted.length;
    await desk.signUps.renewBrowser(browser(1), browser(2));
    expect(await held(browser(1))).toBeNull();
    const person = (await desk.subscriptions.person({ id }))?.person;
    expect((await held(browser(2)))?.subscriber).toBe(person?.ordinal);
    expect(desk.posted).toHaveLength(sent);
    // told twice: the worker and the page may both have seen it
    await desk.signUps.renewBrowser(browser(1), browser(2));
    await desk.signUps.renewBrowser(browser(2), browser(2));
    expect(await held(browser(2))).not.toBeNull();
  });

  it('is not believed without the secret of the old one, and nobody learns whether it was known', async () => {
    await signedUp(browser(1));
    for (const from of [{ ...browser(1), keys: otherKeys }, browser(7)])
      expect(await desk.signUps.renewBrowser(from, browser(2))).toBeUndefined();
    expect(await held(browser(1))).not.toBeNull();
    expect(await held(browser(2))).toBeNull();
  });

  it('takes no endpoint from anybody else, and none that is suppressed', async () => {
    await signedUp(browser(1));
    await signedUp(browser(2));
    await desk.signUps.renewBrowser(browser(1), browser(2));
    expect((await held(browser(1)))?.subscriber).not.toBe((await held(browser(2)))?.subscriber);
    await desk.stores.addresses.suppress(lookupOf(desk.keyring, browser(3)), 'erased', 1);
    await desk.signUps.renewBrowser(browser(1), browser(3));
    expect(await held(browser(1))).not.toBeNull();
  });

  it.each(['http://push.example.org/1', 'https://localhost/1', 'nonsense'])('never is %s', async (endpoint) => {
    await signedUp(browser(1));
    await expect(desk.signUps.renewBrowser(browser(1), { ...browser(2), endpoint })).rejects.toMatchObject({
      code: 'invalid',
    });
    expect(await held(browser(1))).not.toBeNull();
  });
});
