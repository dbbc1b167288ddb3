import pino from 'pino';

export type Log = pino.Logger;

const email = /[^\s"'<>@]{1,64}@[^\s"'<>@]{1,255}/g;
const phone = /\+\d{6,15}/g;
const token = /\/(u|confirm|manage|stay|c|r|f|o|staff\/set-up|staff\/first)\/[\w.~-]{16,}/g;

/** Takes addresses and link tokens out of a text, so that a log never holds what a person could be found by. */
export const maskText = (text: string): string =>
  text
    .replace(email, '[email]')
    .replace(phone, '[phone]')
    .replace(token, (_match, kind: string) => `/${kind}/[token]`);

const maskDeep = (value: unknown, depth = 0): unknown => {
  if (typeof value === 'string') return maskText(value);
  if (value === null || typeof value !== 'object' || depth > 5) return value;
  if (value instanceof Error) {
    const { name, message, stack } = value;
    const code = (value as { code?: unknown }).code;
    return { type: name, message: maskText(message), code, stack: stack && maskText(stack) };
  }
  if (Array.isArray(value)) return value.map((entry) => maskDeep(entry, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, maskDeep(entry, depth + 1)]));
};

/** Structured log, one JSON object a line on standard error; standard output is for the ready line alone. */
export const makeLog = (level: string, base: Record<string, unknown> = {}): Log =>
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
    pino.destination({ fd: 2, sync: true }),
  );
