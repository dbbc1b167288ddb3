import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { pathToFileURL } from 'node:url';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';

/** A mail as the server took it: its envelope and the bytes after DATA. */
export type SunkMail = { from: string; to: string[]; raw: Buffer };

/** An SMTP error of a given reply, as smtp-server wants it thrown. */
export const smtpError = (code: number, words: string): Error =>
  Object.assign(new Error(words), { responseCode: code });

export type SmtpSinkOptions = {
  port?: number;
  /** Throws to refuse a recipient. */
  onRcpt?: (address: string) => void;
  /** Throws to refuse the message after its data. */
  onMail?: (mail: SunkMail) => void;
  /** Drops the connection in the middle of DATA. */
  hangUpInData?: () => boolean;
  /** Never answers the data. */
  silentAfterData?: () => boolean;
  credentials?: { user: string; pass: string };
  /** Leave out the bodies: a bench only counts. */
  keep?: boolean;
};

export type SmtpSink = {
  port: number;
  mails: SunkMail[];
  count(): number;
  connections(): number;
  close(): Promise<void>;
};

const readAll = async (stream: SMTPServerDataStream): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

const drain = async (stream: SMTPServerDataStream): Promise<Buffer> => {
  stream.resume();
  await once(stream, 'end');
  return Buffer.alloc(0);
};

/** An independent SMTP server on loopback that keeps what it gets, and misbehaves when asked to. */
export const startSmtpSink = async (options: SmtpSinkOptions = {}): Promise<SmtpSink> => {
  const mails: SunkMail[] = [];
  let count = 0;
  let connections = 0;

  const take = async (stream: SMTPServerDataStream, session: SMTPServerSession): Promise<string> => {
    const raw = await (options.keep === false ? drain(stream) : readAll(stream));
    const { mailFrom, rcptTo } = session.envelope;
    const mail = { from: mailFrom ? mailFrom.address : '', to: rcptTo.map((one) => one.address), raw };
    options.onMail?.(mail);
    count += 1;
    if (options.keep !== false) mails.push(mail);
    return `queued as ${count}`;
  };

  const server = new SMTPServer({
    disabledCommands: options.credentials ? ['STARTTLS'] : ['AUTH', 'STARTTLS'],
    allowInsecureAuth: true,
    authOptional: !options.credentials,
    disableReverseLookup: true,
    closeTimeout: 100,
    logger: false,
    onConnect: (_session, callback) => {
      connections += 1;
      callback();
    },
    onAuth: ({ username, password }, _session, callback) => {
      const { user, pass } = options.credentials ?? {};
      if (username === user && password === pass) callback(null, { user: username });
      else callback(smtpError(535, '5.7.8 wrong credentials'));
    },
    onRcptTo: ({ address }, _session, callback) => {
      try {
        options.onRcpt?.(address);
        callback();
      } catch (error) {
        callback(error as Error);
      }
    },
    onData: (stream, session, callback) => {
      if (options.hangUpInData?.()) {
        for (const connection of server.connections) (connection as { _socket: { destroy(): void } })._socket.destroy();
        return;
      }
      take(stream, session).then(
        (words) => {
          if (!options.silentAfterData?.()) (callback as (error: null, words: string) => void)(null, words);
        },
        (error) => callback(error),
      );
    },
  });
  server.on('error', () => undefined);
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server.server, 'listening');
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    count: () => count,
    connections: () => connections,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
};

// As a process of its own (benches, kill tests): prints its port, and answers each line on standard input with the count.
if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const sink = await startSmtpSink({ keep: process.env.SINK_KEEP === 'on', port: Number(process.env.SINK_PORT ?? 0) });
  console.log(JSON.stringify({ port: sink.port }));
  process.stdin.on('data', () => console.log(JSON.stringify({ count: sink.count(), mails: sink.mails.length })));
  process.stdin.on('end', () => process.exit(0));
}
