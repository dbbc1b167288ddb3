import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import type { Service } from './start-service.ts';

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const isThere = existsSync(executablePath);

if (!isThere && process.env.REQUIRE_BROWSER === '1')
  throw new Error(`REQUIRE_BROWSER is 1, but there is no Chromium at ${executablePath}`);
if (!isThere)
  process.stderr.write(
    `SKIPPED: browser tests; there is no Chromium at ${executablePath} (CHROMIUM_PATH names another)\n`,
  );

/** `describe` where there is a Chromium, else a skipped one. */
export const describeBrowser = isThere ? describe : describe.skip;

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

export type OutboxMessage = { id: string; channel: string; to: string; title: string; text: string; url: string };

/** Asks the outbox until it holds a message that fits; the worker that writes it is a process of its own. */
export const fromOutbox = async (
  service: Service,
  fits: (message: OutboxMessage) => boolean,
): Promise<OutboxMessage> => {
  for (let tries = 0; tries < 200; tries += 1) {
    const response = await fetch(`${service.url}/dev/outbox?limit=100`, { headers: { accept: 'application/json' } });
    const { messages } = (await response.json()) as { messages: OutboxMessage[] };
    const found = messages.find(fits);
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the outbox holds no such message');
};

/** The first link of a message to a path of the site, as a path. */
export const linkIn = (message: OutboxMessage, path: string): string => {
  const found = new RegExp(`https?://[^\\s/]+(/${path}/[\\w.-]+)`).exec(`${message.text} ${message.url}`)?.[1];
  if (!found) throw new Error(`the message has no link to /${path}/`);
  return found;
};

/** Publishes a notice; answers its id. */
export const publish = async (service: Service, content: Record<string, unknown>): Promise<string> => {
  const created = await service.api('POST', '/items', { language: 'en', topics: ['services'], ...content });
  if (created.status !== 201) throw new Error(`the item was refused: ${JSON.stringify(created.body)}`);
  const { id } = created.body as { id: string };
  const published = await service.api('POST', `/items/${id}/publish`);
  if (published.status !== 202) throw new Error(`the item was not published: ${JSON.stringify(published.body)}`);
  return id;
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
