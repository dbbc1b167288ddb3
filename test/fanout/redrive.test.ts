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
  const refused = async () => {
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
    const { push } = await publishIn(town);
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
});
