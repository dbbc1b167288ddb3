import type { Socket } from 'node:net';
import type SMTPConnection from 'nodemailer/lib/smtp-connection';

type Done = (error: Error | null, reply?: string) => void;
type DataStream = { outByteCount: number; write(message: Buffer): unknown; end(): unknown };

/** What of nodemailer's connection its types leave out; the lockfile holds the version, and a test the behaviour. */
type Inside = {
  _createSendStream?: (done: Done) => DataStream;
  _responseActions?: ((reply: string) => void)[];
  _actionSMTPStream?: (reply: string, done: Done) => void;
};

const lineEnd = Buffer.from('\r\n');
/** The end of the data, after a message that ends its last line. */
const end = Buffer.from('.\r\n');

/**
 * Lets a connection hand over a whole message in one write. nodemailer passes it through a stream that looks at each byte for
 * lone line feeds and for leading dots (RFC 5321 section 4.5.2), which is a third of all that a send costs. Our mails are
 * composed with CRLF throughout; one with a line that begins with a dot goes nodemailer's way. A connection of another make
 * is left as it is.
 */
export const sendDataWhole = (connection: SMTPConnection): void => {
  const inside = connection as unknown as Inside;
  const theirs = inside._createSendStream?.bind(connection);
  if (!theirs || !inside._responseActions || !inside._actionSMTPStream) return;
  inside._createSendStream = (done) => {
    let dotted: DataStream | null = null;
    const stream: DataStream = {
      outByteCount: 0,
      write: (message) => {
        if (message.includes('\r\n.')) {
          dotted = theirs(done);
          return dotted.write(message);
        }
        inside._responseActions?.push((reply) => inside._actionSMTPStream?.call(connection, reply, done));
        const isLineEnded = message.subarray(-2).equals(lineEnd);
        const whole = Buffer.concat([message, ...(isLineEnded ? [] : [lineEnd]), end]);
        stream.outByteCount = whole.length;
        return (connection._socket as Socket).write(whole);
      },
      end: () => dotted?.end(),
    };
    return stream;
  };
};
