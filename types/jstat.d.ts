/** jstat has no types of its own: the two functions that tuning uses. */
declare module 'jstat' {
  const jstat: {
    jStat: {
      /** The regularised incomplete beta function I_x(a, b); false outside 0 <= x <= 1. */
      ibeta(x: number, a: number, b: number): number | false;
      beta: { inv(p: number, a: number, b: number): number };
    };
  };
  export default jstat;
}
