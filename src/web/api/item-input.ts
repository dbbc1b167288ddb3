import { z } from 'zod';
import { type ItemContent, itemContentSchema, noItem, urgencies } from '../../publishing/item.ts';

/** `department: x` is short for `departments: [x]`. */
const short = { department: z.string().trim().min(1).max(200).optional() };

const notBoth = {
  check: (body: unknown): boolean =>
    body === null || typeof body !== 'object' || !('department' in body && 'departments' in body),
  words: { message: 'is short for departments: [..]; name only one of them', path: ['department'], when: () => true },
};

export const newItemBody = itemContentSchema
  .extend({ ...short, externalId: z.string().trim().min(1).max(500).optional() })
  .refine(notBoth.check, notBoth.words);

/** What may be changed; an absent field stays as it is, so no default may stand in for it. */
const fields = {
  ...itemContentSchema.partial().shape,
  ...short,
  urgency: z.enum(urgencies).optional(),
  visibility: z.enum(['public', 'targeted']).optional(),
};

export const reviseBody = z.strictObject(fields).refine(notBoth.check, notBoth.words);

export const correctBody = z
  .strictObject({ change: z.enum(['major', 'minor']), note: z.string().trim().min(1).max(2_000), ...fields })
  .refine(notBoth.check, notBoth.words);

type Short = { department?: string | undefined; departments?: string[] | undefined };

/** The content without our shorthand. */
export const withDepartments = <T extends Short>({ department, ...content }: T): Omit<T, 'department'> =>
  department === undefined ? content : { ...content, departments: [department] };

/** Only the fields that were sent. */
export const sentFields = (body: z.output<typeof reviseBody>): Partial<ItemContent> =>
  Object.fromEntries(Object.entries(withDepartments(body)).filter(([, value]) => value !== undefined));

/** An item that is still being written, for previews: nothing is needed yet. */
export const draftBody = z
  .strictObject({ ...fields, externalId: z.string().trim().min(1).max(500).optional() })
  .refine(notBoth.check, notBoth.words);

export const draftContent = ({ externalId: _externalId, ...body }: z.output<typeof draftBody>): ItemContent => ({
  ...noItem,
  ...sentFields(body),
});
