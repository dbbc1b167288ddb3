import { roles } from '../../src/access/access-store.ts';
import { signLink } from '../../src/signed-link.ts';
import { lookupOf } from '../../src/subscriptions/address.ts';
import { type SmtpSink, smtpError, startSmtpSink } from '../helpers/smtp-sink.ts';
import { staffVisitor } from '../helpers/staff-visitor.ts';
import type { PlainVisitor } from '../helpers/visitor.ts';
import { startWeb, type Web } from '../helpers/web.ts';
import { routeRights } from './route-rights.ts';

/** Nothing but this person, and what they wrote, has it. */
const mark = 'zqxmark';
const email = `li@${mark}.example`;
const externalId = `${mark}-external`;
const everybody = { person: 'channel', has: ['email'] };
const rule = {
  name: 'Everybody',
  explanation: { en: 'For everybody.', 'zh-CN': '致所有人。' },
  when: { item: 'topics', has: ['services'] },
  who: everybody,
  deliver: { channels: ['email'], pace: 'immediate', priority: 5 },
};

/** What a call is made with where nothing would show nobody. */
const fields: Record<string, object> = {
  'POST /staff/people': { who: externalId },
  'POST /staff/suppressions/find': { who: email },
  'POST /api/v1/suppressions/find': { email },
};

/** Calls that show nobody unless they are asked for somebody. */
const asked = ['GET /api/v1/subscribers?externalId=EXTERNAL', 'GET /api/v1/items/:id/evidence?subscriber=PERSON'];

/** Calls that would take away what others are to show. */
const acts = /forget|remove|revoke|lift|sign-out|cancel|withdraw|undo|second-step|^DELETE|^PATCH|^PUT/;

