import { createHash } from 'node:crypto';
import { DateTime } from 'luxon';
import type { AccessService } from '../access/access-service.ts';
import type { Edges } from '../edges.ts';
import { AppError } from '../errors.ts';
import type { Log } from '../log.ts';
import { isTuned, lineageOf } from '../rules/arms.ts';
import type { RuleVersion } from '../rules/rule.ts';
import type { RuleService } from '../rules/rule-service.ts';
import type { Storage } from '../storage/storage.ts';
import { closeExposures, tallyAgain } from './close-exposures.ts';
import { seededRandom } from './statistics/seeded-random.ts';
import { dayOf } from './tally.ts';
import { type Dawn, tuneRule } from './tune-rule.ts';
import type { Change, Move } from './tuning.ts';
import { type TuningService, tuningActor } from './tuning-service.ts';

type Stores = Pick<Storage, 'tuning' | 'rules' | 'ledger' | 'feedback'>;
export type NightTools = {
  edges: Pick<Edges, 'now'>;
  log: Log;
  timeZone: string;
  rules: Pick<RuleService, 'pause'>;
  tuning: Pick<TuningService, 'apply'>;
  audit: AccessService['audit'];
  /** Tells the writer of a rule that it was paused, and why. */
  tellOwner(version: RuleVersion, change: Change): Promise<void>;
};

/** What is older counts next to nothing. */
const talliesKeptDays = 120;
const dayMs = 24 * 60 * 60 * 1000;
/** The newest changes of a rule: what staff undid is among them for longer than it matters. */
const changesRead = 200;

/** The same move found again on the same version is the same change. */
const changeId = (...parts: (string | number)[]): string =>
  createHash('sha256')
    .update(JSON.stringify(['change', ...parts]))
    .digest('base64url')
    .slice(0, 22);

/** The night's run (design D14): closes rewards, counts, and for each tuned rule finds tomorrow's arms and its changes. */
export const makeNight = (stores: Stores, tools: NightTools) => {
  const { edges, log, audit } = tools;

  const dayFrom = (days: number): string =>
    DateTime.fromMillis(edges.now(), { zone: tools.timeZone }).plus({ days }).toISODate() ?? '';

  /** Parameters that staff have put back: what evidence speaks for is proposed, but no more made by itself. */
  const heldOf = (changes: Change[], lineage: string): Change['parameter'][] =>
    changes.filter((one) => one.state === 'undone' && one.lineage === lineage).map(({ parameter }) => parameter);

  const dawnOf = async (version: RuleVersion, held: Change['parameter'][]): Promise<Dawn> => {
    const { rule, content } = version;
    const today = dayOf(edges.now());
    return tuneRule({
      content,
      held: held.filter((one) => one !== 'state'),
      tallies: await stores.tuning.talliesOf(rule, lineageOf(content), today - talliesKeptDays),
      today,
      random: seededRandom(`${rule} ${version.version} ${today}`),
    });
  };

  const proposalOf = ({ rule, version, content }: RuleVersion, move: Move): Change => ({
    id: changeId(rule, version, move.parameter, move.to),
    rule,
    lineage: lineageOf(content),
    ...move,
    at: edges.now(),
    state: 'proposed',
    fromVersion: version,
    toVersion: null,
    by: null,
  });

  /** Proposes, and applies where the publisher lets it; answers whether the rule has moved. */
  const propose = async (version: RuleVersion, moves: Move[], held: Change['parameter'][]): Promise<boolean> => {
    let moved = false;
    for (const move of moves) {
      const change = proposalOf(version, move);
      await stores.tuning.propose(change);
      if (version.content.tune.apply !== true || held.includes(move.parameter)) continue;
      if ((await stores.tuning.change(change.id))?.state !== 'proposed') continue;
      try {
        const { toVersion } = await tools.tuning.apply(change.id, tuningActor);
        await audit({
          actor: tuningActor.staff,
          action: 'applyTuning',
          subject: version.rule,
          details: { change: change.id, toVersion },
        });
        moved = true;
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        log.warn({ error, rule: version.rule }, 'a change of a rule could not be applied');
      }
    }
    return moved;
  };

  const pause = async (version: RuleVersion, evidence: NonNullable<Dawn['pause']>): Promise<void> => {
    const { rule, content } = version;
    const change: Change = {
      id: changeId(rule, version.version, 'paused', dayOf(edges.now())),
      rule,
      lineage: lineageOf(content),
      parameter: 'state',
      from: 'active',
      to: 'paused',
      evidence,
      at: edges.now(),
      state: 'applied',
      fromVersion: version.version,
      toVersion: null,
      by: tuningActor.staff,
    };
    // what is told and written comes before the pause, after which nobody would come back to it
    await stores.tuning.propose(change);
    await tools.tellOwner(version, change);
    await audit({
      actor: tuningActor.staff,
      action: 'pauseRule',
      subject: rule,
      details: { change: change.id, evidence },
    });
    await tools.rules.pause(rule, tuningActor);
  };

  const tune = async (version: RuleVersion): Promise<void> => {
    const lineage = lineageOf(version.content);
    const held = heldOf(await stores.tuning.changesOf(version.rule, changesRead), lineage);
    const dawn = await dawnOf(version, held);
    if (dawn.pause && !held.includes('state')) return pause(version, dawn.pause);
    const moved = await propose(version, dawn.moves, held);
    const present = moved ? (await stores.rules.active()).find(({ rule }) => rule === version.rule) : version;
    if (!present) return;
    const { arms } = moved ? await dawnOf(present, held) : dawn;
    const { rule, version: number } = present;
    await stores.tuning.publishArms([{ rule, version: number, day: dayFrom(1), arms, at: edges.now() }]);
  };

  /** One night. May be run as often as one likes; one rule that fails does not stop the others. */
  return async (signal: AbortSignal): Promise<void> => {
    const now = edges.now();
    await closeExposures(stores, now, signal);
    await tallyAgain(stores, now);
    for (const version of await stores.rules.active()) {
      if (signal.aborted) return;
      if (!isTuned(version.content)) continue;
      await tune(version).catch((error: unknown) =>
        log.error({ error, rule: version.rule }, 'a rule could not be tuned'),
      );
    }
    await stores.tuning.forgetBefore(now - talliesKeptDays * dayMs);
  };
};
