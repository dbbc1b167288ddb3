import { environment } from './config.ts';

type Entry = { name: string; fallback: string; help: string };

const entries: Entry[] = Object.entries(environment).map(([name, entry]) => ({
  name,
  fallback: 'default' in entry ? entry.default : '',
  help: entry.help,
}));

/** The README's configuration table, in the order of config.ts. */
export const configTable = (): string =>
  [
    '| name | default | what it is |',
    '|---|---|---|',
    ...entries.map(({ name, fallback, help }) => `| \`${name}\` | ${fallback && `\`${fallback}\``} | ${help} |`),
  ].join('\n');

/** `.env.example`: every name with its default, all commented out. */
export const envExample = (): string =>
  `${entries.map(({ name, fallback, help }) => `# ${help}\n#${name}=${fallback}`).join('\n\n')}\n`;
