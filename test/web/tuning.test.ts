import { lineageOf } from '../../src/rules/arms.ts';
import type { RuleContent } from '../../src/rules/rule.ts';
import type { Change } from '../../src/tuning/tuning.ts';
import { publisher } from '../helpers/town.ts';
import { startWeb, type Web } from '../helpers/web.ts';

const content: RuleContent = {
  name: 'Readers of services',
  explanation: { en: 'You look at services.', 'zh-CN': '您浏览过公共服务。' },
  when: { item: 'topics', has: ['services'] },
  who: { person: 'interest', topic: 'services', atLeast: 0.4 },
  deliver: { channels: ['email'], pace: 'immediate', priority: 5 },
  holdout: 0,
  tune: { threshold: [0.1, 0.85] },
};

describe('the API of tuning', () => {
  let web: Web;
  let rule: string;
  beforeEach(async () => {
    web = await startWeb();
    rule = (await web.town.rules.create(content, publisher)).rule.id;
    await web.town.rules.activate(rule, null, publisher);
    const change: Change = {
      id: 'change-1',
      rule,
      lineage: lineageOf(content),
      parameter: 'threshold',
      from: 0.4,
      to: 0.55,
      evidence: {
        kind: 'raise',
        above: { share: 0.71, half: 0.04, n: 620 },
        below: { share: 0.12, half: 0.03, n: 620 },
        n: 1_240,
        probability: 0.99,
      },
      at: web.town.now(),
      state: 'proposed',
      fromVersion: 1,
      toVersion: null,
      by: null,
    };
    await web.town.stores.tuning.propose(change);
  });
  afterEach(() => web.close());

  it('lists changes with their evidence in the reader’s language', async () => {
    const key = await web.keyFor(['analyse']);
    const { status, body } = await web.api('GET', '/tuning/changes', undefined, key);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      changes: [
        {
          id: 'change-1',
          rule,
          parameter: 'threshold',
          from: 0.4,
          to: 0.55,
          state: 'proposed',
          text: 'Interest asked for: 0.40 → 0.55',
          evidence: {
            kind: 'raise',
            n: 1_240,
            text: '71 % ± 4 useful above, 12 % ± 3 between the old and the new threshold, n = 1,240',
          },
        },
      ],
      next: null,
    });
    const chinese = await web.api('GET', '/tuning/changes', undefined, key, { 'accept-language': 'zh-CN' });
    expect(JSON.stringify(chinese.body)).toContain('所要求的兴趣程度：0.40 → 0.55');
  });

  it('applies and undoes a change, by admins alone', async () => {
    const analyst = await web.keyFor(['analyse', 'publish']);
    expect((await web.api('POST', '/tuning/changes/change-1/apply', {}, analyst)).status).toBe(403);
    const applied = await web.api('POST', '/tuning/changes/change-1/apply', {});
    expect(applied).toMatchObject({ status: 200, body: { state: 'applied', fromVersion: 1, toVersion: 2 } });
    expect((await web.api('GET', `/rules/${rule}`)).body).toMatchObject({ active: 2, who: { atLeast: 0.55 } });
    expect((await web.api('POST', '/tuning/changes/change-1/apply', {})).status).toBe(409);
    const undone = await web.api('POST', '/tuning/changes/change-1/undo', {});
    expect(undone).toMatchObject({ status: 200, body: { state: 'undone', toVersion: 2 } });
    expect((await web.api('GET', `/rules/${rule}`)).body).toMatchObject({ active: 1 });
    expect((await web.api('POST', '/tuning/changes/change-1/undo', {})).status).toBe(409);
    expect((await web.api('POST', '/tuning/changes/unknown/undo', {})).status).toBe(404);
  });

  it('says what would have happened, or why it cannot', async () => {
    const key = await web.keyFor(['analyse']);
    const { status, body } = await web.api('GET', `/tuning/what-if?rule=${rule}&threshold=0.5`, undefined, key);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      rule,
      threshold: 0.55,
      current: 0.4,
      n: 0,
      useful: { refused: 'too-few', text: expect.stringContaining('Too few') },
    });
    expect((await web.api('GET', `/tuning/what-if?rule=${rule}&threshold=2`, undefined, key)).status).toBe(400);
    expect((await web.api('GET', '/tuning/what-if?rule=unknown&threshold=0.5', undefined, key)).status).toBe(404);
    expect((await web.api('GET', '/tuning/changes', undefined, await web.keyFor(['publish']))).status).toBe(403);
  });
});
