import type { Actor } from '../../src/publishing/item.ts';
import { onEachEngine } from '../helpers/engines.ts';
import { publishIn } from '../helpers/published.ts';
import { makeBrowser, startPushSink } from '../helpers/push-sink.ts';
import { smtpError, startSmtpSink } from '../helpers/smtp-sink.ts';
import { makeTown, publisher, type Town } from '../helpers/town.ts';

onEachEngine('redrive', (engine) => {
  let closing: (() => Promise<unknown> | unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.reverse()) await close();
    closing = [];
  });

  /** A person with an email address and a browser, whose providers refuse for good until told otherwise. */
  const refused = async (departments: string[] = []) => {
    const refuses = { email: true, webPush: true };
    const mails = await startSmtpSink({
      onRcpt: () => {
        if (refuses.email) throw smtpError(550, '5.7.1 refused by policy');
      },
    });
    closing.push(mails.close);
    const pushes = await startPushSink({ answer: () => ({ status: refuses.webPush ? 403 : 201 }) });
    closing.push(pushes.close);
    const town = await makeTown({
      ...engine.town,
      env: { EMAIL_URL: `smtp://127.0.0.1:${mails.port}`, WEB_PUSH: 'send', ALLOW_PRIVATE_ENDPOINTS: 'on' },
    });
    closing.push(town.close);
    const { endpoint, keys } = makeBrowser().subscription(pushes.origin);
    await town.people([
      { email: 'ana@example.org', webPush: { endpoint, keys }, verified: true, follow: [{ topic: 'services' }] },
    ]);
    const { push } = await publishIn(town, { departments });
    await town.drain();
    return { town, push, refuses, received: () => [mails.mails.length, pushes.count()] };
  };
  const rows = async (town: Town, push: string) =>
    (await town.fanout.deliveries(push, null, { cursor: null, limit: 10 })).rows.map(
      ({ channel, state }) => `${channel} ${state}`,
    );

  describe('redriving a person whom every channel has failed', () => {
    it('moves all their rows on, and none is left behind', async () => {
      const { town, push } = await refused();
      expect(await rows(town, push)).toEqual(['email failed', 'webPush failed']);
      expect(await town.fanout.redrive({ push }, publisher)).toBe(2);
      await town.drain();
      expect(await rows(town, push)).toEqual(['email failed', 'webPush failed']);
      expect((await town.fanout.get(push))?.counts).toMatchObject({ failed: 1, deferred: 0 });
    });

    it('tells them once over the first channel that works', async () => {
      const { town, push, refuses, received } = await refused();
      const [, before] = received();
      refuses.email = false;
      refuses.webPush = false;
      await town.fanout.redrive({ push }, publisher);
      await town.drain();
      expect(received()).toEqual([1, before]);
      expect(await rows(town, push)).toEqual(['email sent', 'webPush withheld']);
      expect((await town.fanout.get(push))?.counts).toMatchObject({ sent: 1, failed: 0 });
    });

    it('tells them over the second channel where only that one works', async () => {
      const { town, push, refuses } = await refused();
      refuses.webPush = false;
      await town.fanout.redrive({ push }, publisher);
      await town.drain();
      expect(await rows(town, push)).toEqual(['email failed', 'webPush sent']);
    });

    it('lets go of the notice where no row may go, so that another push can tell them', async () => {
      const { town, push, refuses } = await refused();
      const person = await town.stores.subscriptions.recipients([1]);
      const id = person[0]?.id ?? '';
      await town.subscriptions.stop(id, 'all');
      refuses.email = false;
      await town.fanout.redrive({ push }, publisher);
      await town.drain();
      expect(await rows(town, push)).toEqual(['email withheld', 'webPush withheld']);
      const audience = { kind: 'people' as const, subscribers: [id] };
      const item = (await town.fanout.get(push))?.item ?? '';
      const named = await town.fanout.push({ item, audience, channels: null, note: 'x' }, publisher);
      await town.drain();
      expect(await rows(town, named.id)).toEqual(['email sent']);
    });

    it('does not stumble over two rows that would both move to the one channel that is new', async () => {
      const { town, push } = await refused();
      const [person] = await town.stores.subscriptions.recipients([1]);
      for (const { lookup } of person?.addresses ?? []) await town.stores.addresses.remove(lookup, 1);
      await town.people([
        { externalId: 'other', phone: '+447700900123', verified: true, follow: [{ topic: 'services' }] },
      ]);
      await town.stores.addresses.move(2, 1);
      await town.fanout.redrive({ push }, publisher);
      await town.drain();
      expect(await rows(town, push)).toEqual(['webPush withheld', 'sms sent']);
    });
  });

  describe('redriving for a department', () => {
    const of = (...departments: string[]): Actor => ({ staff: departments.join(), roles: ['publisher'], departments });
    const messagesOf = async (town: Town, push: string): Promise<string[]> =>
      (await town.fanout.deliveries(push, 'failed', { cursor: null, limit: 10 })).rows.map(({ id }) => id);

    it('is for the items that name it, and moves nothing of another’s', async () => {
      const { town, push } = await refused(['Water', 'Drains']);
      const messages = await messagesOf(town, push);
      expect(messages).toHaveLength(2);
      for (const which of [{ push }, { push, messages }, { messages }])
        await expect(town.fanout.redrive(which, of('Roads'))).rejects.toMatchObject({ code: 'no-scope' });
      expect(await rows(town, push)).toEqual(['email failed', 'webPush failed']);
      expect(await town.fanout.redrive({ push, messages: messages.slice(0, 1) }, of('Roads', 'Drains'))).toBe(1);
      expect(await town.fanout.redrive({ push }, of('Water'))).toBe(1);
    });

    it('is for none where the push is named of its own item and the messages are another’s', async () => {
      const { town, push } = await refused(['Water']);
      const { push: own } = await publishIn(town, { departments: ['Roads'] });
      expect(await town.fanout.redrive({ push: own, messages: await messagesOf(town, push) }, of('Roads'))).toBe(0);
      expect(await rows(town, push)).toEqual(['email failed', 'webPush failed']);
    });

    it('is for nobody but the whole office where no push is named, or its item names no department', async () => {
      const { town, push } = await refused();
      const messages = await messagesOf(town, push);
      for (const which of [{ push }, { messages }])
        await expect(town.fanout.redrive(which, of('Water'))).rejects.toMatchObject({ code: 'no-scope' });
      expect(await town.fanout.redrive({ messages: messages.slice(0, 1) }, of())).toBe(1);
      expect(await town.fanout.redrive({ push }, { ...of('Roads'), roles: ['admin'] })).toBe(1);
    });
  });
});
