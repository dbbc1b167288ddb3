import { convert } from 'html-to-text';
import { withoutEnd } from './mime-text.ts';
import { type Fields, type Part, readFields, textOf } from './mime-tree.ts';

/** A recipient that a notice in plain words names, and the words that stand with it: its paragraph, then all up to the next. */
export type NamedRecipient = { address: string; near: string; words: string };

/** What a person would read of a bounce, and the head of the returned mail where the text shows it. */
export type Notice = { text: string; original: Fields | null };

const mostText = 64 * 1024;
const mostLines = 1_500;
const mostRecipients = 100;
const mostWords = 4_000;

/** Lines behind which the returned mail stands: of qmail (QSBMF), Exim, Sendmail, Exchange, Notes, Gmail and their likes. */
const separators = new RegExp(
  [
    '^-{2,} ?(?:below this line is a copy|this is a copy of (?:the|your)|original message|original mail|unsent message|returned message|message header|message headers|the header|forwarded message|undelivered message|transcript of original|the following is the original|start of (?:the )?(?:original|returned)|原始邮件|原邮件)',
    '^(?:the )?(?:message|mail) headers? (?:follows?|of the)',
    '^(?:original|returned) message (?:follows|headers?|attached)',
    '^(?:unsent|your) message follows',
    '^\\s*the (?:original|undelivered|returned) message(?: was)? (?:follows|headers|is below|is attached)',
    '^your original (?:message|mail)(?: headers)? (?:follows|is)',
    '^\\s*(?:here is a copy of|a copy of|the first \\d+ lines of) (?:your|the) (?:original )?(?:message|mail|headers)',
    '^received: (?:from|by) ',
    '^return-path: <',
    '^-{3,}\\s*original (?:message|header)',
  ].join('|'),
  'i',
);

/** Text of HTML, one line a block. */
const fromHtml = (html: string): string =>
  convert(html.slice(0, mostText * 2), {
    wordwrap: false,
    limits: { maxDepth: 60, maxChildNodes: 2_000, ellipsis: '' },
    selectors: [
      { selector: 'a', options: { ignoreHref: true } },
      { selector: 'img', format: 'skip' },
      { selector: 'table', format: 'block' },
      { selector: 'tr', format: 'block' },
    ],
  });

const looksLikeHtml = (text: string): boolean =>
  /<(?:html|body|table|div|p|br)\b[^<>]{0,500}>/i.test(text.slice(0, 4_000));

/** The first texts of a mail, up to where the returned mail begins. */
export const readNotice = (parts: readonly Part[]): Notice => {
  const isText = ({ type, parts: within }: Part, name: string): boolean => type === name && within.length === 0;
  const plain = parts.filter((part) => isText(part, 'text/plain')).slice(0, 4);
  const html = plain.length > 0 ? [] : parts.filter((part) => isText(part, 'text/html')).slice(0, 2);
  const texts = [
    ...plain.map(textOf).map((text) => (looksLikeHtml(text) ? fromHtml(text) : text)),
    ...html.map(textOf).map(fromHtml),
  ];
  const lines = texts.join('\n').slice(0, mostText).split('\n').slice(0, mostLines);
  const cut = lines.findIndex((line) => separators.test(line));
  if (cut < 0) return { text: lines.join('\n'), original: null };
  const rest = lines.slice(cut);
  const head = rest.findIndex((line) => /^[\w-]{2,40}:\s/.test(line));
  const original = head < 0 ? null : readFields(upToBlank(rest.slice(head)).join('\n'));
  return { text: lines.slice(0, cut).join('\n'), original };
};

const upToBlank = (lines: string[]): string[] => {
  const end = lines.findIndex((line) => line.trim() === '');
  return end < 0 ? lines : lines.slice(0, end);
};

const addr =
  '[^\\s<>()\\[\\]:;,"\'|=@\\uff08\\uff09\\uff1a\\u3010\\u3011]{1,128}@[^\\s<>()\\[\\]:;,"\'|=@\\uff08\\uff09\\uff1a\\u3010\\u3011\\u4e00-\\u9fff]{3,255}';

