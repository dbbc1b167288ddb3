import { once } from 'node:events';
import { SMTPServer, type SMTPServerDataStream } from 'smtp-server';
import type { Config } from '../config.ts';
import type { ReturnService } from '../feedback/return-service.ts';
import type { Keyring } from '../keyring.ts';
import type { Log } from '../log.ts';
import { makeReturnPaths, returnPathKey } from '../return-path.ts';

type Deps = {
  returns: Pick<ReturnService, 'take'>;
  keyring: Pick<Keyring, 'mac'>;
  config: { email: Pick<Config['email'], 'bounces'> };
  log: Log;
  /** The largest mail, in bytes. */
  largest?: number;
};

/** Returned mail with the mail it returns; larger ones are refused while they come in (RFC 1870). */
const largestUsual = 10 * 1024 * 1024;
/** What a notice says stands before the mail that it returns: no more of it is kept in memory. */
const keptMost = 1024 * 1024;
const connectionsMost = 20;
const silenceMs = 60_000;
const closeMs = 500;

/** An answer of ours (RFC 5321 section 4.2), as smtp-server wants it. */
const reply = (code: number, words: string): Error => Object.assign(new Error(words), { responseCode: code });

/** Role accounts of every domain that takes mail (RFC 5321 section 4.5.1, RFC 2142 section 4): complaints come there, too. */
const roles = new Set(['postmaster', 'abuse']);

const readAll = async (stream: SMTPServerDataStream, largest: number): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    // the rest is read to its end all the same, and dropped
    if (size - chunk.length < keptMost) chunks.push(chunk);
  }
  if (size > largest || stream.sizeExceeded) throw reply(552, '5.3.4 the message is too large');
  return Buffer.concat(chunks);
};

/**
 * Listens for mail that comes back (RFC 5321): only for the return paths of our own messages, and for the domain's role accounts;
 * nobody signs in, nothing is relayed. What cannot be kept now is answered 451, so that it comes again. Answers what stops it.
 */
export const startBounceListener = async (
  { host, port }: { host: string; port: number },
  { returns, keyring, config, log, largest = largestUsual }: Deps,
): Promise<() => Promise<void>> => {
  const paths = makeReturnPaths(config.email.bounces ?? '', returnPathKey(keyring));

  const refusalOf = (address: string): Error | null => {
    const at = address.lastIndexOf('@');
    if (address.slice(at + 1).toLowerCase() !== paths.domain) return reply(550, '5.7.1 no mail for this domain here');
    const isKnown = roles.has(address.slice(0, at).toLowerCase()) || paths.read(address) !== null;
    return isKnown ? null : reply(550, '5.1.1 no such return path');
  };

  const server = new SMTPServer({
    name: paths.domain,
    banner: 'returned mail only',
    disabledCommands: ['AUTH', 'STARTTLS'],
    authOptional: true,
    size: largest,
    maxClients: connectionsMost,
    socketTimeout: silenceMs,
    closeTimeout: closeMs,
    disableReverseLookup: true,
    logger: false,
    onRcptTo: ({ address }, _session, callback) => callback(refusalOf(address)),
    onData: (stream, { envelope }, callback) => {
      const rcpts = envelope.rcptTo.map(({ address }) => address);
      readAll(stream, largest)
        .then((raw) => returns.take(raw, { rcpts, isVouched: false }))
        .then(
          () => callback(),
          (error: Error & { responseCode?: number }) => {
            if (error.responseCode === undefined) log.error({ error }, 'returned mail could not be taken');
            callback(error.responseCode === undefined ? reply(451, '4.3.0 try again later') : error);
          },
        );
    },
  });
  // a client that hangs up is no concern of ours
  server.on('error', (error) => log.debug({ error }, 'the connection of a mail server broke'));
  const listening = once(server.server, 'listening');
  server.listen(port, host);
  await listening;
  log.info({ address: server.server.address() }, 'listening for returned mail');
  return () => new Promise((resolve) => server.close(() => resolve()));
};
