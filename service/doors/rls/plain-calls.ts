// Answers the calls of one method on their HTTP/2 streams, as nearly all clients make them: one message, not compressed. What
// @grpc/grpc-js does for calls of any kind would be a third of an answer's processor time. It has all others.
//
//   stream ─ of the method, not compressed? ─ yes ─▶ message ─▶ answer ─▶ headers, message, trailers
//                └─ no ─▶ @grpc/grpc-js
//
// No clock runs for a client's deadline: who waits no more resets the stream.

import { constants, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { type StatusObject, status } from '@grpc/grpc-js';

export interface PlainMethod<Request, Response> {
  /** As `/package.Service/Method`. */
  readonly path: string;
  readonly messageBytesMax: number;
  readonly requestIn: (message: Buffer) => Request;
  /** May be overwritten by the next call. */
  readonly bytesOf: (response: Response) => Buffer;
  readonly answer: (request: Request, call: PlainCall) => Promise<Response>;
  /** What a call is told for which `answer` rejects. */
  readonly statusOf: (error: unknown) => CallStatus;
}

export interface PlainCall {
  readonly headers: IncomingHttpHeaders;
  /** Its client waits no more. */
  readonly isOver: boolean;
}

export type CallStatus = Pick<StatusObject, 'code' | 'details'>;

type StreamListener = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/** `http2`: has no connection yet, and of listeners to its streams @grpc/grpc-js's alone. */
export function answerPlainly<Request, Response>(http2: Http2Server, method: PlainMethod<Request, Response>): void {
  const [general] = http2.listeners('stream') as StreamListener[];
  if (!general) throw new Error('nobody listens to the streams of the gRPC server');
  http2.off('stream', general);
  http2.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    if (headers[':path'] === method.path && isPlain(headers)) new Call(stream, headers, method);
    else general.call(http2, stream, headers);
  });
}

function isPlain({ 'content-type': type, 'grpc-encoding': encoding = 'identity' }: IncomingHttpHeaders): boolean {
  return (type === 'application/grpc' || type === 'application/grpc+proto') && encoding === 'identity';
}

/** A message has in front whether it is compressed, and its length. */
const prefixBytes = 5;

const responseHeaders = { ':status': 200, 'content-type': 'application/grpc+proto' };
const trailersFollow = { waitForTrailers: true };
const ok = { 'grpc-status': status.OK };

class Call<Request, Response> implements PlainCall {
  readonly #stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly #method: PlainMethod<Request, Response>;
  readonly #received: Buffer[] = [];
  #bytes = 0;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, method: PlainMethod<Request, Response>) {
    this.#stream = stream;
    this.headers = headers;
    this.#method = method;
    stream.on('error', () => {}); // its close says so
    stream.on('data', (chunk: Buffer) => this.#receive(chunk));
    stream.on('end', () => this.#answer());
  }

  get isOver(): boolean {
    return this.#stream.closed || this.#stream.destroyed;
  }

  #receive(chunk: Buffer): void {
    const { messageBytesMax } = this.#method;
    this.#bytes += chunk.length;
    if (this.#bytes <= prefixBytes + messageBytesMax) this.#received.push(chunk);
    else this.#refuse({ code: status.RESOURCE_EXHAUSTED, details: `More than ${messageBytesMax} bytes in a message.` });
  }

  #answer(): void {
    if (this.isOver || this.#stream.headersSent) return;
    const [first = Buffer.alloc(0)] = this.#received;
    const bytes = this.#received.length > 1 ? Buffer.concat(this.#received) : first;
    if (bytes.length < prefixBytes || bytes.readUInt32BE(1) !== bytes.length - prefixBytes)
      this.#refuse({ code: status.UNIMPLEMENTED, details: 'There is not one message, and whole.' });
    else if (bytes[0] !== 0)
      this.#refuse({ code: status.INTERNAL, details: 'The message is compressed, and nothing says how.' });
    else this.#decide(bytes.subarray(prefixBytes));
  }

  async #decide(message: Buffer): Promise<void> {
    const { requestIn, answer, bytesOf, statusOf } = this.#method;
    try {
      const response = await answer(requestIn(message), this);
      if (!this.isOver) this.#respond(bytesOf(response));
    } catch (error) {
      this.#refuse(statusOf(error));
    }
  }

  #respond(message: Buffer): void {
    const stream = this.#stream;
    const bytes = Buffer.allocUnsafe(prefixBytes + message.length);
    bytes[0] = 0;
    bytes.writeUInt32BE(message.length, 1);
    message.copy(bytes, prefixBytes);
    stream.respond(responseHeaders, trailersFollow);
    stream.once('wantTrailers', () => stream.sendTrailers(ok));
    stream.end(bytes);
  }

  /** What its client still sends is of no use. */
  #refuse({ code, details }: CallStatus): void {
    if (this.isOver || this.#stream.headersSent) return;
    const trailers = { 'grpc-status': code, 'grpc-message': encodeURI(details) };
    this.#stream.respond({ ...responseHeaders, ...trailers }, { endStream: true });
    this.#stream.close(constants.NGHTTP2_NO_ERROR);
  }
}
