/** What people text to stop everything: the words that carriers expect, in English, and what is customary in China. */
const words = new Set([
  'STOP',
  'STOPALL',
  'STOP ALL',
  'UNSUBSCRIBE',
  'CANCEL',
  'END',
  'QUIT',
  'REVOKE',
  'OPTOUT',
  'OPT OUT',
  'T',
  'TD',
  'TDALL',
  'N',
  'R',
  '退订',
  '退訂',
  '退',
  '拒收',
  '取消',
  '停止',
]);

/** Whether a text message asks to stop: a stop word alone, whatever its case, width and punctuation. */
export const asksToStop = (text: string): boolean =>
  words.has(
    text
      .normalize('NFKC')
      .toUpperCase()
      .replace(/[^\p{L}\p{N}]+/gu, ' ')
      .trim(),
  );
