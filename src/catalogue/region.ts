import type { Bilingual, ParentOf } from './topic.ts';

/** **region**: a node of the region tree; `code` is a GB/T 2260 number, an ISO 3166-2 code or the office's own. */
export type Region = { code: string; name: Bilingual; parent: string | null };

const gbt2260 = /^[1-8]\d{5}$/;

/**
 * The region above `code` when the office's table does not say: for six-digit GB/T 2260 codes the trailing `00` pairs
 * (110101 -> 110100 -> 110000), else the prefix before the last hyphen (US-CA-001 -> US-CA -> US).
 */
const impliedParent = (code: string): string | null => {
  if (gbt2260.test(code)) {
    if (!code.endsWith('00')) return `${code.slice(0, 4)}00`;
    return code.endsWith('0000') ? null : `${code.slice(0, 2)}0000`;
  }
  const hyphen = code.lastIndexOf('-');
  return hyphen > 0 ? code.slice(0, hyphen) : null;
};

/** The region and every region that contains it, nearest first (product: semantic 5). */
export const regionWithAncestors = (parentOf: ParentOf, code: string): string[] => {
  const path: string[] = [];
  let at: string | null = code;
  while (at && !path.includes(at)) {
    path.push(at);
    at = parentOf.get(at) ?? impliedParent(at);
  }
  return path;
};

/** Whether `outer` contains `inner` or is it. */
export const regionContains = (parentOf: ParentOf, outer: string, inner: string): boolean =>
  regionWithAncestors(parentOf, inner).includes(outer);
