import { lookupOf } from '../../src/subscriptions/address.ts';
import { makeBrowser } from '../helpers/push-sink.ts';
import { confirmPath, letterTo, signedInTo } from '../helpers/signed-in.ts';
import { plainVisitor } from '../helpers/visitor.ts';
import { startWeb, type Web } from '../helpers/web.ts';

let web: Web;
beforeEach(async () => {
  web = await startWeb();
});
afterEach(() => web.close());

const person = async (id: string) => {
  const found = await web.town.subscriptions.person({ id });
  if (!found) throw new Error(`there is no ${id}`);
  return found;
};

describe('addresses in the settings', () => {
  const added = async (address: string) => {
    const { visitor, id } = await signedInTo(web, 'li@example.org');
    await visitor.get('/my/settings');
    const sent = await visitor.send('/my/addresses', { address });
    return { visitor, id, sent };
  };

  it('an email address is added by its link, which says who asks', async () => {
    const { visitor, id, sent } = await added('new@example.org');
    expect(sent.path).toBe('/check');
    expect(sent.html).toContain('new@example.org');
    expect((await person(id)).addresses).toHaveLength(1);
    const path = await confirmPath(web, 'new@example.org');
    const page = await visitor.get(path);
    expect(page.html).toContain('n…@example.org');
    expect(page.html).toContain('l…@example.org');
    expect(page.html).not.toContain('name="personalisation"');
    expect((await person(id)).addresses).toHaveLength(1);
    const done = await visitor.send(path, {});
    expect(done.path).toBe('/my/settings?done=address-added');
    expect(done.html).toContain('n…@example.org');
    expect((await visitor.get(path)).html).toContain('You have already confirmed this');
  });

  it('a phone number is added by its code', async () => {
    const { visitor, id, sent } = await added('139 1234 5678');
    expect(sent.path).toBe('/my/addresses/code');
    const code = /\d{6}/.exec(await letterTo(web, '+8613912345678'))?.[0] ?? '';
    const wrong = await visitor.send('/my/addresses/code', { phone: '139 1234 5678', code: '12' });
    expect(wrong.status).toBe(400);
    expect(wrong.html).toContain('href="/my/settings#addresses"');
    const done = await visitor.send('/my/addresses/code', { phone: '139 1234 5678', code });
    expect(done.path).toBe('/my/settings?done=address-added');
    expect((await person(id)).addresses.map(({ channel }) => channel)).toEqual(['email', 'sms']);
    const follows = await visitor.get('/my');
    expect(follows.html).toMatch(
      /<select[^>]+name="channel">\s*<option value="email" selected>[\s\S]*<option value="sms">/,
    );
    await visitor.send(/action="(\/my\/follows\/[^"]+)"/.exec(follows.html)?.[1] ?? '', {
      pace: 'daily',
      channel: 'sms',
    });
    expect((await person(id)).follows[0]).toMatchObject({ pace: 'daily', channels: ['sms', 'email', 'webPush'] });
  });

  it('a browser is added by its push', async () => {
    const { visitor, id } = await signedInTo(web, 'li@example.org');
    const page = await visitor.get('/my/settings');
    expect(page.html).toContain('data-vapid="BPublicKey"');
    const { endpoint, keys } = makeBrowser().subscription('https://push.example.org');
    const sent = await visitor.send('/my/addresses/browser', { endpoint, ...keys });
    expect(sent.path).toBe('/check?by=webPush');
    const rows = web.rows('SELECT channel FROM sign_ups WHERE confirmed_at IS NULL');
    expect(rows).toMatchObject([{ channel: 'webPush' }]);
    expect((await person(id)).addresses).toHaveLength(1);
    await visitor.get('/my/settings');
    const bad = await visitor.send('/my/addresses/browser', { endpoint: 'nonsense', p256dh: 'x', auth: 'y' });
    expect(bad.status).toBe(400);
    expect(bad.html).toContain('could not be set up');
  });

  it.each([
    ['', 'Enter your email address or mobile phone number'],
    ['nobody@', 'Enter an email address like name@example.org, or a mobile phone number'],
    ['x@y..z', 'Enter an email address like name@example.org, or a mobile phone number'],
  ])('%j is refused by name and kept', async (address, fault) => {
    const { sent } = await added(address);
    expect(sent.status).toBe(400);
    expect(sent.html).toContain(fault);
    expect(sent.html).toContain('class="govuk-error-summary"');
    expect(sent.html).toContain('href="#address"');
    if (address) expect(sent.html).toContain(`value="${address}"`);
  });

  it('nobody learns whether an address is known', async () => {
    await signedInTo(web, 'known@example.org');
    const { visitor } = await signedInTo(web, 'li@example.org');
    const answers: unknown[] = [];
    for (const address of ['known@example.org', 'unknown@example.org', 'bad@example.org']) {
      const contact = { channel: 'email', email: 'bad@example.org' } as const;
      await web.town.stores.addresses.suppress(lookupOf(web.town.keyring, contact), 'complaint', 0);
      await visitor.get('/my/settings');
      const { status, path, html } = await visitor.send('/my/addresses', { address });
      answers.push({ status, path, html: html.replaceAll(address, 'ADDRESS') });
    }
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
  });

  it('somebody’s own other address makes both one, and the session goes on as the older', async () => {
    const older = await signedInTo(web, 'old@example.org', { follow: [{ topic: 'budgets' }] });
    const { visitor, id } = await added('old@example.org');
    const path = await confirmPath(web, 'old@example.org');
    await visitor.get(path);
    const done = await visitor.send(path, {});
    expect(done.path).toBe('/my/settings?done=address-added');
    expect((await person(id)).person.id).toBe(older.id);
    const mine = await visitor.get('/my');
    expect(mine.html).toContain('Public services');
    expect(mine.html).toContain('Budgets and public funds');
    expect(JSON.parse((await visitor.get('/my/export')).html).person.id).toBe(older.id);
    expect((await older.visitor.get('/my')).html).toContain('Public services');
  });

  it('one is taken away, but not the last while anything is followed', async () => {
    const { visitor, id } = await added('new@example.org');
    const path = await confirmPath(web, 'new@example.org');
    await visitor.get(path);
    const page = await visitor.send(path, {});
    const actions = [...page.html.matchAll(/action="(\/my\/addresses\/[^"/]+\/remove)"/g)].map(
      ([, action]) => action ?? '',
    );
    expect(actions).toHaveLength(2);
    const one = await visitor.send(actions[0] ?? '', {});
    expect(one.path).toBe('/my/settings?done=address-removed');
    expect((await person(id)).addresses.map(({ masked }) => masked)).toEqual(['n…@example.org']);
    expect(one.html).not.toContain('/remove"');
    const last = await visitor.send(actions[1] ?? '', {});
    expect(last.status).toBe(400);
    expect(last.html).toContain('only address');
    expect((await person(id)).addresses).toHaveLength(1);
    // twice, as a double click does
    expect((await visitor.send(actions[0] ?? '', {})).path).toBe('/my/settings?done=address-removed');
  });

  it('one gives way to another one, even the only one, once that is confirmed and not before', async () => {
    const { visitor, id } = await signedInTo(web, 'li@example.org');
    const settings = await visitor.get('/my/settings');
    const path = /href="(\/my\/addresses\/[^"/]+\/change)"/.exec(settings.html)?.[1] ?? '';
    expect((await visitor.get(path)).html).toContain('Instead of l…@example.org');
    const refused = await visitor.send(path, { address: 'nobody@' });
    expect(refused.status).toBe(400);
    expect(refused.html).toMatch(/govuk-error-summary[\s\S]*value="nobody@"/);
    expect((await visitor.send(path, { address: 'new@example.org' })).path).toBe('/check');
    expect((await person(id)).addresses.map(({ masked }) => masked)).toEqual(['l…@example.org']);
    const link = await confirmPath(web, 'new@example.org');
    await visitor.get(link);
    expect((await visitor.send(link, {})).path).toBe('/my/settings?done=address-added');
    expect((await person(id)).addresses.map(({ masked }) => masked)).toEqual(['n…@example.org']);
    expect((await visitor.get(path)).status).toBe(404);
    const old = lookupOf(web.town.keyring, { channel: 'email', email: 'li@example.org' });
    expect(await web.town.stores.addresses.suppression(old)).toBe('erased');
  });

  it('the address itself, asked for in its own place, stays', async () => {
    const { visitor, id } = await signedInTo(web, 'li@example.org');
    const path = /href="(\/my\/addresses\/[^"/]+\/change)"/.exec((await visitor.get('/my/settings')).html)?.[1] ?? '';
    await visitor.send(path, { address: 'li@example.org' });
    const link = await confirmPath(web, 'li@example.org');
    await visitor.get(link);
    await visitor.send(link, {});
    expect((await person(id)).addresses).toMatchObject([{ masked: 'l…@example.org', suppressed: null }]);
  });

  it('nothing happens without the form’s token, or to a stranger', async () => {
    const { visitor, id } = await signedInTo(web, 'li@example.org');
    await visitor.get('/my/settings');
    const paths = ['', '/browser', '/code', '/x/remove', '/x/change'].map((path) => `/my/addresses${path}`);
    for (const path of paths)
      expect((await visitor.send(path, { address: 'new@example.org', _csrf: 'guessed' })).status).toBe(403);
    expect((await person(id)).addresses).toHaveLength(1);
    const stranger = plainVisitor(web.url);
    await stranger.get('/manage');
    expect((await stranger.send('/my/addresses', { address: 'new@example.org' })).path).toBe('/manage');
    expect(await letterTo(web, 'new@example.org')).toBe('');
  });
});

