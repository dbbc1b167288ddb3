import { readOutbox } from '../../src/channels/outbox.ts';
import { makeResident, publishIn } from '../helpers/published.ts';
import { makeTown, publisher, type Town } from '../helpers/town.ts';

const correction = { change: 'major' as const, note: 'The other street.', fields: { summary: 'On Thursday.' } };

let town: Town;
let item: string;
beforeEach(async () => {
  town = await makeTown({ startAt: '2026-06-10T22:30:00Z' });
  await town.people([makeResident('ana', { quietHours: { from: '22:00', to: '07:00' } })]);
  ({ item } = await publishIn(town, { visibility: 'targeted' }));
});
afterEach(() => town.close());

const ana = async () => {
  const person = await town.stores.subscriptions.subscriber({ externalId: 'ana' });
  if (!person) throw new Error('ana is not there');
  return person;
};
const nameAna = async () =>
  town.fanout.push(
    { item, audience: { kind: 'people', subscribers: [(await ana()).id] }, channels: null, note: 'x' },
    publisher,
  );
const answerAna = async () =>
  town.fanout.answer({ id: 'answer-1', item, ordinal: (await ana()).ordinal, note: 'application 1' });
const told = async (): Promise<string[]> =>
  (await readOutbox(town.dataDir, { limit: 10 })).map(({ to, text }) => `${to} ${/Thursday/.test(text)}`);
const morning = async (): Promise<void> => {
  town.pass('2026-06-11T06:30:00Z');
  await town.drain();
};

describe('people who were named, and not told before a later version came', () => {
  it.each([
    ['named by a publisher', nameAna],
    ['answered', answerAna],
  ])('are told that version: %s', async (_, push) => {
    await push();
    await town.drain();
    expect(await told()).toEqual([]);
    await town.fanout.correct(item, correction, publisher);
    await town.drain();
    // and once more, before it went
    await town.fanout.correct(item, correction, publisher);
    await town.drain();
    await morning();
    expect(await told()).toEqual(['ana@example.org true']);
  });

  it('are told it although their push came after its plan', async () => {
    const before = await town.stores.items.version(item, 1);
    await town.fanout.correct(item, correction, publisher);
    await town.parts.duties.tick();
    const { push } = await publishIn(town);
    const like = await town.stores.pushes.get(push);
    if (!like || !before) throw new Error('nothing was published');
    const ordinal = (await ana()).ordinal;
    await town.stores.pushes.insert({
      ...like,
      id: 'late',
      item,
      version: 1,
      audience: { kind: 'applicant', ordinal },
    });
    await town.fanout.cancel(push, publisher);
    await town.drain();
    await morning();
    expect(await told()).toEqual(['ana@example.org true']);
  });

  it('are told nothing where the push was cancelled', async () => {
    await town.fanout.cancel((await nameAna()).id, publisher);
    await town.fanout.correct(item, correction, publisher);
    await town.drain();
    await morning();
    expect(await told()).toEqual([]);
  });

  it('are told of a withdrawal: it cannot be kept from them', async () => {
    await answerAna();
    await town.drain();
    await expect(town.fanout.withdraw(item, 'Wrong.', false, publisher)).rejects.toMatchObject({ code: 'wrong-state' });
    await town.fanout.withdraw(item, 'Wrong.', true, publisher);
    // what was asked before is answered as it was
    expect(await answerAna()).toMatchObject({ id: 'answer-1', version: 1 });
    await town.drain();
    await morning();
    expect((await told()).length).toBe(1);
  });
});
