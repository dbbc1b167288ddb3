import type { Service } from './start-service.ts';

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
  const found = new RegExp(`https?://[^\\s/]+(/${path}/[\\w.~-]+)`).exec(`${message.text} ${message.url}`)?.[1];
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
