import { decodeCursor, encodeCursor } from '../../cursor.ts';
import { AppError } from '../../errors.ts';
import type { Rule, RuleVersion } from '../../rules/rule.ts';
import type { RuleStore, VersionId } from '../../rules/rule-store.ts';
import { inChunks } from './chunks.ts';
import type { Row, SqliteDatabase } from './database.ts';

const idsAtOnce = 2_000;
/** Before every row of a list that runs from the newest to the oldest. */
const beforeAll: [number, string] = [Number.MAX_SAFE_INTEGER, ''];

const numberOrNull = (value: Row[string] | undefined): number | null =>
  value === null || value === undefined ? null : Number(value);
const textOrNull = (value: Row[string] | undefined): string | null =>
  value === null || value === undefined ? null : String(value);

const ruleOf = (row: Row): Rule => ({
  id: String(row.id),
  departments: JSON.parse(String(row.departments)) as string[],
  state: String(row.state) as Rule['state'],
  active: numberOrNull(row.active),
  latest: Number(row.latest),
  inReview: numberOrNull(row.in_review),
  rejection: textOrNull(row.rejection),
  createdAt: Number(row.created_at),
  updatedAt: Number(row.updated_at),
});

const versionOf = (row: Row): RuleVersion => ({
  rule: String(row.rule),
  version: Number(row.version),
  content: JSON.parse(String(row.content)) as RuleVersion['content'],
  writer: String(row.writer),
  approvedBy: textOrNull(row.approved_by),
  createdAt: Number(row.created_at),
  usedAt: numberOrNull(row.used_at),
});

const wantedIds = `SELECT DISTINCT json_extract(value, '$[0]') AS rule, json_extract(value, '$[1]') AS version FROM json_each(?)`;
const idList = (ids: VersionId[]): string => JSON.stringify(ids.map(({ rule, version }) => [rule, version]));

const prepareWrites = (db: SqliteDatabase) => {
  const insertRule = db.prepare(
    `INSERT INTO rules (id, departments, state, active, latest, in_review, rejection, created_at, updated_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  );
  const updateRule = db.prepare(
    `UPDATE rules SET state = ?, active = ?, latest = ?, in_review = ?, rejection = ?, updated_at = ?
     WHERE id = ? AND updated_at = ?`,
  );
  const putVersion = db.prepare(
    `INSERT INTO rule_versions (rule, version, content, writer, approved_by, created_at, used_at)
     VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET approved_by = excluded.approved_by`,
  );
  const put = ({ rule, version, content, writer, approvedBy, createdAt, usedAt }: RuleVersion): void => {
    putVersion.run(rule, version, JSON.stringify(content), writer, approvedBy, createdAt, usedAt);
  };
  return {
    insert: (rule: Rule, first: RuleVersion) => {
      const { id, departments, state, active, latest, inReview, rejection, createdAt, updatedAt } = rule;
      const values = [
        id,
        JSON.stringify(departments),
        state,
        active,
        latest,
        inReview,
        rejection,
        createdAt,
        updatedAt,
      ];
      if (insertRule.run(...values).changes === 0) return false;
      put(first);
      return true;
    },
    update: (before: Rule, after: Rule, version: RuleVersion | undefined) => {
      const { state, active, latest, inReview, rejection, updatedAt } = after;
      const values = [state, active, latest, inReview, rejection, updatedAt, before.id, before.updatedAt];
      if (updateRule.run(...values).changes === 0) return false;
      if (version) put(version);
      return true;
    },
  };
};

/** Rules in SQLite: one row a rule, one row a version. */
export const sqliteRuleStore = (db: SqliteDatabase): RuleStore => {
  const writes = prepareWrites(db);
  const one = db.prepare('SELECT * FROM rules WHERE id = ?');
  const page = db.prepare(
    'SELECT * FROM rules WHERE (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?',
  );
  const versions = db.prepare(`SELECT kept.* FROM (${wantedIds}) JOIN rule_versions AS kept USING (rule, version)`);
  const versionsOf = db.prepare('SELECT * FROM rule_versions WHERE rule = ? ORDER BY version DESC LIMIT ?');
  const markUsed = db.prepare(
    `UPDATE rule_versions SET used_at = ? WHERE used_at IS NULL AND (rule, version) IN (${wantedIds})`,
  );
  const active = db.prepare(
    `SELECT kept.* FROM rules JOIN rule_versions AS kept ON kept.rule = rules.id AND kept.version = rules.active
     WHERE rules.state = 'active' ORDER BY rules.id`,
  );

  return {
    insert: async (rule, first) => {
      if (!(await db.write(() => writes.insert(rule, first))))
        throw new AppError('conflict', 'there is a rule with this id already');
    },
    get: (id) =>
      db.read(() => {
        const row = one.get(id);
        return row ? ruleOf(row) : null;
      }),
    list: async ({ cursor, limit }) => {
      const rows = await db.read(() => page.all(...decodeCursor(cursor, beforeAll), limit + 1));
      const shown = rows.slice(0, limit).map(ruleOf);
      const last = shown.at(-1);
      return { rows: shown, next: rows.length > limit && last ? encodeCursor([last.createdAt, last.id]) : null };
    },
    update: (before, after, version) => db.write(() => writes.update(before, after, version)),
    versions: async (ids) =>
      (await inChunks(ids, idsAtOnce, (part) => db.read(() => versions.all(idList(part)).map(versionOf)))).flat(),
    versionsOf: (rule, limit) => db.read(() => versionsOf.all(rule, limit).map(versionOf)),
    markUsed: async (ids, at) => {
      await inChunks(ids, idsAtOnce, (part) => db.write(() => markUsed.run(at, idList(part))));
    },
    active: () => db.read(() => active.all().map(versionOf)),
  };
};
