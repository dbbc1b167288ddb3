import type { Text } from '../text.ts';
import type { Change, Evidence, Share } from './tuning.ts';

const percent = (share: number): number => Math.round(share * 100);
const number = (n: number): string => n.toLocaleString('en');

/** "71 % ± 4". */
const shareText = ({ share, half }: Share, text: Text): string =>
  text('tuning:evidence.share', { share: percent(share), half: Math.max(1, percent(half)) });

/** Why a rule was moved, as one line: "71 % ± 4 useful above, 12 % ± 3 …, n = 1,240". */
export const evidenceText = (evidence: Evidence, text: Text): string => {
  const n = number(evidence.n);
  const say = (share: Share): string => shareText(share, text);
  switch (evidence.kind) {
    case 'raise':
    case 'lower':
      return text(`tuning:evidence.${evidence.kind}`, { above: say(evidence.above), below: say(evidence.below), n });
    case 'choice':
      return text('tuning:evidence.choice', { better: say(evidence.better), worse: say(evidence.worse), n });
    case 'worth':
      return text('tuning:evidence.worth', { worth: say(evidence.worth), floor: `${percent(evidence.floor)} %`, n });
  }
};

const valueText = (value: Change['from'] | Change['to'], text: Text): string =>
  typeof value === 'number' ? value.toFixed(2) : text(`tuning:value.${value}`);

/** What was or would be moved, as one line: "Interest asked for: 0.40 → 0.55". */
export const changeText = ({ parameter, from, to }: Pick<Change, 'parameter' | 'from' | 'to'>, text: Text): string =>
  text(`tuning:change.${parameter}`, { from: valueText(from, text), to: valueText(to, text) });
