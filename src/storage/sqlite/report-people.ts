import type { PersonGroup, ReportStore, Views } from '../../reports/report-store.ts';
import { readEvent } from '../profile-content.ts';
import { inChunks } from './chunks.ts';
import type { Row, SqliteDatabase } from './database.ts';

const peopleInOneRead = 1_000;
/** Merges are chains of a step or two; nobody follows one without end. */
const mergesMost = 5;

const groupOf = (ordinal: number, row: Row): PersonGroup => ({
  ordinal,
  heir: Number(row.ordinal),
  region: row.erased_at === null ? (row.region as string | null) : null,
  locale: row.erased_at === null ? String(row.locale) : null,
  birthYear: row.birth_year === null ? null : Number(row.birth_year),
});

/** What reports read of people, and of what they viewed. */
export const reportPeople = (db: SqliteDatabase): Pick<ReportStore, 'people' | 'views'> => {
  const people = db.prepare(
    `SELECT ordinal, merged_into, erased_at, region, locale, attributes->>'birthYear' AS birth_year
     FROM json_each(?) j CROSS JOIN subscribers ON ordinal = j.value`,
  );
  const one = db.prepare(
    `SELECT ordinal, merged_into, erased_at, region, locale, attributes->>'birthYear' AS birth_year
     FROM subscribers WHERE ordinal = ?`,
  );
  const ties = db.prepare(
    `SELECT subscriber, min(tied_at) AS tied_at FROM json_each(?) j CROSS JOIN visitors ON subscriber = j.value
     GROUP BY subscriber`,
  );
  const events = db.prepare(
    `SELECT subscriber, at, content FROM json_each(?1) j CROSS JOIN browsing_events ON subscriber = j.value
     WHERE at >= ?2 AND at < ?3`,
  );

  const heirOf = (row: Row): Row => {
    let heir = row;
    for (let steps = 0; heir.merged_into !== null && steps < mergesMost; steps += 1)
      heir = one.get(heir.merged_into) ?? { ...heir, merged_into: null };
    return heir;
  };

  const viewsOf = (ordinals: number[], from: number, to: number): Views[] => {
    const list = JSON.stringify(ordinals);
    const found = new Map<number, Views>();
    const viewsBy = (ordinal: number): Views => {
      const there = found.get(ordinal) ?? { ordinal, tiedAt: null, viewed: [] };
      found.set(ordinal, there);
      return there;
    };
    for (const row of ties.all(list)) viewsBy(Number(row.subscriber)).tiedAt = Number(row.tied_at);
    for (const row of events.all(list, from, to)) {
      const { ordinal, kind, item, topics } = readEvent(
        Number(row.subscriber),
        Number(row.at),
        JSON.parse(String(row.content)),
      );
      if (kind === 'view') viewsBy(ordinal).viewed.push({ item, topics });
    }
    return [...found.values()];
  };

  return {
    people: async (ordinals) => {
      const parts = await inChunks(ordinals, peopleInOneRead, (part) =>
        db.read(() => people.all(JSON.stringify(part)).map((row) => groupOf(Number(row.ordinal), heirOf(row)))),
      );
      return parts.flat();
    },
    views: async (ordinals, from, to) =>
      (await inChunks(ordinals, peopleInOneRead, (part) => db.read(() => viewsOf(part, from, to)))).flat(),
  };
};
