import SMTPConnection from 'nodemailer/lib/smtp-connection';
import { makeSemaphore } from '../resilience/semaphore.ts';
import type { SmtpFault } from './smtp-reply.ts';
import type { SmtpServer } from './smtp-url.ts';

export type SmtpAnswer = { ok: true; response: string } | { ok: false; fault: SmtpFault & { message: string } };

/** Connections to one server, opened when needed and held open. */
export type SmtpPool = {
  /** Hands one message over; answers within `limitMs`, waiting for a free connection included, or when `signal` aborts. */
  send(envelope: { from: string; to: string }, raw: Buffer, signal: AbortSignal): Promise<SmtpAnswer>;
  close(): Promise<void>;
};

type Line = { connection: SMTPConnection; sent: number; isDead: boolean; idle: NodeJS.Timeout | undefined };

/** Answers like a promise executor's, but gives up with the signal's reason when it aborts. */
const stoppable = <T>(
  stop: AbortSignal,
  start: (resolve: (value: T) => void, reject: (error: unknown) => void) => void,
): Promise<T> =>
  new Promise((resolve, reject) => {
    const onStop = () => reject(stop.reason);
    if (stop.aborted) return onStop();
    stop.addEventListener('abort', onStop, { once: true });
    const done = () => stop.removeEventListener('abort', onStop);
    start(
      (value) => {
        done();
        resolve(value);
      },
      (error) => {
        done();
        reject(error);
      },
    );
  });

const faultOf = (error: unknown): SmtpFault & { message: string } => {
  const { code, command, responseCode, response, message } = error as SmtpFault & { message?: string };
  return { code, command, responseCode, response, message: message ?? String(error) };
};

const timedOut = (limitMs: number): Error =>
  Object.assign(new Error(`no answer in ${limitMs} ms`), { code: 'ETIMEDOUT' });

/** A code of our own: the caller stopped waiting. */
export const abortedCode = 'EABORT';
const aborted = (): Error => Object.assign(new Error('stopped'), { code: abortedCode });

/** The server spoke and the session still stands: after a RSET the connection serves the next message. */
const isReusable = (line: Line, { responseCode, code }: SmtpFault): boolean =>
  !line.isDead && responseCode !== undefined && responseCode >= 400 && responseCode !== 421 && code !== 'ECONNECTION';

export const makeSmtpPool = (server: SmtpServer, options: { limitMs?: number } = {}): SmtpPool => {
  const limitMs = options.limitMs ?? 60_000;
  const slots = makeSemaphore(server.pool);
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

  const connect = async (stop: AbortSignal): Promise<Line> => {
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
    const line: Line = { connection, sent: 0, isDead: false, idle: undefined };
    open.add(line);
    connection.on('end', () => discard(line));
    try {
      await stoppable<void>(stop, (resolve, reject) => {
        connection.on('error', reject);
        connection.connect((error) => (error ? reject(error) : resolve()));
      });
      const { auth } = server;
      if (auth)
        await stoppable<void>(stop, (resolve, reject) => {
          connection.on('error', reject);
          connection.login({ credentials: auth }, (error) => (error ? reject(error) : resolve()));
        });
    } catch (error) {
      discard(line);
      throw error;
    }
    return line;
  };

  const park = (line: Line): void => {
    line.idle = setTimeout(() => {
      line.connection.quit();
      discard(line);
    }, server.idleMs);
    free.push(line);
  };

  const release = (line: Line): void => {
    if (line.isDead) return;
    if (line.sent >= server.messages) {
      line.connection.quit();
      discard(line);
    } else park(line);
  };

  const takeFree = (): Line | undefined => {
    const line = free.pop();
    clearTimeout(line?.idle);
    return line;
  };

  const reset = (line: Line, stop: AbortSignal): Promise<void> =>
    stoppable<void>(stop, (resolve, reject) => line.connection.reset((error) => (error ? reject(error) : resolve())));

  const deliver = async (line: Line, from: string, to: string, raw: Buffer, stop: AbortSignal): Promise<SmtpAnswer> => {
    try {
      line.sent += 1;
      const info = await stoppable<{ response: string }>(stop, (resolve, reject) =>
        line.connection.send({ from, to: [to], size: raw.length }, raw, (error, done) =>
          error || !done ? reject(error) : resolve(done),
        ),
      );
      release(line);
      return { ok: true, response: info.response };
    } catch (error) {
      const fault = faultOf(error);
      if (isReusable(line, fault))
        await reset(line, stop).then(
          () => release(line),
          () => discard(line),
        );
      else discard(line);
      return { ok: false, fault };
    }
  };

  const send: SmtpPool['send'] = async ({ from, to }, raw, signal) => {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(timedOut(limitMs)), limitMs);
    const onAbort = () => stop.abort(aborted());
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    let isHolding = false;
    try {
      await slots.take(stop.signal);
      isHolding = true;
      return await deliver(takeFree() ?? (await connect(stop.signal)), from, to, raw, stop.signal);
    } catch (error) {
      return { ok: false, fault: faultOf(error) };
    } finally {
      if (isHolding) slots.give();
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  };

  return {
    send,
    close: async () => {
      for (const line of [...free]) line.connection.quit();
      for (const line of [...open]) discard(line);
    },
  };
};
