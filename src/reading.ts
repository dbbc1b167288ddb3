import { z } from 'zod';
import type { Fault } from './errors.ts';

type Issue = z.core.$ZodIssue;
export type Path = readonly PropertyKey[];

export const dotted = (path: Path): string => path.map(String).join('.');

/** Of a union, the branch that fits best tells most; where all fail at the very value, only the union's own words are true. */
const ofUnion = (branches: Issue[][], path: Path, message: string): Fault[] => {
  const deep = branches.filter((issues) => issues.some((issue) => issue.path.length > 0));
  const best = deep.sort((a, b) => a.length - b.length)[0];
  return best ? faultsOfIssues(best, path) : [{ path: dotted(path), message }];
};

const wordsOf = (issue: Issue): string =>
  issue.code === 'invalid_type' && issue.message.endsWith('received undefined') ? 'is required' : issue.message;

const faultsOfIssues = (issues: readonly Issue[], before: Path = []): Fault[] =>
  issues.flatMap((issue) => {
    const path = [...before, ...issue.path];
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({ path: dotted([...path, key]), message: 'is not known here' }));
    if (issue.code === 'invalid_union') return ofUnion(issue.errors, path, issue.message);
    if (issue.code === 'invalid_key' || issue.code === 'invalid_element') return faultsOfIssues(issue.issues, path);
    return [{ path: dotted(path), message: wordsOf(issue) }];
  });

/** Every fault that a schema found, each by its dotted path; unknown fields by name. */
export const faultsOf = (error: z.core.$ZodError): Fault[] => faultsOfIssues(error.issues);

/**
 * What is left of a value when everything that does not fit its schema is taken out: objects and records lose such fields,
 * lists hold `undefined` in the place of such elements; all else fits whole or not at all.
 */
export type Sound<S> =
  S extends z.ZodOptional<infer Inner>
    ? Sound<Inner> | undefined
    : S extends z.ZodNullable<infer Inner>
      ? Sound<Inner> | null
      : S extends z.ZodDefault<infer Inner>
        ? Sound<Inner>
        : S extends z.ZodObject<infer Shape>
          ? { [K in keyof Shape]?: Sound<Shape[K]> | undefined }
          : S extends z.ZodArray<infer Element>
            ? (Sound<Element> | undefined)[]
            : S extends z.ZodRecord<z.core.$ZodRecordKey, infer Value>
              ? Record<string, Sound<Value>>
              : S extends z.ZodType
                ? z.output<S>
                : never;

const soundFields = (entries: [string, z.core.$ZodType, unknown][]): Record<string, unknown> =>
  Object.fromEntries(
    entries
      .map(([key, schema, value]) => [key, sound(schema, value)] as const)
      .filter(([, value]) => value !== undefined),
  );

const sound = (schema: z.core.$ZodType, value: unknown): unknown => {
  const parsed = z.safeParse(schema, value);
  if (parsed.success) return parsed.data;
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault)
    return sound(schema.unwrap(), value);
  if (schema instanceof z.ZodArray)
    return Array.isArray(value) ? value.map((element) => sound(schema.element, element)) : undefined;
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined;
  if (schema instanceof z.ZodRecord)
    return soundFields(Object.entries(value).map(([key, entry]) => [key, schema.valueType, entry]));
  if (!(schema instanceof z.ZodObject)) return undefined;
  const fields = new Map<string, z.core.$ZodType>(Object.entries(schema.shape));
  return soundFields(
    Object.entries(value).flatMap(([key, entry]) => {
      const field = fields.get(key);
      return field ? [[key, field, entry]] : [];
    }),
  );
};

/**
 * The part of a value that fits its schema, so that what it names can be checked although the whole is refused; undefined
 * where nothing of it fits.
 */
export const soundPart = <S extends z.ZodType>(schema: S, value: unknown): Sound<S> | undefined =>
  sound(schema, value) as Sound<S> | undefined;
