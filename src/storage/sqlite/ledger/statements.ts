import { digestCodes, digestIds } from '../../../fanout/digest/digest-id.ts';
import { rankOf } from '../../../fanout/push.ts';
import type { SqliteDatabase } from '../database.ts';
import { packedQuery } from '../packed.ts';

const deferred = rankOf('deferred');
const sending = rankOf('sending');
const digested = rankOf('digested');
/** Rows that are due again at some time in the lane of their push; the index of due rows says the same words. */
const waits = `state = ${deferred}`;
/** Messages that are digests, in the words of the index of their rows. */
const isDigest = `message >= '${digestIds.from}' AND message < '${digestIds.below}'`;
const failed = rankOf('failed');
/** What `deliveryOf` reads of a row, but for the push's own id. */
const deliveryColumns = [
  'ordinal',
  'channel',
  'state',
  'code',
  'reasons',
  'class',
  'revision',
  'attempts',
  'due_at',
  'at',
  'message',
  'holder',
];

/** The ledger's statements, prepared once a database. Notice states: 0 pending, 1 sending, 2 told. */
export const ledgerStatements = (db: SqliteDatabase) => ({
  pushNo: db.prepare('SELECT no FROM pushes WHERE id = ?'),
  pushId: db.prepare('SELECT id FROM pushes WHERE no = ?'),
  itemNo: db.prepare('SELECT no FROM ledger_items WHERE id = ?'),
  putItem: db.prepare('INSERT INTO ledger_items (id) VALUES (?) ON CONFLICT (id) DO NOTHING'),
  lease: db.prepare('SELECT kind FROM batches WHERE id = ? AND token = ?'),
  stretches: db.prepare(`SELECT no, first, last FROM batches WHERE push = ? AND kind IN ('plan', 'late')`),
  soil: db.prepare('UPDATE batches SET dirty = 1, marks = marks + 1 WHERE no = ?'),

  notice: db.prepare('SELECT owner, class, state FROM notices WHERE item = ? AND version = ? AND ordinal = ?'),
  insertNotices: db.prepare(
    `INSERT INTO notices (item, version, ordinal, owner, class, state, channel)
     SELECT ?1, ?2, value->>0, ?3, value->>1, 0, NULL FROM json_each(?4) WHERE true
     ON CONFLICT DO NOTHING`,
  ),
  // what a write will leave alone is asked for before it: RETURNING would make an object of every other row
  knownNotices: db.prepare(
    `SELECT json_group_array(ordinal) AS found FROM notices
     WHERE item = ?1 AND version = ?2 AND ordinal IN (SELECT value->>0 FROM json_each(?3))`,
  ),
  ownNotice: db.prepare(
    'UPDATE notices SET owner = ?, class = ? WHERE item = ? AND version = ? AND ordinal = ? AND state = 0',
  ),
  sendNotices: db.prepare(
    'UPDATE notices SET state = 1 WHERE item = ? AND version = ? AND ordinal IN (SELECT value FROM json_each(?))',
  ),
  tell: db.prepare(
    `UPDATE notices SET state = 2, channel = ? WHERE item = ? AND version = ? AND owner = ? AND state < 2
       AND ordinal IN (SELECT value FROM json_each(?))`,
  ),
  calmNotice: db.prepare(
    'UPDATE notices SET state = 0 WHERE item = ? AND version = ? AND ordinal = ? AND owner = ? AND state = 1',
  ),
  dropNotice: db.prepare(
    'DELETE FROM notices WHERE item = ? AND version = ? AND ordinal = ? AND owner = ? AND state < 2',
  ),
  releaseNotice: db.prepare(
    'DELETE FROM notices WHERE item = ? AND version = ? AND ordinal = ? AND owner = ? AND state = 0',
  ),
  dropPendingOf: db.prepare(
    `DELETE FROM notices WHERE owner = ? AND ordinal = ? AND state = 0
       AND (item, version) = (SELECT i.no, p.version FROM pushes p JOIN ledger_items i ON i.id = p.item WHERE p.id = ?)`,
  ),
  versionOf: db.prepare(
    'SELECT i.no AS item, p.version FROM pushes p JOIN ledger_items i ON i.id = p.item WHERE p.id = ?',
  ),
  noticesAfter: db.prepare(
    `SELECT ordinal, owner, state FROM notices WHERE item = ? AND version = ? AND ordinal > ?
     ORDER BY ordinal LIMIT ?`,
  ),
  toldOf: db.prepare(
    `SELECT n.ordinal, n.channel, min(n.version) AS version FROM notices n JOIN ledger_items i ON i.no = n.item
     WHERE i.id = ? AND n.version <= ? AND n.state = 2 GROUP BY n.ordinal ORDER BY n.ordinal`,
  ),
  reached: db.prepare(
    `SELECT 1 FROM notices n JOIN ledger_items i ON i.no = n.item
     WHERE i.id = ? AND n.version <= ? AND n.state > 0 LIMIT 1`,
  ),
  begunOf: db.prepare(
    `SELECT n.item, n.version, n.owner, n.class, n.channel, n.state
     FROM (SELECT DISTINCT i.no AS item, p.version FROM pushes p JOIN ledger_items i ON i.id = p.item) v
       JOIN notices n ON n.item = v.item AND n.version = v.version AND n.ordinal = ?
     WHERE n.state > 0`,
  ),
  tellToo: db.prepare(
    `INSERT INTO notices (item, version, ordinal, owner, class, state, channel) VALUES (?, ?, ?, ?, ?, 2, ?)
     ON CONFLICT (item, version, ordinal) DO UPDATE SET state = 2, channel = excluded.channel WHERE state < 2`,
  ),

  insertDeliveries: db.prepare(
    `INSERT INTO deliveries
     SELECT ?1, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8,
       value->>9, value->>10, value->>11 FROM json_each(?2) WHERE true
     ON CONFLICT DO NOTHING`,
  ),
  dropDelivery: db.prepare('DELETE FROM deliveries WHERE push = ? AND ordinal = ? AND channel = ?'),
  delivery: db.prepare('SELECT * FROM deliveries WHERE push = ? AND ordinal = ? AND channel = ?'),
  ofPeople: packedQuery(
    db,
    Object.fromEntries(deliveryColumns.map((name) => [name, `d.${name}`])),
    `FROM deliveries d WHERE d.push = ? AND d.ordinal IN (SELECT value FROM json_each(?)) ORDER BY d.ordinal, d.channel`,
  ),
  byKeys: db.prepare(
    `SELECT p.id AS push_id, d.* FROM json_each(?) k
       JOIN deliveries d ON d.push = k.value->>0 AND d.ordinal = k.value->>1 AND d.channel = k.value->>2
       JOIN pushes p ON p.no = d.push`,
  ),
  bestStates: db.prepare(
    `SELECT best, count(*) AS people FROM (
       SELECT max(state) AS best FROM deliveries
       WHERE push = ? AND ordinal IN (SELECT value FROM json_each(?)) GROUP BY ordinal)
     GROUP BY best`,
  ),
  page: db.prepare(
    `SELECT ?1 AS push_id, d.* FROM deliveries d
     WHERE d.push = ?2 AND (d.ordinal, d.channel) > (?3, ?4) AND (?5 IS NULL OR d.state = ?5)
     ORDER BY d.ordinal, d.channel LIMIT ?6`,
  ),
  ofPerson: db.prepare(
    `SELECT p.id AS push_id, d.* FROM deliveries d JOIN pushes p ON p.no = d.push
     WHERE d.ordinal = ? ORDER BY d.push DESC LIMIT ?`,
  ),
  endPerson: db.prepare(
    `UPDATE deliveries SET state = ?, code = ?, due_at = NULL, at = ?, holder = NULL
     WHERE push = ? AND ordinal = ? AND state IN (SELECT value FROM json_each(?))`,
  ),
  stretch: db.prepare(
    `SELECT ordinal, channel, state FROM deliveries WHERE push = ? AND (ordinal, channel) > (?, ?)
     ORDER BY ordinal, channel LIMIT ?`,
  ),
  departing: packedQuery(
    db,
    { state: 'd.state', holder: 'd.holder', named: 'd.message = j.value->>3', owner: 'n.owner', notice: 'n.state' },
    `FROM json_each(?4) j
       LEFT JOIN deliveries d ON d.push = ?1 AND d.ordinal = j.value->>0 AND d.channel = j.value->>1
       LEFT JOIN notices n ON n.item = ?2 AND n.version = ?3 AND n.ordinal = j.value->>2
     ORDER BY j.key`,
  ),
  nameMessage: db.prepare('UPDATE deliveries SET message = ? WHERE push = ? AND ordinal = ? AND channel = ?'),
  departRows: db.prepare(
    `UPDATE deliveries SET state = ${sending}, code = NULL, due_at = NULL, revision = ?, at = ?, holder = ?
     WHERE push = ? AND channel = ? AND ordinal IN (SELECT value FROM json_each(?))`,
  ),
  settleRows: db.prepare(
    `UPDATE deliveries SET state = ?, code = ?, due_at = ?, attempts = ?, at = ?, holder = NULL
     WHERE push = ? AND channel = ? AND state = ${sending} AND ordinal IN (SELECT value FROM json_each(?))`,
  ),
  inFlight: db.prepare(
    `SELECT json_group_array(ordinal) AS found FROM deliveries
     WHERE push = ? AND channel = ? AND state = ${sending} AND ordinal IN (SELECT value FROM json_each(?))`,
  ),
  receive: db.prepare(
    `UPDATE deliveries SET state = ?, at = ? WHERE push = ? AND ordinal = ? AND channel = ?
       AND state IN (SELECT value FROM json_each(?))`,
  ),
  // kept while its row is in flight; a bounce outranks a delivery, as a lower state
  receiveEarly: db.prepare(
    `UPDATE messages SET receipt = ?1 WHERE id = ?2 AND (receipt IS NULL OR receipt > ?1)
       AND (SELECT d.state FROM deliveries d
            WHERE d.push = messages.push AND d.ordinal = messages.ordinal AND d.channel = messages.channel) = ${sending}`,
  ),
  receipts: db.prepare(
    'SELECT id, receipt FROM messages WHERE id IN (SELECT value FROM json_each(?)) AND receipt IS NOT NULL',
  ),
  forgetReceipt: db.prepare('UPDATE messages SET receipt = NULL WHERE id = ?'),
  // steps from push to push along deliveries_due: what paused pushes hold back costs one step, however many rows it is
  duePushes: db.prepare(
    `WITH RECURSIVE waiting (no) AS (
       SELECT min(push) FROM deliveries WHERE ${waits} AND due_at IS NOT NULL
       UNION ALL
       SELECT (SELECT min(push) FROM deliveries WHERE ${waits} AND due_at IS NOT NULL AND push > w.no)
       FROM waiting w WHERE w.no IS NOT NULL)
     SELECT p.no, p.id, p.lane FROM waiting w CROSS JOIN pushes p ON p.no = w.no
     WHERE p.state NOT IN ('paused', 'cancelled')
       AND EXISTS (SELECT 1 FROM deliveries d WHERE d.push = p.no AND d.${waits} AND d.due_at <= ?)
     ORDER BY p.lane, p.no`,
  ),
  due: db.prepare(
    `SELECT push, ordinal, channel FROM deliveries WHERE push = ? AND ${waits} AND due_at <= ?
     ORDER BY due_at LIMIT ?`,
  ),
  insertGathered: db.prepare(
    `INSERT INTO batches (id, kind, push, lane, ordinals, first, last, people, keys, counts, since)
     VALUES (?, 'due', NULL, ?, ?, 0, -1, ?, ?, ?, ?)`,
  ),
  gathered: db.prepare(
    `UPDATE deliveries SET state = ${deferred}, due_at = NULL, holder = ?
     WHERE push = ? AND ordinal = ? AND channel = ?`,
  ),
  dueDigestPeople: db.prepare(
    `SELECT json_group_array(DISTINCT ordinal) AS found FROM (
       SELECT ordinal FROM deliveries WHERE state = ${digested} AND due_at IS NOT NULL AND due_at <= ?
       ORDER BY due_at, ordinal LIMIT ?)`,
  ),
  dueDigestRows: db.prepare(
    `SELECT d.push, p.id AS push_id, d.ordinal, d.channel FROM json_each(?) j
       CROSS JOIN deliveries d ON d.ordinal = j.value AND d.state = ${digested}
       JOIN pushes p ON p.no = d.push
     WHERE d.due_at <= ?`,
  ),
  hastenDigests: db.prepare(
    `UPDATE deliveries SET due_at = ?1 WHERE state = ${digested} AND due_at > ?1
       AND code IN (${digestCodes.map((code) => `'${code}'`)}) AND ordinal IN (SELECT value FROM json_each(?2))`,
  ),
  gatheredDigest: db.prepare(
    `UPDATE deliveries SET due_at = NULL, holder = ?
     WHERE push = ? AND ordinal = ? AND channel = ? AND state = ${digested}`,
  ),
  rowsOfDigest: db.prepare(
    `SELECT p.id AS push_id, d.* FROM deliveries d JOIN pushes p ON p.no = d.push
     WHERE d.message = ? AND d.${isDigest.replace('AND message', 'AND d.message')} ORDER BY d.push, d.ordinal, d.channel`,
  ),
  digestsOfOthers: db.prepare(
    `SELECT json_group_array(id) AS found FROM messages
     WHERE id IN (SELECT value FROM json_each(?)) AND holder IS NOT NULL AND holder <> ?`,
  ),
  holdDigests: db.prepare(
    `INSERT INTO messages (id, kind, push, ordinal, channel, template, created_at, attempts, holder)
     SELECT value->>3, 'digest', NULL, value->>2, value->>1, value->>4, ?1, '[]', ?2 FROM json_each(?3) WHERE true
     ON CONFLICT (id) DO UPDATE SET holder = excluded.holder`,
  ),
  letDigestsGo: db.prepare(
    'UPDATE messages SET holder = NULL WHERE holder IS NOT NULL AND id IN (SELECT value FROM json_each(?))',
  ),
  receiveDigestEarly: db.prepare(
    'UPDATE messages SET receipt = ?1 WHERE id = ?2 AND (receipt IS NULL OR receipt > ?1)',
  ),
  failedOf: db.prepare(`SELECT push, ordinal, channel FROM deliveries WHERE push = ? AND state = ${failed}`),
  failedMessages: db.prepare(
    `SELECT d.push, d.ordinal, d.channel FROM messages m
       JOIN deliveries d ON d.push = m.push AND d.ordinal = m.ordinal AND d.channel = m.channel
     WHERE m.id IN (SELECT value FROM json_each(?1)) AND (?2 IS NULL OR d.push = ?2) AND d.state = ${failed}
     UNION SELECT d.push, d.ordinal, d.channel FROM json_each(?1) j
       CROSS JOIN deliveries d ON d.message = j.value AND d.${isDigest.replace('AND message', 'AND d.message')}
     WHERE (?2 IS NULL OR d.push = ?2) AND d.state = ${failed}`,
  ),
  redrive: db.prepare(
    `UPDATE deliveries SET state = iif(${isDigest}, ${digested}, ${deferred}), code = 'redriven', due_at = ?,
       attempts = 0, at = ?
     WHERE push = ? AND ordinal = ? AND channel = ? AND state = ${failed}
       AND (SELECT p.state FROM pushes p WHERE p.no = push) <> 'cancelled'`,
  ),

  message: db.prepare('SELECT m.*, p.id AS push_id FROM messages m LEFT JOIN pushes p ON p.no = m.push WHERE m.id = ?'),
  messages: db.prepare(
    `SELECT m.*, p.id AS push_id FROM messages m LEFT JOIN pushes p ON p.no = m.push
     WHERE m.id IN (SELECT value FROM json_each(?))`,
  ),
  byReference: db.prepare(
    `SELECT m.*, p.id AS push_id FROM messages m LEFT JOIN pushes p ON p.no = m.push
     WHERE m.provider = ? AND m.reference = ?`,
  ),
  insertMessages: db.prepare(
    `INSERT INTO messages (id, kind, push, ordinal, channel, template, created_at, attempts)
     SELECT value->>3, 'delivery', ?1, value->>0, value->>1, value->>4, ?2, '[]' FROM json_each(?3) WHERE true
     ON CONFLICT (id) DO NOTHING`,
  ),
  firstAttempts: db.prepare(
    `UPDATE messages SET attempts = '[' || (j.value->>1) || ']',
       provider = iif(j.value->>3 IS NULL, provider, j.value->>2), reference = j.value->>3
     FROM json_each(?) AS j WHERE messages.id = j.value->>0 AND messages.attempts = '[]'`,
  ),
  attempted: db.prepare(
    `SELECT json_group_array(DISTINCT m.id) AS found FROM json_each(?) AS j
       JOIN messages m ON m.id = j.value->>0 AND m.attempts <> '[' || (j.value->>1) || ']'`,
  ),
  moreAttempts: db.prepare(
    `UPDATE messages SET attempts = json_insert(attempts, '$[#]', json(j.value->>1)),
       provider = iif(j.value->>3 IS NULL, provider, j.value->>2), reference = coalesce(j.value->>3, reference)
     FROM json_each(?) AS j
     WHERE messages.id = j.value->>0 AND NOT EXISTS (
       SELECT 1 FROM json_each(messages.attempts) a WHERE a.value = json(j.value->>1))`,
  ),
});
