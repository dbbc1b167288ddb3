import { ownTurn } from '../../src/turns.ts';
import { countTurns, pausesOf } from '../helpers/count-turns.ts';

describe('turns of the event loop that are given away', () => {
  it('are one for each who asks, in the order of asking, with turns between in which a request is read and answered', async () => {
    const turns = countTurns();
    const given: [who: string, turn: number][] = [];
    const work = async (who: string, parts: number): Promise<void> => {
      for (let part = 0; part < parts; part++) {
        await ownTurn();
        given.push([who, turns.now()]);
      }
    };
    await Promise.all([work('one', 3), work('two', 3), work('three', 1)]);
    turns.end();
    expect(given.map(([who]) => who)).toEqual(['one', 'two', 'three', 'one', 'two', 'one', 'two']);
    for (const pause of pausesOf(given.map(([, turn]) => turn))) expect(pause).toBeGreaterThanOrEqual(3);
  });
});
