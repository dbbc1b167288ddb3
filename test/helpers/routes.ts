import type { Express } from 'express';

/** What express keeps of a layer, as far as a walk through it needs to know. */
type Layer = {
  route?: { path: string | string[]; methods: Record<string, boolean> };
  handle: { stack?: Layer[] };
  slash: boolean;
  path?: string;
  match(path: string): boolean;
};

/** Where routers are mounted; express keeps only a pattern of it. A mount that is none of these fails the walk. */
const places = ['/api/v1', '/staff', '/assets', '/icons', '/dev/outbox'];

const placeOf = (layer: Layer): string => {
  if (layer.slash) return '';
  const place = places.find((one) => layer.match(one));
  if (place === undefined) throw new Error('a router is mounted where the walk does not know it: name the place here');
  return place;
};

const walk = (stack: Layer[], base: string): string[] =>
  stack.flatMap((layer) => {
    const { route, handle } = layer;
    if (!route) return handle.stack ? walk(handle.stack, base + placeOf(layer)) : [];
    const methods = Object.keys(route.methods).filter((method) => method !== '_all');
    return methods.flatMap((method) => [route.path].flat().map((path) => `${method.toUpperCase()} ${base}${path}`));
  });

/** Every route that an app answers, as `METHOD /path/:part`, found in its routers. */
export const routesOf = (app: Express): string[] => [
  ...new Set(walk((app as unknown as { router: { stack: Layer[] } }).router.stack, '')),
];
