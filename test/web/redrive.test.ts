import { type SmtpSink, smtpError, startSmtpSink } from '../helpers/smtp-sink.ts';
import { startWeb, type Web } from '../helpers/web.ts';

const draft = { title: 'Bus 12', summary: 'Diverted', language: 'en', topics: ['services'] };

describe('redriving over the API', () => {
  let web: Web;
  let mails: SmtpSink;
  let refuses: boolean;
  beforeEach(async () => {
    refuses = true;
    mails = await startSmtpSink({
      onRcpt: () => {
        if (refuses) throw smtpError(550, '5.7.1 refused by policy');
      },
    });
    web = await startWeb({ env: { EMAIL_URL: `smtp://127.0.0.1:${mails.port}` } });
    await web.town.people(
      ['ana', 'ben', 'cai'].map((name) => ({
        email: `${name}@example.org`,
        verified: true,
        follow: [{ topic: 'services' }],
      })),
    );
  });
  afterEach(async () => {
    await web.close();
    await mails.close();
  });

  /** A push that has failed everybody, and the ids of its deliveries. */
  const failed = async (): Promise<{ push: string; ids: string[] }> => {
    const { id } = (await web.api('POST', '/items', draft)).body;
    const push = ((await web.api('POST', `/items/${id}/publish`)).body.push as { id: string }).id;
    await web.town.drain();
    const page = (await web.api('GET', `/pushes/${push}/deliveries?state=failed`)).body;
    return { push, ids: (page.deliveries as { id: string }[]).map((one) => one.id) };
  };
  const redrive = async (body: object) => {
    const answer = await web.api('POST', '/deliveries/redrive', body);
    await web.town.drain();
    return [answer.status, answer.body.redriven];
  };
  const counts = async (push: string) => {
    const { state, counts: all } = (await web.api('GET', `/pushes/${push}`)).body;
    const { sent, failed: lost, deferred } = all as Record<string, number>;
    return { state, sent, failed: lost, deferred };
  };

  it('sends one, those named, or all that failed of a push, each once; what fails again can be redriven again', async () => {
    const one = await failed();
    const other = await failed();
    expect([one.ids.length, await counts(one.push)]).toEqual([3, { state: 'done', sent: 0, failed: 3, deferred: 0 }]);
    expect(await redrive({ ids: one.ids.slice(0, 1) })).toEqual([200, 1]);
    expect(await counts(one.push)).toMatchObject({ failed: 3 });
    refuses = false;
    expect(await redrive({ ids: one.ids.slice(0, 1) })).toEqual([200, 1]);
    expect(await counts(one.push)).toEqual({ state: 'done', sent: 1, failed: 2, deferred: 0 });
    // both: of the ids, those of the push that failed still
    expect(await redrive({ push: one.push, ids: [...one.ids.slice(0, 2), ...other.ids] })).toEqual([200, 1]);
    expect(await redrive({ push: one.push })).toEqual([200, 1]);
    expect(await redrive({ push: one.push, ids: one.ids })).toEqual([200, 0]);
    expect([await counts(one.push), await counts(other.push)]).toEqual([
      { state: 'done', sent: 3, failed: 0, deferred: 0 },
      { state: 'done', sent: 0, failed: 3, deferred: 0 },
    ]);
    expect(mails.mails.map((mail) => mail.to[0]).sort()).toEqual(['ana', 'ben', 'cai'].map((n) => `${n}@example.org`));
  });

  it('refuses unknown pushes and keys without the scope, and finds nothing under unknown ids', async () => {
    const { push } = await failed();
    expect((await web.api('POST', '/deliveries/redrive', { push: 'unknown' })).status).toBe(404);
    expect(await redrive({ ids: ['unknown'] })).toEqual([200, 0]);
    expect((await web.api('POST', '/deliveries/redrive', { push, ids: [] })).status).toBe(400);
    const key = await web.keyFor(['publish']);
    expect((await web.api('POST', '/deliveries/redrive', { push }, key)).status).toBe(403);
  });
});
