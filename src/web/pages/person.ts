import { wordsOf } from '../../catalogue/item-words.ts';
import type { FollowRequest, Target } from '../../subscriptions/follow.ts';
import type { CitizenDeps } from './deps.ts';
import { regionName, targetTitle, type Voice } from './present.ts';

/** Titles of followed notices in the reader's language, read once each. */
const itemTitles = async (
  deps: Pick<CitizenDeps, 'items'>,
  { locale }: Pick<Voice, 'locale'>,
  targets: Target[],
): Promise<(id: string) => string | null> => {
  const ids = [...new Set(targets.flatMap((target) => ('item' in target ? [target.item] : [])))];
  const items = new Map(await Promise.all(ids.map(async (id) => [id, await deps.items.read(id)] as const)));
  return (id) => {
    const item = items.get(id);
    return item ? wordsOf(item, locale).title : null;
  };
};

/** Follows in words, in the order given. */
export const describeFollows = async (
  deps: Pick<CitizenDeps, 'items'>,
  voice: Voice,
  follows: Pick<FollowRequest, 'target' | 'regions' | 'pace'>[],
): Promise<{ title: string; href: string | null; regions: string; pace: string }[]> => {
  const titleOf = await itemTitles(
    deps,
    voice,
    follows.map((follow) => follow.target),
  );
  return follows.map(({ target, regions, pace }) => ({
    title: targetTitle(voice, target, titleOf),
    href:
      'topic' in target
        ? `/topics/${encodeURIComponent(target.topic)}`
        : 'item' in target
          ? `/items/${target.item}`
          : null,
    regions: (regions ?? []).map((code) => regionName(voice, code)).join(voice.t('target.or')),
    pace,
  }));
};
