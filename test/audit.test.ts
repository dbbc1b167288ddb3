import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { mongo } from 'mongoose';
import { type AccessService, makeAccessService } from '../src/access/access-service.ts';
import type { AccessStore } from '../src/access/access-store.ts';
import { realEdges } from '../src/edges.ts';
import { makeKeyring, newWrappedLookupKey } from '../src/keyring.ts';
import { mongoAccessStore } from '../src/storage/mongo/access-store.ts';
import { sqliteAccessStore } from '../src/storage/sqlite/access-store.ts';
import { describeWithMongo, openMongoHandles } from './helpers/open-mongo.ts';
import { openMemory } from './helpers/open-sqlite.ts';
import { runCommand } from './helpers/run-command.ts';
import { makeTown } from './helpers/town.ts';

/** What somebody with the database in their hand can do to entry `n`. */
type Hand = {
  set(n: number, field: 'actor' | 'details' | 'subject' | 'hash', value: string): Promise<void>;
  shift(n: number): Promise<void>;
  remove(n: number): Promise<void>;
};
type Opened = { store: AccessStore; hand: Hand; close: () => Promise<void> };

const onSqlite = async (): Promise<Opened> => {
  const db = await openMemory();
  const change = async (sql: string, ...values: (string | number)[]) => {
    db.prepare(sql).run(...values);
  };
  return {
    store: sqliteAccessStore(db),
    hand: {
      set: (n, field, value) => change(`UPDATE audit SET ${field} = ? WHERE n = ?`, value, n),
      shift: (n) => change('UPDATE audit SET at = at + 1 WHERE n = ?', n),
      remove: (n) => change('DELETE FROM audit WHERE n = ?', n),
    },
    close: async () => db.close(),
  };
};

const onMongo = async (): Promise<Opened> => {
  const { handles, close } = await openMongoHandles(1);
  const db = handles[0] as mongo.Db;
  const log = db.collection<{ _id: number }>('audit');
  return {
    store: mongoAccessStore(db),
    hand: {
      set: async (n, field, value) => void (await log.updateOne({ _id: n }, { $set: { [field]: value } })),
      shift: async (n) => void (await log.updateOne({ _id: n }, { $inc: { at: 1 } })),
      remove: async (n) => void (await log.deleteOne({ _id: n })),
    },
    close,
  };
};

const describeAudit = (name: string, open: () => Promise<Opened>): unknown =>
  describe(`the audit log on ${name}`, () => {
    let opened: Opened;
    let access: AccessService;
    beforeEach(async () => {
      opened = await open();
      const secret = randomBytes(16).toString('hex');
      const keyring = makeKeyring(secret, newWrappedLookupKey(secret));
      access = makeAccessService({ access: opened.store }, { edges: realEdges, keyring });
      for (let n = 1; n <= 5; n += 1)
        await access.audit({ actor: 'admin', action: 'x', subject: `${n}`, details: { n } });
    });
    afterEach(() => opened.close());

    const tampering: [string, (hand: Hand) => Promise<void>, string][] = [
      ['whose actor was changed', (hand) => hand.set(3, 'actor', 'somebody'), 'altered'],
      ['whose details were emptied', (hand) => hand.set(3, 'details', '{}'), 'altered'],
      ['whose hash was replaced', (hand) => hand.set(3, 'hash', 'x'), 'altered'],
      ['whose time was moved', (hand) => hand.shift(3), 'altered'],
      ['that was removed', (hand) => hand.remove(3), 'missing'],
    ];
    it.each(tampering)('names the first entry %s', async (_what, tamper, why) => {
      expect(await access.verifyAudit()).toMatchObject({ ok: true, entries: 5 });
      await tamper(opened.hand);
      expect(await access.verifyAudit()).toEqual({ ok: false, brokenAt: 3, why });
    });

    it('is held against a head that was written down: nothing cut off, and not made anew', async () => {
      const before = await access.verifyAudit();
      const head = before.ok ? before.head : null;
      await access.audit({ actor: 'admin', action: 'x', subject: '6' });
      expect(await access.verifyAudit(head)).toMatchObject({ ok: true, entries: 6 });
      await opened.hand.remove(6);
      await opened.hand.remove(5);
      expect(await access.verifyAudit()).toMatchObject({ ok: true, entries: 4 });
      expect(await access.verifyAudit(head)).toEqual({ ok: false, brokenAt: 5, why: 'missing' });
      await access.audit({ actor: 'admin', action: 'another', subject: '5' });
      expect(await access.verifyAudit()).toMatchObject({ ok: true, entries: 5 });
      expect(await access.verifyAudit(head)).toEqual({ ok: false, brokenAt: 5, why: 'another' });
    });
  });

describeAudit('SQLite', onSqlite);
describeWithMongo('the audit log on MongoDB', () => describeAudit('MongoDB', onMongo));

describe('npm run audit:verify', () => {
  it('says that the log is whole, or names the first entry that is not, and ends with a code that says so', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'bellman-audit-'));
    const file = join(dataDir, 'bellman.db');
    const town = await makeTown({ file });
    for (const subject of ['1', '2', '3']) await town.access.audit({ actor: 'admin', action: 'x', subject });
    const env = { DATA_DIR: dataDir, SECRET: 'a secret for tests only' };
    const whole = await runCommand('audit-verify', [], env);
    expect([whole.code, whole.out]).toEqual([0, expect.stringMatching(/whole: 3 entries\. .*--head 3:[\w-]{43}/)]);
    const [head = ''] = /3:[\w-]{43}/.exec(whole.out) ?? [];
    town.db.exec("UPDATE audit SET actor = 'somebody' WHERE n = 2");
    const broken = await runCommand('audit-verify', ['--head', head], env);
    expect([broken.code, broken.errors]).toEqual([1, expect.stringContaining('entry 2 was altered')]);
    expect((await runCommand('audit-verify', ['--head', 'x'], env)).code).toBe(2);
    await town.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
});
