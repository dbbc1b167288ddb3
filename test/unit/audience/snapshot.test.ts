import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { makeAudienceIndex } from '../../../src/audience/audience-index.ts';
import { readSnapshot, writeSnapshot } from '../../../src/audience/index/snapshot.ts';
import { ordinalsOf } from '../../../src/audience/people-set.ts';
import { condition, context, item, makeItem } from '../rules/fixtures.ts';
import { follows, indexOf, topicNumbers, town, twin, withOrdinal } from './fixtures.ts';

describe('the snapshot of the audience index', () => {
  let dir: string;
  let file: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'bellman-snapshot-'));
    file = join(dir, 'audience.snapshot');
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const people = fc.sample(twin, { numRuns: 30, seed: 3 }).map((one, at) => withOrdinal(one, 1 + at * 5_000));
  const write = async (): Promise<Buffer> => {
    const tools = indexOf(people);
    tools.setSequence(77);
    await writeSnapshot(file, tools.snapshot(), 'token');
    return readFileSync(file);
  };

  it('brings back an index that answers the same, and goes on from there', async () => {
    const changes = fc.array(fc.tuple(twin, fc.nat(9)), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(town, changes, condition, item, async (start, later, one, facts) => {
        const before = indexOf(start);
        before.setSequence(5);
        await writeSnapshot(file, before.snapshot(), 'token');
        const snapshot = await readSnapshot(file);
        if (!snapshot) throw new Error('there is a snapshot');
        const after = makeAudienceIndex(snapshot);
        after.addFollows(follows);
        after.setTopics(topicNumbers);
        expect(after.index.sequence()).toBe(5);
        expect(after.highest()).toBe(before.highest());
        for (const [person, at] of later)
          for (const tools of [before, after]) tools.put({ ...person.indexed, ordinal: 1 + at * 7_919 });
        expect(after.index.people()).toBe(before.index.people());
        const asked = [before, after].map(({ index }) => [...ordinalsOf(index.select(one, facts, context))]);
        expect(asked[1]).toEqual(asked[0]);
        const matched = [before, after].map(({ index }) =>
          index.matchItem(facts).map(({ no, people: having }) => [no, ...ordinalsOf(having)]),
        );
        expect(matched[1]).toEqual(matched[0]);
      }),
      { numRuns: 60 },
    );
  });

  it('is nothing where there is none', async () => {
    expect(await readSnapshot(file)).toBeNull();
  });

  it('takes the place of the one before, whole, and is for nobody else to read', async () => {
    await write();
    await write();
    expect(readdirSync(dir)).toEqual(['audience.snapshot']);
    expect(statSync(file).mode & 0o077).toBe(0);
    expect((await readSnapshot(file))?.sequence).toBe(77);
  });

  it('leaves the one before where writing fails', async () => {
    await write();
    const tools = indexOf(people).snapshot();
    await expect(writeSnapshot(file, tools, '../missing/token')).rejects.toThrow();
    expect((await readSnapshot(file))?.sequence).toBe(77);
  });

  it('is refused with any byte changed', async () => {
    const whole = await write();
    for (let at = 0; at < whole.length; at += Math.max(1, Math.floor(whole.length / 60))) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      writeFileSync(file, damaged);
      await expect(readSnapshot(file)).rejects.toThrow();
    }
  });

  it('is refused wherever it ends too early', async () => {
    const whole = await write();
    for (const length of [0, 5, 19, 22, 100, whole.length - 33, whole.length - 1]) {
      writeFileSync(file, whole.subarray(0, length));
      await expect(readSnapshot(file)).rejects.toThrow();
    }
  });

  it('is of the version that this service writes', async () => {
    const whole = await write();
    writeFileSync(file, Buffer.concat([Buffer.from('bellman-audience-0\n'), whole.subarray(19)]));
    await expect(readSnapshot(file)).rejects.toThrow('not of this version');
  });

  it('holds as many people as were put into it', async () => {
    await write();
    const snapshot = await readSnapshot(file);
    const tools = makeAudienceIndex(snapshot ?? undefined);
    expect(tools.index.people()).toBe(people.length);
    expect(tools.index.select({ all: [] }, makeItem(), context).size).toBe(people.length);
  });
});
