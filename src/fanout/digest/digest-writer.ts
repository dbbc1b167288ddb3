import type { Edges } from '../../edges.ts';
import type { DeliveryChange, Lease, LedgerStore, NoticeTaken, Outcome } from '../ledger-store.ts';
import {
  changeOf,
  classOf,
  flyingRow,
  groundedOutcome,
  isEnded,
  isGrounded,
  isHeldOut,
  noticeKeyOf,
} from '../worker/rows.ts';
import type { DigestRow } from './digest-settler.ts';

type WriterStores = { ledger: Pick<LedgerStore, 'takeNotices' | 'releaseNotices' | 'settle' | 'changeDeliveries'> };

const byPush = (rows: DigestRow[]): DigestRow[][] => {
  const groups = new Map<string, DigestRow[]>();
  for (const row of rows) groups.set(row.context.push.id, [...(groups.get(row.context.push.id) ?? []), row]);
  return [...groups.values()];
};

/** Writes what became of the rows of digests: notices push by push, then all rows. */
export const makeDigestWriter = ({ ledger }: WriterStores, { edges }: { edges: Pick<Edges, 'now'> }) => {
  /** For what leaves, for messages in flight, and for those held out; the others keep no notice. */
  const takeNotices = async (lease: Lease, rows: DigestRow[]): Promise<Map<DigestRow, NoticeTaken['outcome']>> => {
    const asking = rows.filter(
      (row) => row.plan.decision.kind === 'send' || isGrounded(row.plan) || isHeldOut(row.plan),
    );
    const taken = new Map<DigestRow, NoticeTaken['outcome']>();
    for (const group of byPush(asking)) {
      const push = group[0]?.context.push.id ?? '';
      const wanted = group.map(({ context, plan }) => ({
        ...noticeKeyOf(context, plan),
        class: classOf(context, plan),
      }));
      const answers = await ledger.takeNotices(lease, push, wanted, edges.now());
      for (const [index, row] of group.entries()) taken.set(row, answers[index]?.outcome ?? 'own');
    }
    return taken;
  };

  const release = async (idle: DigestRow[]): Promise<void> => {
    for (const group of byPush(idle))
      await ledger.releaseNotices(
        group[0]?.context.push.id ?? '',
        group.map(({ context, plan }) => noticeKeyOf(context, plan)),
      );
  };

  /** A message in flight that may not go again now waits for its digest, or counts as sent. */
  const ground = async (lease: Lease, rows: DigestRow[], at: number): Promise<void> => {
    const outcomes = rows.flatMap(({ context, plan }): Outcome[] => {
      const row = isGrounded(plan) ? flyingRow(plan.unit) : null;
      if (!row?.message) return [];
      const outcome = groundedOutcome(context, plan, row, row.message, at);
      return [outcome.to.state === 'deferred' ? { ...outcome, to: { ...outcome.to, state: 'digested' } } : outcome];
    });
    if (outcomes.length > 0) await ledger.settle(lease, outcomes);
  };

  return {
    takeNotices,
    /** Writes every row's decision; answers those whose row was where it was expected. */
    write: async (lease: Lease, rows: DigestRow[]): Promise<Set<DigestRow>> => {
      const at = edges.now();
      await ground(lease, rows, at);
      const staying = rows.filter((row) => row.plan.decision.kind !== 'send');
      // before their rows are written, after which nobody would come back to them
      await release(staying.filter((row) => !isEnded(row.plan)));
      const known = rows.filter(({ plan }) => !(isGrounded(plan) && isEnded(plan)));
      const changes = known.flatMap(({ context, plan }): DeliveryChange[] => {
        if (!plan.unit.row) return [];
        const change = changeOf(context, plan, plan.unit.row, at);
        return [isGrounded(plan) ? { ...change, from: ['digested'] } : change];
      });
      const changed = changes.length > 0 ? await ledger.changeDeliveries(lease, changes) : [];
      const done = new Set(known.filter((_, index) => changed[index]));
      await release([...done].filter((row) => isEnded(row.plan)));
      return done;
    },
  };
};
