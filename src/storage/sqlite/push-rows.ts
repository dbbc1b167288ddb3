import { type Lane, lanes, type Push } from '../../fanout/push.ts';
import type { Row } from './database.ts';

export const laneOf = (row: Row): Lane => lanes[Number(row.lane)] ?? 'bulk';

export const pushOf = (row: Row): Push => ({
  id: String(row.id),
  item: String(row.item),
  version: Number(row.version),
  lane: laneOf(row),
  state: row.state as Push['state'],
  audience: JSON.parse(String(row.audience)),
  channels: row.channels === null ? null : JSON.parse(String(row.channels)),
  note: row.note as string | null,
  plan: row.plan as string | null,
  matched: Number(row.matched),
  bySource: JSON.parse(String(row.by_source)),
  createdAt: Number(row.created_at),
  plannedAt: row.planned_at as number | null,
  finishedAt: row.finished_at as number | null,
});
