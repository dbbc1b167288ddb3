/** Text in the two languages that everything exists in. */
export type Bilingual = { en: string; 'zh-CN': string };

export type Locale = keyof Bilingual;

/** **topic**: a node of the public taxonomy. `parent` is the slug of the topic above it. */
export type Topic = { slug: string; title: Bilingual; parent: string | null };

/** A tree by name: each node's parent, null at the top. */
export type ParentOf = ReadonlyMap<string, string | null>;

/** The node and everything above it, nearest first; an unknown node is its own only ancestor. Ends in a cycle too. */
export const withAncestors = (parentOf: ParentOf, node: string): string[] => {
  const path: string[] = [];
  for (let at: string | null | undefined = node; at && !path.includes(at); at = parentOf.get(at)) path.push(at);
  return path;
};
