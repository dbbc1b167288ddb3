import { SMTPServer } from 'smtp-server';

export type CountingSink = {
  /** SMTP URL for EMAIL_URL. */
  url: string;
  /** Message-IDs that each recipient got, in the order they came. */
  received: Map<string, string[]>;
  total(): number;
  close(): Promise<void>;
};

const messageIdOf = (head: string): string => /^message-id:\s*(\S+)/im.exec(head)?.[1] ?? '';

/** A real SMTP server that counts: who got which Message-ID how often. It answers each mail after `delayMs`; `pool`: connections. */
export const startCountingSink = async (delayMs: number, pool = 20): Promise<CountingSink> => {
  const received = new Map<string, string[]>();
  let total = 0;
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    disableReverseLookup: true,
    logger: false,
    onData: (stream, session, done) => {
      let head = '';
      stream.on('data', (chunk: Buffer) => {
        if (head.length < 4_000) head += chunk.toString('latin1');
      });
      stream.on('end', () => {
        // what counts as received is decided here, before the answer: a copy whose answer is lost is a copy all the same
        for (const { address } of session.envelope.rcptTo) {
          received.set(address, [...(received.get(address) ?? []), messageIdOf(head)]);
          total += 1;
        }
        setTimeout(done, delayMs);
      });
    },
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as { port: number };
  return {
    url: `smtp://127.0.0.1:${port}?pool=${pool}`,
    received,
    total: () => total,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
};
