import { laneOf } from '../../../src/fanout/worker/planner.ts';

describe('the lane of a push', () => {
  it.each([
    ['emergency', 0, 'emergency'],
    ['emergency', 1_000_000, 'emergency'],
    ['important', 1_000_000, 'at-once'],
    ['routine', 20_000, 'at-once'],
    ['routine', 20_001, 'bulk'],
  ] as const)('%s to %i people is %s', (urgency, matched, lane) => {
    expect(laneOf({ urgency }, matched)).toBe(lane);
  });
});
