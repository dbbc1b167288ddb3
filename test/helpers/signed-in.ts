import { readOutbox } from '../../src/channels/outbox.ts';
import { type PlainVisitor, plainVisitor } from './visitor.ts';
import type { Web } from './web.ts';

/** The newest message to an address, once the worker has come to rest; empty where there is none. */
export const letterTo = async (web: Web, to: string): Promise<string> => {
  await web.town.drain();
  return (await readOutbox(web.town.dataDir, { limit: 20 })).find((message) => message.to === to)?.text ?? '';
};

/** The path of the link to `/confirm/…` in the newest message to an address. */
export const confirmPath = async (web: Web, to: string): Promise<string> =>
  /\/confirm\/[\w.-]+/.exec(await letterTo(web, to))?.[0] ?? '';

/** A browser whose person has just confirmed a sign-up, and the person's id. */
export const signedInTo = async (
  web: Web,
  email: string,
  { follow = [{ topic: 'services' }], locale = 'en' }: { follow?: unknown[]; locale?: string } = {},
): Promise<{ visitor: PlainVisitor; id: string }> => {
  await web.api('POST', '/subscriptions', { email, follow, locale }, null);
  const visitor = plainVisitor(web.url, locale);
  const path = await confirmPath(web, email);
  await visitor.get(path);
  await visitor.send(path, {});
  const file = JSON.parse((await visitor.get('/my/export')).html);
  web.town.pass(1_000);
  return { visitor, id: String(file.person.id) };
};
