// An HTTP/2 connection to a gRPC server that does as little for a call as can be. A general client's work for a call was a
// third of a core, and what it left to collect stopped the generator for milliseconds.
//
//   HEADERS, DATA ──▶ server        HEADERS, DATA, HEADERS that end the stream ──▶ one call answered

import type { Socket } from 'node:net';
import { Allowance } from './grpc-allowance.ts';
import { beginCall, type Call, type CallEnd, endOf, nextData, type OnEnd, tell } from './grpc-call.ts';
import { type HeaderBlock, HeaderBlocks } from './header-blocks.ts';
import {
  contentOf,
  errorCodes,
  type Frame,
  FrameReader,
  flags,
  frame,
  frameTypes,
  greeting,
  uint32,
} from './http2-frames.ts';
import { openSocket, peerOf } from './socket.ts';

/** The server may send so much before it hears that it was read. */
const windowBytes = 2 ** 24;
/** Of a body. */
const bodyBytesMax = 1024 * 1024;

interface Waiting {
  readonly headers: Buffer;
  readonly data: Buffer;
  readonly onEnd: OnEnd;
  readonly late: NodeJS.Timeout;
  /** Once it is sent. */
  stream?: number;
}

export class GrpcConnection {
  readonly #socket: Socket;
  readonly #giveUpMs: number;
  readonly #tooLate: string;
  readonly #reader = new FrameReader();
  readonly #headers = new HeaderBlocks();
  readonly #allowed = new Allowance();
  readonly #calls = new Map<number, Call>();
  readonly #waiting = new Set<Waiting>();
  readonly #onceOpen: (() => void)[] = [];
  /** The server has said what it takes: none of gRPC's clients sends a call before. */
  #isOpen = false;
  /** Why it takes no call any more. */
  #over: string | undefined;
  #nextStream = 1;
  /** What was read since the server was last told so. */
  #read = 0;

  /** By TLS where the address begins with https. A call without an answer for so long is given up. */
  constructor(url: string, giveUpMs: number) {
    this.#giveUpMs = giveUpMs;
    this.#tooLate = `no answer within ${giveUpMs / 1000} s`;
    this.#socket = openSocket(peerOf(url), { ALPNProtocols: ['h2'] });
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

  /** `headers`: all, as HPACK has them. `data`: messages in gRPC's frames. `leftMs`: until it is given up, where some time has passed. */
  call(headers: Buffer, data: Buffer, onEnd: OnEnd, leftMs = this.#giveUpMs): void {
    if (this.#over !== undefined) {
      onEnd({ status: undefined, error: this.#over });
      return;
    }
    const late = setTimeout(() => this.#giveUp(waiting), leftMs);
    const waiting: Waiting = { headers, data, onEnd, late };
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
    if (!this.#isOpen) return;
    for (const waiting of this.#waiting) {
      const { headers, data, onEnd, late } = waiting;
      if (this.#calls.size >= this.#allowed.callsMax || data.length > this.#allowed.window) return;
      this.#waiting.delete(waiting);
      this.#allowed.window -= data.length;
      const stream = this.#nextStream;
      this.#nextStream += 2;
      waiting.stream = stream;
      const call = beginCall(onEnd, late, data, this.#allowed.callWindow);
      this.#calls.set(stream, call);
      const begin = frame(frameTypes.headers, flags.endHeaders, stream, this.#allowed.blockOf(headers));
      const first = nextData(call, stream);
      this.#socket.write(first ? Buffer.concat([begin, first]) : begin);
      this.#sendRest(stream, call);
    }
  }

  #sendRest(stream: number, call: Call): void {
    for (let next = nextData(call, stream); next; next = nextData(call, stream)) this.#socket.write(next);
  }

  #giveUp(waiting: Waiting): void {
    if (waiting.stream !== undefined) this.#cancel(waiting.stream, this.#tooLate);
    else if (this.#waiting.delete(waiting)) waiting.onEnd({ status: undefined, error: this.#tooLate });
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
      case frameTypes.continuation:
        this.#takeHeaders(this.#headers.take(it));
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
        this.#widen(stream, payload.readUInt32BE(0));
    }
  }

  #widen(stream: number, bytes: number): void {
    const call = this.#calls.get(stream);
    if (stream === 0) this.#allowed.window += bytes;
    if (!call) return;
    call.window += bytes;
    this.#sendRest(stream, call);
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

  #takeHeaders(block: HeaderBlock | undefined): void {
    if (!block) return;
    const { begin, fields } = block;
    const call = this.#calls.get(begin.stream);
    if (call) tell(call, fields);
    if (call && begin.flags & flags.endStream) this.#settle(begin.stream, endOf(call));
  }

  #takeSettings(it: Frame): void {
    if (it.flags & flags.ack) return;
    const widerBy = this.#allowed.learn(it);
    for (const stream of this.#calls.keys()) this.#widen(stream, widerBy);
    this.#socket.write(frame(frameTypes.settings, flags.ack, 0, Buffer.alloc(0)));
    this.#opened();
  }

  #takeReset(stream: number, code: number): void {
    const end = { status: undefined, error: `the call was reset (${code})` } as const;
    this.#settle(stream, code === errorCodes.refusedStream ? { ...end, isUntaken: true } : end);
  }

  /** It answers what came before, and takes nothing new. */
  #leave(lastStream: number): void {
    this.#over ??= 'the connection was closed by GOAWAY';
    const untaken = { status: undefined, error: this.#over, isUntaken: true } as const;
    for (const stream of [...this.#calls.keys()]) if (stream > lastStream) this.#settle(stream, untaken);
    this.#endWaiting({ ...untaken, isUnsent: true });
  }
}
