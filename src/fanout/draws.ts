import type { Keyring } from '../keyring.ts';
import { parameters } from '../rules/arms.ts';

/** Bytes of one draw: 48 bits, which a double holds exactly. */
const drawBytes = 6;

/** Where a person falls in [0, 1) for each parameter of a rule on a day: one hash, so that a person keeps their arm all day. */
export const armDrawsOf = (keyring: Pick<Keyring, 'mac'>, rule: string, day: string, person: string): number[] => {
  const bytes = keyring.mac('arm', `${rule}:${day}:${person}`, parameters.length * drawBytes);
  return parameters.map((_, at) => bytes.readUIntBE(at * drawBytes, drawBytes) / 2 ** 48);
};
