import { RoaringBitmap32, roaringLibraryInitialize, SerializationFormat } from 'roaring-wasm';

await roaringLibraryInitialize();

/**
 * Sets of ordinals as they are stored: portable serialised roaring bitmaps. A set is opened, used and disposed inside one
 * call, because the memory of roaring-wasm is not garbage-collected.
 */
export const packOrdinals = (ordinals: Iterable<number>): Uint8Array => {
  const bitmap = new RoaringBitmap32(ordinals);
  try {
    bitmap.runOptimize();
    return bitmap.serialize(SerializationFormat.portable).slice();
  } finally {
    bitmap.dispose();
  }
};

/** The ordinals of a packed set, ascending. */
export const unpackOrdinals = (packed: Uint8Array): number[] => {
  const bitmap = RoaringBitmap32.deserialize(SerializationFormat.portable, packed);
  try {
    return bitmap.toArray();
  } finally {
    bitmap.dispose();
  }
};

/** Everybody who is in at least one of the sets, ascending. */
export const unionOf = (packed: Uint8Array[]): Uint32Array => {
  const union = new RoaringBitmap32();
  try {
    for (const one of packed) {
      const bitmap = RoaringBitmap32.deserialize(SerializationFormat.portable, one);
      union.orInPlace(bitmap);
      bitmap.dispose();
    }
    return union.toUint32Array();
  } finally {
    union.dispose();
  }
};

/** Those of a set who are not among the taken. */
export const restOf = (packed: Uint8Array, taken: Uint8Array): Uint8Array => {
  const [rest, others] = [packed, taken].map((one) =>
    RoaringBitmap32.deserialize(SerializationFormat.portable, one),
  ) as [RoaringBitmap32, RoaringBitmap32];
  try {
    rest.andNotInPlace(others);
    return rest.serialize(SerializationFormat.portable).slice();
  } finally {
    rest.dispose();
    others.dispose();
  }
};

/** Which of the sets each of these people is in: for every ordinal the indexes of the sets, ascending. */
export const membership = (packed: Uint8Array[], ordinals: number[]): Map<number, number[]> => {
  const asked = new RoaringBitmap32(ordinals);
  const found = new Map<number, number[]>(ordinals.map((ordinal) => [ordinal, []]));
  try {
    packed.forEach((one, index) => {
      const bitmap = RoaringBitmap32.deserialize(SerializationFormat.portable, one);
      bitmap.andInPlace(asked);
      for (const ordinal of bitmap.toArray()) found.get(ordinal)?.push(index);
      bitmap.dispose();
    });
    return found;
  } finally {
    asked.dispose();
  }
};