describe('quiet hours', () => {
  it.each([
    [{ from: '22:00', to: '' }, '#to', 'Choose when the quiet hours end'],
    [{ from: '', to: '07:00' }, '#from', 'Choose when the quiet hours begin'],
    [{ from: '22:00', to: '22:00' }, '#to', 'The quiet hours must end at another time'],
    [{ from: '25:00', to: '07:00' }, '#from', 'Choose when the quiet hours begin'],
  ])('%j is refused at its field, with everything kept', async (hours, field, fault) => {
    const { visitor, id } = await signedInTo(web, 'li@example.org');
    await visitor.get('/my/settings');
    await visitor.send('/my/settings', { locale: 'en', from: '21:00', to: '06:00' });
    const refused = await visitor.send('/my/settings', { locale: 'zh-CN', ...hours });
    expect(refused.status).toBe(400);
    expect(refused.html).toMatch(new RegExp(`class="govuk-error-summary"[\\s\\S]*href="${field}"[\\s\\S]*${fault}`));
    expect(refused.html).toMatch(/value="zh-CN" checked/);
    if (hours.to) expect(refused.html).toMatch(new RegExp(`id="to"[\\s\\S]*<option selected>${hours.to}`));
    expect((await person(id)).person).toMatchObject({ locale: 'en', quietHours: { from: '21:00', to: '06:00' } });
  });

  it('that an office has set to the minute are shown and stay', async () => {
    const { visitor, id } = await signedInTo(web, 'li@example.org');
    await web.api('PATCH', `/subscribers/${id}`, { quietHours: { from: '22:30', to: '06:45' } });
    expect((await visitor.get('/my/settings')).html).toContain('<option selected>22:30</option>');
    await visitor.send('/my/settings', { locale: 'en', from: '22:30', to: '06:45' });
    expect((await person(id)).person.quietHours).toEqual({ from: '22:30', to: '06:45' });
    await visitor.send('/my/settings', { locale: 'en', from: '', to: '' });
    expect((await person(id)).person.quietHours).toBeNull();
  });
});

