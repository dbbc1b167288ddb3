import { type Role, roles } from '../../src/access/access-store.ts';
import type { Actor } from '../../src/publishing/item.ts';
import { startWeb, type Web } from '../helpers/web.ts';

const content = { title: 'Bus 12', summary: 'It stops at the market.', language: 'en', topics: ['services'] };
const rule = {
  name: 'Beijing',
  explanation: { en: 'You live in Beijing.', 'zh-CN': '您住在北京。' },
  when: { item: 'topics', has: ['services'] },
  who: { person: 'region', within: ['110000'] },
  deliver: { channels: ['email'], pace: 'immediate', priority: 5 },
};
const boss: Actor = { staff: 'boss', roles: ['publisher', 'reviewer', 'admin'], departments: [] };
const other: Actor = { ...boss, staff: 'other' };
const writers: Role[] = ['publisher', 'admin'];
const reviewers: Role[] = ['reviewer', 'admin'];

/** A key of scope publish opens these calls; what its account may do there is its roles'. */
describe('every call of publishers and reviewers, for every role', () => {
  let web: Web;
  const keys = new Map<Role, string>();
  beforeAll(async () => {
    web = await startWeb({ env: { REVIEW: 'on' } });
    const { access } = web.town;
    for (const role of roles) {
      const staff = await access.addStaff({ email: `${role}@example.org`, name: role, roles: [role], departments: [] });
      keys.set(role, (await access.addKey({ staff: staff.id, scopes: ['publish'], expiresAt: null })).key);
    }
  });
  afterAll(() => web.close());

  const draft = async (): Promise<string> =>
    (await web.town.publishing.create({ ...content, urgency: 'routine', visibility: 'public' }, null, boss)).id;
  const inReview = async (): Promise<string> => {
    const id = await draft();
    await web.town.publishing.submit(id, boss);
    return id;
  };
  const approved = async (): Promise<string> => {
    const id = await inReview();
    await web.town.publishing.approve(id, null, other);
    return id;
  };
  const published = async (): Promise<string> => {
    const id = await approved();
    await web.town.publishing.publish(id, boss);
    return id;
  };
  const made = async (): Promise<string> => String((await web.api('POST', '/rules', rule)).body.id);
  const waiting = async (): Promise<string> => {
    const id = await made();
    await web.api('POST', `/rules/${id}/activate`);
    return id;
  };
  const nothing = async (): Promise<string> => '';

  const table: [string, () => Promise<string>, (id: string) => object, Role[]][] = [
    ['POST /items', nothing, () => content, writers],
    ['POST /items/import', nothing, () => ({ format: 'govuk', content: '{}', topics: ['services'] }), writers],
    ['POST /items/{id}/submit', draft, () => ({}), writers],
    ['POST /items/{id}/approve', inReview, () => ({}), reviewers],
    ['POST /items/{id}/reject', inReview, () => ({ reason: 'Say when' }), reviewers],
    ['POST /items/{id}/schedule', approved, () => ({ at: '2026-12-01T00:00:00Z' }), writers],
    ['POST /items/{id}/publish', approved, () => ({}), writers],
    ['POST /items/{id}/correct', published, () => ({ change: 'minor', note: 'A slip', title: 'Bus 13' }), writers],
    ['POST /items/{id}/withdraw', published, () => ({ note: 'It was wrong', notify: true }), writers],
    ['POST /rules', nothing, () => rule, writers],
    ['PUT /rules/{id}', made, () => rule, writers],
    ['POST /rules/{id}/activate', made, () => ({}), writers],
    ['POST /rules/{id}/approve', waiting, () => ({}), reviewers],
    ['POST /rules/{id}/reject', waiting, () => ({ reason: 'Too wide' }), reviewers],
    ['POST /rules/{id}/pause', waiting, () => ({}), writers],
    [
      'POST /pushes',
      published,
      (id) => ({ item: id, audience: { person: 'region', within: ['110000'] }, note: 'x' }),
      writers,
    ],
  ];
  it.each(table)('%s', async (call, prepare, body, may) => {
    const [method = '', path = ''] = call.split(' ');
    const outcomes: [Role, string][] = [];
    for (const role of roles) {
      const id = await prepare();
      const answer = await web.api(method, path.replace('{id}', id), body(id), keys.get(role));
      outcomes.push([role, answer.status < 300 ? 'done' : `${answer.status} ${answer.body.code}`]);
    }
    expect(outcomes).toEqual(roles.map((role) => [role, may.includes(role) ? 'done' : '403 no-scope']));
  });
});
