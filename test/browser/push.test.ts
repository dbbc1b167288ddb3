import type { Browser, BrowserContext, Page, Worker } from 'playwright-core';
import { complaintsOf, describeBrowser, launchBrowser, signIn, siteOf, visitor } from '../helpers/browser.ts';
import { publish } from '../helpers/outbox.ts';
import { makeBrowser, type PushSink, startPushSink } from '../helpers/push-sink.ts';
import { type Service, startService } from '../helpers/start-service.ts';

type Payload = { title: string; body: string; url: string; tag: string; report: string | null };

/** Waits for push number `index` at the push service and decrypts it as the browser would. */
const received = async (sink: PushSink, keys: ReturnType<typeof makeBrowser>, index: number): Promise<Payload> => {
  for (let tries = 0; tries < 200 && sink.pushes.length <= index; tries += 1)
    await new Promise((resolve) => setTimeout(resolve, 50));
  const push = sink.pushes[index];
  if (!push) throw new Error(`push ${index} did not arrive`);
  return keys.read(push.body) as Payload;
};

/** Hands a push to the service worker as the browser's push service would. */
const deliver = async (context: BrowserContext, page: Page, payload: Payload): Promise<void> => {
  const session = await context.newCDPSession(page);
  const registrationId = new Promise<string>((resolve) => {
    session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      if (registrations[0]) resolve(registrations[0].registrationId);
    });
  });
  await session.send('ServiceWorker.enable');
  const origin = new URL(page.url()).origin;
  await session.send('ServiceWorker.deliverPushMessage', {
    origin,
    registrationId: await registrationId,
    data: JSON.stringify(payload),
  });
  await session.detach();
};

type Shown = { title: string; body: string; tag: string };
type Scope = {
  registration: { getNotifications(): Promise<Shown[]> };
  clients: { openWindow(url: string): Promise<null> };
  dispatchEvent(event: unknown): void;
  NotificationEvent: new (type: string, init: { notification: unknown; action?: string }) => unknown;
};

