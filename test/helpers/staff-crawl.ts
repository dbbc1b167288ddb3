import type { PlainVisitor } from './visitor.ts';

/** A page's kind by its path: ids in it are not told apart. */
const kindOf = (path: string): string =>
  path
    .replace(/\?.*$/, '')
    .split('/')
    .map((part) => (/^[\w-]{20,}$/.test(part) || /^\d+$/.test(part) ? ':id' : part))
    .join('/');

/** Every kind of page that links lead to from `/staff`, one of each with its HTML: a new page needs no line in a test. */
export const crawlStaff = async (visitor: PlainVisitor): Promise<{ path: string; html: string }[]> => {
  const found = new Map([['/staff', '/staff']]);
  const pages: { path: string; html: string }[] = [];
  for (const path of found.values()) {
    const { html, status } = await visitor.get(path);
    if (status !== 200) throw new Error(`${path}: ${status}`);
    pages.push({ path, html });
    for (const [, link = ''] of html.matchAll(/href="(\/staff[^"#]*)"/g))
      if (!/format=csv|\.csv|sign-out/.test(link) && !found.has(kindOf(link))) found.set(kindOf(link), link);
  }
  return pages;
};

/** A form of a page: where it goes, what it sends when nobody has typed anything, and its buttons that say something. */
export type FoundForm = { page: string; action: string; blank: Record<string, string>; buttons: [string, string][] };

const attribute = (tag: string, name: string): string => new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1] ?? '';

/** What a list is sent as that nobody has touched. */
const chosenIn = (list: string): [string, string] => {
  const options = [...list.matchAll(/<option[^>]*>/g)].map(([tag]) => tag);
  const chosen = options.find((tag) => /\sselected/.test(tag)) ?? options[0] ?? '';
  return [attribute(list, 'name'), attribute(chosen, 'value')];
};

/** The forms of a page that change something. */
export const formsOf = ({ path, html }: { path: string; html: string }): FoundForm[] =>
  [...html.matchAll(/<form\s[^>]*>[\s\S]*?<\/form>/g)].flatMap(([form]) => {
    const head = /<form[^>]*>/.exec(form)?.[0] ?? '';
    if (attribute(head, 'method') !== 'post') return [];
    const tags = (kind: string): string[] => [...form.matchAll(new RegExp(`<${kind}[^>]*>`, 'g'))].map(([tag]) => tag);
    const pair = (tag: string): [string, string] => [attribute(tag, 'name'), attribute(tag, 'value')];
    const isHidden = (tag: string): boolean => attribute(tag, 'type') === 'hidden';
    const lists = [...form.matchAll(/<select[\s\S]*?<\/select>/g)].map(([list]) => chosenIn(list));
    return {
      page: path,
      action: attribute(head, 'action'),
      blank: Object.fromEntries([...tags('input').filter(isHidden).map(pair), ...lists]),
      buttons: tags('button')
        .filter((tag) => attribute(tag, 'name') !== '')
        .map(pair),
    };
  });
