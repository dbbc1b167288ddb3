import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { fromOutbox, linkIn } from './outbox.ts';
import type { Service } from './start-service.ts';

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const isThere = existsSync(executablePath);

if (!isThere && process.env.REQUIRE_BROWSER === '1')
  throw new Error(`REQUIRE_BROWSER is 1, but there is no Chromium at ${executablePath}`);
// the pictures of the pages are taken outside of the test runner
const suite = typeof describe === 'undefined' ? undefined : describe;
/** `describe` where there is a Chromium, else a skipped one. */
export const describeBrowser = (isThere ? suite : suite?.skip) as typeof describe;

/** Says once, for all browser tests, that they are skipped. */
export const sayIfSkipped = (): void => {
  if (isThere) return;
  process.stderr.write(
    `SKIPPED: browser tests; there is no Chromium at ${executablePath} (CHROMIUM_PATH names another)\n`,
  );
};

/** Headless, offline but for loopback, without the services of its maker. */
export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });

/** What a page complained about: errors of its scripts and refusals of its security policy. */
export const complaintsOf = (page: Page): string[] => {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    const isStatus = /status of 4\d\d/.test(message.text());
    if (message.type() === 'error' && !isStatus) complaints.push(message.text());
  });
  return complaints;
};

/** Signs an address up for a topic by the API and confirms it in the browser, which is signed in from then on. */
export const signIn = async (
  service: Service,
  page: Page,
  { email, locale }: { email: string; locale: 'en' | 'zh-CN' },
): Promise<void> => {
  await service.api('POST', '/subscriptions', { email, follow: [{ topic: 'services' }], locale });
  const message = await fromOutbox(service, ({ to }) => to === email);
  await page.goto(linkIn(message, 'confirm'));
  await page.locator('main form button').click();
  await page.waitForURL('**/confirmed');
};

/** The site under the name that its own links use; cookies of 127.0.0.1 would not be those of localhost. */
export const siteOf = (service: Service): string => service.url.replace('127.0.0.1', 'localhost');

/** A visitor of the service with a browser language of their own; what does not come about in 5 s fails where it stands. */
export const visitor = async (
  browser: Browser,
  service: Service,
  options: { locale: 'en' | 'zh-CN'; javaScript?: boolean },
): Promise<BrowserContext> => {
  const context = await browser.newContext({
    baseURL: siteOf(service),
    locale: options.locale,
    javaScriptEnabled: options.javaScript ?? true,
    viewport: { width: 360, height: 740 },
  });
  context.setDefaultTimeout(5_000);
  return context;
};

export const staffPassword = 'four words are enough';

/** Makes a staff account with these roles and signs it in, as it would itself; answers its page. */
export const staffPage = async (
  browser: Browser,
  service: Service,
  { name, roles, ...options }: { name: string; roles: string[]; locale: 'en' | 'zh-CN'; javaScript?: boolean },
): Promise<Page> => {
  const page = await (await visitor(browser, service, options)).newPage();
  const email = `${name}@example.org`.toLowerCase();
  await service.api('POST', '/staff', { email, name, roles, departments: [] });
  await page.goto(linkIn(await fromOutbox(service, ({ to }) => to === email), 'staff/set-up'));
  await page.locator('#password').fill(staffPassword);
  await page.locator('main form button[type=submit]').last().click();
  await page.waitForURL('**/staff/sign-in?done=set-up');
  await page.locator('#email').fill(email);
  await page.locator('#password').fill(staffPassword);
  await page.locator('main form button[type=submit]').last().click();
  await page.waitForURL('**/staff');
  return page;
};