const shown = async (worker: Worker, tag: string): Promise<Shown> => {
  // a busy machine shows it seconds after it was delivered
  for (let tries = 0; tries < 300; tries += 1) {
    const found = await worker.evaluate(async (wanted) => {
      const all = await (globalThis as unknown as Scope).registration.getNotifications();
      return all.map(({ title, body, tag }) => ({ title, body, tag })).find((one) => one.tag === wanted);
    }, tag);
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('no notification was shown');
};

/** Presses a notification. A window may only be opened for a real press, which headless has not: where it would go is answered. */
const press = (worker: Worker, tag: string): Promise<string> =>
  worker.evaluate(async (wanted) => {
    const scope = globalThis as unknown as Scope;
    const notification = (await scope.registration.getNotifications()).find((one) => one.tag === wanted);
    return new Promise<string>((resolve) => {
      scope.clients.openWindow = async (url) => {
        resolve(url);
        return null;
      };
      scope.dispatchEvent(new scope.NotificationEvent('notificationclick', { notification }));
    });
  }, tag);

/** Presses a button of a notification, or sweeps it away. */
const answer = (
  worker: Worker,
  tag: string,
  type: 'notificationclick' | 'notificationclose',
  action = '',
): Promise<void> =>
  worker.evaluate(
    async (wanted) => {
      const scope = globalThis as unknown as Scope;
      const notification = (await scope.registration.getNotifications()).find((one) => one.tag === wanted.tag);
      scope.dispatchEvent(new scope.NotificationEvent(wanted.type, { notification, action: wanted.action }));
    },
    { tag, type, action },
  );

/** Lets pages show notifications; headless Chromium has no push service, so that subscribing would hang. */
const allowPush = async (context: BrowserContext, service: Service, subscription: object): Promise<void> => {
  await context.grantPermissions(['notifications'], { origin: siteOf(service) });
  await context.addInitScript((made) => {
    const manager = (globalThis as unknown as { PushManager: { prototype: Record<string, unknown> } }).PushManager;
    manager.prototype.subscribe = async () => ({ toJSON: () => made });
    manager.prototype.getSubscription = async () => null;
  }, subscription);
};

describeBrowser('notifications on this device', () => {
  let service: Service;
  let browser: Browser;
  let sink: PushSink;
  beforeAll(async () => {
    sink = await startPushSink();
    [service, browser] = await Promise.all([startService({ env: { ALLOW_PRIVATE_ENDPOINTS: 'on' } }), launchBrowser()]);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
    await sink?.close();
  });

  it('are set up by a tap, confirmed by a notification, and open the notice', async () => {
    const keys = makeBrowser();
    const context = await visitor(browser, service, { locale: 'en' });
    await allowPush(context, service, keys.subscription(sink.origin));
    const page = await context.newPage();

    await page.goto('/follow?topic=services');
    await page.getByLabel('On this device').check();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.waitForURL('**/check?by=webPush');
    await expect(page.locator('h1').textContent()).resolves.toBe('Look for a notification');

    const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent('serviceworker'));
    const confirmation = await received(sink, keys, 0);
    await deliver(context, page, confirmation);
    await shown(worker, confirmation.tag);
    await page.goto(await press(worker, confirmation.tag));
    await page.getByRole('button', { name: 'Confirm' }).click();
    await expect(page.locator('h1').textContent()).resolves.toContain('Confirmed');

    const item = await publish(service, { title: 'The library opens on Sundays', summary: 'From May on.' });
    const notice = await received(sink, keys, 1);
    await deliver(context, page, notice);
    await expect(shown(worker, notice.tag)).resolves.toMatchObject({
      title: expect.stringContaining('The library opens on Sundays'),
      body: expect.stringContaining('From May on.'),
    });
    const target = await press(worker, notice.tag);
    expect(new URL(target).pathname).toBe(`/items/${item}`);
    await page.goto(target);
    await expect(page.locator('h1').textContent()).resolves.toBe('The library opens on Sundays');

    await page.goto('/my/messages');
    const row = page.locator('.bm-log li', { hasText: 'The library opens on Sundays' });
    await expect(row.textContent()).resolves.toContain('Delivered');

    await publish(service, { title: 'The pool closes', summary: 'For the winter.' });
    const asked = await received(sink, keys, 2);
    expect(asked).toMatchObject({ actions: [{ action: 'useful', title: 'Useful' }, { action: 'not-for-me' }] });
    await deliver(context, page, asked);
    await shown(worker, asked.tag);
    await answer(worker, asked.tag, 'notificationclose');
    await answer(worker, asked.tag, 'notificationclick', 'not-for-me');
    const given = page.locator('#given + .bm-log li', { hasText: 'The pool closes' });
    // the report is on its way while the page loads
    for (let tries = 0; tries < 50 && (await given.count()) === 0; tries += 1) await page.goto('/my/messages');
    await expect(given.textContent()).resolves.toContain('Not for me');
    const file = await page.evaluate(async () => (await fetch('/my/export')).json());
    const kinds = (file as { feedback: { kind: string }[] }).feedback.map(({ kind }) => kind);
    expect(kinds).toEqual(expect.arrayContaining(['shown', 'click', 'dismissed', 'not-for-me']));
    await context.close();
  });

  it('are added in the settings by a button, and become a way of each follow', async () => {
    const keys = makeBrowser();
    const context = await visitor(browser, service, { locale: 'en' });
    await allowPush(context, service, keys.subscription(sink.origin));
    const page = await context.newPage();
    const complaints = complaintsOf(page);
    const before = sink.pushes.length;
    await signIn(service, page, { email: 'both@example.org', locale: 'en' });
    await page.goto('/my');
    await expect(page.locator('select[name=channel]').count()).resolves.toBe(0);
    await page.goto('/my/settings');
    await page.getByRole('button', { name: 'Notify me in this browser' }).click();
    await page.waitForURL('**/check?by=webPush');
    const confirmation = await received(sink, keys, before);
    await page.goto(confirmation.url);
    await page.getByRole('button', { name: 'Add this address' }).click();
    await page.waitForURL('**/my/settings?done=address-added');
    await page.goto('/my');
    await page.locator('select[name=channel]').selectOption('webPush');
    await page.getByRole('button', { name: /^Save/ }).click();
    await expect(page.locator('select[name=channel]').inputValue()).resolves.toBe('webPush');
    expect(complaints).toEqual([]);
    await context.close();
  });

  it('go on under another endpoint by themselves, and there is a page for when there is no network', async () => {
    const [first, second] = [makeBrowser(), makeBrowser()];
    const context = await visitor(browser, service, { locale: 'en' });
    await allowPush(context, service, first.subscription(sink.origin, '/push/8'));
    const page = await context.newPage();
    const before = sink.pushes.length;
    await page.goto('/follow?topic=budgets');
    await page.getByLabel('On this device').check();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.waitForURL('**/check?by=webPush');
    await page.goto((await received(sink, first, before)).url);
    await page.getByRole('button', { name: 'Confirm' }).click();
    await page.waitForURL('**/confirmed');

    const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent('serviceworker'));
    await worker.evaluate(
      async (made) => {
        const scope = globalThis as unknown as { ExtendableEvent: new (type: string) => Event } & EventTarget;
        const event = Object.assign(new scope.ExtendableEvent('pushsubscriptionchange'), {
          newSubscription: { toJSON: () => made },
          waitUntil: (work: Promise<unknown>) => Object.assign(globalThis, { work }),
        });
        scope.dispatchEvent(event);
        await (globalThis as unknown as { work: Promise<unknown> }).work;
      },
      second.subscription(sink.origin, '/push/9'),
    );
    const told = sink.pushes.length;
    await publish(service, { title: 'The budget is out', summary: 'Read it.', topics: ['budgets'] });
    expect((await received(sink, second, told)).title).toContain('The budget is out');

    await context.setOffline(true);
    await page.goto('/topics');
    await expect(page.locator('h1').textContent()).resolves.toBe('You are offline');
    await expect(page.getByText('当前没有网络连接').isVisible()).resolves.toBe(true);
    await context.setOffline(false);
    await page.locator('section[lang=en] a').click();
    await expect(page.locator('h1').textContent()).resolves.toBe('Topics');
    await context.close();
  });

  it('say on an iPhone that the site must lie on the Home Screen first', async () => {
    const context = await browser.newContext({
      baseURL: siteOf(service),
      userAgent:
        'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Safari/604.1',
      locale: 'en',
    });
    await context.addInitScript('delete window.PushManager');
    const page = await context.newPage();
    await page.goto('/follow?topic=services');
    await expect(page.getByText('Add to Home Screen').isVisible()).resolves.toBe(true);
    await expect(page.getByText('On this device').isVisible()).resolves.toBe(false);
    await context.close();
  });

  it('are not offered without JavaScript', async () => {
    const context = await visitor(browser, service, { locale: 'en', javaScript: false });
    const page = await context.newPage();
    await page.goto('/follow?topic=services');
    await expect(page.getByLabel('By email').isVisible()).resolves.toBe(true);
    await expect(page.getByText('On this device').isVisible()).resolves.toBe(false);
    await signIn(service, page, { email: 'plain@example.org', locale: 'en' });
    await page.goto('/my/settings');
    await expect(page.getByText('Notify me in this browser').isVisible()).resolves.toBe(false);
    await context.close();
  });
});
