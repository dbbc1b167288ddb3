import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.env.BELLMAN_REAL_DATA;

if (folder === undefined)
  process.stderr.write('SKIPPED: tests on real data; BELLMAN_REAL_DATA does not name their folder\n');
else if (!existsSync(folder)) throw new Error(`BELLMAN_REAL_DATA names ${folder}, which is not there`);

/** `describe` where the real data is, else a skipped one. */
export const describeRealData = folder === undefined ? describe.skip : describe;

/** The text of one of the real files, by its path in the data folder. */
export const realData = (file: string): string => readFileSync(join(folder ?? '', file), 'utf8');
