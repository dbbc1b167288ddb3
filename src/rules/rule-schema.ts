import { z } from 'zod';
import { channelNames, paces } from '../subscriptions/follow.ts';
import { conditionSchema, plainText } from './condition-schema.ts';

/** The greatest weight that tuning may give a rule. */
const mostWeight = 10;

const bounds = (most: number) =>
  z
    .tuple([z.number().min(0).max(most), z.number().min(0).max(most)])
    .refine(([least, greatest]) => least <= greatest, 'must have the lower bound first');

/** A rule as publishers write it (api: POST /rules). `holdout` is 0 and `tune` empty unless said. */
export const ruleContentSchema = z.strictObject({
  name: plainText(200),
  explanation: z.strictObject({ en: plainText(500), 'zh-CN': plainText(500) }),
  when: conditionSchema,
  who: conditionSchema,
  deliver: z.strictObject({
    channels: z
      .array(z.enum(channelNames))
      .min(1)
      .max(channelNames.length)
      .refine((names) => new Set(names).size === names.length, 'must not name a channel twice'),
    pace: z.enum(paces),
    priority: z.int().min(1).max(9),
    weight: z.number().min(0).max(mostWeight).optional(),
    hour: z.enum(['at-once', 'preferred']).optional(),
  }),
  holdout: z.number().min(0).max(0.5).default(0),
  tune: z
    .strictObject({
      threshold: bounds(1).optional(),
      weight: bounds(mostWeight).optional(),
      channels: z.boolean().optional(),
      hour: z.boolean().optional(),
      apply: z.boolean().optional(),
      floor: z.number().min(0).max(1).optional(),
    })
    .default({}),
});
