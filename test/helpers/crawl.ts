import type { PlainVisitor } from './visitor.ts';

/** A page's kind by its path: ids in it are not told apart. */
const kindOf = (path: string): string =>
  path
    .replace(/\?.*$/, '')
    .split('/')
    .map((part) => (/^[\w-]{20,}$/.test(part) || /^\d+$/.test(part) ? ':id' : part))
    .join('/');

export type FoundPage = { path: string; html: string };

/** Every kind of page that links lead to from `starts`, one of each with its HTML: a new page needs no line in a test. */
const crawl = async (
  visitor: PlainVisitor,
  starts: string[],
  links: RegExp,
  kind: (path: string) => string,
): Promise<FoundPage[]> => {
  const found = new Map(starts.map((path) => [kind(path), path]));
  const pages: FoundPage[] = [];
  for (const path of found.values()) {
    const { html, status } = await visitor.get(path);
    if (status !== 200) throw new Error(`${path}: ${status}`);
    pages.push({ path, html });
    for (const [, link = ''] of html.matchAll(links)) if (!found.has(kind(link))) found.set(kind(link), link);
  }
  return pages;
};

/** The pages of staff. */
export const crawlStaff = (visitor: PlainVisitor): Promise<FoundPage[]> =>
  crawl(visitor, ['/staff'], /href="(\/staff(?![^"]*(?:format=csv|\.csv|sign-out))[^"#]*)"/g, kindOf);

/** The names in a path's query tell a citizen's forms apart: what is followed, what was done. */
const kindWithQuery = (path: string): string =>
  [kindOf(path), ...new Set(new URL(path, 'http://x').searchParams.keys())].join(' ');

/** The pages of citizens, from the front page and from `links` out of their letters. */
export const crawlCitizen = (visitor: PlainVisitor, links: string[] = []): Promise<FoundPage[]> =>
  crawl(
    visitor,
    ['/', ...links],
    /href="(\/(?!\/|staff|api|assets|icons|language|dev|my\/export|manifest|(?:[^"]*\.atom))[^"#]*)"/g,
    kindWithQuery,
  );

/**
 * A form of a page: where it goes, what it sends when nobody has typed anything, the fields that somebody types in or chooses
 * from, and its buttons that say something.
 */
export type FoundForm = {
  page: string;
  action: string;
  blank: Record<string, string>;
  typed: string[];
  chosen: string[];
  buttons: [string, string][];
};

const attribute = (tag: string, name: string): string => new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1] ?? '';

/** What a list is sent as that nobody has touched. */
const chosenIn = (list: string): [string, string] => {
  const options = [...list.matchAll(/<option[^>]*>/g)].map(([tag]) => tag);
  const chosen = options.find((tag) => /\sselected/.test(tag)) ?? options[0] ?? '';
  return [attribute(list, 'name'), attribute(chosen, 'value')];
};

/** The forms of a page that change something. */
export const formsOf = ({ path, html }: FoundPage): FoundForm[] =>
  [...html.matchAll(/<form\s[^>]*>[\s\S]*?<\/form>/g)].flatMap(([form]) => {
    const head = /<form[^>]*>/.exec(form)?.[0] ?? '';
    if (attribute(head, 'method') !== 'post') return [];
    const tags = (kind: string): string[] => [...form.matchAll(new RegExp(`<${kind}[^>]*>`, 'g'))].map(([tag]) => tag);
    const pair = (tag: string): [string, string] => [attribute(tag, 'name'), attribute(tag, 'value')];
    const isHidden = (tag: string): boolean => attribute(tag, 'type') === 'hidden';
    const isChosen = (tag: string): boolean => /^(radio|checkbox)$/.test(attribute(tag, 'type'));
    const seen = tags('input').filter((tag) => !isHidden(tag));
    const names = (list: string[]): string[] => [...new Set(list.map((tag) => attribute(tag, 'name')))];
    const lists = [...form.matchAll(/<select[\s\S]*?<\/select>/g)].map(([list]) => chosenIn(list));
    return {
      page: path,
      action: attribute(head, 'action'),
      blank: Object.fromEntries([...tags('input').filter(isHidden).map(pair), ...lists]),
      typed: names([...seen.filter((tag) => !isChosen(tag)), ...tags('textarea')]),
      chosen: names([...seen.filter(isChosen), ...tags('select')]),
      buttons: tags('button')
        .filter((tag) => attribute(tag, 'name') !== '')
        .map(pair),
    };
  });
