import fc from 'fast-check';
import { levelOf } from '../../../src/profiles/interest.ts';
import { emptyProfile, type Interest } from '../../../src/profiles/profile.ts';
import { closeContent, noProfile, openContent, putProfile, readProfile } from '../../../src/storage/profile-content.ts';

/** Names of which one ends, begins or holds another, or means something to JavaScript. */
const slugs = ['rent', 'rent-2026', 'low-rent', 'en', 'constructor', '住房', '0'];
/** The last has no number. */
const numbers = new Map(slugs.slice(0, -1).map((slug, place) => [slug, [3, 30, 12, 1, 120, 2][place] ?? 0]));

const anyInterest: fc.Arbitrary<Interest> = fc.record({
  // JSON knows no −0
  sum: fc.double({ min: -40, max: 40, noNaN: true }).map((sum) => sum + 0),
  counts: fc.record({ view: fc.integer({ min: 1, max: 9 }) }),
  since: fc.nat(),
  evidence: fc.array(
    fc.record({
      kind: fc.constant('search' as const),
      at: fc.nat(),
      item: fc.constant(null),
      query: fc.constantFrom('rent\n\trent', '\nen\t[1]', null),
    }),
    { maxLength: 2 },
  ),
});
const anyWrites = fc.array(
  fc.dictionary(fc.constantFrom(...slugs), anyInterest, { maxKeys: 4, noNullPrototype: true }),
  {
    maxLength: 8,
  },
);

const levelsOf = (interests: Record<string, Interest>): string =>
  Object.entries(interests)
    .flatMap(([slug, { sum }]) => {
      const [no, level] = [numbers.get(slug), levelOf(sum)];
      return no === undefined || level === null ? [] : [[no, level] as const];
    })
    .sort(([one], [other]) => one - other)
    .join();

describe('a profile as it is kept', () => {
  it('holds after any writes of some interests what was written last of each, and their levels in order', () => {
    fc.assert(
      fc.property(anyWrites, (writes) => {
        let content = closeContent(noProfile());
        let levels = '';
        const expected: Record<string, Interest> = {};
        for (const interests of writes) {
          const after = putProfile(openContent(content), { ...emptyProfile, interests }, numbers);
          content = closeContent(after);
          levels = after.levels;
          Object.assign(expected, interests);
        }
        expect(readProfile(openContent(content)).interests).toEqual(expected);
        expect(levels).toBe(levelsOf(expected));
        const [some, others] = [slugs.slice(0, 3), slugs.slice(3)];
        expect({
          ...readProfile(openContent(content), some).interests,
          ...readProfile(openContent(content), others).interests,
        }).toEqual(expected);
      }),
    );
  });

  it('comes to an end also where levels are not what they should be', () => {
    const profile = { ...emptyProfile, interests: { rent: { sum: 1, counts: {}, since: 0, evidence: [] } } };
    expect(putProfile({ ...noProfile(), levels: '1' }, profile, numbers).levels).toMatch(/3,0$/);
  });
});
