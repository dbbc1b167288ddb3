import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { projectRoot } from '../src/project-root.ts';

/** Features in story order; access, accounts, catalogue, calendar and webhooks are what all others stand on. A feature looks only up the story. */
const story = [
  'access',
  'accounts',
  'catalogue',
  'calendar',
  'webhooks',
  'subscriptions',
  'browsing',
  'profiles',
  'publishing',
  'sources',
  'feeds',
  'broadcasts',
  'rules',
  'audience',
  'fanout',
  'channels',
  'applications',
  'feedback',
  'wechat',
  'tuning',
  'reports',
  'evidence',
];

/** Layers above the features; each may import what stands below it. */
const layers = ['foundation', 'feature', 'words', 'services', 'outer', 'compose', 'main'];
const layerOf: Record<string, string> = {
  'src/main.ts': 'main',
  'src/compose.ts': 'compose',
  'src/environment.ts': 'compose',
  'src/seal-contexts.ts': 'services',
  'src/services.ts': 'services',
  'src/answer-template.ts': 'words',
  'src/channel-docs.ts': 'words',
  'src/digest-template.ts': 'words',
  'src/feedback-words.ts': 'words',
  'src/message-templates.ts': 'words',
  'src/notification-words.ts': 'words',
  'src/web': 'outer',
  jobs: 'outer',
};

/** Packages that one place alone may know. */
const keepers: [RegExp, string][] = [
  [/^(mongoose|mongodb)(\/|$)/, 'src/storage/mongo/'],
  [/^libsql(\/|$)/, 'src/storage/sqlite/'],
  [/^express(-rate-limit)?(\/|$)/, 'src/web/'],
  [/^helmet(\/|$)/, 'src/web/'],
];

type Import = { target: string; typeOnly: boolean };

