import { createConnection, createServer, type Server, type Socket } from 'node:net';

const headerBytes = 16;
const opMsg = 2013;
const moreToCome = 1 << 1;

/** One message of the MongoDB wire protocol, whole. */
type Frame = Buffer;

/** Cuts a stream into frames: each begins with its own length, 32 bits little-endian. */
const makeFrames = (onFrame: (frame: Frame) => void): ((chunk: Buffer) => void) => {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    while (rest.length >= headerBytes && rest.length >= rest.readInt32LE(0)) {
      const length = rest.readInt32LE(0);
      if (length < headerBytes) throw new Error(`a frame of ${length} bytes is no MongoDB message`);
      onFrame(rest.subarray(0, length));
      rest = rest.subarray(length);
    }
  };
};

/** OP_MSG only: the sender will send another frame (a reply), or wants no answer (a request). */
const hasMoreToCome = (frame: Frame): boolean =>
  frame.readInt32LE(12) === opMsg && (frame.readUInt32LE(headerBytes) & moreToCome) !== 0;

/** First come, first served; `release` lets the next one in. */
const makeGate = () => {
  let last = Promise.resolve();
  return (): Promise<() => void> => {
    let release = (): void => undefined;
    const mine = new Promise<void>((resolve) => {
      release = resolve;
    });
    const entered = last.then(() => release);
    last = last.then(() => mine);
    return entered;
  };
};

/** Carries one client's commands to the server, each after it has passed the gate, and its replies back. */
const serve = (client: Socket, server: Socket, enter: () => Promise<() => void>): void => {
  let leave: (() => void) | null = null;
  let queue = Promise.resolve();
  let open = true;

  const done = (): void => {
    leave?.();
    leave = null;
  };
  const carry = async (request: Frame): Promise<void> => {
    const release = await enter();
    if (!open) return release();
    await new Promise<void>((resolve) => {
      leave = () => {
        release();
        resolve();
      };
      server.write(request);
      // nothing comes back that would say when it is over
      if (hasMoreToCome(request)) done();
    });
  };
  const toServer = makeFrames((frame) => {
    queue = queue.then(() => carry(frame));
  });
  const toClient = makeFrames((frame) => {
    client.write(frame);
    if (!hasMoreToCome(frame)) done();
  });
  const end = (): void => {
    open = false;
    client.destroy();
    // a command that is under way still changes things: the server's reply, or its end, opens the gate
    if (leave === null) server.destroy();
  };

  client.on('data', toServer);
  server.on('data', (chunk) => {
    toClient(chunk);
    if (!open) server.destroy();
  });
  client.on('close', end);
  client.on('error', end);
  server.on('error', () => server.destroy());
  server.on('close', () => {
    open = false;
    done();
    client.destroy();
  });
};

export type SerialProxy = {
  uri: string;
  /** Carries new connections to another server from now on. */
  aim(uri: string): void;
  close(): Promise<void>;
};

const placeOf = ({ hostname, port }: URL) => ({ host: hostname, port: Number(port || 27017) });

/**
 * A proxy before a MongoDB-compatible server that lets one wire command through at a time, from whatever connection it
 * comes: FerretDB 1.x reads, decides and then writes by `_id`, so that two conditional updates at once may both win
 * (measured: 998 of 1,000 races). MongoDB itself makes a write of one document atomic and needs no such thing. It must be
 * one process for all clients. `uri` is the server's; the answer's `uri` is to be used in its place.
 */
export const startSerialProxy = async (uri: string): Promise<SerialProxy> => {
  const proxied = new URL(uri);
  let server = placeOf(proxied);
  const enter = makeGate();
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.setNoDelay(true);
    return socket.on('close', () => sockets.delete(socket));
  };
  const listener: Server = createServer((client) => serve(keep(client), keep(createConnection(server)), enter));
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  // whoever started it may end without closing it
  listener.unref();
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  proxied.hostname = '127.0.0.1';
  proxied.port = String(address.port);
  return {
    uri: proxied.toString(),
    aim: (other) => {
      server = placeOf(new URL(other));
    },
    close: async () => {
      const closed = new Promise((resolve) => listener.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
};
