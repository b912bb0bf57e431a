// An HTTP/2 connection to a gRPC server that does as little for a call as can be. A general client's work for a call was a
// third of a core, and what it left to collect stopped the generator for milliseconds.
//
//   HEADERS, DATA ──▶ server        HEADERS, DATA, HEADERS that end the stream ──▶ one call answered

import type { Socket } from 'node:net';
import { beginCall, type Call, type CallEnd, endOf, type OnEnd, tell } from './grpc-call.ts';
import { HeaderDecoder } from './hpack.ts';
import {
  contentOf,
  errorCodes,
  type Frame,
  FrameReader,
  flags,
  frame,
  frameTypes,
  greeting,
  settings,
  uint32,
  windowBytesUsual,
} from './http2-frames.ts';
import { openSocket, peerOf } from './socket.ts';

/** Of a server that has not said yet how many calls it takes at a time; RFC 9113 advises no less. */
const callsMaxUsual = 100;
/** The server may send so much before it hears that it was read. */
const windowBytes = 2 ** 24;
/** Of a body. */
const bodyBytesMax = 1024 * 1024;

const headerPartsMax = 64;

interface Waiting {
  readonly headers: Buffer;
  readonly data: Buffer;
  readonly onEnd: OnEnd;
  readonly late: NodeJS.Timeout;
}

export class GrpcConnection {
  readonly #socket: Socket;
  readonly #giveUpMs: number;
  readonly #tooLate: string;
  readonly #reader = new FrameReader();
  readonly #decoder = new HeaderDecoder();
  readonly #calls = new Map<number, Call>();
  readonly #waiting = new Set<Waiting>();
  readonly #onceOpen: (() => void)[] = [];
  #isOpen = false;
  /** Why it takes no call any more. */
  #over: string | undefined;
  #nextStream = 1;
  #callsMax = callsMaxUsual;
  /** What may still be sent. */
  #window = windowBytesUsual;
  /** What was read since the server was last told so. */
  #read = 0;
  /** Of HEADERS that are not whole yet. */
  #block: { readonly begin: Frame; readonly parts: Buffer[] } | undefined;

  /** By TLS where the address begins with https. A call without an answer for so long is given up. */
  constructor(url: string, giveUpMs: number) {
    this.#giveUpMs = giveUpMs;
    this.#tooLate = `no answer within ${giveUpMs / 1000} s`;
    this.#socket = openSocket(peerOf(url), { ALPNProtocols: ['h2'] }, () => this.#opened());
    this.#socket.write(greeting(windowBytes));
    this.#socket.on('data', (chunk) => this.#take(chunk));
    this.#socket.on('error', ({ message }) => this.#end(message));
    this.#socket.on('close', () => this.#end('the connection was closed'));
  }

  get isOver(): boolean {
    return this.#over !== undefined;
  }

