import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { AppError } from '../../errors.ts';

/** What fast-xml-parser makes of an element: text, or an object of its children and `@` attributes, or several of them. */
export type XmlNode = string | { [name: string]: XmlNode } | XmlNode[];

type Tag = { name: string; closing: boolean; empty: boolean; start: number; end: number };

const refused = (message: string): AppError =>
  new AppError('invalid', `the content ${message}`, { faults: [{ path: 'content', message }] });

/** Where the tag that starts at `at` ends, or -1 if it is broken (a `<` can stand in no tag). */
const tagEnd = (xml: string, at: number): number => {
  let quote = '';
  for (let n = at + 1; n < xml.length; n++) {
    const sign = xml.charAt(n);
    if (sign === '<') return -1;
    if (quote) quote = sign === quote ? '' : quote;
    else if (sign === '"' || sign === "'") quote = sign;
    else if (sign === '>') return n + 1;
  }
  return -1;
};

const blocks: [string, string][] = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<?', '?>'],
];
const tagName = /<\/?([^\s/>]+)/y;

/** The tags of a document in one linear walk that survives broken parts. */
function* tagsOf(xml: string): Generator<Tag> {
  const unclosed = new Set<string>();
  for (let at = xml.indexOf('<'); at !== -1; ) {
    const block = blocks.find(([open]) => xml.startsWith(open, at));
    let end = -1;
    if (block && !unclosed.has(block[1])) {
      const close = xml.indexOf(block[1], at + block[0].length);
      if (close === -1) unclosed.add(block[1]);
      else end = close + block[1].length;
    } else if (!block) {
      end = tagEnd(xml, at);
      tagName.lastIndex = at;
      const name = end === -1 ? undefined : tagName.exec(xml)?.[1];
      if (name !== undefined) {
        const closing = xml.charAt(at + 1) === '/';
        yield { name, closing, empty: xml.charAt(end - 2) === '/', start: at, end };
      }
    }
    at = xml.indexOf('<', end === -1 ? at + 1 : end);
  }
}

/**
 * Throws `invalid` where a document holds a document type declaration: no feed needs one, and entities can only be
 * declared there. What stands in comments and CDATA sections declares nothing, unless they never end.
 */
const demandNoDeclarations = (xml: string): void => {
  const unclosed = new Set<string>();
  for (let at = xml.indexOf('<!'); at !== -1; ) {
    const block = blocks.find(([open]) => xml.startsWith(open, at));
    if (!block) throw refused('must not hold a document type declaration');
    const close = unclosed.has(block[1]) ? -1 : xml.indexOf(block[1], at + block[0].length);
    if (close === -1) unclosed.add(block[1]);
    at = xml.indexOf('<!', close === -1 ? at + block[0].length : close);
  }
};

const local = (name: string): string => name.slice(name.indexOf(':') + 1).toLowerCase();

/** A feed taken apart: `head` and `tail` make a document of any entry; `shell` is what stands before the first one. */
export type OpenFeed = { head: string; tail: string; shell: string; entries: Iterable<string> };

/** The entries as they are written, each alone; a start inside an entry ends it (its own end is missing). */
function* entriesOf(xml: string, tags: Iterator<Tag>, first: Tag | undefined, entry: string): Generator<string> {
  let open = first;
  if (open?.empty) {
    yield xml.slice(open.start, open.end);
    open = undefined;
  }
  for (let next = tags.next(); !next.done; next = tags.next()) {
    const tag = next.value;
    if (local(tag.name) !== entry) continue;
    if (open) yield xml.slice(open.start, tag.closing ? tag.end : tag.start);
    else if (tag.empty) yield xml.slice(tag.start, tag.end);
    open = tag.closing || tag.empty ? undefined : tag;
  }
  if (open) yield xml.slice(open.start);
}

/**
 * Opens a feed whose elements are nested as `path` says (local names, the root first) around `entry`. Entries are read
 * lazily. Throws `invalid` when the root is another one, or where the document holds a document type declaration.
 */
export const openFeed = (xml: string, path: string[], entry: string): OpenFeed => {
  demandNoDeclarations(xml);
  const tags = tagsOf(xml);
  const around: Tag[] = [];
  let first: Tag | undefined;
  for (let next = tags.next(); !next.done && !first; ) {
    const tag = next.value;
    if (around.length === 0 && local(tag.name) !== path[0]) break;
    if (!tag.closing && local(tag.name) === path[around.length]) around.push(tag);
    else if (!tag.closing && local(tag.name) === entry) first = tag;
    if (!first) next = tags.next();
  }
  if (around.length < path.length) throw refused(`is not of this format: it must begin with <${path.join('><')}>`);
  const head = around.map(({ start, end }) => xml.slice(start, end)).join('');
  const tail = around
    .map(({ name }) => `</${name}>`)
    .reverse()
    .join('');
  return {
    head,
    tail,
    shell: `${xml.slice(around[0]?.start ?? 0, first?.start ?? around.at(-1)?.end ?? 0)}${tail}`,
    entries: entriesOf(xml, tags, first, entry),
  };
};

/** Throws an Error saying where it is broken, unless the piece of XML is well-formed. */
export const demandWellFormed = (xml: string): void => {
  const result = XMLValidator.validate(xml);
  if (result !== true) throw new Error(`not well-formed XML: ${result.err.msg} (line ${result.err.line})`);
};

/** Whether `demandWellFormed` would be content. */
export const isWellFormed = (xml: string): boolean => XMLValidator.validate(xml) === true;

// htmlEntities: the parser decodes numeric references only with it; declared entities there are none (see above)
const options = {
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseTagValue: false,
  htmlEntities: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
};
const parser = new XMLParser(options);
const localParser = new XMLParser({ ...options, removeNSPrefix: true });

/** Parses a document; with `localNames` prefixes are taken off the names. */
export const parseXml = (xml: string, { localNames = false } = {}): { [name: string]: XmlNode } =>
  (localNames ? localParser : parser).parse(xml);

/** The children of that name, none if there is none. */
export const children = (node: XmlNode | undefined, name: string): XmlNode[] => {
  const child = typeof node === 'object' && !Array.isArray(node) ? node[name] : undefined;
  return child === undefined ? [] : Array.isArray(child) ? child : [child];
};

/** The text of a node, trimmed; undefined if it has none. */
export const textOf = (node: XmlNode | undefined): string | undefined => {
  const text = typeof node === 'object' && !Array.isArray(node) ? node['#text'] : node;
  return typeof text === 'string' && text.trim() !== '' ? text.trim() : undefined;
};

/** The texts of the children of that name that have one. */
export const texts = (node: XmlNode | undefined, name: string): string[] =>
  children(node, name).flatMap((child) => textOf(child) ?? []);

/** The text of the first child of that name that has one. */
export const firstText = (node: XmlNode | undefined, name: string): string | undefined => texts(node, name)[0];
