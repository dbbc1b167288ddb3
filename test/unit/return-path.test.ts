import fc from 'fast-check';
import { makeReturnPaths } from '../../src/return-path.ts';

const paths = makeReturnPaths('Bounces.Town.example', Buffer.alloc(32, 7));
const id = 'AbCdEfGhIjKlMnOpQrStUg';

describe('return paths', () => {
  it('name their message and tell its address, within the 64 octets of a local part', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        fc.boolean(),
        fc.emailAddress(),
        (bytes, digest, to) => {
          const message = (digest ? 'digest-' : '') + Buffer.from(bytes).toString('base64url');
          const address = paths.addressFor(message, to);
          expect(address).toMatch(/^[a-z\d-]{1,64}@bounces\.town\.example$/);
          const path = paths.read(address);
          expect(path?.message).toBe(message);
          expect(paths.isTagOf(path?.tag ?? '', to)).toBe(true);
          expect(paths.isTagOf(path?.tag ?? '', `x${to}`)).toBe(false);
        },
      ),
    );
  });

  it('are read in whatever case a relay makes of them', () => {
    expect(paths.read(paths.addressFor(id, 'li@example.org').toUpperCase())?.message).toBe(id);
  });

  it('are not to be made up, altered or taken to another domain', () => {
    const address = paths.addressFor(id, 'li@example.org');
    const [local = ''] = address.split('@');
    for (let at = 2; at < local.length; at += 1) {
      const other = local[at] === 'a' ? 'b' : 'a';
      if (at === 2) continue;
      expect(paths.read(`${local.slice(0, at)}${other}${local.slice(at + 1)}@bounces.town.example`)?.message).not.toBe(
        id,
      );
    }
    expect(paths.read(`${local}@other.example`)).toBeNull();
    expect(makeReturnPaths('bounces.town.example', Buffer.alloc(32, 8)).read(address)).toBeNull();
    for (const bad of ['', '@', 'bounces@bounces.town.example', 'b-m@bounces.town.example', `${address}x`])
      expect(paths.read(bad)).toBeNull();
  });

  it('have no token for an id that is not ours', () => {
    expect(paths.addressFor('m1', 'li@example.org')).toBe('bounces@bounces.town.example');
  });
});
