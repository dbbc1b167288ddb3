import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bundle, verifyBundle } from '../src/evidence/bundle.ts';
import { onEachEngine } from './helpers/engines.ts';
import { runCommand } from './helpers/run-command.ts';
import { startWeb, type Web } from './helpers/web.ts';

const draft = { title: 'Bus 12', summary: 'It stops at the market.', language: 'en', topics: ['services'] };
const rule = {
  name: 'Beijing',
  explanation: { en: 'You live in Beijing.', 'zh-CN': '您住在北京。' },
  when: { item: 'topics', has: ['services'] },
  who: { person: 'region', within: ['110000'] },
  deliver: { channels: ['email'], pace: 'immediate', priority: 5 },
};
const people = [
  { externalId: 'ann', email: 'ann.marker@example.org', verified: true, follow: [{ topic: 'services' }] },
  {
    ...{ externalId: 'bob', email: 'bob@example.org', verified: true, region: '110000' },
    ...{ consents: { personalisation: true }, follow: [] },
  },
];

onEachEngine('evidence of delivery', ({ town }) => {
  let web: Web;
  let item: string;
  let ann: string;
  let pem: string;
  beforeAll(async () => {
    web = await startWeb({ ...town, env: { REVIEW: 'off' } });
    await web.town.people(people);
    ann = (await web.town.subscriptions.person({ externalId: 'ann' }))?.person.id ?? '';
    const made = await web.api('POST', '/rules', rule);
    await web.api('POST', `/rules/${made.body.id}/activate`);
    await web.town.audienceIndex.caughtUp();
    item = String((await web.api('POST', '/items', draft)).body.id);
    await web.api('POST', `/items/${item}/publish`);
    await web.town.drain();
    await web.api('POST', `/items/${item}/correct`, { change: 'major', note: 'Another stop', title: 'Bus 12 moves' });
    await web.town.drain();
    pem = String((await web.api('GET', '/evidence/key', undefined, null)).body.pem);
  }, 60_000);
  afterAll(() => web.close());

  const bundle = async (subscriber?: string): Promise<Bundle> => {
    const { status, body } = await web.api(
      'GET',
      `/items/${item}/evidence${subscriber ? `?subscriber=${subscriber}` : ''}`,
    );
    expect(status).toBe(200);
    return body as Bundle;
  };

  it('holds versions, rules, pushes with their counts, and the history with its hashes', async () => {
    const { evidence, text } = await bundle();
    expect(evidence.versions.map(({ version, kind, note }) => [version, kind, note])).toEqual([
      [1, 'publication', null],
      [2, 'correction', 'Another stop'],
    ]);
    expect(evidence.rules).toMatchObject([{ version: 1, name: 'Beijing', writer: 'admin' }]);
    expect(evidence.pushes).toHaveLength(2);
    for (const push of evidence.pushes) expect(push).toMatchObject({ state: 'done', matched: 2, counts: { sent: 2 } });
    expect(evidence.history.map(({ action }) => action)).toEqual(['createItem', 'publishItem', 'correctItem']);
    expect(evidence.auditHead).not.toBeNull();
    expect(evidence.person).toBeUndefined();
    for (const words of ['Another stop', 'Beijing', '2 sent', 'correctItem']) expect(text).toContain(words);
  });

  it('is verified by the public key alone, and refused once a letter of it is another', async () => {
    const whole = JSON.stringify(await bundle(ann));
    expect(verifyBundle(whole, pem)).toMatchObject({ ok: true });
    expect(verifyBundle(whole.replace('"sent":2', '"sent":3'), pem)).toEqual({ ok: false, why: 'signature' });
    expect(verifyBundle(whole.replace('2 sent', '3 sent'), pem)).toEqual({ ok: false, why: 'signature' });
    expect(verifyBundle('{}', pem)).toEqual({ ok: false, why: 'form' });
    expect(verifyBundle('not json', pem)).toEqual({ ok: false, why: 'form' });
    const other = await startWeb();
    const strange = String((await other.api('GET', '/evidence/key')).body.pem);
    await other.close();
    expect(verifyBundle(whole, strange)).toEqual({ ok: false, why: 'key' });
  });

  it('shows one person to admins alone, and survives their erasure without a trace of who they were', async () => {
    const key = await web.keyFor(['publish']);
    const refused = await web.api('GET', `/items/${item}/evidence?subscriber=${ann}`, undefined, key);
    expect([refused.status, refused.body.code]).toEqual([403, 'no-scope']);
    expect((await web.api('GET', `/items/${item}/evidence?subscriber=nobody`)).status).toBe(404);
    const before = (await bundle(ann)).evidence.person;
    expect(before?.deliveries.map(({ state, channel }) => [state, channel])).toEqual([
      ['sent', 'email'],
      ['sent', 'email'],
    ]);
    expect(before?.deliveries[0]).toMatchObject({
      because: expect.arrayContaining(['subscription:topic:services']),
      attempts: [{ ok: true }],
    });
    await web.api('DELETE', `/subscribers/${ann}`);
    const after = await bundle(ann);
    expect(after.evidence.person).toEqual({ ...before, erased: true });
    expect(JSON.stringify(after)).not.toContain('marker');
    expect(verifyBundle(JSON.stringify(after), pem)).toMatchObject({ ok: true });
    const audited = (await web.town.stores.access.auditOf(item)).filter(({ action }) => action === 'getEvidence');
    expect(audited.length).toBeGreaterThan(0);
  });

  it('is verified by a command that needs no store', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'bellman-evidence-'));
    const [file, key] = [join(dir, 'bundle.json'), join(dir, 'key.pem')];
    writeFileSync(file, JSON.stringify(await bundle()));
    writeFileSync(key, pem);
    const whole = await runCommand('evidence', ['verify', file, key], {});
    expect([whole.code, whole.out]).toEqual([0, expect.stringContaining('The bundle is whole')]);
    writeFileSync(file, JSON.stringify(await bundle()).replace('Another stop', 'No change'));
    for (const [bundle, pem, words] of [
      [`${file}.no`, key, /cannot be read \(ENOENT\)\.\n$/],
      [file, file, /holds no public key/],
    ] as const) {
      const refused = await runCommand('evidence', ['verify', bundle, pem], {});
      expect(refused).toMatchObject({ code: 2, out: '', errors: expect.stringMatching(words) });
      expect(refused.errors.trim().split('\n')).toHaveLength(1);
    }
    const changed = await runCommand('evidence', ['verify', file, key], {});
    expect([changed.code, changed.errors]).toEqual([1, expect.stringContaining('changed after it was signed')]);
    rmSync(dir, { recursive: true, force: true });
  });
});
