// A client of one gRPC method that does as little for a call as can be, so that it can load a server which shares its
// machine: HTTP/2 frames that are made once, and of the answers no more than their ends is read.
//
//   HEADERS, DATA ──▶ server        DATA, HEADERS that end the stream ──▶ one call answered

import { connect, type Socket } from 'node:net';

const frameTypes = { data: 0, headers: 1, rstStream: 3, settings: 4, ping: 6, goaway: 7, windowUpdate: 8 } as const;
const flags = { none: 0, endStream: 1, ack: 1, endHeaders: 4 } as const;
const frameHeaderBytes = 9;

/** In place of the 65,535 bytes that a connection may send at first: all answers of a run. */
const windowBytesMax = 2 ** 31 - 1;

/** As many as the service takes of one connection at a time; more wait here. */
const callsMax = 100;

interface Call {
  hasAnswer: boolean;
  readonly done: (error?: Error) => void;
}

export class GrpcConnection {
  readonly #socket: Socket;
  readonly #path: string;
  readonly #calls = new Map<number, Call>();
  readonly #waiting: { readonly message: Buffer; readonly done: Call['done'] }[] = [];
  #over: Error | undefined;
  #unread: Buffer = Buffer.alloc(0);
  #nextId = 1;

  /** `path`: of the method, as `/package.Service/Method`. */
  constructor(port: number, path: string) {
    this.#path = path;
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.#socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    this.#socket.write(frame(frameTypes.settings, flags.none, 0, Buffer.alloc(0)));
    this.#socket.write(frame(frameTypes.windowUpdate, flags.none, 0, uint32(windowBytesMax - 65_535)));
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.on('error', (error) => this.#end(error));
    this.#socket.on('close', () => this.#end(new Error('the server closed the connection')));
  }

  /** `done` is told when the call is answered, or why it is not. */
  call(message: Buffer, done: Call['done']): void {
    if (this.#over) done(this.#over);
    else if (this.#calls.size >= callsMax) this.#waiting.push({ message, done });
    else this.#send(message, done);
  }

  #send(message: Buffer, done: Call['done']): void {
    const id = this.#nextId;
    this.#nextId += 2;
    this.#calls.set(id, { hasAnswer: false, done });
    const headers = frame(frameTypes.headers, flags.endHeaders, id, id === 1 ? firstHeaders(this.#path) : sameHeaders);
    const data = frame(
      frameTypes.data,
      flags.endStream,
      id,
      Buffer.concat([Buffer.of(0), uint32(message.length), message]),
    );
    this.#socket.write(Buffer.concat([headers, data]));
  }

  close(): void {
    this.#calls.clear();
    this.#waiting.length = 0;
    this.#socket.destroy();
  }

  #end(error: Error): void {
    this.#over = error;
    const calls = [...this.#calls.values(), ...this.#waiting.splice(0)];
    this.#calls.clear();
    for (const { done } of calls) done(error);
  }

  #read(chunk: Buffer): void {
    const bytes = this.#unread.length > 0 ? Buffer.concat([this.#unread, chunk]) : chunk;
    let at = 0;
    while (bytes.length - at >= frameHeaderBytes) {
      const end = at + frameHeaderBytes + bytes.readUIntBE(at, 3);
      if (end > bytes.length) break;
      this.#readFrame(bytes[at + 3] as number, bytes[at + 4] as number, bytes.readUInt32BE(at + 5), () =>
        bytes.subarray(at + frameHeaderBytes, end),
      );
      at = end;
    }
    this.#unread = bytes.subarray(at);
  }

  #readFrame(type: number, flag: number, id: number, payload: () => Buffer): void {
    const call = this.#calls.get(id);
    if (type === frameTypes.data && call) call.hasAnswer = true;
    if (type === frameTypes.headers && flag & flags.endStream && call)
      this.#settle(id, call, call.hasAnswer ? undefined : new Error('the call was not answered with a message'));
    if (type === frameTypes.settings && !(flag & flags.ack))
      this.#socket.write(frame(frameTypes.settings, flags.ack, 0, Buffer.alloc(0)));
    if (type === frameTypes.ping && !(flag & flags.ack))
      this.#socket.write(frame(frameTypes.ping, flags.ack, 0, payload()));
    if (type === frameTypes.rstStream && call) this.#settle(id, call, new Error('the server reset the call'));
    if (type === frameTypes.goaway) this.#end(new Error('the server goes away'));
  }

  #settle(id: number, call: Call, error?: Error): void {
    this.#calls.delete(id);
    const next = this.#waiting.shift();
    if (next) this.#send(next.message, next.done);
    call.done(error);
  }
}

function frame(type: number, flag: number, id: number, payload: Buffer): Buffer {
  const bytes = Buffer.alloc(frameHeaderBytes + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flag;
  bytes.writeUInt32BE(id, 5);
  payload.copy(bytes, frameHeaderBytes);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Of HPACK (RFC 7541): `:method: POST`, `:scheme: http`, and four that the server remembers. */
function firstHeaders(path: string): Buffer {
  const text = (value: string) => [value.length, ...Buffer.from(value)]; // shorter than 127 bytes
  const remembered = 0x40;
  return Buffer.from([
    0x83,
    0x86,
    ...[remembered + 4, ...text(path)],
    ...[remembered + 1, ...text('127.0.0.1')], // :authority
    ...[remembered + 31, ...text('application/grpc')], // content-type
    ...[remembered, ...text('te'), ...text('trailers')],
  ]);
}

/** The same, by what the server remembers. */
const sameHeaders = Buffer.of(0x83, 0x86, 0xc1, 0xc0, 0xbf, 0xbe);