/** What a file imports, project files as paths from the root. */
const importsOf = (path: string, source: string): Import[] => {
  const found: Import[] = [];
  const pattern =
    /^\s*(?:import|export)\s+(type\s+)?(?:[\w*{][^;'"]*?\s+from\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;
  for (const [, typeOnly, named, dynamic] of source.matchAll(pattern)) {
    const from = named ?? dynamic ?? '';
    const target = from.startsWith('.') ? normalize(join(dirname(path), from)) : from;
    found.push({ target, typeOnly: typeOnly !== undefined });
  }
  return found;
};

const isProject = (target: string): boolean => /^(src|jobs|scripts|bench|test)\//.test(target);
const placeOf = (path: string): string =>
  path.startsWith('src/') ? path.split('/').slice(0, 2).join('/') : dirname(path);
const featureOf = (path: string): string | null => {
  const name = placeOf(path).slice('src/'.length);
  return story.includes(name) ? name : null;
};
const layer = (path: string): string => {
  if (path.startsWith('src/storage/')) return 'storage';
  if (featureOf(path) !== null) return 'feature';
  return layerOf[path] ?? layerOf[placeOf(path)] ?? layerOf[dirname(path)] ?? 'foundation';
};

/** Ports are types: a feature may name them wherever they are, and the list of all ports in storage.ts. */
const isPort = (target: string): boolean => featureOf(target) !== null || target === 'src/storage/storage.ts';

const featureFault = (from: string, target: string, typeOnly: boolean): string | null => {
  const to = featureOf(target);
  if (to === null || to === from) return null;
  if (to === 'channels') {
    if (target === 'src/channels/channel.ts') return null;
    return typeOnly && target === 'src/channels/courier.ts' ? null : 'of channels a feature imports channel.ts alone';
  }
  if (!typeOnly && story.indexOf(to) > story.indexOf(from)) return `${from} comes before ${to} in the story`;
  return null;
};

const projectFault = (path: string, { target, typeOnly }: Import): string | null => {
  const from = layer(path);
  const to = layer(target);
  if (to === 'storage' && target.startsWith('src/storage/') && from !== 'storage' && from !== 'compose')
    return typeOnly && isPort(target) ? null : 'only the composition root knows a storage';
  if (from === 'storage') {
    if (/^src\/storage\/(sqlite|mongo)\//.test(target) && !path.startsWith(target.split('/').slice(0, 3).join('/')))
      return 'one storage does not know the other';
    return ['storage', 'feature', 'foundation'].includes(to) ? null : 'storage knows only the ports';
  }
  const feature = featureOf(path);
  const fault = feature === null ? null : featureFault(feature, target, typeOnly);
  if (fault !== null) return fault;
  if (typeOnly && (isPort(target) || path.startsWith('jobs/'))) return null;
  return layers.indexOf(to) > layers.indexOf(from) ? `${from} stands below ${to}` : null;
};

/** Who may ask the machine for the time or for randomness, with the reason. */
const ownTime: Record<string, string> = {
  'src/edges.ts': 'they are passed in from here',
  'src/keyring.ts': 'new keys, which no test foresees',
  'src/secret.ts': 'a new SECRET, which no test foresees',
  'src/storage/sqlite/database.ts': 'how long a lock of SQLite is waited for, and the jitter, which a test may give',
  'src/storage/sqlite/migrations.ts': 'when a migration was applied, which nothing reads',
};

/** Every import that points the wrong way, every moment and random value that was not passed in, and every use of `process` outside main.ts, as a sentence each. */
const faultsOf = (path: string, source: string): string[] => {
  const faults: string[] = [];
  for (const one of importsOf(path, source)) {
    if (isProject(one.target)) {
      const fault = /^(test|scripts|bench)\//.test(one.target)
        ? 'the product does not import its tests and tools'
        : projectFault(path, one);
      if (fault !== null) faults.push(`${path} imports ${one.target}: ${fault}`);
    }
    for (const [pattern, keeper] of keepers)
      if (pattern.test(one.target) && !path.startsWith(keeper))
        faults.push(`${path} imports ${one.target}: only ${keeper} does`);
  }
  const code = source.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
  if (path !== 'src/main.ts' && path.startsWith('src/') && /\bprocess\.[a-zA-Z]/.test(code))
    faults.push(`${path} says process.: only src/main.ts does`);
  if (!/^(src|jobs)\//.test(path) || path in ownTime) return faults;
  const [use] =
    /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bMath\.random\b|\brandom(Bytes|UUID|Int)\b/.exec(code) ?? [];
  if (use) faults.push(`${path} says ${use}: time and randomness are passed in (src/edges.ts)`);
  return faults;
};

const filesUnder = (folder: string): string[] =>
  readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));

describe('architecture', () => {
  const files = [...filesUnder('src'), ...filesUnder('jobs')];

  it('finds the files', () => {
    expect(files).toEqual(expect.arrayContaining(['src/main.ts', 'src/fanout/push.ts', 'jobs/index.ts']));
  });

  it('lets dependencies point one way', () => {
    expect(files.flatMap((path) => faultsOf(path, readFileSync(join(projectRoot, path), 'utf8')))).toEqual([]);
  });

  it('has a place in the story for every folder', () => {
    const folders = readdirSync(join(projectRoot, 'src'), { withFileTypes: true }).filter((one) => one.isDirectory());
    const known = [...story, 'storage', 'web', 'doctor'];
    expect(folders.map((one) => one.name).filter((name) => !known.includes(name))).toEqual([]);
  });

  it('keeps folders three deep at most', () => {
    expect(files.filter((path) => dirname(path).split('/').length > 4)).toEqual([]);
  });

  describe('the rules themselves', () => {
    const refused: [string, string][] = [
      ['src/catalogue/a.ts', `import { x } from '../fanout/push.ts';`],
      ['src/catalogue/a.ts', `import {\n  type A,\n  x,\n} from '../fanout/push.ts';`],
      ['src/catalogue/a.ts', `export { x } from '../publishing/item.ts';`],
      ['src/catalogue/a.ts', `const x = await import('../fanout/push.ts');`],
      ['src/catalogue/a.ts', `import '../fanout/push.ts';`],
      ['src/fanout/worker/a.ts', `import type { A } from '../../channels/outbox.ts';`],
      ['src/fanout/a.ts', `import { makeCourier } from '../channels/courier.ts';`],
      ['src/fanout/a.ts', `import type { A } from '../web/app.ts';`],
      ['src/fanout/a.ts', `import { a } from '../services.ts';`],
      ['src/fanout/a.ts', `import type { Row } from '../storage/sqlite/database.ts';`],
      ['src/web/a.ts', `import { a } from '../storage/cursor.ts';`],
      ['src/web/a.ts', `import { a } from '../compose.ts';`],
      ['src/errors.ts', `import { a } from './fanout/push.ts';`],
      ['src/storage/mongo/a.ts', `import { a } from '../sqlite/chunks.ts';`],
      ['src/storage/sqlite/a.ts', `import { a } from '../../web/app.ts';`],
      ['src/storage/sqlite/a.ts', `import { createConnection } from 'mongoose';`],
      ['src/storage/mongo/a.ts', `import Database from 'libsql';`],
      ['src/fanout/a.ts', `import type { Request } from 'express';`],
      ['src/fanout/a.ts', `import { a } from '../../test/helpers/town.ts';`],
      ['src/config.ts', `const port = process.env.PORT;`],
      ['src/fanout/a.ts', `const now = Date.now();`],
      ['src/web/a.ts', `const at = new Date();`],
      ['jobs/a.ts', `import { randomUUID } from 'node:crypto';`],
    ];
    it.each(refused)('refuses in %s: %s', (path, source) => {
      expect(faultsOf(path, source)).toHaveLength(1);
    });

    const allowed: [string, string][] = [
      ['src/catalogue/a.ts', `import type { Push } from '../fanout/push.ts';`],
      [
        'src/fanout/a.ts',
        `import { type Item, x } from '../publishing/item.ts';\nimport { slot } from '../channels/channel.ts';`,
      ],
      ['src/fanout/a.ts', `import type { Storage } from '../storage/storage.ts';`],
      ['src/subscriptions/a.ts', `import type { Courier } from '../channels/courier.ts';`],
      [
        'src/compose.ts',
        `import { a } from './storage/sqlite/sqlite-storage.ts';\nimport { b } from '../jobs/index.ts';`,
      ],
      [
        'src/storage/mongo/ledger/a.ts',
        `import { createConnection } from 'mongoose';\nimport { a } from '../writes.ts';`,
      ],
      ['src/storage/sqlite/a.ts', `import { LeaseLost } from '../../fanout/ledger-store.ts';`],
      ['src/web/api/a.ts', `import express from 'express';\nimport type { Services } from '../../services.ts';`],
      ['jobs/a.ts', `import type { Services } from '../src/services.ts';`],
      ['src/main.ts', `process.exit(0);`],
      ['src/web/a.ts', `const at = new Date(edges.now());`],
      ['src/edges.ts', `const now = () => Date.now();`],
      ['src/config.ts', `// process.env is main's\nexport const readConfig = (env: object) => env;`],
    ];
    it.each(allowed)('allows in %s: %s', (path, source) => {
      expect(faultsOf(path, source)).toEqual([]);
    });
  });
});
