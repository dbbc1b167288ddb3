import type { PublicItem } from '../../catalogue/item-reader.ts';
import type { FollowRequest, Target } from '../../subscriptions/follow.ts';
import { followWords } from '../../subscriptions/follow-words.ts';
import type { CitizenDeps } from './deps.ts';
import { regionName, type Voice } from './present.ts';

/** The followed notices that may be read, read once each. */
const followedItems = async (
  deps: Pick<CitizenDeps, 'items'>,
  targets: Target[],
): Promise<Map<string, Pick<PublicItem, 'content'>>> => {
  const ids = [...new Set(targets.flatMap((target) => ('item' in target ? [target.item] : [])))];
  const found = await Promise.all(ids.map((id) => deps.items.read(id)));
  return new Map(found.flatMap((item) => (item ? [[item.id, item]] : [])));
};

/** Follows in words, in the order given. */
export const describeFollows = async (
  deps: Pick<CitizenDeps, 'items'>,
  voice: Voice,
  follows: Pick<FollowRequest, 'target' | 'regions' | 'pace'>[],
): Promise<{ title: string; href: string | null; regions: string; pace: string }[]> => {
  const items = await followedItems(
    deps,
    follows.map((follow) => follow.target),
  );
  return follows.map(({ target, regions, pace }) => ({
    title: followWords(target, { ...voice, items }),
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
