import type { Keyring } from '../../keyring.ts';
import { type Drawn, drawArms, lineageOf, passOf, propensityOf, valuesOf } from '../../rules/arms.ts';
import type { RuleVersion } from '../../rules/rule.ts';
import type { Recipient } from '../../subscriptions/subscriber.ts';
import type { Exposure } from '../../tuning/tuning.ts';
import { armDrawsOf } from '../draws.ts';
import { membership } from '../ordinals.ts';
import { leading, type Reason } from '../policy.ts';
import type { PushContext, Suggestion } from './push-context.ts';
import type { Plan, Unit } from './rows.ts';

type TunedSuggestion = Suggestion & { rule: RuleVersion; arms: NonNullable<Suggestion['arms']> };

/**
 * What a tuned rule drew for one person (design D14). `level`: the highest threshold at which it selects them; `passes`: the drawn
 * one is not above it.
 */
export type RuleDraw = {
  source: number;
  suggestion: TunedSuggestion;
  level: number | null;
  drawn: Drawn;
  passes: boolean;
};

/** What a source drew for a person; null where it is not tuned. */
export type DrawOf = (source: number, unit: Unit, person: Recipient) => RuleDraw | null;

const nothingDrawn: DrawOf = () => null;

const isTuned = (suggestion: Suggestion | undefined): suggestion is TunedSuggestion =>
  suggestion?.rule != null && suggestion.arms !== null;

/**
 * Draws for people of a push: by hash of person, rule and the day of the arms that the plan was cut by, so that a row which waits
 * for tomorrow keeps what was drawn for it. Costs nothing where no rule of the push is tuned.
 */
export const drawsFor = (keyring: Pick<Keyring, 'mac'>, context: PushContext, units: Unit[]): DrawOf => {
  const tuned = [...context.suggestions].filter(([, suggestion]) => isTuned(suggestion));
  if (tuned.length === 0) return nothingDrawn;
  const ordinals = units.map((unit) => unit.ordinal);
  const cuts = (source: number) => context.sources[source]?.arms?.cuts ?? [];
  const setsOf = (source: number): Uint8Array[] => cuts(source).map((cut) => cut.ordinals);
  const reached = new Map(tuned.map(([source]) => [source, membership(setsOf(source), ordinals)]));
  return (source, { ordinal }, person) => {
    const suggestion = context.suggestions.get(source);
    if (!isTuned(suggestion)) return null;
    const { arms, rule, day } = suggestion.arms;
    const drawn = drawArms(arms, armDrawsOf(keyring, rule, day, person.id));
    const highest = reached.get(source)?.get(ordinal)?.at(-1);
    const level = highest === undefined ? null : (cuts(source)[highest]?.threshold ?? null);
    const threshold = drawn.threshold === undefined ? undefined : arms.threshold?.[drawn.threshold]?.value;
    return { source, suggestion, level, drawn, passes: threshold === undefined || threshold <= (level ?? -1) };
  };
};

const passOfDraw = ({ suggestion, level }: RuleDraw): number => passOf(suggestion.arms.arms, level ?? -1);

/** Which draws tell something of this message: those that had a part in it. */
const telling = ({ drawn, source }: RuleDraw, reasons: Reason[], alone: boolean): Drawn => {
  const { threshold, weight, channels, hour } = drawn;
  const leads = leading(reasons)?.source === source;
  return {
    ...(threshold === undefined ? {} : { threshold }),
    ...(weight === undefined || alone ? {} : { weight }),
    ...(channels === undefined || !leads ? {} : { channels }),
    ...(hour === undefined || !leads ? {} : { hour }),
  };
};

const wasDecidedByRules = ({ reasons, decision }: Plan): boolean =>
  reasons.every((reason) => reason.kind === 'rule') &&
  (decision.kind === 'withhold' ? decision.code === 'arm' : decision.kind !== 'cancel');

const priority = ({ suggestion }: RuleDraw): number => suggestion.rule.content.deliver.priority;

/**
 * The exposure of a person of whom tuned rules decided, for the rule of the first priority among those that would have told
 * them under their lowest threshold: which one that is must not hang on what was drawn. Null where something else decided.
 */
export const exposureOf = (context: PushContext, plan: Plan, at: number): Exposure | null => {
  const { unit, reasons, draws = [] } = plan;
  const [first, ...rest] = [...draws].sort((a, b) => priority(a) - priority(b) || a.source - b.source);
  if (!first || unit.row !== null || !wasDecidedByRules(plan)) return null;
  const isUntuned = reasons.some((reason) => !draws.some(({ source }) => source === reason.source));
  const others = isUntuned ? 1 : 1 - rest.reduce((none, draw) => none * (1 - passOfDraw(draw)), 1);
  const { rule, arms } = first.suggestion;
  const drawn = telling(first, reasons, rest.length === 0 && !isUntuned);
  return {
    push: context.push.id,
    ordinal: unit.ordinal,
    rule: rule.rule,
    version: rule.version,
    lineage: lineageOf(rule.content),
    day: arms.day,
    level: first.level,
    drawn: valuesOf(arms.arms, drawn),
    propensity: propensityOf(arms.arms, drawn),
    pass: 1 - (1 - passOfDraw(first)) * (1 - others),
    others,
    withheld: plan.decision.kind === 'withhold',
    at,
  };
};
