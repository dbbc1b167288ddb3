/**
 * Whom a rule would have told of an item, told or held out: whether their visitor was tied to them before the draw, whether
 * another push told them of the item, whether they viewed its page or a sibling of its topic within 7 days (design D14).
 */
export type Drawn = { heldOut: boolean; tiedBefore: boolean; toldOtherwise: boolean; viewed: boolean };

/** How much likelier people look at an item because they were told: a difference of shares, with its 95 % interval. */
export type Lift = {
  told: { people: number; viewed: number };
  heldOut: { people: number; viewed: number };
  lift: number;
  interval: [number, number];
};

const z = 1.959963984540054;

/** Wilson's score interval of a share (Wilson 1927). */
const wilson = ({ people, viewed }: { people: number; viewed: number }): [number, number] => {
  const share = viewed / people;
  const middle = share + z ** 2 / (2 * people);
  const reach = z * Math.sqrt((share * (1 - share)) / people + (z / (2 * people)) ** 2);
  const scale = 1 + z ** 2 / people;
  return [(middle - reach) / scale, (middle + reach) / scale];
};

/**
 * The lift from counts of both arms, with Newcombe's interval (1998, method 10), which stays within −1 and 1 and holds at few
 * views. Null while one of the arms is empty.
 */
export const liftOf = (told: Lift['told'], heldOut: Lift['heldOut']): Lift | null => {
  if (told.people === 0 || heldOut.people === 0) return null;
  const [a, b] = [told.viewed / told.people, heldOut.viewed / heldOut.people];
  const [aLow, aHigh] = wilson(told);
  const [bLow, bHigh] = wilson(heldOut);
  const lift = a - b;
  const interval: [number, number] = [
    lift - Math.sqrt((a - aLow) ** 2 + (bHigh - b) ** 2),
    lift + Math.sqrt((aHigh - a) ** 2 + (b - bLow) ** 2),
  ];
  return { told, heldOut, lift, interval };
};

/**
 * The lift over people alike in both arms: whose visitor was tied before the draw (being told makes people sign in), and whom
 * nothing else told. Clicks and ratings never count: only who was told can click.
 */
export const liftAmong = (people: Iterable<Drawn>): Lift | null => {
  const arms = { told: { people: 0, viewed: 0 }, heldOut: { people: 0, viewed: 0 } };
  for (const { heldOut, tiedBefore, toldOtherwise, viewed } of people) {
    if (!tiedBefore || toldOtherwise) continue;
    const arm = heldOut ? arms.heldOut : arms.told;
    arm.people += 1;
    arm.viewed += viewed ? 1 : 0;
  }
  return liftOf(arms.told, arms.heldOut);
};