describe('who reads of a person', () => {
  let web: Web;
  let mails: SmtpSink;
  let visitor: PlainVisitor & { id: string };
  let person: string;
  const ids = new Map<string, string>();

  const post = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const answer = await web.api('POST', path, body);
    expect([path, answer.status < 300, answer.text]).toEqual([path, true, answer.text]);
    return answer.body;
  };
  const publish = async (): Promise<{ item: string; push: string }> => {
    const content = { title: 'Water is off', summary: 'On Wednesday.', language: 'en', topics: ['services'] };
    const item = String((await post('/items', content)).id);
    const push = ((await post(`/items/${item}/publish`, {})).push as { id: string }).id;
    await web.town.drain();
    return { item, push };
  };

  beforeAll(async () => {
    let refuses = false;
    mails = await startSmtpSink({
      onRcpt: () => {
        if (refuses) throw smtpError(550, '5.7.1 refused by policy');
      },
    });
    web = await startWeb({ env: { EMAIL_URL: `smtp://127.0.0.1:${mails.port}` } });
    const follow = [{ topic: 'services' }];
    await web.town.people([{ externalId, email, verified: true, consents: { personalisation: true }, follow }]);
    const view = await web.town.subscriptions.person({ externalId });
    person = view?.person.id ?? '';
    const hook = { url: 'https://hooks.example.org/x', events: ['feedback.received', 'delivery.failed'] };
    ids.set('webhooks', String((await post('/webhooks', hook)).id));
    const { item, push } = await publish();
    ids.set('items', item);
    const { deliveries } = (await web.api('GET', `/pushes/${push}/deliveries`)).body as {
      deliveries: { id: string }[];
    };
    const token = signLink(web.town.keyring, 'feedback', deliveries[0]?.id ?? '');
    await post('/feedback', { token, kind: 'not-for-me', comment: `${mark}-comment` });
    refuses = true;
    ids.set('pushes', (await publish()).push);
    ids.set('dead-letters', ids.get('pushes') ?? '');
    const at = web.town.now();
    const receivedAt = new Date(at).toISOString();
    const application = { applicant: person, text: `${mark}-application`, receivedAt };
    ids.set('applications', String((await post('/applications', application)).id));
    const opinion = { person: view?.person.ordinal ?? 0, item, kind: 'question' as const, text: `${mark}-opinion`, at };
    ids.set('opinions', (await web.town.opinions.receive(opinion)).id);
    ids.set('rules', String((await post('/rules', rule)).id));
    ids.set('subscribers', person);
    const lookup = lookupOf(web.town.keyring, { channel: 'email', email });
    await web.town.stores.addresses.suppress(lookup, 'complaint', at);
    ids.set('suppressions', lookup);
    visitor = await staffVisitor(web, { name: 'reader', roles: [...roles] });
    ids.set('accounts', visitor.id);
  });
  afterAll(async () => {
    await web.close();
    await mails.close();
  });

  const entries = async () => {
    const found = [];
    for (let n = 1; ; n += 100) {
      const some = await web.town.stores.access.audit(n, 100);
      found.push(...some);
      if (some.length < 100) return found;
    }
  };

  const textOf = async (method: string, path: string, body: object): Promise<string> => {
    if (path.startsWith('/api/v1')) {
      const place = path.slice('/api/v1'.length);
      return (await web.api(method, place, method === 'GET' ? undefined : body)).text;
    }
    if (method === 'GET') return (await visitor.get(path)).html;
    await visitor.get('/staff/second-step');
    return (await visitor.send(path, body as Record<string, string>)).html;
  };

  it('stands in the audit log, whichever page or call it was', async () => {
    const bodies: Record<string, object> = {
      ...fields,
      'POST /api/v1/audience/explain': { item: ids.get('items'), subscriber: person },
      'POST /api/v1/audience/preview': { item: ids.get('items'), who: everybody },
      'POST /staff/rules/:id/why': { who: externalId, item: ids.get('items') ?? '' },
    };
    const routes = routeRights
      .filter(([route, right]) => right !== 'everybody' && right !== 'citizen' && !acts.test(route))
      .map(([route]) => route)
      .sort();
    const shown: string[] = [];
    const silent: string[] = [];
    for (const route of [...routes, ...asked]) {
      const [method = '', pattern = ''] = route.split(' ');
      const place = pattern
        .replace(/([\w-]+)\/:\w+/, (_, of: string) => `${of}/${ids.get(of) ?? 'x'}`)
        .replace(/:step/, 'x')
        .replace(/:\w+/g, '1')
        .replace(/=EXTERNAL/, `=${externalId}`)
        .replace(/=PERSON/, `=${person}`);
      const before = (await entries()).length;
      const text = await textOf(method, place, bodies[route] ?? {});
      if (!text.includes(mark) && !text.includes(person)) continue;
      shown.push(route);
      const readers = (await entries()).slice(before).map(({ actor }) => actor);
      if (!readers.includes(place.startsWith('/api') ? 'admin' : visitor.id)) silent.push(route);
    }
    expect(silent).toEqual([]);
    // a call that shows nobody here would be no proof
    expect(shown).toEqual([
      'GET /api/v1/applications',
      'GET /api/v1/applications/:id',
      'GET /api/v1/opinions',
      'GET /api/v1/pushes/:id/deliveries',
      'GET /api/v1/subscribers/:id',
      'GET /api/v1/suppressions',
      'GET /staff/admin/audit',
      'GET /staff/applications',
      'GET /staff/applications/:id',
      'GET /staff/feedback',
      'GET /staff/opinions',
      'GET /staff/opinions/:id',
      'GET /staff/suppressions',
      'POST /api/v1/suppressions/find',
      'POST /staff/admin/audit',
      'POST /staff/applications/:id/answer',
      'POST /staff/applications/:id/postpone',
      'POST /staff/opinions/:id/answer',
      'POST /staff/opinions/:id/publish',
      'POST /staff/people',
      'POST /staff/suppressions/find',
      ...asked,
    ]);
  });
});
