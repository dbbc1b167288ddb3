import type { Config } from '../config.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

const check = 'config';
const isLoopback = (host: string): boolean => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(host);

const ofPublicUrl = ({ publicUrl, webPush }: Config): Finding => {
  const { protocol, hostname } = new URL(publicUrl);
  if (isLoopback(hostname))
    return warn(
      check,
      `PUBLIC_URL is ${publicUrl}: links in messages lead to this machine alone`,
      'Set PUBLIC_URL to where people reach the service.',
    );
  if (protocol === 'https:') return ok(check, `people reach the service at ${publicUrl}`);
  const push = webPush.outbox ? '' : ', and browsers refuse web push without https';
  return fail(
    check,
    `PUBLIC_URL is ${publicUrl}: cookies and links travel in the clear${push}`,
    'Put the service behind TLS, and set PUBLIC_URL to the https address (and TRUST_PROXY to the number of proxies).',
  );
};

/** What is allowed for trying out and wrong for an office: [what stands, what it means, what to do]. */
const ofTrial = (config: Config): [boolean, string, string][] => [
  [
    !config.review,
    'REVIEW is off: a publish key publishes at once',
    'Set REVIEW=on, unless that is what you want (docs/publishing.md).',
  ],
  [
    config.webPush.allowPrivateEndpoints,
    'ALLOW_PRIVATE_ENDPOINTS is on: anybody can make the service call inside your network',
    'Leave it off except in tests.',
  ],
  [
    config.email.urls.every((url) => url.startsWith('outbox:')),
    'EMAIL_URL is the outbox: no mail leaves',
    'Set EMAIL_URL to your mail server, smtp://user:pass@host:587.',
  ],
  [
    /@localhost>?$/.test(config.email.from),
    `EMAIL_FROM is ${config.email.from}: mail servers refuse it`,
    'Set EMAIL_FROM to an address of your domain.',
  ],
  [
    config.email.bounces === undefined,
    'EMAIL_BOUNCES is not set: mail that comes back is not counted against its address',
    'Set EMAIL_BOUNCES and BOUNCE_LISTEN, or post returned mail to /api/v1/hooks/email (docs/bounces.md).',
  ],
  [
    config.database.kind === 'sqlite' && config.role !== 'all',
    `ROLE is ${config.role} on SQLite, which serves one machine`,
    'Leave ROLE=all, or use MongoDB (docs/scale.md).',
  ],
];

/** Judges a configuration that could be read. */
export const judgeConfig = (config: Config): Finding[] => [
  ofPublicUrl(config),
  ...ofTrial(config).flatMap(([stands, text, advice]) => (stands ? [warn(check, text, advice)] : [])),
];

/** Judges one that could not: each fault of it. */
export const judgeFaults = (faults: { name: string; message: string }[]): Finding[] =>
  faults.map(({ name, message }) =>
    fail(check, `${name} ${message}`, 'The service does not start until it is mended.'),
  );

/** Judges the version of Node against the least that package.json asks for (`>=20.19`). */
export const judgeNode = (version: string, least: string): Finding =>
  version.localeCompare(least.replace(/^\D+/, ''), 'en', { numeric: true }) < 0
    ? fail('node', `Node is ${version}, not ${least}`, 'Install a newer Node.')
    : ok('node', `Node ${version}`);
