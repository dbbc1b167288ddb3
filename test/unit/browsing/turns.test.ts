import { makeBrowsingService } from '../../../src/browsing/browsing-service.ts';
import { countTurns } from '../../helpers/count-turns.ts';
import { makeTown, type Town } from '../../helpers/town.ts';

describe('batches of events that come in together', () => {
  let town: Town;
  beforeAll(async () => {
    town = await makeTown();
    await town.people(
      Array.from({ length: 20 }, (_, n) => ({
        externalId: `p${n}`,
        email: `p${n}@example.org`,
        verified: true,
        consents: { personalisation: true },
        follow: [{ topic: 'services' }],
      })),
    );
  });
  afterAll(() => town.close());

  it('are checked one in each turn of the event loop, so that pages come between, and all are taken', async () => {
    const turns = countTurns();
    const checkedIn: number[] = [];
    const profiles: Town['stores']['profiles'] = {
      ...town.stores.profiles,
      actors: (who) => {
        checkedIn.push(turns.now());
        return town.stores.profiles.actors(who);
      },
    };
    const browsing = makeBrowsingService({ profiles }, town);
    const reports = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        browsing.record([
          { subscriber: { externalId: `p${n}` }, kind: 'view', topic: 'services' },
          { subscriber: { externalId: `p${n + 10}` }, kind: 'view', topic: 'services' },
        ]),
      ),
    );
    turns.end();
    expect(reports).toEqual(Array.from({ length: 10 }, () => ({ accepted: 2, rejected: [] })));
    expect(checkedIn).toHaveLength(10);
    expect(new Set(checkedIn).size).toBe(10);
  });
});
