import { ownTurn } from '../../src/turns.ts';

describe('turns of the event loop that are given away', () => {
  it('are one for each who asks, in the order of asking, with turns between in which a request is read and answered', async () => {
    let turns = 0;
    let ended = false;
    const count = (): void => {
      turns += 1;
      if (!ended) setImmediate(count);
    };
    setImmediate(count);
    const given: [who: string, turn: number][] = [];
    const work = async (who: string, parts: number): Promise<void> => {
      for (let part = 0; part < parts; part++) {
        await ownTurn();
        given.push([who, turns]);
      }
    };
    await Promise.all([work('one', 3), work('two', 3), work('three', 1)]);
    ended = true;
    expect(given.map(([who]) => who)).toEqual(['one', 'two', 'three', 'one', 'two', 'one', 'two']);
    const pauses = given.slice(1).map(([, turn], place) => turn - (given[place]?.[1] ?? 0));
    for (const pause of pauses) expect(pause).toBeGreaterThanOrEqual(3);
  });
});
