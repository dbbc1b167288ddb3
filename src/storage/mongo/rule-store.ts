import type { mongo } from 'mongoose';
import { decodeCursor, encodeCursor } from '../../cursor.ts';
import { AppError } from '../../errors.ts';
import type { Rule, RuleVersion } from '../../rules/rule.ts';
import type { RuleStore, VersionId } from '../../rules/rule-store.ts';
import { insertIfFree, slices } from './writes.ts';

type StoredVersion = Omit<RuleVersion, 'content'> & { content: string };

/** A rule with all its versions, so that both change in one step. Content is JSON: names in it may be anything. */
type RuleDocument = Omit<Rule, 'id' | 'departments'> & {
  _id: string;
  /** Left out by rules that were made before they belonged to departments. */
  departments?: string[];
  versions: Record<string, StoredVersion>;
};

const idsInOneRead = 2_000;
/** Before every row of a list that runs from the newest to the oldest. */
const beforeAll: [number, string] = [Number.MAX_SAFE_INTEGER, ''];

const ruleOf = ({ _id, versions: _, departments = [], ...rest }: RuleDocument): Rule => ({
  id: _id,
  departments,
  ...rest,
});
const stored = ({ content, ...rest }: RuleVersion): StoredVersion => ({ ...rest, content: JSON.stringify(content) });
const versionOf = ({ content, ...rest }: StoredVersion): RuleVersion => ({ ...rest, content: JSON.parse(content) });

const versionsAsked = (ids: VersionId[]): Map<string, Set<number>> => {
  const asked = new Map<string, Set<number>>();
  for (const { rule, version } of ids) asked.set(rule, (asked.get(rule) ?? new Set()).add(version));
  return asked;
};

/** Rules over MongoDB: one document a rule. */
export const mongoRuleStore = (db: mongo.Db): RuleStore => {
  const rules = db.collection<RuleDocument>('rules');

  /** The rules of these versions, each with those of them that are there. */
  const holding = async (ids: VersionId[]): Promise<StoredVersion[]> => {
    const asked = versionsAsked(ids);
    const found: StoredVersion[] = [];
    for (const part of slices([...asked.keys()], idsInOneRead))
      for (const { _id, versions } of await rules.find({ _id: { $in: part } }).toArray())
        found.push(...Object.values(versions).filter(({ version }) => asked.get(_id)?.has(version)));
    return found;
  };

  return {
    insert: async ({ id, ...rest }, first) => {
      if (!(await insertIfFree(rules, { _id: id, ...rest, versions: { [first.version]: stored(first) } })))
        throw new AppError('conflict', 'there is a rule with this id already');
    },
    get: async (id) => {
      const found = await rules.findOne({ _id: id });
      return found && ruleOf(found);
    },
    list: async ({ cursor, limit }) => {
      const [createdAt, id] = decodeCursor(cursor, beforeAll);
      const rows = await rules
        .find({ $or: [{ createdAt: { $lt: createdAt } }, { createdAt, _id: { $lt: id } }] })
        .sort({ createdAt: -1, _id: -1 })
        .limit(limit + 1)
        .toArray();
      const shown = rows.slice(0, limit).map(ruleOf);
      const last = shown.at(-1);
      return { rows: shown, next: rows.length > limit && last ? encodeCursor([last.createdAt, last.id]) : null };
    },
    update: async (before, after, version) => {
      const { state, active, latest, inReview, rejection, updatedAt } = after;
      const there = version && (await rules.findOne({ _id: before.id }))?.versions[version.version];
      const change = there
        ? { [`versions.${version.version}.approvedBy`]: version.approvedBy }
        : version && { [`versions.${version.version}`]: stored(version) };
      const updated = await rules.updateOne(
        { _id: before.id, updatedAt: before.updatedAt },
        { $set: { state, active, latest, inReview, rejection, updatedAt, ...change } },
      );
      return updated.matchedCount > 0;
    },
    versions: async (ids) => (await holding(ids)).map(versionOf),
    versionsOf: async (rule, limit) =>
      Object.values((await rules.findOne({ _id: rule }))?.versions ?? {})
        .sort((a, b) => b.version - a.version)
        .slice(0, limit)
        .map(versionOf),
    markUsed: async (ids, at) => {
      for (const { rule, version, usedAt } of await holding(ids)) {
        if (usedAt !== null) continue;
        const field = `versions.${version}.usedAt`;
        await rules.updateOne({ _id: rule, [field]: null } as mongo.Filter<RuleDocument>, { $set: { [field]: at } });
      }
    },
    active: async () =>
      (await rules.find({ state: 'active' }).sort({ _id: 1 }).toArray()).flatMap(({ active, versions }) => {
        const version = active === null ? undefined : versions[active];
        return version ? [versionOf(version)] : [];
      }),
  };
};
