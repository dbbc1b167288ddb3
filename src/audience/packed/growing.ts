type Typed = Uint32Array | Int32Array | Uint16Array;

/** The array itself, or a copy twice as long (or longer) in which `length` fits; new places are `filler`. */
export const grown = <T extends Typed>(array: T, length: number, filler = 0): T => {
  if (length <= array.length) return array;
  const Same = array.constructor as new (length: number) => T;
  const larger = new Same(Math.max(length, array.length * 2, 64));
  if (filler !== 0) larger.fill(filler, array.length);
  larger.set(array as never);
  return larger;
};