  /** Tells when it is open, or over. */
  onceOpen(tell: () => void): void {
    if (this.#isOpen || this.isOver) tell();
    else this.#onceOpen.push(tell);
  }

  /** `headers`: all, as HPACK has them. `data`: messages in gRPC's frames. */
  call(headers: Buffer, data: Buffer, onEnd: OnEnd): void {
    if (this.#over !== undefined) {
      onEnd({ status: undefined, error: this.#over });
      return;
    }
    const late = setTimeout(() => {
      this.#waiting.delete(waiting);
      onEnd({ status: undefined, error: this.#tooLate });
    }, this.#giveUpMs);
    const waiting = { headers, data, onEnd, late };
    this.#waiting.add(waiting);
    this.#send();
  }

  close(): void {
    this.#over = 'closed';
    for (const { late } of [...this.#calls.values(), ...this.#waiting]) clearTimeout(late);
    this.#calls.clear();
    this.#waiting.clear();
    this.#socket.destroy();
  }

  #opened(): void {
    this.#isOpen = true;
    for (const tell of this.#onceOpen.splice(0)) tell();
  }

  /** As many of those that wait as the server takes now, in order. */
  #send(): void {
    for (const waiting of this.#waiting) {
      const { headers, data, onEnd, late } = waiting;
      if (this.#calls.size >= this.#callsMax || data.length > this.#window) return;
      this.#waiting.delete(waiting);
      this.#window -= data.length;
      const stream = this.#nextStream;
      this.#nextStream += 2;
      clearTimeout(late);
      const cancel = setTimeout(() => this.#cancel(stream, this.#tooLate), this.#giveUpMs);
      this.#calls.set(stream, beginCall(onEnd, cancel));
      this.#socket.write(
        Buffer.concat([
          frame(frameTypes.headers, flags.endHeaders, stream, headers),
          frame(frameTypes.data, flags.endStream, stream, data),
        ]),
      );
    }
  }

  #cancel(stream: number, error: string): void {
    this.#socket.write(frame(frameTypes.rstStream, flags.none, stream, uint32(errorCodes.cancel)));
    this.#settle(stream, { status: undefined, error });
  }

  #end(why: string): void {
    this.#over ??= why;
    this.#socket.destroy();
    this.#opened();
    for (const stream of [...this.#calls.keys()]) this.#settle(stream, { status: undefined, error: why });
    this.#endWaiting({ status: undefined, error: why });
  }

  #endWaiting(end: CallEnd): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const { onEnd, late } of waiting) {
      clearTimeout(late);
      onEnd(end);
    }
  }

  #settle(stream: number, end: CallEnd): void {
    const call = this.#calls.get(stream);
    if (!call) return; // of one that was given up
    this.#calls.delete(stream);
    clearTimeout(call.late);
    call.onEnd(end);
  }

  #take(chunk: Buffer): void {
    try {
      for (const it of this.#reader.read(chunk)) this.#takeFrame(it);
    } catch (error) {
      this.#end(`no HTTP/2: ${(error as Error).message}`);
    }
    if (this.#waiting.size > 0 && !this.isOver) this.#send();
    else if (this.isOver && this.#calls.size === 0) this.#socket.destroy(); // nothing is left to wait for
  }

  #takeFrame(it: Frame): void {
    const { type, stream, payload } = it;
    switch (type) {
      case frameTypes.data:
        this.#takeData(it);
        break;
      case frameTypes.headers:
        this.#block = { begin: it, parts: [contentOf(it)] };
        this.#takeBlock(it);
        break;
      case frameTypes.continuation:
        if (this.#block && this.#block.parts.push(payload) > headerPartsMax) throw new Error('headers without an end');
        this.#takeBlock(it);
        break;
      case frameTypes.rstStream:
        this.#takeReset(stream, payload.readUInt32BE(0));
        break;
      case frameTypes.settings:
        this.#takeSettings(it);
        break;
      case frameTypes.ping:
        if (!(it.flags & flags.ack)) this.#socket.write(frame(type, flags.ack, 0, payload));
        break;
      case frameTypes.goaway:
        this.#leave(payload.readUInt32BE(0) & 0x7fff_ffff);
        break;
      case frameTypes.windowUpdate:
        if (stream === 0) this.#window += payload.readUInt32BE(0);
    }
  }

  #takeData(it: Frame): void {
    const { payload, stream } = it;
    this.#read += payload.length;
    if (this.#read > windowBytes / 2) {
      this.#socket.write(frame(frameTypes.windowUpdate, flags.none, 0, uint32(this.#read)));
      this.#read = 0;
    }
    const call = this.#calls.get(stream);
    if (!call) return;
    const content = contentOf(it);
    call.body = call.body.length === 0 ? content : Buffer.concat([call.body, content]);
    if (call.body.length > bodyBytesMax) this.#cancel(stream, `an answer of more than ${bodyBytesMax} bytes`);
    else if (it.flags & flags.endStream) this.#settle(stream, endOf(call));
  }

  #takeBlock(it: Frame): void {
    if (!this.#block || !(it.flags & flags.endHeaders)) return;
    const { begin, parts } = this.#block;
    this.#block = undefined;
    const fields = this.#decoder.read(parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts));
    const call = this.#calls.get(begin.stream);
    if (call) tell(call, fields);
    if (call && begin.flags & flags.endStream) this.#settle(begin.stream, endOf(call));
  }

  #takeSettings({ flags: its, payload }: Frame): void {
    if (its & flags.ack) return;
    for (let at = 0; at + 6 <= payload.length; at += 6)
      if (payload.readUInt16BE(at) === settings.streamsMax) this.#callsMax = payload.readUInt32BE(at + 2);
    this.#socket.write(frame(frameTypes.settings, flags.ack, 0, Buffer.alloc(0)));
  }

  #takeReset(stream: number, code: number): void {
    const error = `the call was reset (${code})`;
    this.#settle(stream, {
      status: undefined,
      error,
      ...(code === errorCodes.refusedStream ? { isUntaken: true } : {}),
    });
  }

  /** It answers what came before, and takes nothing new. */
  #leave(lastStream: number): void {
    this.#over ??= 'the connection was closed by GOAWAY';
    const untaken = { status: undefined, error: this.#over, isUntaken: true } as const;
    for (const stream of [...this.#calls.keys()]) if (stream > lastStream) this.#settle(stream, untaken);
    this.#endWaiting(untaken);
  }
}
