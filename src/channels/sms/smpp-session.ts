import smpp, { type PDU, type PduOptions, type Session } from 'smpp';
import { stoppable } from '../resilience/deadline.ts';

/** A command that the message centre answered with something else than success. */
export class SmppStatusError extends Error {
  readonly status: number;
  constructor(command: string, status: number) {
    super(`${command} was refused`);
    this.name = 'SmppStatusError';
    this.status = status;
  }
}

export type SmppServer = { host: string; port: number; isSecure: boolean; user: string; pass: string };

/** One bound session, made when needed and made anew after it broke. */
export type SmppLink = {
  /** Submits one short message; answers its message_id. Throws `SmppStatusError`, or an Error when the link breaks. */
  submit(options: PduOptions, stop: AbortSignal): Promise<string>;
  close(): Promise<void>;
};

const smppVersion = 0x34;
const enquireMs = 30_000;
const closeMs = 1_000;

const broken = (): Error => new Error('the connection was lost');

/** Asks now and then whether the other side is there (SMPP 3.4 section 4.11); a silent one is hung up on. */
const keepAlive = (session: Session): (() => void) => {
  let isAnswered = true;
  const timer = setInterval(() => {
    if (!isAnswered) return session.destroy();
    isAnswered = false;
    session.enquire_link(() => {
      isAnswered = true;
    });
  }, enquireMs);
  timer.unref();
  return () => clearInterval(timer);
};

/** Answers what the message centre asks of its own accord. Receipts and incoming texts are acknowledged. */
const answerRequests = (session: Session): void => {
  session.on('enquire_link', (pdu: PDU) => session.send(pdu.response()));
  session.on('deliver_sm', (pdu: PDU) => session.send(pdu.response()));
  session.on('unbind', (pdu: PDU) => {
    session.send(pdu.response());
    session.close();
  });
};

const connected = (server: SmppServer): Promise<Session> =>
  new Promise((resolve, reject) => {
    const { host, port, isSecure, user, pass } = server;
    const session = smpp.connect({ host, port, tls: isSecure, ...(isSecure ? { servername: host } : {}) }, () => {
      session.bind_transceiver({ system_id: user, password: pass, interface_version: smppVersion }, (pdu) => {
        if (pdu.command_status === 0) return resolve(session);
        session.destroy();
        reject(new SmppStatusError('bind_transceiver', pdu.command_status));
      });
    });
    session.on('error', (error: Error) => {
      session.destroy();
      reject(error);
    });
    session.on('close', () => reject(broken()));
    answerRequests(session);
  });

/** Binds as transceiver on first use. */
export const makeSmppLink = (server: SmppServer): SmppLink => {
  let current: Promise<Session> | null = null;
  const onBreak = new Set<(error: Error) => void>();

  const bind = (): Promise<Session> => {
    const binding = connected(server);
    current = binding;
    const forget = () => {
      if (current === binding) current = null;
    };
    binding.then((session) => {
      const stopAsking = keepAlive(session);
      session.on('close', () => {
        stopAsking();
        forget();
        for (const tell of [...onBreak]) tell(broken());
      });
    }, forget);
    return binding;
  };

  const bound = (stop: AbortSignal): Promise<Session> =>
    stoppable(stop, (resolve, reject) => (current ?? bind()).then(resolve, reject));

  const exchange = (session: Session, options: PduOptions, stop: AbortSignal): Promise<PDU> =>
    stoppable<PDU>(stop, (resolve, reject) => {
      onBreak.add(reject);
      const done = (pdu: PDU) => {
        onBreak.delete(reject);
        resolve(pdu);
      };
      stop.addEventListener('abort', () => onBreak.delete(reject), { once: true });
      if (!session.submit_sm(options, done)) reject(broken());
    });

  return {
    submit: async (options, stop) => {
      const answer = await exchange(await bound(stop), options, stop);
      if (answer.command_status !== 0) throw new SmppStatusError('submit_sm', answer.command_status);
      return answer.message_id ?? '';
    },
    close: async () => {
      const session = await current?.catch(() => null);
      if (!session || session.socket.destroyed) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => session.destroy(), closeMs);
        session.on('close', () => {
          clearTimeout(timer);
          resolve();
        });
        session.unbind(() => session.close());
      });
    },
  };
};
