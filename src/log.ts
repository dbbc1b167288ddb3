import pino from 'pino';

export type Log = pino.Logger;

const email = /[^\s"'<>@]{1,64}@[^\s"'<>@]{1,255}/g;
/** As an address stands in the query of a URL. */
const codedEmail = /[^\s"'<>@=&?/]{1,64}%40[^\s"'<>&]{1,255}/gi;
const phone = /(?:\+|%2B)\d{6,15}/gi;
const token = /\/(u|confirm|manage|stay|c|r|f|o|staff\/set-up|staff\/first)\/[\w.~-]{16,}/g;

/** What signs in wherever it stands: a signed link's token (signed-link.ts) and an API key (api-key.ts). */
const signed = /[\w~-]{1,200}\.[\da-z]{0,12}\.[\w-]{22}(?![\w-])/g;
const apiKey = /[\w-]{8,64}\.[\w-]{43}(?![\w-])/g;

/** Takes addresses, link tokens and keys out of a text, so that a log never holds what a person could be found by. */
export const maskText = (text: string): string =>
  text
    .replace(email, '[email]')
    .replace(phone, '[phone]')
    .replace(codedEmail, '[email]')
    .replace(token, (_match, kind: string) => `/${kind}/[token]`)
    .replace(signed, '[token]')
    .replace(apiKey, '[key]');

/** Deeper than this nothing is told: neither is a log the place for it, nor would it be masked. */
const deepest = 5;

const maskDeep = (value: unknown, depth = 0): unknown => {
  if (typeof value === 'string') return maskText(value);
  if (value === null || typeof value !== 'object') return value;
  if (depth > deepest) return '[deep]';
  if (value instanceof Error) {
    const { name, message, stack, cause } = value;
    const code = maskDeep((value as { code?: unknown }).code, depth + 1);
    const because = cause === undefined ? {} : { cause: maskDeep(cause, depth + 1) };
    return { type: name, message: maskText(message), code, stack: stack && maskText(stack), ...because };
  }
  if (Array.isArray(value)) return value.map((entry) => maskDeep(entry, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [maskText(key), maskDeep(entry, depth + 1)]));
};

const standardError = (): pino.DestinationStream => pino.destination({ fd: 2, sync: true });

/** Structured log, one JSON object a line on standard error; standard output is for the ready line alone. */
export const makeLog = (
  level: string,
  base: Record<string, unknown> = {},
  to: pino.DestinationStream = standardError(),
): Log =>
  pino(
    {
      level,
      base,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { log: (record) => maskDeep(record) as Record<string, unknown> },
      hooks: {
        logMethod(args, method) {
          method.apply(this, args.map((arg) => (typeof arg === 'string' ? maskText(arg) : arg)) as typeof args);
        },
      },
    },
    to,
  );
