import { readFileSync } from 'node:fs';
import { syncsOf } from '../../src/storage/sqlite/wal-keeper.ts';
import { openFile } from '../helpers/open-sqlite.ts';
import { until } from '../helpers/push-over-api.ts';

describe('the keeper of the WAL', () => {
  const controlled = () => {
    const syncs: { end(): void; fail(error: Error): void }[] = [];
    const durable = syncsOf(() => new Promise((end, fail) => syncs.push({ end, fail })));
    return { syncs, durable };
  };
  const isSettled = async (promise: Promise<void>): Promise<boolean> =>
    Promise.race([promise.then(() => true), new Promise<false>((resolve) => setImmediate(() => resolve(false)))]);

  it('whoever comes while a sync is under way waits for the next one, and shares it', async () => {
    const { syncs, durable } = controlled();
    const first = durable();
    const [second, third] = [durable(), durable()];
    expect(syncs).toHaveLength(1);
    syncs[0]?.end();
    await first;
    expect(await isSettled(second)).toBe(false);
    expect(syncs).toHaveLength(2);
    syncs[1]?.end();
    await Promise.all([second, third]);
    expect(syncs).toHaveLength(2);
  });

  it('a sync that fails is told to those who waited for it, and the next is tried', async () => {
    const { syncs, durable } = controlled();
    const first = durable();
    const second = durable();
    syncs[0]?.fail(new Error('the disk is gone'));
    await expect(first).rejects.toThrow('the disk is gone');
    syncs[1]?.end();
    await second;
  });

  it('writes the pages of the WAL into the database while everybody goes on', async () => {
    const { handles, close } = await openFile(1);
    const [db] = handles;
    if (!db) throw new Error('no database');
    const file = String(db.prepare('PRAGMA database_list').get()?.file);
    db.exec('CREATE TABLE notes (text TEXT NOT NULL) STRICT');
    await db.write(() => db.prepare('INSERT INTO notes VALUES (?)').run('the marker of this page'));
    await until('the page is in the database', () => readFileSync(file).includes('the marker of this page'));
    await close();
  });
});