describe('the region and the picture of the day', () => {
  it('are kept and drawn, over midnight too', async () => {
    const { visitor, id } = await signedInTo(web, 'li@example.org');
    expect((await visitor.get('/my/settings')).html).toContain('No quiet hours: messages come at any time.');
    const saved = await visitor.send('/my/settings', { locale: 'en', region: '110000', from: '22:00', to: '07:00' });
    expect(saved.html).toContain('Quiet from 22:00 to 07:00. Summaries come at 08:00.');
    expect(saved.html).toMatch(/x="1320" width="120"[\s\S]*x="0" width="420"[\s\S]*x="480"/);
    expect((await person(id)).person.region).toBe('110000');
    await visitor.send('/my/settings', { locale: 'en', from: '', to: '' });
    expect((await person(id)).person.region).toBe('110000');
    const refused = await visitor.send('/my/settings', { locale: 'en', region: 'nowhere', from: '13:00', to: '15:00' });
    expect(refused.status).toBe(400);
    expect(refused.html).toMatch(/govuk-error-summary[\s\S]*href="#region"[\s\S]*x="780" width="120"/);
    await visitor.send('/my/settings', { locale: 'en', region: '', from: '', to: '' });
    expect((await person(id)).person.region).toBeNull();
  });
});

describe('the hour of summaries', () => {
  it('is shown, chosen, and kept where it is not sent', async () => {
    const { visitor, id } = await signedInTo(web, 'li@example.org');
    const shown = async () =>
      /id="digestHour"[\s\S]*?<option selected>([^<]*)/.exec((await visitor.get('/my/settings')).html)?.[1];
    const chosen = async () => (await person(id)).person.digestHour;
    expect([await shown(), await chosen()]).toEqual(['08:00', null]);
    const rest = { locale: 'en', from: '', to: '' };
    await visitor.send('/my/settings', { ...rest, digestHour: '08:00' });
    expect(await chosen()).toBeNull();
    await visitor.send('/my/settings', { ...rest, digestHour: '00:00' });
    expect([await shown(), await chosen()]).toEqual(['00:00', 0]);
    await visitor.send('/my/settings', rest);
    expect(await chosen()).toBe(0);
    await visitor.send('/my/settings', { ...rest, digestHour: '08:00' });
    expect(await chosen()).toBe(8);
    const refused = await visitor.send('/my/settings', { ...rest, digestHour: '24:00' });
    expect(refused.status).toBe(400);
    expect(refused.html).toMatch(/govuk-error-summary[\s\S]*href="#digestHour"[\s\S]*Choose an hour/);
    expect(await chosen()).toBe(8);
  });
});

