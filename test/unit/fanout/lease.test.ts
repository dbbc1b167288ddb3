import { makeLeaseWatch } from '../../../src/fanout/worker/lease.ts';

describe('the lease watch', () => {
  const lease = (beat: number, token = 'a') => ({ id: 'batch', token, beat });
  const setUp = () => {
    let now = 0;
    return { watch: makeLeaseWatch({ monotonic: () => now }, 1000), pass: (ms: number) => (now += ms) };
  };

  it('calls a lease stale only after it has seen it unchanged for a whole lease', () => {
    const { watch, pass } = setUp();
    expect(watch.stale([lease(1)])).toEqual([]);
    pass(999);
    expect(watch.stale([lease(1)])).toEqual([]);
    pass(1);
    expect(watch.stale([lease(1)])).toEqual([lease(1)]);
  });

  it.each([
    ['a beat', lease(2)],
    ['another token', lease(1, 'b')],
  ])('starts anew after %s', (_name, changed) => {
    const { watch, pass } = setUp();
    watch.stale([lease(1)]);
    pass(900);
    expect(watch.stale([changed])).toEqual([]);
    pass(900);
    expect(watch.stale([changed])).toEqual([]);
    pass(100);
    expect(watch.stale([changed])).toEqual([changed]);
  });

  it('forgets a lease that was given back meanwhile', () => {
    const { watch, pass } = setUp();
    watch.stale([lease(1)]);
    pass(600);
    watch.stale([]);
    pass(600);
    expect(watch.stale([lease(1)])).toEqual([]);
  });
});
