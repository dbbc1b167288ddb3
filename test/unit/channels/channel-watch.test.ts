import { channelTestKey, type SendResult } from '../../../src/channels/channel.ts';
import { makeChannelWatch } from '../../../src/channels/channel-watch.ts';
import { failure } from '../../../src/channels/result.ts';
import { makeLog } from '../../../src/log.ts';
import { sqliteAccountStore } from '../../../src/storage/sqlite/account-store.ts';
import type { SqliteDatabase } from '../../../src/storage/sqlite/database.ts';
import { openMemory } from '../../helpers/open-sqlite.ts';

const ok: SendResult = { ok: true, provider: 'smtp:a', reference: null, response: '250' };
const away = failure('smtp:a', { kind: 'transient', reason: 'connection' }, 'ECONNREFUSED for chen@example.org');
const unknown = failure('smtp:a', { kind: 'permanent', reason: 'no-such-address' }, '550 chen@example.org');
const notice = { kind: 'notification' as const, key: 'k' };
const trial = { kind: 'transactional' as const, key: `${channelTestKey} 1` };

describe('how a channel fares', () => {
  let db: SqliteDatabase;
  let now: number;
  let writes: number;
  let watch: ReturnType<typeof makeChannelWatch>;
  beforeEach(async () => {
    db = await openMemory();
    now = 1_780_000_000_000;
    writes = 0;
    const store = sqliteAccountStore(db);
    const counted = <A extends unknown[]>(write: (...args: A) => Promise<void>) => {
      return (...args: A) => {
        writes++;
        return write(...args);
      };
    };
    const counting = { worked: counted(store.worked), failed: counted(store.failed) };
    watch = makeChannelWatch(counting, { edges: { now: () => now }, log: makeLog('silent') });
  });
  afterEach(() => db.close());
  const health = () => sqliteAccountStore(db).health('email');

  it('is kept once a minute, however many messages go well', async () => {
    for (let n = 0; n < 60_000; n++) {
      watch('email', notice, ok);
      now += 1;
    }
    expect(writes).toBe(1);
    watch('email', notice, ok);
    expect(await health()).toEqual({ workedAt: now, fault: null, quietUntil: null });
  });

  it('turns bad with what is the provider’s fault, without the words that may name people, and good again', async () => {
    watch('email', notice, unknown);
    expect(writes).toBe(0);
    watch('email', notice, away);
    expect(await health()).toEqual({
      workedAt: null,
      fault: { at: now, code: 'connection', words: 'smtp:a' },
      quietUntil: null,
    });
    now += 1;
    watch('email', notice, ok);
    expect(await health()).toEqual({ workedAt: now, fault: null, quietUntil: null });
  });

  it('is written every five seconds at most where a provider is now well and now not', () => {
    for (let n = 0; n < 10_000; n++) {
      watch('email', notice, n % 2 ? ok : away);
      now += 1;
    }
    expect(writes).toBeLessThanOrEqual(5);
  });

  it('is kept of a test at once, whatever was wrong; and until when nothing is taken', async () => {
    watch('email', notice, ok);
    watch('email', trial, unknown);
    expect((await health()).fault).toMatchObject({ code: 'no-such-address' });
    const slow = failure('smtp:a', { kind: 'throttled', reason: 'throttled', retryAfterMs: 9_000 }, '');
    watch('email', trial, slow);
    expect(await health()).toMatchObject({ quietUntil: now + 9_000 });
    watch('email', trial, ok);
    expect(await health()).toEqual({ workedAt: now, fault: null, quietUntil: null });
  });

  it('is told by nobody for WeChat, whose client keeps its own', () => {
    watch('wechat', trial, away);
    expect(writes).toBe(0);
  });
});