/** How notices name a recipient at a line's start, alone on a line, behind a word, or within a sentence. */
const markers = [
  new RegExp(`^[\\s>*-]{0,12}<(?:mailto:|smtp:|rfc822;)?(${addr})>`, 'iu'),
  new RegExp(
    `^[\\s>*-]{0,16}(${addr})(?:\\s*[,.;:]|\\s*\\(.{0,200}\\)|\\s+(?:on|at|am|le|el|em|il|op|den|på|dne|dnia) \\d.{0,60}|\\.\\.\\.)?\\s*$`,
    'iu',
  ),
  new RegExp(
    `^[\\s>*-]{0,16}["']?(${addr})["']?\\s*(?::|\\.\\.\\.|--? |,|;|\\s(?:could|was|is|has|user|unknown|does|no|not|\\())`,
    'iu',
  ),
  new RegExp(
    `^[\\s>*-]{0,12}(?:to|recipients?|(?:failed |bad |intended |original |final )?recipient(?: address)?|for|address|user|e-?mail(?: address)?|message for|failed address|name|rcpt to|收\\s*件\\s*人(?:地址)?|收信人|邮件地址|宛先|destinataire|destinatario|empfänger)\\s*[:：\\uff1a].{0,120}?(${addr})`,
    'iu',
  ),
  new RegExp(
    `(?:rcpt to:? ?|(?:message|mail|e-?mail|deliver(?:ed|y)?(?: yet)?|sent|addressed|address|recipients?|user|mailbox|for|was) (?:(?:to|for|was):? )?(?:the )?(?:following )?(?:e-?mail )?(?:recipients?|address(?:es)?|user|mailbox)?:? ?|收件人(?:邮件)?(?:地址)?|邮箱地址?|用户|发[往至给]|(?:发送|投递|送达|寄)[往至给到])[\\s"'<(\\uff08\\u3010\\[:]{0,4}(${addr})`,
    'iu',
  ),
  new RegExp(`^[\\s>*-]{0,12}(?:<<< ?)?[45]\\d\\d[ -](?:[245]\\.\\d{1,3}\\.\\d{1,3} )?<?(${addr})>?`, 'iu'),
];

const ofDaemon = /^(?:mailer-?daemon|postmaster|mail-?daemon|abuse|noc|support|help|root|no-?reply)@/i;

const namedIn = (line: string): string | null => {
  const short = line.slice(0, 1_000);
  if (!short.includes('@')) return null;
  for (const marker of markers) {
    const found = marker.exec(short)?.[1];
    if (found && !ofDaemon.test(found)) return found.replace(/[.>,)]+$/, '');
  }
  return null;
};

const endsInAddress = (line: string): boolean =>
  /.@./.test(
    withoutEnd(withoutEnd(line.slice(-500), ' \t\r:.,)'), '>')
      .split(/[\s<>]/)
      .at(-1) ?? '',
  );

/** The paragraph of a recipient: from its line to the first blank line behind words of its own. */
const paragraphOf = (lines: string[]): string => {
  const [first = '', ...rest] = lines;
  const begin = endsInAddress(first) ? rest.findIndex((line) => line.trim() !== '') : -1;
  const body = begin < 0 ? rest : rest.slice(begin);
  return [first, ...upToBlank(body)].join('\n').slice(0, mostWords);
};

/** The recipients that a notice names, each once, with the words up to where the next is named. */
export const namedRecipients = (text: string, others: ReadonlySet<string>): NamedRecipient[] => {
  const found = new Map<string, { address: string; lines: string[] }>();
  let current: { address: string; lines: string[] } | null = null;
  for (const line of text.split('\n')) {
    const address = namedIn(line);
    const key = address?.toLowerCase() ?? '';
    if (address !== null && !others.has(key) && found.size < mostRecipients) {
      current = found.get(key) ?? { address, lines: [] };
      found.set(key, current);
    }
    current?.lines.push(line);
  }
  return [...found.values()].map(({ address, lines }) => ({
    address,
    near: paragraphOf(lines),
    words: lines.join('\n').slice(0, mostWords),
  }));
};

/** The refusing server's own words where a notice quotes them, without the reporter's around them; else null. */
export const quotedWords = (words: string): string | null => {
  const quote =
    /(?:(?:other|remote|receiving|destination|recipient(?:'s)?) (?:mail )?(?:server|host|system)|server (?:response|reply)|remote host)[^:\n]{0,40}:[\s'"]{0,5}(?=[45]\d\d)/i.exec(
      words,
    );
  return quote ? words.slice(quote.index + quote[0].length) : null;
};
