import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { projectRoot } from '../project-root.ts';

const rulesSchema = z.strictObject({
  longSentence: z.int().min(1),
  jargon: z.array(z.strictObject({ word: z.string().min(1), better: z.string().min(1) })),
});

/** The house list of long sentences and jargon, by language: data that an office may edit (locales/plain-language.json). */
export const plainRules = z
  .strictObject({ en: rulesSchema, 'zh-CN': rulesSchema })
  .parse(JSON.parse(readFileSync(join(projectRoot, 'locales', 'plain-language.json'), 'utf8')));
