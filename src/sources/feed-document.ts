import type { ImportRequest } from '../publishing/publishing-service.ts';

const encodingOf = (label: string | undefined): InstanceType<typeof TextDecoder> | null => {
  try {
    return label === undefined ? null : new TextDecoder(label);
  } catch {
    return null;
  }
};

const declared = /^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([\w.:-]+)["']/;

/**
 * The text of a feed: by its byte order mark, the charset of its Content-Type (RFC 7303 section 3.2), its XML declaration, or
 * UTF-8. Many offices still send GB 2312.
 */
export const textOfFeed = (bytes: Uint8Array, contentType: string | undefined): string => {
  const start = new TextDecoder('latin1').decode(bytes.subarray(0, 200));
  const mark = start.startsWith('\u00ef\u00bb\u00bf')
    ? 'utf-8'
    : start.startsWith('\u00ff\u00fe')
      ? 'utf-16le'
      : start.startsWith('\u00fe\u00ff')
        ? 'utf-16be'
        : undefined;
  const charset = /charset\s*=\s*"?([\w.:-]+)/i.exec(contentType ?? '')?.[1];
  const decoder = [mark, charset, declared.exec(start)?.[1]].map(encodingOf).find((one) => one !== null);
  return (decoder ?? new TextDecoder()).decode(bytes);
};

const formats: Record<string, ImportRequest['format']> = { rss: 'rss', feed: 'atom', alert: 'cap' };
const root = /<(?:[\w.-]+:)?([A-Za-z][\w.-]*)[\s/>]/;

/** Which kind of feed a document is, by its first element; null: none that is read here. */
export const formatOfFeed = (text: string): ImportRequest['format'] | null => {
  const bare = text.slice(0, 20_000).replace(/<!--[\s\S]*?-->|<\?[\s\S]*?\?>/g, '');
  const name = root.exec(bare)?.[1]?.toLowerCase() ?? '';
  return Object.hasOwn(formats, name) ? (formats[name] ?? null) : null;
};
