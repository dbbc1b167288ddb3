import smpp, { type PDU, type PduOptions, type Session } from 'smpp';
import { type Stop, stoppable } from '../resilience/deadline.ts';

/** A command that the message centre answered with something else than success. */
export class SmppStatusError extends Error {
  readonly status: number;
  constructor(command: string, status: number) {
    super(`${command} was refused`);
    this.name = 'SmppStatusError';
    this.status = status;
  }
}

/** `take` is given every deliver_sm; where it fails the centre is asked to send that again. */
export type SmppServer = {
  host: string;
  port: number;
  isSecure: boolean;
  user: string;
  pass: string;
  bindMs: number;
  take: (pdu: PDU) => Promise<void>;
};

/** One bound session, made when needed and made anew after it broke. */
export type SmppLink = {
  /** Submits one short message; answers its message_id. Throws `SmppStatusError`, or an Error when the link breaks. */
  submit(options: PduOptions, stop: Stop): Promise<string>;
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
    if (!isAnswered) {
      session.destroy();
      return;
    }
    isAnswered = false;
    session.enquire_link(() => {
      isAnswered = true;
    });
  }, enquireMs);
  timer.unref();
  return () => clearInterval(timer);
};

/** SMPP 3.4 section 5.1.3, ESME_RX_T_APPN: the centre keeps what it has and delivers it again. */
const tryAgain = 0x64;

/** Answers what the message centre asks of its own accord. Receipts and incoming texts are acknowledged once they are taken. */
const answerRequests = (session: Session, take: SmppServer['take']): void => {
  session.on('enquire_link', (pdu: PDU) => session.send(pdu.response()));
  session.on('deliver_sm', (pdu: PDU) => {
    take(pdu).then(
      () => session.send(pdu.response()),
      () => session.send(pdu.response({ command_status: tryAgain })),
    );
  });
  session.on('unbind', (pdu: PDU) => {
    session.send(pdu.response());
    session.close();
  });
};

type Binding = { session: Session; bound: Promise<Session> };

/** Connects and binds; a centre that does not answer within `bindMs` is hung up on. */
const startBinding = (server: SmppServer): Binding => {
  const { host, port, isSecure, user, pass, bindMs, take } = server;
  const session = smpp.connect({ host, port, tls: isSecure, ...(isSecure ? { servername: host } : {}) });
  const bound = new Promise<Session>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(broken());
      session.destroy();
    }, bindMs);
    session.on(isSecure ? 'secureConnect' : 'connect', () => {
      session.bind_transceiver({ system_id: user, password: pass, interface_version: smppVersion }, (pdu) => {
        clearTimeout(timer);
        if (pdu.command_status === 0) return resolve(session);
        reject(new SmppStatusError('bind_transceiver', pdu.command_status));
        session.destroy();
      });
    });
    session.on('error', (error: Error) => {
      reject(error);
      session.destroy();
    });
    session.on('close', () => {
      clearTimeout(timer);
      reject(broken());
    });
  });
  answerRequests(session, take);
  return { session, bound };
};

/** What is submitted in one turn of the event loop leaves with one write to the socket, not with one each. */
const writeTogether = ({ socket }: Session): void => {
  if (socket.writableCorked > 0) return;
  socket.cork();
  setImmediate(() => socket.uncork());
};

/** Says goodbye; a centre that does not answer is hung up on. */
const unbind = (session: Session): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(() => session.destroy(), closeMs);
    session.on('close', () => {
      clearTimeout(timer);
      resolve();
    });
    session.unbind(() => session.close());
  });

/** Binds as transceiver on first use. */
export const makeSmppLink = (server: SmppServer): SmppLink => {
  let current: Binding | null = null;
  const onBreak = new Set<(error: Error) => void>();

  const bind = (): Binding => {
    const binding = startBinding(server);
    current = binding;
    const stopAsking = keepAlive(binding.session);
    const forget = () => {
      if (current === binding) current = null;
    };
    binding.bound.catch(forget);
    binding.session.on('close', () => {
      stopAsking();
      forget();
      for (const tell of [...onBreak]) tell(broken());
    });
    return binding;
  };

  const boundSession = (stop: Stop): Promise<Session> =>
    stoppable(stop, (resolve, reject) => (current ?? bind()).bound.then(resolve, reject));

  const exchange = (session: Session, options: PduOptions, stop: Stop): Promise<PDU> =>
    stoppable<PDU>(stop, (resolve, reject) => {
      onBreak.add(reject);
      const forget = stop.on(() => onBreak.delete(reject));
      writeTogether(session);
      const isTaken = session.submit_sm(options, (pdu) => {
        onBreak.delete(reject);
        forget();
        resolve(pdu);
      });
      if (!isTaken) reject(broken());
    });

  return {
    submit: async (options, stop) => {
      const answer = await exchange(await boundSession(stop), options, stop);
      if (answer.command_status !== 0) throw new SmppStatusError('submit_sm', answer.command_status);
      return answer.message_id ?? '';
    },
    close: async () => {
      if (!current) return;
      const { session, bound } = current;
      const isBound = await Promise.race([bound.then(() => true), false]).catch(() => false);
      if (isBound) await unbind(session);
      else session.destroy();
    },
  };
};
