import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { pathToFileURL } from 'node:url';
import smpp, { type PDU, type Session } from 'smpp';

/** A text put together from its parts, as a phone would show it. `data_coding`: 0 GSM 03.38, 8 UCS-2. */
export type SunkText = { to: string; from: string; text: string; parts: number; coding: number };

export type SmppSinkOptions = {
  port?: number;
  credentials?: { user: string; pass: string };
  /** The command_status of the nth submit_sm (from 1); left out, 0. */
  status?: (nth: number) => number;
  /** Drops the connection at the nth submit_sm instead of answering. */
  hangUpAt?: (nth: number) => boolean;
};

export type SmppSink = {
  port: number;
  texts: SunkText[];
  submits(): number;
  binds(): number;
  sessions: Session[];
  close(): Promise<void>;
};

type Part = { reference: number; total: number; at: number };

const partOf = (pdu: PDU): Part => {
  const header = pdu.short_message?.udh?.[0];
  if (!header) return { reference: 0, total: 1, at: 1 };
  return { reference: header[2] ?? 0, total: header[3] ?? 0, at: header[4] ?? 0 };
};

/** A message centre on loopback over the server side of `smpp`, which decodes GSM 03.38 and UCS-2 by itself. */
export const startSmppSink = async (options: SmppSinkOptions = {}): Promise<SmppSink> => {
  const texts: SunkText[] = [];
  const open = new Map<string, Map<number, string>>();
  const sessions: Session[] = [];
  let submits = 0;
  let binds = 0;

  const put = (pdu: PDU): void => {
    const { reference, total, at } = partOf(pdu);
    const to = pdu.destination_addr ?? '';
    const key = `${to} ${reference}`;
    const parts = open.get(key) ?? new Map<number, string>();
    parts.set(at, String(pdu.short_message?.message));
    open.set(key, parts);
    if (parts.size < total) return;
    open.delete(key);
    const text = [...parts.entries()].sort(([a], [b]) => a - b).map(([, words]) => words);
    texts.push({ to, from: pdu.source_addr ?? '', text: text.join(''), parts: total, coding: pdu.data_coding ?? 0 });
  };

  const serve = (session: Session): void => {
    sessions.push(session);
    session.on('error', () => undefined);
    session.on('bind_transceiver', (pdu: PDU) => {
      const { user, pass } = options.credentials ?? {};
      const isKnown = !options.credentials || (pdu.system_id === user && pdu.password === pass);
      if (isKnown) binds += 1;
      session.send(pdu.response(isKnown ? {} : { command_status: 0x0e }));
    });
    session.on('enquire_link', (pdu: PDU) => session.send(pdu.response()));
    session.on('unbind', (pdu: PDU) => {
      session.send(pdu.response());
      session.close();
    });
    session.on('submit_sm', (pdu: PDU) => {
      submits += 1;
      if (options.hangUpAt?.(submits)) return session.destroy();
      const status = options.status?.(submits) ?? 0;
      if (status === 0) put(pdu);
      session.send(pdu.response(status === 0 ? { message_id: `id-${submits}` } : { command_status: status }));
    });
  };

  const server = smpp.createServer(serve);
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    texts,
    submits: () => submits,
    binds: () => binds,
    sessions,
    close: async () => {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

// As a process of its own: prints its port, and answers each line on standard input with the count.
if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const sink = await startSmppSink({ port: Number(process.env.SINK_PORT ?? 0) });
  console.log(JSON.stringify({ port: sink.port }));
  process.stdin.on('data', () => console.log(JSON.stringify({ count: sink.texts.length })));
  process.stdin.on('end', () => process.exit(0));
}
