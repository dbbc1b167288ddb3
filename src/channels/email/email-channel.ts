import addressparser from 'nodemailer/lib/addressparser';
import { type Config, ConfigError } from '../../config.ts';
import type { Edges } from '../../edges.ts';
import { makeLru } from '../../lru.ts';
import { makeReturnPaths } from '../../return-path.ts';
import type { Channel, SharedContent } from '../channel.ts';
import { concurrencyOf, makePaceMeter, type Provider, withFailover } from '../resilience/failover.ts';
import { guarded } from '../resilience/guard.ts';
import { failure } from '../result.ts';
import { type CompiledMail, compileMail, type MailPerson, renderMail, type Sender } from './compiled-mail.ts';
import { makeDkimSigner } from './dkim.ts';
import { makeSmtpPool } from './smtp-pool.ts';
import { classifySmtp } from './smtp-reply.ts';
import { readSmtpUrl, type SmtpServer } from './smtp-url.ts';

/** `returnPathKey`: signs the return path of each message; without it all have the same. */
export type EmailTools = {
  edges: Pick<Edges, 'now' | 'monotonic' | 'random'>;
  limitMs?: number | undefined;
  returnPathKey?: Uint8Array | undefined;
};

/** Reads EMAIL_FROM: exactly one address, with or without a name. Throws `ConfigError`. */
export const readSender = (from: string): Sender => {
  const [parsed, ...more] = addressparser(from, { flatten: true });
  const domain = parsed?.address.split('@')[1];
  if (!parsed || more.length > 0 || !domain)
    throw new ConfigError([
      { name: 'EMAIL_FROM', message: 'must be one address, such as Office <office@example.org>' },
    ]);
  return { name: parsed.name, address: parsed.address, domain };
};

/** An address that is safe in a header and an envelope: no space, bracket or control character (RFC 5321 section 4.1.2). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
const safeAddress = /^[^\s<>,;:"\\()\u0000-\u001f\u007f]+@[^\s<>,;:"\\()@\u0000-\u001f\u007f]+$/;

/** RFC 5322 section 3.3 date-time in UTC; one text serves a whole second. */
const makeDate = (now: () => number): (() => string) => {
  let second = -1;
  let text = '';
  return () => {
    const current = Math.floor(now() / 1000);
    if (current !== second) {
      second = current;
      text = new Date(current * 1000).toUTCString().replace('GMT', '+0000');
    }
    return text;
  };
};

/** Slots for each connection: while one message waits for the server, others are rendered or wait for their outcome to be kept. */
const slotsPerConnection = 20;
const compiledContents = 200;

const slotsOf = (server: SmtpServer): number => server.pool * slotsPerConnection;

/** Slots of the channel over these servers; throws `ConfigError` for a URL that cannot work. */
export const emailConcurrency = (urls: string[]): number =>
  concurrencyOf(urls.map(readSmtpUrl).map((server) => ({ weight: server.weight, concurrency: slotsOf(server) })));

/**
 * Email over SMTP (RFC 5321), one provider for each URL in EMAIL_URL. Content is composed once by
 * `content.key`; the Message-ID is the message's id at the sender's domain, the return path names the message. Throws `ConfigError` for a URL, sender or DKIM
 * key that cannot work.
 */
export const makeEmailChannel = (config: Config['email'], tools: EmailTools): Channel => {
  const sender = readSender(config.from);
  const paths = config.bounces && tools.returnPathKey ? makeReturnPaths(config.bounces, tools.returnPathKey) : null;
  const plainPath = config.bounces ? `bounces@${config.bounces}` : sender.address;
  const sign = config.dkim ? makeDkimSigner(config.dkim) : null;
  const date = makeDate(tools.edges.now);
  const compiled = makeLru<Promise<CompiledMail>>(compiledContents);

  const compile = (content: SharedContent): Promise<CompiledMail> => {
    const known = compiled.get(content.key);
    if (known) return known;
    const fresh = compileMail(content, sender);
    fresh.catch(() => compiled.delete(content.key));
    compiled.set(content.key, fresh);
    return fresh;
  };

  const write = async (content: SharedContent, person: MailPerson): Promise<Buffer | Error> => {
    try {
      const unsigned = renderMail(await compile(content), person);
      return sign ? await sign(unsigned) : unsigned;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  };

  const overServer = (url: string): Provider => {
    const server = readSmtpUrl(url);
    const { provider, rate, burst, weight } = server;
    const meter = makePaceMeter();
    const pool = makeSmtpPool(server, tools.limitMs === undefined ? {} : { limitMs: tools.limitMs });
    const channel: Channel = {
      name: 'email',
      limits: { concurrency: slotsOf(server) },
      send: async ({ id, to, content, slots }, signal) => {
        const address = to.channel === 'email' ? to.email : '';
        if (!safeAddress.test(address))
          return failure(provider, { kind: 'permanent', reason: 'bad-address' }, 'the address cannot stand in a mail');
        const messageId = `<${id}@${sender.domain}>`;
        const raw = await write(content, { to: address, messageId, date: date(), slots });
        if (raw instanceof Error)
          return failure(provider, { kind: 'permanent', reason: 'content-refused' }, raw.message);
        const answer = await pool.send({ from: paths?.addressFor(id, address) ?? plainPath, to: address }, raw, signal);
        if (answer.ok) return { ok: true, provider, reference: null, response: answer.response };
        const { fault } = answer;
        if (fault.code === 'EABORT') return failure(provider, { kind: 'transient', reason: 'aborted' }, fault.message);
        return failure(provider, classifySmtp(fault), fault.response ?? fault.message);
      },
      close: () => pool.close(),
    };
    const guard = guarded(channel, { edges: tools.edges, ratePerSecond: rate, burst, meter });
    return { channel: guard, weight, meter };
  };

  return withFailover(config.urls.map(overServer) as [Provider, ...Provider[]], tools.edges);
};
