import type { Browser, Page } from 'playwright-core';
import { complaintsOf, describeBrowser, launchBrowser, sayIfSkipped, siteOf, visitor } from '../helpers/browser.ts';
import { fromOutbox, linkIn, publish } from '../helpers/outbox.ts';
import { type Service, startService } from '../helpers/start-service.ts';

sayIfSkipped();

const words = {
  en: {
    follow: 'Follow this topic',
    topic: 'Public services',
    go: 'Continue',
    check: 'Check your mail',
    confirm: 'Confirm',
    confirmed: 'Confirmed',
    mine: 'My notifications',
    save: /^Save/,
    saved: 'Your change is saved.',
    told: 'What I was told',
    sent: 'Sent',
    why: 'You follow “Public services”.',
    stop: 'Stop this',
    stopped: 'Stopped',
    nothing: 'You follow nothing at the moment.',
    fault: 'Enter your email address',
  },
  'zh-CN': {
    follow: '关注这个主题',
    topic: '公共服务',
    go: '继续',
    check: '请查收邮件',
    confirm: '确认',
    confirmed: '已确认',
    mine: '我的通知',
    save: /^保存/,
    saved: '修改已保存。',
    told: '通知记录',
    sent: '已发送',
    why: '您关注了“公共服务”。',
    stop: '退订以上内容',
    stopped: '已退订',
    nothing: '您目前没有关注任何内容。',
    fault: '请输入邮箱地址',
  },
};

const heading = (page: Page) => page.locator('h1');

describeBrowser('the main way of a citizen', () => {
  let service: Service;
  let browser: Browser;
  beforeAll(async () => {
    [service, browser] = await Promise.all([startService(), launchBrowser()]);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  it.each([
    { locale: 'en', javaScript: true },
    { locale: 'zh-CN', javaScript: true },
    { locale: 'en', javaScript: false },
    { locale: 'zh-CN', javaScript: false },
  ] as const)('follow, confirm, manage, unsubscribe ($locale, JavaScript $javaScript)', async (how) => {
    const say = words[how.locale];
    const email = `${how.locale}-${how.javaScript}@example.org`.toLowerCase();
    const context = await visitor(browser, service, how);
    const page = await context.newPage();
    const complaints = complaintsOf(page);

    await page.goto('/');
    await page.getByRole('link', { name: say.topic }).first().click();
    await page.getByRole('button', { name: say.follow }).click();

    await page.getByRole('button', { name: say.go }).click();
    await expect(page.locator('.govuk-error-summary__list').textContent()).resolves.toContain(say.fault);
    await page.locator('#email').fill(email);
    await page.getByRole('button', { name: say.go }).click();
    await expect(heading(page).textContent()).resolves.toBe(say.check);
    await expect(page.locator('main').textContent()).resolves.toContain(email);

    const confirmation = await fromOutbox(service, ({ to }) => to === email);
    await page.goto('/dev/outbox');
    await page
      .locator(`a[href$="${linkIn(confirmation, 'confirm')}"]`)
      .first()
      .click();
    await page.locator('main').getByRole('button', { name: say.confirm }).click();
    await expect(heading(page).textContent()).resolves.toContain(say.confirmed);

    const title = `News for ${email}`;
    await publish(service, { title, summary: 'Something new.' });
    const told = await fromOutbox(service, (one) => one.to === email && one.text.includes(title));

    const row = page.locator('.bm-log li', { hasText: title });
    // the outbox holds a message a moment before its outcome is durable
    for (let look = 0; look < 50; look += 1) {
      await page.goto('/my/messages');
      if ((await row.textContent())?.includes(say.sent)) break;
    }
    await expect(row.textContent()).resolves.toContain(say.sent);
    await expect(row.textContent()).resolves.toContain(say.why);

    await page.goto('/my');
    await page.locator('select[name=pace]').selectOption('weekly');
    await page.getByRole('button', { name: say.save }).click();
    await expect(page.locator('main').textContent()).resolves.toContain(say.saved);
    await expect(page.locator('select[name=pace]').inputValue()).resolves.toBe('weekly');

    await page.goto(linkIn(told, 'u'));
    await expect(page.locator('main').textContent()).resolves.toContain(say.topic);
    await page.getByRole('button', { name: say.stop }).click();
    await expect(heading(page).textContent()).resolves.toBe(say.stopped);
    await page.goto('/my');
    await expect(page.locator('main').textContent()).resolves.toContain(say.nothing);

    expect(complaints).toEqual([]);
    await context.close();
  });

  it('opening links changes nothing; only the button acts', async () => {
    const email = 'scanner@example.org';
    await service.api('POST', '/subscriptions', { email, follow: [{ topic: 'services' }], locale: 'en' });
    const message = await fromOutbox(service, ({ to }) => to === email);
    const context = await visitor(browser, service, { locale: 'en' });
    const page = await context.newPage();
    const link = linkIn(message, 'confirm');
    for (let times = 0; times < 2; times += 1) {
      await page.goto(link);
      await expect(page.getByRole('button', { name: 'Confirm' }).count()).resolves.toBe(1);
    }
    await context.close();
  });

  it('a form from elsewhere is refused, in words', async () => {
    const response = await fetch(`${service.url}/follow?topic=services`, {
      method: 'POST',
      headers: { accept: 'text/html', 'accept-language': 'en' },
      body: new URLSearchParams({ contact: 'email', email: 'victim@example.org', pace: 'immediate' }),
    });
    expect(response.status).toBe(403);
    expect(await response.text()).toContain('This form has run out');
  });

  it('the language switch holds and comes back to the same page', async () => {
    const context = await visitor(browser, service, { locale: 'en' });
    const page = await context.newPage();
    await page.goto('/search?q=water');
    await page.getByRole('link', { name: '中文' }).click();
    expect(page.url()).toBe(`${siteOf(service)}/search?q=water`);
    await page.goto('/topics');
    await expect(heading(page).textContent()).resolves.toBe('主题');
    await context.close();
  });
});
