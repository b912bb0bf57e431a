// HTTP/2 connections to one target that is asked by gRPC: each carries many calls at a time. What a call answers is told
// as an HTTP client would hear it: 200 or 429 with the message in JSON and its headers, or 500 where there is none.

import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders } from 'node:http2';
import type { OnAnswer, Requester, RequestSpec } from './connections.ts';
import { type HttpAnswer, toldAs } from './http-answer.ts';
import { giveUpMs } from './load.ts';
import { answerOf, callOf } from './rls-messages.ts';

/** Few, as a proxy has them; a fault of one is the fault of many calls. */
const connectionCount = 8;

export class GrpcConnections implements Requester {
  readonly #url: string;
  readonly #sessions: (ClientHttp2Session | undefined)[] = Array.from({ length: connectionCount });
  #turn = 0;

  constructor(url: string) {
    this.#url = url;
  }

  /** Waits until there is a connection: no call costs nothing. */
  get(_path: string, _headers: Readonly<Record<string, string>>, onAnswer: OnAnswer): void {
    const session = this.#next();
    const over = () => {
      session.off('connect', over).off('close', over);
      onAnswer(undefined);
    };
    if (session.connecting) session.once('connect', over).once('close', over);
    else onAnswer(undefined);
  }

  request({ path, headers, body = '{}' }: RequestSpec, onAnswer: OnAnswer): void {
    const call = this.#next().request({
      ...headers,
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: path,
      [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
      [constants.HTTP2_HEADER_TE]: 'trailers',
    });
    const chunks: Buffer[] = [];
    let error = 'the call was reset';
    let status = '';
    const readStatus = (told: IncomingHttpHeaders) => {
      status = String(told['grpc-status'] ?? '');
      if (status !== '0') error = `gRPC status ${status}: ${told['grpc-message']}`;
    };
    const late = setTimeout(() => {
      error = `no answer within ${giveUpMs / 1000} s`;
      call.close(constants.NGHTTP2_CANCEL);
    }, giveUpMs);
    call.on('response', (told) => told['grpc-status'] !== undefined && readStatus(told)); // where there is no message
    call.on('trailers', readStatus);
    call.on('data', (chunk: Buffer) => chunks.push(chunk));
    call.on('error', ({ message }) => {
      error = message;
    });
    call.on('close', () => {
      clearTimeout(late);
      if (status === '0') onAnswer(answerIn(Buffer.concat(chunks)));
      else if (status === '') onAnswer(undefined, error);
      else onAnswer(toldAs(500, error), error);
    });
    call.end(callOf(body));
  }

  close(): void {
    for (const session of this.#sessions) session?.destroy();
  }

  /** Its session in turn, anew where that is over. */
  #next(): ClientHttp2Session {
    const at = this.#turn++ % connectionCount;
    const before = this.#sessions[at];
    if (before && !before.closed && !before.destroyed) return before;
    const session = connect(this.#url);
    session.on('error', () => {}); // told to each of its calls
    this.#sessions[at] = session;
    return session;
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
