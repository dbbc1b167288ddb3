import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { environment } from '../src/config.ts';
import { projectRoot } from '../src/project-root.ts';

const read = (path: string): string => readFileSync(join(projectRoot, path), 'utf8');
const scripts = (JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts;
/** What commands read beside the configuration. */
const ofCommands = readdirSync(join(projectRoot, 'scripts')).flatMap((file) =>
  file.endsWith('.ts') ? [...read(`scripts/${file}`).matchAll(/process\.env\.([A-Z_]+)/g)].map(([, name]) => name) : [],
);
const isKnown = (name: string): boolean =>
  Object.hasOwn(environment, name) || ['NODE_ENV', ...ofCommands].includes(name);
/** A command of the built program has its source. */
const sourceOf = (built: string): string => built.replace(/^dist\//, '').replace(/\.js$/, '.ts');

describe('the Dockerfile', () => {
  const file = read('Dockerfile').replace(/\\\n\s*/g, ' ');
  const instructions = file
    .split('\n')
    .filter((line) => /^[A-Z]+ /.test(line))
    .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)] as const);
  const all = (name: string): string[] => instructions.filter(([one]) => one === name).map(([, rest]) => rest);

  it('starts what npm start starts, as somebody else than root', () => {
    const command = JSON.parse(all('CMD').at(-1) ?? '[]') as string[];
    // npm hands a signal to the shell that it starts: only `exec` leaves the service in its place
    expect(`exec ${command.join(' ')}`).toBe(scripts.start);
    expect(existsSync(join(projectRoot, sourceOf(command[1] ?? '')))).toBe(true);
    expect(all('USER')).toEqual(['node']);
    const order = instructions.map(([name]) => name);
    expect(order.indexOf('USER')).toBeLessThan(order.indexOf('CMD'));
  });

  it('sets names that there are, and copies what there is', () => {
    const names = all('ENV').flatMap((line) => line.split(' ').map((one) => one.split('=')[0] ?? ''));
    expect(names.filter((name) => !isKnown(name))).toEqual([]);
    const copied = all('COPY').filter((line) => line.startsWith('--from=build'));
    const kept = copied.map((line) => line.split(' ')[1]?.replace('/app/', '') ?? '');
    // whatever the program reads beside itself
    for (const folder of ['templates', 'locales', 'public', 'dist', 'node_modules']) expect(kept).toContain(folder);
    const made = ['dist', 'node_modules'];
    expect(kept.filter((path) => !made.includes(path) && !existsSync(join(projectRoot, path)))).toEqual([]);
    for (const line of all('COPY').filter((one) => !one.startsWith('--from')))
      for (const source of line.split(' ').slice(0, -1)) expect(existsSync(join(projectRoot, source))).toBe(true);
  });

  it('runs npm scripts that there are, on the Node that package.json asks for', () => {
    const named = all('RUN').flatMap((line) => [...line.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name ?? ''));
    expect(named).toEqual(['build']);
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
    expect(all('FROM').every((line) => line.startsWith('node:20-'))).toBe(true);
  });

  it('leaves out of the image what the ignore file names, and nothing that the build reads', () => {
    const ignored = read('.dockerignore').trim().split('\n');
    for (const needed of ['src', 'jobs', 'scripts', 'templates', 'locales', 'public', 'types', 'package.json'])
      expect(ignored).not.toContain(needed);
  });
});

