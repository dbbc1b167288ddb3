/** A browser without scripts: keeps cookies, follows redirects, fills in forms. */
export type PlainVisitor = {
  get(path: string): Promise<Seen>;
  /** A cookie of this browser; `setCookie` puts one there, as somebody who stole it would. */
  cookie(name: string): string | undefined;
  setCookie(name: string, value: string): void;
  /** Sends the form that stands on the page last seen, its hidden fields included. */
  send(action: string, fields: Record<string, string | string[]>): Promise<Seen>;
};

type Seen = { status: number; path: string; html: string; headers: Headers };

const unescaped = (text: string): string =>
  text.replaceAll('&#39;', "'").replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&amp;', '&');

export const plainVisitor = (site: string, language = 'en'): PlainVisitor => {
  const cookies = new Map<string, string>();
  let last: Seen | null = null;

  const request = async (path: string, init: RequestInit = {}): Promise<Seen> => {
    const response = await fetch(`${site}${path}`, {
      ...init,
      redirect: 'manual',
      headers: {
        accept: 'text/html',
        'accept-language': language,
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
      },
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split('; ');
      const [name = '', value = ''] = pair.split('=');
      if (attributes.includes('Max-Age=0')) cookies.delete(name);
      else cookies.set(name, value);
    }
    const to = response.headers.get('location');
    if (to?.startsWith('/') && response.status === 303) return request(to);
    const html = unescaped(await response.text());
    last = { status: response.status, path, html, headers: response.headers };
    return last;
  };

  return {
    get: (path) => request(path),
    cookie: (name) => cookies.get(name),
    setCookie: (name, value) => void cookies.set(name, value),
    send: (action, fields) => {
      const token = /name="_csrf" value="([^"]*)"/.exec(last?.html ?? '')?.[1] ?? '';
      const pairs = Object.entries({ _csrf: token, ...fields }).flatMap(([name, values]) =>
        [values].flat().map((value): [string, string] => [name, value]),
      );
      return request(action, { method: 'POST', body: new URLSearchParams(pairs) });
    },
  };
};
