import type { Browser, BrowserContext, Page } from 'playwright-core';
import { violationsOf } from '../helpers/axe.ts';
import { describeBrowser, launchBrowser, signIn, siteOf, visitor } from '../helpers/browser.ts';
import { fromOutbox, linkIn, publish } from '../helpers/outbox.ts';
import { type Service, startService } from '../helpers/start-service.ts';

describeBrowser.each(['en', 'zh-CN'] as const)('every page is accessible (%s)', (locale) => {
  let service: Service;
  let browser: Browser;
  let context: BrowserContext;
  const paths: Record<string, string> = {};

  beforeAll(async () => {
    [service, browser] = await Promise.all([startService(), launchBrowser()]);
    context = await visitor(browser, service, { locale });
    const page = await context.newPage();
    await signIn(service, page, { email: 'reader@example.org', locale });
    const plain = await publish(service, {
      title: 'Flood gates close on Friday',
      summary: 'Keep clear of the river path.',
      body: 'First paragraph.\n\nSecond paragraph.',
      urgency: 'important',
      deadline: '2030-01-01T10:00:00+08:00',
      departments: ['Water office'],
      regions: ['110000'],
      keywords: ['flood'],
      url: 'https://office.example/flood',
    });
    const withdrawn = await publish(service, { title: 'A notice that was wrong', summary: 'It will be withdrawn.' });
    const told = await fromOutbox(service, ({ text }) => text.includes('A notice that was wrong'));
    await service.api('POST', `/items/${withdrawn}/withdraw`, { note: 'It was wrong.', notify: true });
    await service.api('POST', '/subscriptions', { email: 'new@example.org', follow: [{ topic: 'budgets' }], locale });
    const waiting = await fromOutbox(service, ({ to }) => to === 'new@example.org');
    await page.goto('/my/settings');
    const change = (await page.locator('a[href$="/change"]').first().getAttribute('href')) ?? '';
    await page.locator('#address').fill('other@example.org');
    await page.locator('form[action="/my/addresses"] button').click();
    const another = await fromOutbox(service, ({ to }) => to === 'other@example.org');
    tabs.push(page);
    Object.assign(paths, {
      item: `/items/${plain}`,
      withdrawn: `/items/${withdrawn}`,
      followItem: `/follow?item=${plain}`,
      confirm: linkIn(waiting, 'confirm'),
      confirmAddress: linkIn(another, 'confirm'),
      unsubscribe: linkIn(told, 'u'),
      stopped: `${linkIn(told, 'u')}/stopped`,
      feedback: `${linkIn(told, 'f')}/useful`,
      survey: `${linkIn(told, 'f')}/rating-4`,
      thanks: `${linkIn(told, 'f')}/too-many/thanks`,
      change,
    });
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  const check = async (page: Page): Promise<void> => {
    // colours are the same in every language, and are what takes longest to look at
    expect(await violationsOf(page, locale === 'en' ? [] : ['color-contrast'])).toEqual([]);
    expect(await page.locator('html').getAttribute('lang')).toBe(locale);
  };

  /**
   * Tabs that are free: a new one is a new process, which costs more than a look at a page. Several at once are of one visitor, for
   * the browser throws away what it has ready for the next page whenever another visitor's turn comes.
   */
  const tabs: Page[] = [];

  /** Looks at one page of whoever is signed in. */
  const checkAt = async (path: string): Promise<void> => {
    const page = tabs.pop() ?? (await context.newPage());
    try {
      await page.goto(path);
      await check(page);
    } finally {
      tabs.push(page);
    }
  };

  it.concurrent.each([
    '/',
    '/topics',
    '/topics/services',
    '/departments/Water%20office',
    '/search?q=flood',
    '/search?q=nothing-like-it',
    '/search?q=flood&follow=none',
    '/about',
    '/rules',
    '/offline',
    '/follow?topic=services',
    '/follow?q=flood&topic=services',
    '/follow?q=flood&also=services',
    '/check',
    '/check?by=webPush',
    '/code',
    '/confirmed',
    '/confirm/not-a-token',
    '/manage',
    '/manage/not-a-token',
    '/u/not-a-token',
    '/f/not-a-token',
    '/my',
    '/my?done=saved',
    '/my?done=stayed',
    '/my/messages',
    '/my/about?done=facts',
    '/my/about?done=not-ticked',
    '/my/about/facts',
    '/my/settings',
    '/my/settings?done=not-ticked',
    '/my/settings?done=address-added',
    '/my/addresses/code',
    '/my/stop',
    '/my/erase',
    '/goodbye',
    '/dev/outbox',
    '/no-such-page',
    '/staff/sign-in',
    '/staff/sign-in?done=set-up',
    '/staff/set-up/not-a-token',
  ])('%s', checkAt);

  it.concurrent.each([
    ...['item', 'withdrawn', 'followItem', 'confirm', 'confirmAddress', 'unsubscribe', 'stopped'],
    ...['feedback', 'survey', 'thanks', 'change'],
  ])('%s', (name) => checkAt(paths[name] ?? ''));

  it('what is concluded, with consent given', async () => {
    const other = await visitor(browser, service, { locale });
    const page = await other.newPage();
    await signIn(service, page, { email: `consents@${locale}.example`.toLowerCase(), locale });
    await page.locator('.govuk-details__summary').click();
    await check(page);
    await page.goto('/my/about');
    await page.locator('#personalisation').check();
    await page.locator('#consent form button').click();
    await page.waitForURL('**done=consented');
    await page.goto(paths.item ?? '');
    await page.goto('/search?q=flood');
    // the record of a view is not waited for by its page
    for (let tries = 0; tries < 50 && (await page.locator('meter').count()) === 0; tries += 1)
      await page.goto('/my/about');
    await expect(page.locator('meter').count()).resolves.toBeGreaterThan(0);
    await check(page);
    await page.goto('/my/about/facts');
    await page.locator('#fact-birthYear').fill('old');
    await page.locator('main form button').click();
    await expect(page.locator('.govuk-error-summary').isVisible()).resolves.toBe(true);
    await check(page);
    await other.close();
  }, 60_000);

  it('the pages of staff', async () => {
    const other = await visitor(browser, service, { locale });
    const page = await other.newPage();
    const email = `boss@${locale}.example`.toLowerCase();
    await service.api('POST', '/staff', { email, name: 'Boss', roles: ['admin', 'analyst'], departments: ['水务'] });
    const letter = await fromOutbox(service, ({ to }) => to === email);
    await page.goto(linkIn(letter, 'staff/set-up'));
    await check(page);
    const send = (button = 'main form button[type=submit]') => page.locator(button).last().click();
    await page.locator('#password').fill('short');
    await send();
    await check(page);
    await page.locator('#password').fill('four words are enough');
    await page.locator('.govuk-password-input__toggle').click();
    await check(page);
    await send();
    await page.waitForURL('**/staff/sign-in?done=set-up');
    await page.locator('#email').fill(email);
    await page.locator('#password').fill('wrong');
    await send();
    await check(page);
    await page.locator('#password').fill('four words are enough');
    await send();
    await page.waitForURL('**/staff');
    await check(page);
    await service.api(
      'POST',
      '/subscribers/import',
      '{"externalId":"c-1","verified":true,"follow":[{"topic":"services"}]}',
    );
    await page.goto('/staff/people');
    await page.locator('#who').fill('nobody');
    await send();
    await check(page);
    await page.locator('#who').fill('c-1');
    await send();
    await page.locator('.bm-person').waitFor();
    await check(page);
    await page.goto('/staff/suppressions');
    await check(page);
    await page.locator('#who').fill('nobody');
    await page.locator('form[action="/staff/suppressions/find"] button').click();
    await page.locator('.govuk-error-summary').waitFor();
    await check(page);
    await page.goto('/staff/channels');
    await check(page);
    for (const channel of ['sms', 'webPush']) {
      await page.locator(`form[action="/staff/channels/${channel}/try"] button`).click();
      await page.locator('.govuk-error-summary').waitFor();
      await check(page);
    }
    await other.close();
  }, 60_000);

  it('the desk of staff, and what citizens write to it', async () => {
    const other = await visitor(browser, service, { locale });
    const page = await other.newPage();
    await signIn(service, page, { email: `writer@${locale}.example`.toLowerCase(), locale });
    const send = (form: string) => page.locator(`form[action$="${form}"] button`).first().click();
    const fault = async (form: string) => {
      await send(form);
      await page.locator('.govuk-error-summary').waitFor();
      await check(page);
    };
    await page.goto(paths.item ?? '');
    await fault('/opinions');
    await page.locator('#text').fill('Since when?');
    await page.locator('input[value=question]').check();
    await send('/opinions');
    await page.waitForURL('**done=opinion');
    await check(page);

    const email = `desk@${locale}.example`.toLowerCase();
    await service.api('POST', '/staff', { email, name: 'Li', roles: ['publisher', 'admin'], departments: [] });
    const letter = await fromOutbox(service, ({ to }) => to === email);
    await page.goto(linkIn(letter, 'staff/set-up'));
    await page.locator('#password').fill('four words are enough');
    await page.locator('main form button[type=submit]').last().click();
    await page.waitForURL('**/staff/sign-in?done=set-up');
    await page.locator('#email').fill(email);
    await page.locator('#password').fill('four words are enough');
    await page.locator('main form button[type=submit]').last().click();
    await page.waitForURL('**/staff');
    await check(page);

    await page.goto('/staff/applications/new');
    await fault('/new');
    await page.locator('#who').fill('wang@example.org');
    await page.locator('#text').fill('The budget of the bridge.');
    await page.locator('#receivedOn').fill('2026-01-05');
    await send('/new');
    await page.waitForURL('**done=registered');
    await check(page);
    await fault('/postpone');
    await fault('/answer');
    const item = { title: 'The answer', summary: 'x', language: 'en', topics: [], visibility: 'targeted' };
    const { body } = (await service.api('POST', '/items', item)) as { body: { id: string } };
    await page.locator('#item').fill(body.id);
    await send('/answer');
    await page.waitForURL('**done=answered');
    await check(page);
    await service.api('POST', '/applications', {
      ...{ applicant: { email: 'wang@example.org' }, text: 'x', receivedAt: '2026-01-05' },
    });
    for (const path of ['/staff/applications', '/staff/applications?state=answered', '/staff/deadlines']) {
      await page.goto(path);
      await check(page);
    }

    await page.goto('/staff/opinions');
    await check(page);
    await page.locator('main table a').first().click();
    await fault('/answer');
    await page.locator('input[value=answered]').check();
    await page.locator('#reason').fill('Since May.');
    await send('/answer');
    await page.waitForURL('**done=opinion-answered');
    await check(page);
    await page.locator('#text').fill('');
    await fault('/publish');
    await page.locator('#text').fill('Since when?');
    await send('/publish');
    await page.waitForURL('**done=opinion-published');
    await check(page);
    await page.goto(paths.item ?? '');
    await check(page);

    await page.goto('/staff/calendar');
    await check(page);
    await page.locator('main table a').first().click();
    await page.locator('#source').fill('');
    await fault('/2024');
    await other.close();
  }, 180_000);

  it('the rules, with one that is active', async () => {
    const words = { en: 'You follow public services.', 'zh-CN': '您关注公共服务。' };
    const { body } = await service.api('POST', '/rules', {
      ...{ name: 'x', explanation: words, when: { item: 'topics', has: ['services'] } },
      ...{ who: { person: 'follows', topic: 'item.topics' }, holdout: 0.1, tune: { channels: true } },
      deliver: { channels: ['email'], pace: 'daily', priority: 5 },
    });
    await service.api('POST', `/rules/${(body as { id: string }).id}/activate`);
    const page = tabs.pop() ?? (await context.newPage());
    await page.goto('/rules');
    await expect(page.locator('.bm-rule').count()).resolves.toBe(1);
    await check(page);
  });

  it('leaving, staying, and being signed out while writing', async () => {
    const other = await visitor(browser, service, { locale });
    const page = await other.newPage();
    const email = `leaver@${locale}.example`.toLowerCase();
    await signIn(service, page, { email, locale });
    const second = await other.newPage();
    await second.goto(paths.item ?? '');
    await page.goto('/my/erase');
    await page.locator('form[action="/my/erase"] button').click();
    await page.waitForURL('**/goodbye');
    await check(page);
    const letter = await fromOutbox(service, ({ to, text }) => to === email && text.includes('/stay/'));
    await page.goto(linkIn(letter, 'stay'));
    await check(page);
    await second.locator('#text').fill('Words that must not be lost');
    await second.locator('form[action$="/opinions"] button').click();
    await expect(second.locator('#text').inputValue()).resolves.toBe('Words that must not be lost');
    await check(second);
    await page.goto(linkIn(letter, 'stay'));
    await page.locator('main form button').click();
    await check(page);
    await other.close();
  });

  it('in dark, and as narrow as 400 % makes it', async () => {
    const other = await browser.newContext({
      ...{ baseURL: siteOf(service), locale, colorScheme: 'dark', reducedMotion: 'reduce' },
      viewport: { width: 320, height: 256 },
    });
    const page = await other.newPage();
    await signIn(service, page, { email: `dark@${locale}.example`.toLowerCase(), locale });
    const item = paths.item ?? '';
    const some = [
      '/',
      '/topics/services',
      item,
      '/search?q=flood',
      '/follow?topic=services',
      '/rules',
      '/my',
      '/my/about',
    ];
    const left = [...some, '/my/messages', '/my/settings?done=settings', '/my/erase', '/no-such-page'];
    const look = async (tab: Page): Promise<void> => {
      for (let path = left.pop(); path !== undefined; path = left.pop()) {
        await tab.goto(path);
        await check(tab);
        const wide = await tab.evaluate('document.documentElement.scrollWidth');
        expect([path, wide]).toEqual([path, 320]);
      }
    };
    await Promise.all([look(page), look(await other.newPage())]);
    await other.close();
  }, 60_000);

  it('by keys alone somebody follows a topic, and always sees where they are', async () => {
    const other = await visitor(browser, service, { locale });
    const page = await other.newPage();
    const tabTo = async (selector: string): Promise<void> => {
      for (let presses = 0; presses < 60; presses += 1) {
        await page.keyboard.press('Tab');
        const { outlineStyle, boxShadow, backgroundColor } = await page.evaluate<Record<string, string>>(
          '(({ outlineStyle, boxShadow, backgroundColor }) => ({ outlineStyle, boxShadow, backgroundColor }))(getComputedStyle(document.activeElement))',
        );
        const shown = outlineStyle !== 'none' || boxShadow !== 'none' || backgroundColor === 'rgb(255, 221, 0)';
        expect([page.url(), presses, shown]).toEqual([page.url(), presses, true]);
        if (await page.locator(`${selector}:focus`).count()) return;
      }
      throw new Error(`${selector} cannot be reached`);
    };
    await page.goto('/');
    await tabTo('.bm-topic a[href="/topics/services"]');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/topics/services');
    await tabTo('a[href="/follow?topic=services"]');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/follow?topic=services');
    await tabTo('#email');
    await page.keyboard.type(`keys@${locale}.example`);
    await tabTo('form[data-follow] button[type=submit]');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/check');
    await other.close();
  }, 60_000);

  it('the settings with faults', async () => {
    const other = await visitor(browser, service, { locale });
    const page = await other.newPage();
    await signIn(service, page, { email: `settings@${locale}.example`.toLowerCase(), locale });
    for (const path of ['/my/addresses', '/my/settings']) {
      await page.goto('/my/settings');
      await page.locator('#from').selectOption('22:00');
      await page.locator(`form[action="${path}"] button`).click();
      await expect(page.locator('.govuk-error-summary').first().isVisible()).resolves.toBe(true);
      await check(page);
    }
    await other.close();
  });

  it('forms with every fault named', async () => {
    const other = await visitor(browser, service, { locale });
    const page = await other.newPage();
    for (const path of ['/follow?topic=services', '/manage', '/code']) {
      await page.goto(path);
      await page.locator('main form button').first().click();
      await expect(page.locator('.govuk-error-summary').first().isVisible()).resolves.toBe(true);
      await check(page);
    }
    await other.close();
  });
});
