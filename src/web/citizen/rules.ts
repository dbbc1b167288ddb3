import { type Request, type Response, Router } from 'express';
import type { Attribute } from '../../catalogue/catalogue-store.ts';
import { AppError } from '../../errors.ts';
import { conditionSentences } from '../../rules/condition-words.ts';
import type { RuleVersion } from '../../rules/rule.ts';
import { leavesOf } from '../../rules/selection.ts';
import type { CitizenDeps } from '../pages/deps.ts';
import type { Pages } from '../pages/page.ts';
import { dayOf, type Voice } from '../pages/present.ts';

/** A count is made anew after so long: nobody can watch it follow one person's change. */
const countedMs = 10 * 60_000;
/** Fewer than this are not told, and others only in steps of as many. */
const step = 10;

/** How many a rule reaches as it may be told: null while it cannot be counted, `few` for a small number. */
type Told = { people: number | null; few: boolean };

const toldOf = (people: number): Told =>
  people < step ? { people: null, few: true } : { people: Math.round(people / step) * step, few: false };

/** Counts whom rules reach, and keeps the counts for a while. */
const makeCounter = ({ audience, edges }: Pick<CitizenDeps, 'audience' | 'edges'>) => {
  const known = new Map<string, Told & { at: number }>();
  return async (rule: RuleVersion): Promise<Told> => {
    const key = `${rule.rule}@${rule.version}`;
    const counted = known.get(key);
    if (counted && edges.now() - counted.at < countedMs) return counted;
    try {
      const told = toldOf((await audience.reach(rule)).people);
      known.set(key, { ...told, at: edges.now() });
      return told;
    } catch (error) {
      if (error instanceof AppError && error.code === 'index-building') return { people: null, few: false };
      throw error;
    }
  };
};

/** What a rule looks at of a person, in words, each once. */
const looksAt = ({ t, locale }: Voice, attributes: readonly Attribute[], { content }: RuleVersion): string[] => {
  const facts = leavesOf(content.who).flatMap((leaf) => {
    if (!('person' in leaf)) return [];
    if (!leaf.person.startsWith('attributes.')) return [t(`rules.fact.${leaf.person}`)];
    const name = leaf.person.slice('attributes.'.length);
    return [attributes.find((one) => one.name === name)?.title[locale] ?? name];
  });
  return [...new Set(facts)];
};

const ruleCard = (voice: Voice, attributes: readonly Attribute[], rule: RuleVersion, told: Told) => {
  const { explanation, when, who, deliver, holdout, tune } = rule.content;
  const { t, locale } = voice;
  const telling = { locale, trees: voice.trees, attributes };
  return {
    id: rule.rule,
    explanation: explanation[locale],
    reach:
      told.people === null ? t(told.few ? 'rules.few' : 'rules.uncounted') : t('rules.reach', { count: told.people }),
    when: conditionSentences(when, telling),
    who: conditionSentences(who, telling),
    looksAt: looksAt(voice, attributes, rule),
    how: `${deliver.channels.map((channel) => t(`channel.${channel}`)).join(t('target.and'))} · ${t(`pace.${deliver.pace}`)}`,
    holdout: holdout > 0 ? t('rules.holdout', { share: shareOf(voice, holdout) }) : null,
    tuned: Object.keys(tune).length > 0,
    since: dayOf(voice, rule.createdAt),
  };
};

const shareOf = ({ locale }: Voice, share: number): string =>
  new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 }).format(share);

const list = (deps: CitizenDeps, pages: Pages) => {
  const count = makeCounter(deps);
  return async (req: Request, res: Response) => {
    const voice = await pages.voice(req);
    const attributes = await deps.catalogue.attributes();
    const active = (await deps.rules.active()).toSorted(
      (a, b) => b.createdAt - a.createdAt || (a.rule < b.rule ? -1 : 1),
    );
    const rules = [];
    // one after the other: a page must not ask for the whole index at once
    for (const rule of active) rules.push(ruleCard(voice, attributes, rule, await count(rule)));
    pages.show(req, res, 'rules', { rules });
  };
};

/** The public page of every rule by which offices choose notices for people. */
export const rulesRouter = (deps: CitizenDeps, pages: Pages): Router => Router().get('/rules', list(deps, pages));
