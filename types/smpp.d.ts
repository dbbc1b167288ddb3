/** The part of smpp 0.5 that Bellman uses; the package has no types of its own. */
declare module 'smpp' {
  import type { EventEmitter } from 'node:events';
  import type { Server as NetServer, Socket } from 'node:net';

  export type PduOptions = Record<string, string | number | Buffer | { udh?: Buffer; message: string | Buffer }>;

  export class PDU {
    command: string;
    command_status: number;
    sequence_number: number;
    system_id?: string;
    password?: string;
    message_id?: string;
    source_addr?: string;
    source_addr_ton?: number;
    destination_addr?: string;
    dest_addr_ton?: number;
    data_coding?: number;
    esm_class?: number;
    receipted_message_id?: string;
    message_state?: number;
    short_message?: { udh?: Buffer[]; message: string | Buffer };
    response(options?: PduOptions): PDU;
  }

  export class Session extends EventEmitter {
    socket: Socket;
    /** Answers false when the socket takes no more. */
    send(pdu: PDU): boolean;
    bind_transceiver(options: PduOptions, onResponse: (pdu: PDU) => void): boolean;
    deliver_sm(options: PduOptions, onResponse: (pdu: PDU) => void): boolean;
    submit_sm(options: PduOptions, onResponse: (pdu: PDU) => void): boolean;
    enquire_link(onResponse: (pdu: PDU) => void): boolean;
    unbind(onResponse?: (pdu: PDU) => void): boolean;
    close(callback?: () => void): void;
    destroy(callback?: () => void): void;
  }

  export type ConnectOptions = {
    host: string;
    port: number;
    tls?: boolean;
    servername?: string;
    rejectUnauthorized?: boolean;
  };

  const smpp: {
    connect(options: ConnectOptions, listener?: () => void): Session;
    createServer(listener: (session: Session) => void): NetServer;
  };
  export default smpp;
}
