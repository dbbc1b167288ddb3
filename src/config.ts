import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { isSupportedCountry } from 'libphonenumber-js';
import { IANAZone } from 'luxon';
import { z } from 'zod';
import { isLoopback } from './public-address.ts';

const port = z.coerce.number().int().min(0).max(65_535);
const url = (protocols: string[]) =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
    message: `must be an absolute URL of ${protocols.join(' or ')}`,
  });
// several hosts, as a replica set has them, are no URL to the platform
const databaseUrl = z
  .string()
  .regex(/^(sqlite:.|mongodb(\+srv)?:\/\/[^/?#\s]+)/, 'must be sqlite:<path>, mongodb://… or mongodb+srv://…');
const list = (text: string): string[] =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .filter(Boolean);
const providers = (protocols: string[]) =>
  z
    .string()
    .transform(list)
    .refine(
      (urls) => urls.length > 0 && urls.every((one) => URL.canParse(one) && protocols.includes(new URL(one).protocol)),
      {
        message: `must be one or more of ${protocols.map((protocol) => `${protocol}…`).join(', ')}, comma-separated`,
      },
    );
const onOff = z.enum(['on', 'off']).transform((value) => value === 'on');
const share = z.coerce.number().min(0).max(1);
const milliseconds = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

/** `0.05 CNY`: an amount and the currency's code (ISO 4217). */
const price = z
  .string()
  .regex(/^\d{1,6}(\.\d{1,6})? [A-Z]{3}$/, 'must be an amount and a currency, such as 0.05 CNY')
  .transform((text) => ({ amount: Number(text.slice(0, -4)), currency: text.slice(-3) }))
  .refine(({ currency }) => Intl.supportedValuesOf('currency').includes(currency), 'must name a currency of ISO 4217');

/** `host:port`, an IPv6 address in brackets. */
const hostAndPort = (text: string): { host: string; port: number } => {
  const at = text.lastIndexOf(':');
  return { host: text.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(text.slice(at + 1)) };
};

/** Each environment name with its default and one line of help: the README's table is checked against this. */
export const environment = {
  PORT: { schema: port, default: '3000', help: 'port to listen on; 0 takes a free one' },
  HOST: { schema: z.string().min(1), default: '0.0.0.0', help: 'address to listen on' },
  PUBLIC_URL: {
    schema: url(['http:', 'https:']).optional(),
    help: 'where people reach the service; default http://localhost:PORT',
  },
  DATA_DIR: { schema: z.string().min(1), default: './data', help: 'the database, the outbox and kept keys' },
  DATABASE_URL: {
    schema: databaseUrl.optional(),
    help: 'sqlite:<path> or mongodb://…; default sqlite:$DATA_DIR/bellman.db',
  },
  SECRET: {
    schema: z.string().min(16).optional(),
    help: 'seals addresses and signs links; SQLite makes one and keeps it in DATA_DIR, on MongoDB it must be set',
  },
  ROLE: { schema: z.enum(['all', 'web', 'worker']), default: 'all', help: 'all, web or worker' },
  WORKERS: {
    schema: z.coerce.number().int().min(0).max(64).optional(),
    help: 'worker processes that ROLE=all starts (1 on SQLite, one less than the cores on MongoDB), or with ROLE=worker all there are (1): they share the rates of providers',
  },
  LEASE_MS: {
    schema: milliseconds(500, 600_000),
    default: '10000',
    help: 'how long a silent worker keeps its batch, in ms',
  },
  STALLED_MS: {
    schema: milliseconds(2_000, 3_600_000),
    default: '60000',
    help: 'how long a worker that ROLE=all started may stand still before it is killed and started anew, in ms',
  },
  ADMIN_API_KEY: { schema: z.string().min(16).optional(), help: 'a key with every scope' },
  STAFF_SECOND_STEP: {
    schema: z.enum(['required', 'optional']).optional(),
    help: 'whether staff must set up one-time codes when they sign in; default required, but optional where PUBLIC_URL is this machine',
  },
  REVIEW: { schema: onOff, default: 'on', help: 'off lets a publish key publish at once' },
  LEDGER_DAYS: {
    schema: z.coerce.number().int().min(1),
    default: '400',
    help: 'days that ledger rows are kept; then their counts alone',
  },
  CAP_PER_DAY: {
    schema: z.coerce.number().int().min(1).max(1000),
    default: '3',
    help: 'messages a day that a person gets because of rules, not of what they follow',
  },
  CAP_PER_WEEK: {
    schema: z.coerce.number().int().min(1).max(1000),
    default: '10',
    help: 'the same for a week (Monday to Sunday)',
  },
  FALLBACK_MINUTES: {
    schema: z.coerce.number().min(0.1).max(1440),
    default: '15',
    help: 'a text message follows a web push that was not seen for so long',
  },
  CLICK_TRACKING: {
    schema: onOff,
    default: 'on',
    help: 'links in messages are counted by a redirect; people can switch it off for themselves',
  },
  OPEN_TRACKING: {
    schema: onOff,
    default: 'off',
    help: 'on puts a pixel into mails; what it counts is at most so many, since mail proxies open everything',
  },
  SURVEY_SHARE: {
    schema: share,
    default: '0.05',
    help: 'share of mails that ask how satisfied their reader is, at most once in 30 days; 0 asks nobody',
  },
  EMAIL_URL: {
    schema: providers(['outbox:', 'smtp:', 'smtps:']),
    default: 'outbox:',
    help: 'smtp://user:pass@host:port?pool=20&rate=…&burst=…&weight=…; several by weight, or in order (docs/providers.md)',
  },
  EMAIL_FROM: { schema: z.string().min(3), default: 'Bellman <bellman@localhost>', help: 'the From of every mail' },
  EMAIL_BOUNCES: {
    schema: z
      .string()
      .regex(
        /^(?=.{3,190}$)[a-z\d](?:[a-z\d-]*[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]*[a-z\d])?)*$/i,
        'must be a domain, such as bounces.example.org',
      )
      .optional(),
    help: 'return-path domain: each mail has a signed return path of its own there (docs/bounces.md)',
  },
  BOUNCE_LISTEN: {
    schema: z
      .string()
      .refine(
        (text) => /^(?:[^\s:[\]]+|\[[\da-fA-F:.]+\]):\d{1,5}$/.test(text) && hostAndPort(text).port <= 65_535,
        'must be host:port',
      )
      .optional(),
    help: 'host:port of an SMTP listener for mail to EMAIL_BOUNCES; needs that',
  },
  DKIM_KEY: { schema: z.string().min(1).optional(), help: 'PEM of the RSA key, or a path to it' },
  DKIM_SELECTOR: { schema: z.string().min(1).optional(), help: 'DKIM selector' },
  DKIM_DOMAIN: { schema: z.string().min(1).optional(), help: 'DKIM domain' },
  SMS_URL: {
    schema: providers(['outbox:', 'smpp:', 'ssmpp:', 'twilio+http:', 'twilio+https:']),
    default: 'outbox:',
    help: 'smpp://user:pass@host:port?from=… or twilio+https://sid:token@host/…?from=…; several as for EMAIL_URL',
  },
  SMS_PRICE: {
    schema: price.optional(),
    help: 'what one part of a text message costs, such as 0.05 CNY; unset: publishers see parts, but no costs',
  },
  PHONE_COUNTRY: {
    schema: z.string().refine(isSupportedCountry, 'must be a two-letter country code (ISO 3166), such as CN'),
    default: 'CN',
    help: 'country of phone numbers written without a prefix',
  },
  WEB_PUSH: {
    schema: z.enum(['send', 'outbox']),
    default: 'send',
    help: 'outbox writes web pushes to the outbox instead (the demo)',
  },
  WEB_PUSH_SUBJECT: {
    schema: url(['mailto:', 'https:']),
    default: 'mailto:bellman@localhost',
    help: 'contact for push services (RFC 8292 section 2.1)',
  },
  VAPID_PUBLIC_KEY: { schema: z.string().min(80).optional(), help: 'made and kept when unset' },
  VAPID_PRIVATE_KEY: { schema: z.string().min(40).optional(), help: 'made and kept when unset' },
  WEBSUB_HUB: {
    schema: url(['https:']).optional(),
    help: 'hub that is told when feeds change (W3C WebSub), https only; unset: nobody is told (docs/channels.md)',
  },
  CAP_SENDER: {
    schema: z
      .string()
      .regex(/^[^\s,<&]+$/, 'must hold no blank, comma, < or &')
      .optional(),
    help: 'who sends the alerts of emergencies (CAP 1.2, sender); default the host of PUBLIC_URL',
  },
  REGION_OUTLINES: {
    schema: z.string().min(1).optional(),
    help: 'folder of GeoJSON files with the outlines of regions, by which areas on the map find people (docs/channels.md)',
  },
  ALLOW_PRIVATE_ENDPOINTS: {
    schema: onOff,
    default: 'off',
    help: 'on lets web push reach private addresses (tests on loopback)',
  },
  WECHAT_APP_ID: {
    schema: z
      .string()
      .regex(/^wx[\da-z]{6,30}$/i, 'must be the AppID of an official account, such as wx0123456789abcdef')
      .optional(),
    help: 'AppID of the official account (a service account) by which people are told in WeChat; unset: no WeChat',
  },
  WECHAT_APP_SECRET: { schema: z.string().min(8).optional(), help: 'its AppSecret' },
  WECHAT_TOKEN: {
    schema: z
      .string()
      .regex(/^[\dA-Za-z]{3,32}$/, 'must be 3 to 32 letters and digits')
      .optional(),
    help: 'the token with which WeChat signs its calls of PUBLIC_URL/api/v1/hooks/wechat',
  },
  WECHAT_AES_KEY: {
    schema: z
      .string()
      .regex(/^[\dA-Za-z]{43}$/, 'must be the 43 letters and digits of an EncodingAESKey')
      .optional(),
    help: 'EncodingAESKey; where set, calls that are not encrypted are refused',
  },
  WECHAT_TEMPLATE: {
    schema: z.string().min(3).optional(),
    help: "template and what its fields hold: <template id>?thing1=title&thing2=summary&time3=time (title, summary, reason, time or 'words')",
  },
  WECHAT_ONCE_TEMPLATE: {
    schema: z.string().min(3).optional(),
    help: 'template of one-time subscription messages, for people who do not follow the account',
  },
  WECHAT_API: {
    schema: url(['https:', 'http:']),
    default: 'https://api.weixin.qq.com',
    help: 'where WeChat is called',
  },
  WECHAT_OPEN: {
    schema: url(['https:', 'http:']),
    default: 'https://open.weixin.qq.com',
    help: 'where people allow us to know their openid',
  },
  WEIBO_APP_KEY: {
    schema: z
      .string()
      .regex(/^\d{5,20}$/, 'must be the number that is an App Key')
      .optional(),
    help: 'App Key of the office’s Weibo application; unset: no Weibo',
  },
  WEIBO_APP_SECRET: { schema: z.string().min(8).optional(), help: 'its App Secret' },
  WEIBO_IP: {
    schema: z.union([z.ipv4(), z.ipv6()]).optional(),
    help: 'the public address of this service, which Weibo wants told with each post',
  },
  WEIBO_API: { schema: url(['https:', 'http:']), default: 'https://api.weibo.com', help: 'where Weibo is called' },
  TRUST_PROXY: {
    schema: z.coerce.number().int().min(0).max(10),
    default: '0',
    help: 'proxies in front whose X-Forwarded-For is believed',
  },
  TIME_ZONE: {
    schema: z.string().refine((zone) => IANAZone.isValidZone(zone), 'must be an IANA time zone'),
    default: 'Asia/Shanghai',
    help: 'time zone of people who told none',
  },
  LOCALE: { schema: z.enum(['zh-CN', 'en']), default: 'zh-CN', help: 'language of people who told none' },
  LOG_LEVEL: {
    schema: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
    default: 'info',
    help: 'least level that is logged',
  },
} as const satisfies Record<string, { schema: z.ZodType; default?: string; help: string }>;

type Name = keyof typeof environment;
type Values = { [N in Name]: z.output<(typeof environment)[N]['schema']> };
/** The settings by their names; one that is unset, or did not pass its schema, is undefined. */
export type Settings = Partial<Values>;

/** An official account: `token` and `aesKey` are of its calls to us; `template` and `once` name templates (the first with its fields). */
export type WechatConfig = {
  appId: string;
  secret: string;
  token: string;
  aesKey: string | undefined;
  template: string;
  once: string | undefined;
  api: string;
  open: string;
};

/** The office's application at Weibo; its account is connected by a member of staff. `ip`: our public address. */
export type WeiboConfig = { key: string; secret: string; ip: string; api: string };

export type Config = {
  port: number;
  host: string;
  publicUrl: string;
  dataDir: string;
  database: { kind: 'sqlite'; file: string } | { kind: 'mongo'; url: string };
  secret: string | undefined;
  role: 'all' | 'web' | 'worker';
  /** Worker processes that this one starts, or, of a worker, how many there are in all. */
  workers: number;
  leaseMs: number;
  stalledMs: number;
  adminApiKey: string | undefined;
  secondStepRequired: boolean;
  review: boolean;
  ledgerDays: number;
  caps: { day: number; week: number };
  fallbackMs: number;
  feedback: { clicks: boolean; opens: boolean; surveyShare: number };
  email: {
    urls: string[];
    from: string;
    bounces: string | undefined;
    dkim: { key: string; selector: string; domain: string } | undefined;
  };
  bounceListen: { host: string; port: number } | undefined;
  /** `price`: of one part of a text message; null: nobody said. */
  sms: { urls: string[]; price: { amount: number; currency: string } | null };
  phoneCountry: string;
  webPush: {
    outbox: boolean;
    subject: string;
    vapid: { publicKey: string; privateKey: string } | undefined;
    allowPrivateEndpoints: boolean;
  };
  feeds: { hub: string | null; capSender: string };
  regionOutlines: string | undefined;
  /** The office's official account, or undefined where there is none. */
  wechat: WechatConfig | undefined;
  weibo: WeiboConfig | undefined;
  trustProxy: number;
  timeZone: string;
  locale: 'zh-CN' | 'en';
  logLevel: string;
};

/** Every fault of the environment at once; the process ends with them. */
export class ConfigError extends Error {
  readonly faults: { name: string; message: string }[];
  constructor(faults: { name: string; message: string }[]) {
    const lines = faults.map((fault) => `  ${fault.name}: ${fault.message}`);
    super(`the environment has ${faults.length} fault(s):\n${lines.join('\n')}`);
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

export type Faults = { name: string; message: string }[];

const parseAll = (env: Record<string, string | undefined>, faults: Faults): Settings => {
  const values: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(environment)) {
    const fallback = 'default' in entry ? entry.default : undefined;
    const parsed = entry.schema.safeParse(env[name] || fallback);
    if (parsed.success) values[name] = parsed.data;
    else for (const issue of parsed.error.issues) faults.push({ name, message: issue.message });
  }
  return values as Settings;
};

const together = (values: Settings, names: Name[], faults: Faults): boolean => {
  const set = names.filter((name) => values[name] !== undefined);
  if (set.length === 0 || set.length === names.length) return set.length > 0;
  for (const name of names.filter((one) => !set.includes(one)))
    faults.push({ name, message: `must be set too where ${set.join(', ')} is` });
  return false;
};

const databaseOf = (text: string): Config['database'] =>
  text.startsWith('sqlite:')
    ? {
        kind: 'sqlite',
        file:
          text === 'sqlite::memory:' ? ':memory:' : resolve(text.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '')),
      }
    : { kind: 'mongo', url: text };

const bare = (address: string): string => address.replace(/\/+$/, '');

const wechatOf = (all: Values): WechatConfig => ({
  appId: all.WECHAT_APP_ID as string,
  secret: all.WECHAT_APP_SECRET as string,
  token: all.WECHAT_TOKEN as string,
  aesKey: all.WECHAT_AES_KEY,
  template: all.WECHAT_TEMPLATE as string,
  once: all.WECHAT_ONCE_TEMPLATE,
  api: bare(all.WECHAT_API),
  open: bare(all.WECHAT_OPEN),
});

const weiboOf = (all: Values): WeiboConfig => ({
  key: all.WEIBO_APP_KEY as string,
  secret: all.WEIBO_APP_SECRET as string,
  ip: all.WEIBO_IP as string,
  api: bare(all.WEIBO_API),
});

/**
 * Reads the environment. Empty strings count as unset. `lookCloser` names what the schemas cannot see; `cores` is how many
 * processes can run at once. Throws one
 * `ConfigError` that names every fault.
 */
export const readConfig = (
  env: Record<string, string | undefined>,
  lookCloser: (settings: Settings) => Faults = () => [],
  cores: number = availableParallelism(),
): Config => {
  const faults: Faults = [];
  const values = parseAll(env, faults);
  faults.push(...lookCloser(values));
  const dkim = together(values, ['DKIM_KEY', 'DKIM_SELECTOR', 'DKIM_DOMAIN'], faults);
  const vapid = together(values, ['VAPID_PUBLIC_KEY', 'VAPID_PRIVATE_KEY'], faults);
  if (values.BOUNCE_LISTEN && !values.EMAIL_BOUNCES)
    faults.push({ name: 'EMAIL_BOUNCES', message: 'must be set too where BOUNCE_LISTEN is' });
  const wechat = together(values, ['WECHAT_APP_ID', 'WECHAT_APP_SECRET', 'WECHAT_TOKEN', 'WECHAT_TEMPLATE'], faults);
  const weibo = together(values, ['WEIBO_APP_KEY', 'WEIBO_APP_SECRET', 'WEIBO_IP'], faults);
  const dataDir = resolve(values.DATA_DIR ?? './data');
  const database = databaseOf(values.DATABASE_URL ?? `sqlite:${dataDir}/bellman.db`);
  if (database.kind === 'mongo' && !values.SECRET)
    faults.push({ name: 'SECRET', message: 'must be set on MongoDB: every process needs the same one' });
  if (faults.length > 0) throw new ConfigError(faults);
  const all = values as Values;
  const publicUrl = (all.PUBLIC_URL ?? `http://localhost:${all.PORT}`).replace(/\/+$/, '');
  return {
    port: all.PORT,
    host: all.HOST,
    publicUrl,
    dataDir,
    database,
    secret: all.SECRET,
    role: all.ROLE,
    workers: all.WORKERS ?? (database.kind === 'mongo' && all.ROLE !== 'worker' ? Math.max(1, cores - 1) : 1),
    leaseMs: all.LEASE_MS,
    stalledMs: all.STALLED_MS,
    adminApiKey: all.ADMIN_API_KEY,
    secondStepRequired: (all.STAFF_SECOND_STEP ?? (isLoopback(publicUrl) ? 'optional' : 'required')) === 'required',
    review: all.REVIEW,
    ledgerDays: all.LEDGER_DAYS,
    caps: { day: all.CAP_PER_DAY, week: all.CAP_PER_WEEK },
    fallbackMs: all.FALLBACK_MINUTES * 60_000,
    feedback: { clicks: all.CLICK_TRACKING, opens: all.OPEN_TRACKING, surveyShare: all.SURVEY_SHARE },
    email: {
      urls: all.EMAIL_URL,
      from: all.EMAIL_FROM,
      bounces: all.EMAIL_BOUNCES,
      dkim: dkim
        ? { key: all.DKIM_KEY as string, selector: all.DKIM_SELECTOR as string, domain: all.DKIM_DOMAIN as string }
        : undefined,
    },
    bounceListen: all.BOUNCE_LISTEN ? hostAndPort(all.BOUNCE_LISTEN) : undefined,
    sms: { urls: all.SMS_URL, price: all.SMS_PRICE ?? null },
    phoneCountry: all.PHONE_COUNTRY,
    webPush: {
      outbox: all.WEB_PUSH === 'outbox',
      subject: all.WEB_PUSH_SUBJECT,
      vapid: vapid
        ? { publicKey: all.VAPID_PUBLIC_KEY as string, privateKey: all.VAPID_PRIVATE_KEY as string }
        : undefined,
      allowPrivateEndpoints: all.ALLOW_PRIVATE_ENDPOINTS,
    },
    feeds: { hub: all.WEBSUB_HUB ?? null, capSender: all.CAP_SENDER ?? new URL(publicUrl).hostname },
    regionOutlines: all.REGION_OUTLINES ? resolve(all.REGION_OUTLINES) : undefined,
    wechat: wechat ? wechatOf(all) : undefined,
    weibo: weibo ? weiboOf(all) : undefined,
    trustProxy: all.TRUST_PROXY,
    timeZone: all.TIME_ZONE,
    locale: all.LOCALE,
    logLevel: all.LOG_LEVEL,
  };
};
