// HTTP/2 connections to one target that is asked by gRPC: each carries many calls at a time. What a call answers is told
// as an HTTP client would hear it: 200 or 429 with the message in JSON and its headers, or 500 where there is none.

import { giveUpMs } from '../failure.ts';
import type { OnAnswer, Requester, RequestSpec } from './connections.ts';
import { type CallEnd, callHeaders } from './grpc-call.ts';
import { GrpcConnection } from './grpc-connection.ts';
import { type HttpAnswer, toldAs } from './http-answer.ts';
import { answerOf, callOf } from './rls-messages.ts';

/** Few, as a proxy has them; a fault of one is the fault of many calls. */
const connectionCount = 8;

export class GrpcConnections implements Requester {
  readonly #url: string;
  readonly #connections: (GrpcConnection | undefined)[] = Array.from({ length: connectionCount });
  #turn = 0;
  /** Of the last call: most have the same. */
  #headers: { readonly of: string; readonly encoded: Buffer } = { of: '', encoded: Buffer.alloc(0) };

  constructor(url: string) {
    this.#url = url;
  }

  /** Waits until there is a connection: no call costs nothing. */
  get(_path: string, _headers: Readonly<Record<string, string>>, onAnswer: OnAnswer): void {
    this.#at(this.#turn++ % connectionCount).onceOpen(() => onAnswer(undefined));
  }

  request({ path, headers, body = '{}' }: RequestSpec, onAnswer: OnAnswer): void {
    const [encoded, message] = [this.#headersOf(path, headers), callOf(body)];
    const conclude = (end: CallEnd) => {
      if (end.status === undefined) return onAnswer(undefined, end.error);
      if (end.status === '0') return onAnswer(answerIn(end.body));
      const error = `gRPC status ${end.status}: ${end.text}`;
      onAnswer(toldAs(500, error), error);
    };
    const at = this.#turn++ % connectionCount;
    const untilMs = performance.now() + giveUpMs;
    // As every client of gRPC does: https://grpc.io/docs/guides/retry/#transparent-retries
    const send = (isAgain: boolean) =>
      this.#at(at).call(
        encoded,
        message,
        (end) => {
          const mayRetry = end.status === undefined && end.isUntaken && (end.isUnsent || !isAgain);
          if (mayRetry && performance.now() < untilMs) send(isAgain || !end.isUnsent);
          else conclude(end);
        },
        untilMs - performance.now(),
      );
    send(false);
  }

  close(): void {
    for (const connection of this.#connections) connection?.close();
  }

  #headersOf(path: string, headers: Readonly<Record<string, string>>): Buffer {
    const of = JSON.stringify([path, headers]);
    if (of !== this.#headers.of) this.#headers = { of, encoded: callHeaders(this.#url, path, headers) };
    return this.#headers.encoded;
  }

  /** The connection of that turn, anew where it is over. */
  #at(at: number): GrpcConnection {
    const before = this.#connections[at];
    if (before && !before.isOver) return before;
    const connection = new GrpcConnection(this.#url, giveUpMs);
    this.#connections[at] = connection;
    return connection;
  }
}

function answerIn(body: Buffer): HttpAnswer {
  try {
    const answer = answerOf(body);
    const status = answer.overallCode === 'OVER_LIMIT' ? 429 : 200;
    return toldAs(
      status,
      JSON.stringify(answer),
      (name) => answer.responseHeadersToAdd.find(({ key }) => key.toLowerCase() === name)?.value,
    );
  } catch (error) {
    return toldAs(500, (error as Error).message);
  }
}