describe('compose.yaml', () => {
  const lines = read('compose.yaml').split('\n');
  /** The lines below `key:` at this depth, without what follows it. */
  const blockOf = (from: string[], key: string): string[] => {
    const at = from.findIndex((line) => line.trimStart().split(' ')[0] === `${key}:`);
    const depth = from[at]?.search(/\S/) ?? 0;
    const rest = from.slice(at + 1);
    const end = rest.findIndex((line) => line.trim() !== '' && line.search(/\S/) <= depth);
    return at < 0 ? [] : rest.slice(0, end < 0 ? rest.length : end);
  };
  const namesIn = (block: string[]): string[] => block.flatMap((line) => /^\s*([A-Z][A-Z_]+):/.exec(line)?.[1] ?? []);
  const common = blockOf(lines, 'x-environment');
  const services = blockOf(lines, 'services');

  it.each(['web', 'worker'])('sets names that there are for %s, two of it, in a role of its own', (name) => {
    const service = blockOf(services, name);
    const names = [...namesIn(common), ...namesIn(blockOf(service, 'environment'))];
    expect(names).toEqual(expect.arrayContaining(['DATABASE_URL', 'SECRET', 'PUBLIC_URL', 'ROLE']));
    expect(names.filter((one) => !isKnown(one))).toEqual([]);
    expect(service.join('\n')).toMatch(new RegExp(`ROLE: ${name}$`, 'm'));
    expect(service.join('\n')).toMatch(/replicas: 2$/m);
  });

  it('has web and worker share one folder of data, where the outbox is', () => {
    expect(blockOf(lines, 'x-bellman').join('\n')).toMatch(/volumes: \["bellman:\/data"\]/);
    expect(lines.slice(lines.indexOf('volumes:'))).toContain('  bellman:');
    expect([...blockOf(services, 'web'), ...blockOf(services, 'worker')].join('\n')).not.toMatch(/volumes:/);
  });

  it('says to the workers how many they are', () => {
    expect(blockOf(services, 'worker').join('\n')).toMatch(/WORKERS: 2$/m);
  });

  it('gives a configuration that the service reads', () => {
    const filled = common.map((line) => line.replace(/\$\{\w+:?[-?]?([^}]*)\}/, '$1'));
    const env = Object.fromEntries(
      filled.flatMap((line) => {
        const [, name, value] = /^\s*([A-Z_]+): ?(.*)$/.exec(line) ?? [];
        return name ? [[name, value ?? '']] : [];
      }),
    );
    expect(env.DATABASE_URL).toMatch(/replicaSet=rs0$/);
    for (const [name, entry] of Object.entries(environment))
      if (env[name]) expect([name, entry.schema.safeParse(env[name]).success]).toEqual([name, true]);
  });

  it('makes a replica set of the members that DATABASE_URL names', () => {
    const members = /mongodb:\/\/([^/]+)\//.exec(common.join('\n'))?.[1]?.split(',') ?? [];
    expect(members).toHaveLength(3);
    for (const member of members) {
      expect(blockOf(services, member).join('\n')).toMatch(/<<: \*mongo/);
      expect(blockOf(services, 'mongo-set').join('\n')).toContain(`host: '${member}'`);
    }
  });
});

describe('the unit of systemd', () => {
  const unit = read('deploy/bellman.service');

  it('starts what npm start starts, and sets names that there are', () => {
    expect(/^ExecStart=\/usr\/bin\/(.*)$/m.exec(unit)?.[1]).toBe(scripts.start?.replace('exec ', ''));
    const names = [...unit.matchAll(/^Environment=(.*)$/gm)].flatMap(([, line = '']) => line.split(' '));
    expect(names.map((one) => one.split('=')[0] ?? '').filter((one) => !isKnown(one))).toEqual([]);
  });

  it('waits for longer than a stop takes', () => {
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])).toBeGreaterThan(10);
  });
});

describe('docs/operations.md', () => {
  const text = read('docs/operations.md');

  it('names commands, settings and alerts that there are', () => {
    const commands = [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name ?? '');
    expect(commands.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
    const built = [...text.matchAll(/dist\/scripts\/[\w-]+\.js/g)].map(([path]) => path);
    expect(built.filter((path) => !existsSync(join(projectRoot, sourceOf(path))))).toEqual([]);
    const settings = [...text.matchAll(/`([A-Z][A-Z]+(?:_[A-Z]+)*)(?:=[^`]*)?`/g)].map(([, name]) => name ?? '');
    expect(settings.filter((name) => !isKnown(name))).toEqual([]);
  });

  it('says of every alert where to look', () => {
    const alerts = [...read('deploy/alerts.yml').matchAll(/- alert: Bellman(\w+)/g)].map(([, name]) => name ?? '');
    const named = new Set(text.match(/\b[A-Z]\w+(?=[,| ])/g));
    expect(alerts.filter((name) => !named.has(name))).toEqual([]);
  });

  it('leads to pages that there are', () => {
    const docs = readdirSync(join(projectRoot, 'docs'));
    const links = [...text.matchAll(/\]\(([\w.-]+\.md)\)/g)].map(([, name]) => name ?? '');
    expect(links.filter((name) => !docs.includes(name))).toEqual([]);
  });
});