describe('the file to take along', () => {
  it('holds a person’s own addresses in full, times as people write them, and nothing of ours', async () => {
    const { visitor, id } = await signedInTo(web, 'li@example.org');
    await web.town.subscriptions.consent(id, { personalisation: true, wording: 'personalisation-2/en' });
    await web.api('PATCH', `/subscribers/${id}`, { region: '110000', digestHour: 5, attributes: { birthYear: 1984 } });
    const content = { title: 'Grants', summary: 'Apply in May.', language: 'en', topics: ['services'] };
    const item = ((await web.api('POST', '/items', content)).body as { id: string }).id;
    await web.api('POST', `/items/${item}/publish`);
    await web.town.drain();
    await web.api('POST', '/events', { events: [{ subscriber: id, type: 'view', item }] });
    const { html } = await visitor.get('/my/export');
    const now = new Date(web.town.now()).toISOString();
    const file = JSON.parse(html);
    expect(file).toMatchObject({
      exportedAt: now,
      person: {
        id,
        region: '110000',
        digestHour: 5,
        attributes: { birthYear: 1984 },
        consents: { personalisation: true, given: { at: now, how: 'page', wording: 'personalisation-2/en' } },
      },
      addresses: [{ channel: 'email', address: 'li@example.org', suppressed: null }],
      follows: [{ topic: 'services', pace: 'immediate', stoppedAt: null }],
      interests: [{ topic: 'services' }],
      habits: { lastActiveAt: now },
      events: [{ kind: 'view', at: now, item, topics: ['services'] }],
      messages: [{ item: { id: item, title: 'Grants' }, channel: 'email', state: 'sent', because: expect.any(Array) }],
    });
    const page = await visitor.get('/my/export.html');
    expect(page.headers.get('content-disposition')).toContain('bellman.html');
    for (const words of [
      ...['li@example.org', 'Beijing', '1984', '5:00', 'Public services', 'You allowed it on 10 June 2026'],
      ...['Grants', 'Opened', 'Sent', 'You follow “Public services”'],
    ])
      expect(page.html).toContain(words);
    expect(page.html).not.toMatch(/file\.|my\.kind|ordinal|undefined|\[object|<script/);
    expect(html).not.toMatch(/mergedInto|erasedAt|ordinal|subscriber"/);
    expect(html).not.toMatch(/"[a-zA-Z]*At": ?\d|"at": ?\d/);
  });
});
