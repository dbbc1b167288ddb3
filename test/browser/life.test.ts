import type { Browser, Page } from 'playwright-core';
import { textIn } from '../../src/text.ts';
import { complaintsOf, describeBrowser, launchBrowser, staffPage, visitor } from '../helpers/browser.ts';
import { fromOutbox, linkIn } from '../helpers/outbox.ts';
import { type Service, startService } from '../helpers/start-service.ts';

/** What a form sends when nothing but its own button is pressed. */
const send = (page: Page, action: string) =>
  page.locator(`form[action$="${action}"] button[type=submit]`).first().click();

const neighbours = 12;
const consenting = { consents: { personalisation: true } };

describeBrowser('the whole life of a subscription', () => {
  let service: Service;
  let browser: Browser;
  beforeAll(async () => {
    [service, browser] = await Promise.all([startService({ env: { REVIEW: 'on' } }), launchBrowser()]);
    // a publisher is not told exactly of fewer than ten
    const lines = Array.from({ length: neighbours }, (_, n) =>
      JSON.stringify({
        ...{ email: `n${n}@example.org`, verified: true },
        follow: [{ topic: 'services' }],
        ...consenting,
      }),
    );
    await service.api('POST', '/subscribers/import', lines.join('\n'));
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  /** A phone: follows in as many taps as are answered, confirms, and lets the office draw conclusions. */
  const follow = async (page: Page, email: string): Promise<number> => {
    let taps = 0;
    const tap = async (what: string): Promise<void> => {
      taps += 1;
      await page.locator(what).first().click();
    };
    await page.goto('/');
    await tap('a[href="/topics/services"]');
    await tap('form[action^="/follow"] button[type=submit], a[href^="/follow?"]');
    await page.locator('#email').fill(email);
    await tap('main form button[type=submit]');
    await page.goto(linkIn(await fromOutbox(service, ({ to }) => to === email), 'confirm'));
    await page.locator('main form button[type=submit]').first().click();
    await page.waitForURL('**/confirmed');
    await page.goto('/my/about');
    await page.locator('#personalisation').check();
    await page.locator('#consent form button').click();
    await page.waitForURL('**done=consented');
    return taps;
  };

  /** A notice is written, looked at by somebody else and approved; answers its page. */
  const approved = async (writer: Page, reviewer: Page, title: string): Promise<string> => {
    await writer.goto('/staff/items/new?template=service');
    for (const locale of ['zh-CN', 'en']) {
      await writer.locator(`#title-${locale}`).fill(`${title} ${locale}`);
      await writer.locator(`#summary-${locale}`).fill('From Monday on.');
    }
    await writer.locator('form#save > .govuk-button-group button').click();
    await writer.waitForURL('**done=saved');
    const item = new URL(writer.url()).pathname;
    await send(writer, '/submit');
    await writer.waitForURL('**done=submitted');
    await reviewer.goto(item);
    for (const secret of ['state', 'commercial', 'privacy']) await reviewer.locator(`input[value=${secret}]`).check();
    await send(reviewer, '/approve');
    await reviewer.waitForURL('**done=approved');
    return item;
  };

  /** A rule for all who follow the topic of the notice, with its audience counted beside it. */
  const activated = async (writer: Page, reviewer: Page, javaScript: boolean, people: number): Promise<string> => {
    await writer.goto('/staff/rules/new');
    const add = async (group: string, about: string): Promise<void> => {
      await writer.locator(`[id="${group}.add"]`).click();
      await writer.locator(`[id="${group}.0.about"]`).selectOption(about);
      if (!javaScript) await writer.locator('button[value=refresh].bm-leaf__go').click();
      await writer.locator(`[id="${group}.0.not"]`).waitFor();
    };
    await add('when', 'item.topics');
    await writer.locator('[id="when.0.text"]').fill('services');
    await add('who', 'person.follows');
    await writer.locator('[id="who.0.topic"]').selectOption('services');
    await writer.locator('#name').fill('Those who follow it');
    await writer.locator('#explanation-en').fill('You follow this topic.');
    await writer.locator('#explanation-zh-CN').fill('您关注了这个主题。');
    // without scripts the count comes with the page
    if (!javaScript) await writer.locator('button[value=refresh]').last().click();
    await writer.locator('#live strong', { hasText: new RegExp(`^${people}$`) }).waitFor();
    await writer.locator('button[value=save]').click();
    await writer.waitForURL('**done=rule-saved');
    const rule = new URL(writer.url()).pathname;
    await send(writer, '/activate');
    await writer.waitForURL('**done=rule-waits');
    await reviewer.goto(rule);
    await send(reviewer, '/approve');
    await reviewer.waitForURL('**done=rule-approved');
    return rule;
  };

  /** How many whole lives have been lived, each of which ends with one "not for me". */
  let lives = 0;
  const shareIn = (locale: string, share: number): string =>
    new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 }).format(share);

  /** What the analyst is told of "not for me": in the CSV behind the page of the funnel, and as a figure of the week. */
  const unwantedIn = async (analyst: Page, locale: 'en' | 'zh-CN'): Promise<{ csv: number; figure: string }> => {
    await analyst.goto('/staff/reports/funnel');
    const period = await Promise.all(['#from', '#to'].map((id) => analyst.locator(id).inputValue()));
    const query = new URLSearchParams({ from: period[0] ?? '', to: period[1] ?? '', by: 'channel', format: 'csv' });
    const file = await (await analyst.request.get(`/staff/reports/funnel?${query}`)).text();
    const [head = '', ...lines] = file.trim().split(/\r?\n/);
    const [key, at] = ['key', 'notForMe'].map((name) => head.replace('\ufeff', '').split(',').indexOf(name));
    const mail = lines.map((line) => line.split(',')).find((cells) => cells[key ?? 0] === 'email');
    await analyst.goto('/staff/reports');
    const label = textIn(locale)('reports:figure.unwanted');
    const figure = await analyst.locator('.bm-figure', { hasText: label }).locator('.bm-figure__value').textContent();
    return { csv: Number(mail?.[at ?? 0] ?? 0), figure: (figure ?? '').trim() };
  };

  it.each([
    { locale: 'en', javaScript: true },
    { locale: 'zh-CN', javaScript: false },
  ] as const)(
    'from the first tap to the last ($locale, JavaScript $javaScript)',
    async (how) => {
      const email = `${how.locale}@example.org`.toLowerCase();
      const citizen = await (await visitor(browser, service, how)).newPage();
      const complaints = complaintsOf(citizen);
      const taps = await follow(citizen, email);
      expect(taps).toBeLessThanOrEqual(3);

      const writer = await staffPage(browser, service, { ...how, name: `writer-${how.locale}`, roles: ['publisher'] });
      const reviewer = await staffPage(browser, service, { ...how, name: `other-${how.locale}`, roles: ['reviewer'] });
      const title = `Bus 12 is diverted (${how.locale})`;
      const item = await approved(writer, reviewer, title);
      const rule = await activated(writer, reviewer, how.javaScript, neighbours + 1);

      await writer.goto(item);
      const start = performance.now();
      await send(writer, '/publish');
      const message = await fromOutbox(service, ({ to, text }) => to === email && text.includes(title));
      const inboxMs = Math.round(performance.now() - start);
      process.stdout.write(`${how.locale}: followed in ${taps} taps; in the inbox ${inboxMs} ms after the button\n`);
      await writer.waitForURL('**done=published');
      await writer.locator('a[href^="/staff/pushes/"]').first().click();
      const told = new RegExp(`^${neighbours + 1}$`);
      // without scripts the page shows what was true when it came
      for (let looks = 0; looks < 50 && (await writer.locator('#progress strong', { hasText: told }).count()) === 0; ) {
        looks += 1;
        await writer.reload();
      }
      await expect(writer.locator('#progress strong', { hasText: told }).count()).resolves.toBeGreaterThan(0);

      await citizen.goto('/my/messages');
      await expect(citizen.locator('.bm-log li', { hasText: title }).count()).resolves.toBe(1);
      await citizen.goto(`${linkIn(message, 'f')}/not-for-me`);
      await citizen.locator('main form button[type=submit]').first().click();
      await citizen.waitForURL('**/thanks');

      const analyst = await staffPage(browser, service, { ...how, name: `analyst-${how.locale}`, roles: ['analyst'] });
      await analyst.goto('/staff/reports');
      await expect(analyst.locator('h1').count()).resolves.toBe(1);
      // the counters are kept every few seconds
      const until = Date.now() + 60_000;
      let shown = await unwantedIn(analyst, how.locale);
      while (shown.csv !== lives + 1 && Date.now() < until) shown = await unwantedIn(analyst, how.locale);
      lives += 1;
      expect(shown).toEqual({ csv: lives, figure: shareIn(how.locale, lives / (lives * (neighbours + 1))) });

      await citizen.goto('/my/erase');
      await citizen.locator('form[action="/my/erase"] button').click();
      await citizen.waitForURL('**/goodbye');
      expect(complaints).toEqual([]);
      await service.api('POST', `/rules/${rule.split('/').at(-1)}/pause`);
    },
    240_000,
  );
});
