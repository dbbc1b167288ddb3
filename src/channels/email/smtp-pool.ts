import SMTPConnection from 'nodemailer/lib/smtp-connection';
import { type Stop, stoppable, withDeadline } from '../resilience/deadline.ts';
import { makeSemaphore } from '../resilience/semaphore.ts';
import type { SmtpFault } from './smtp-reply.ts';
import type { SmtpServer } from './smtp-url.ts';
import { sendDataWhole } from './whole-data.ts';

type Fault = SmtpFault & { message: string };
type SmtpAnswer = { ok: true; response: string } | { ok: false; fault: Fault };

/** Connections to one server, opened when needed and held open. */
export type SmtpPool = {
  /** Hands one message over; answers within `limitMs`, waiting for a free connection included, or when `signal` aborts. */
  send(envelope: { from: string; to: string }, raw: Buffer, signal: AbortSignal): Promise<SmtpAnswer>;
  close(): Promise<void>;
};

type Line = { connection: SMTPConnection; sent: number; isDead: boolean; idle: NodeJS.Timeout | undefined };

const faultOf = (error: unknown): Fault => {
  const { code, command, responseCode, response, message } = error as Fault;
  return { code, command, responseCode, response, message: message ?? String(error) };
};

/** The server spoke and the session still stands: after a RSET the connection serves the next message. */
const isReusable = (line: Line, { responseCode, code }: SmtpFault): boolean =>
  !line.isDead && responseCode !== undefined && responseCode >= 400 && responseCode !== 421 && code !== 'ECONNECTION';

const newConnection = (server: SmtpServer, limitMs: number): SMTPConnection => {
  const connection = new SMTPConnection({
    host: server.host,
    port: server.port,
    secure: server.secure,
    requireTLS: server.tls === 'require',
    ignoreTLS: server.tls === 'off',
    connectionTimeout: Math.min(limitMs, 20_000),
    greetingTimeout: Math.min(limitMs, 20_000),
    socketTimeout: limitMs + 5_000,
    tls: { rejectUnauthorized: server.tls !== 'unverified' },
  });
  sendDataWhole(connection);
  return connection;
};

const handshake = async (connection: SMTPConnection, auth: SmtpServer['auth'], stop: Stop): Promise<void> => {
  await stoppable<void>(stop, (resolve, reject) => {
    connection.on('error', reject);
    connection.connect((error) => (error ? reject(error) : resolve()));
  });
  if (!auth) return;
  await stoppable<void>(stop, (resolve, reject) => {
    connection.on('error', reject);
    connection.login({ credentials: auth }, (error) => (error ? reject(error) : resolve()));
  });
};

const reset = (connection: SMTPConnection, stop: Stop): Promise<void> =>
  stoppable<void>(stop, (resolve, reject) => connection.reset((error) => (error ? reject(error) : resolve())));

const transmit = (
  connection: SMTPConnection,
  envelope: { from: string; to: string },
  raw: Buffer,
  stop: Stop,
): Promise<string> =>
  stoppable<string>(stop, (resolve, reject) =>
    connection.send({ from: envelope.from, to: [envelope.to], size: raw.length }, raw, (error, info) =>
      error || !info ? reject(error) : resolve(info.response),
    ),
  );

/** The connections themselves: taken, given back, replaced. */
const makeLines = (server: SmtpServer, limitMs: number) => {
  const free: Line[] = [];
  const open = new Set<Line>();

  const discard = (line: Line): void => {
    clearTimeout(line.idle);
    line.isDead = true;
    open.delete(line);
    const at = free.indexOf(line);
    if (at >= 0) free.splice(at, 1);
    line.connection.close();
  };

  const retire = (line: Line): void => {
    line.connection.quit();
    discard(line);
  };

  const connect = async (stop: Stop): Promise<Line> => {
    const line: Line = { connection: newConnection(server, limitMs), sent: 0, isDead: false, idle: undefined };
    open.add(line);
    line.connection.on('end', () => discard(line));
    try {
      await handshake(line.connection, server.auth, stop);
    } catch (error) {
      discard(line);
      throw error;
    }
    return line;
  };

  const take = async (stop: Stop): Promise<Line> => {
    const line = free.pop();
    clearTimeout(line?.idle);
    return line ?? connect(stop);
  };

  const giveBack = (line: Line): void => {
    if (line.isDead) return;
    if (line.sent >= server.messages) retire(line);
    else {
      line.idle = setTimeout(() => retire(line), server.idleMs);
      free.push(line);
    }
  };

  const close = (): void => {
    for (const line of [...free]) retire(line);
    for (const line of [...open]) discard(line);
  };

  return { take, giveBack, discard, close };
};

/** Makes the pool; it connects when the first message comes. */
export const makeSmtpPool = (server: SmtpServer, options: { limitMs?: number } = {}): SmtpPool => {
  const { limitMs = 60_000 } = options;
  const slots = makeSemaphore(server.pool);
  const lines = makeLines(server, limitMs);

  const deliver = async (envelope: { from: string; to: string }, raw: Buffer, stop: Stop): Promise<string> => {
    const line = await lines.take(stop);
    try {
      line.sent += 1;
      const response = await transmit(line.connection, envelope, raw, stop);
      lines.giveBack(line);
      return response;
    } catch (error) {
      if (isReusable(line, faultOf(error))) {
        await reset(line.connection, stop).then(
          () => lines.giveBack(line),
          () => lines.discard(line),
        );
      } else lines.discard(line);
      throw error;
    }
  };

  return {
    send: async (envelope, raw, signal) => {
      try {
        const response = await withDeadline(limitMs, signal, async (stop) => {
          await slots.take(stop);
          try {
            return await deliver(envelope, raw, stop);
          } finally {
            slots.give();
          }
        });
        return { ok: true, response };
      } catch (error) {
        return { ok: false, fault: faultOf(error) };
      }
    },
    close: async () => lines.close(),
  };
};

/** What a server said when we came to its door; `secure`: the connection is encrypted. */
export type SmtpWelcome = { ok: true; secure: boolean } | { ok: false; fault: Fault };

/** Connects as for a message, signs in where the URL says so, and leaves again. */
export const welcomeOf = async (server: SmtpServer, limitMs: number): Promise<SmtpWelcome> => {
  const connection = newConnection(server, limitMs);
  try {
    await withDeadline(limitMs, new AbortController().signal, (stop) => handshake(connection, server.auth, stop));
    return { ok: true, secure: connection.secure };
  } catch (error) {
    return { ok: false, fault: faultOf(error) };
  } finally {
    connection.close();
  }
};
